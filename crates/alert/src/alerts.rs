//! The handle to running alerts: how they stand, what changed, and the end.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use crate::alert::{Alert, AlertState, Deliveries, RuleCounts};
use crate::error::Error;
use crate::json;
use crate::reload::{self, ReloadCounts, Reloads};
use crate::shared::Shared;

/// A handle to the running alerts. Clones are the same handle.
#[derive(Clone)]
pub struct Alerts {
    pub(crate) shared: Arc<Shared>,
}

impl Alerts {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// How each rule stands now, in the order of the rules.
    pub fn states(&self) -> Vec<AlertState> {
        self.shared.states()
    }

    /// What each rule has done since the start, in the order of the rules.
    pub fn counts(&self) -> Vec<RuleCounts> {
        self.shared.counts()
    }

    /// All that fires now, each group an alert of its own, in the order of the rules.
    pub fn active(&self) -> Vec<Alert> {
        self.shared.active()
    }

    /// All of that as one JSON object, for a page of the service such as `/alerts`: `alerts`, what
    /// fires with its evidence, and `rules`, each with its state, its counts, and what was
    /// suppressed by reason; and `reloads` of the rules file, with why the latest failed. Times are
    /// RFC 3339 in UTC, spans are seconds.
    pub fn json(&self) -> String {
        let reloads = self.reloads();
        json::standing(&self.shared.standing(), &self.active(), &reloads)
    }

    /// How each rule stands and what it has done, in the order of the rules: of the same rules,
    /// though a reload brings others meanwhile.
    pub fn standing(&self) -> Vec<(AlertState, RuleCounts)> {
        self.shared.standing()
    }

    /// Loads the rules file again and puts it to work, whether or not it says something else: for
    /// secrets in other files too. A file that does not load is an error, counted, and the rules
    /// stay as they were; so it is without a file.
    ///
    /// A rule that says the same under the same name goes on with its counts, groups and what
    /// fires. One that is gone or says something else is over: what fires is told as resolved to
    /// those who heard of it, its playbook is taken back, and a changed rule begins anew. So nobody
    /// is left with an alert that no rule can end. A notifier that is unchanged keeps what waits; a
    /// new one is told of what fires already; one that no rule names any more has a minute to send
    /// what waits.
    pub fn reload(&self) -> Result<(), Error> {
        reload::by_call(&self.shared)
    }

    /// How often the rules file was put to work again, and how often that failed.
    pub fn reloads(&self) -> ReloadCounts {
        let reloads = self.shared.reloads.as_ref();
        reloads.map(Reloads::counts).unwrap_or_default()
    }

    /// The kill switch: `false` takes back every playbook that is applied and refuses each from now
    /// on, until `true`. Rules that fire then may use theirs again, within their limits. Does not
    /// wait for the playbooks. Default: on; see [`Builder::playbooks_on`](crate::Builder::playbooks_on).
    pub fn playbooks(&self, on: bool) {
        self.shared.workers.turn_off(!on);
    }

    /// What became of the notifications since the start.
    pub fn deliveries(&self) -> Deliveries {
        self.shared.deliveries()
    }

    /// The same for each notifier that a rule names or named before a reload, by its name.
    pub fn deliveries_by_notifier(&self) -> Vec<(String, Deliveries)> {
        self.shared.workers.by_notifier()
    }

    /// A channel that gets each change from now on. It holds 256; a reader that falls further
    /// behind misses changes, counted as [`Deliveries::dropped`].
    pub fn subscribe(&self) -> Receiver<Alert> {
        let (sender, receiver) = sync_channel(MAX_UNREAD);
        self.shared
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sender);
        receiver
    }

    /// Waits until the states are as wished, looking after each change; `false` if the time ran
    /// out before. Blocks the thread: in async code use
    /// [`Builder::on_change`](crate::Builder::on_change).
    pub fn wait(&self, timeout: Duration, mut done: impl FnMut(&[AlertState]) -> bool) -> bool {
        self.shared
            .progress
            .wait_until(deadline(timeout), |_| done(&self.states()))
    }

    /// Judges no further event, takes playbooks back, sends the alerts that wait, and ends the
    /// threads. What is not sent in time is an error that says how many. Called again, or on a
    /// thread of the alerts themselves (a notifier, a playbook, a callback), it does not wait.
    ///
    /// Rules that fire are not told to have resolved: a process that ends heals nothing.
    pub fn close(&self, timeout: Duration) -> Result<(), Error> {
        self.shared.end(timeout);
        if !OURS.get() {
            self.shared
                .progress
                .wait_until(deadline(timeout), |threads| threads == 0);
            self.shared.tell.rest();
        }
        match self.deliveries().pending {
            0 => Ok(()),
            left => Err(Error::delivery(format!(
                "{left} alerts were not sent before the end"
            ))),
        }
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.counts();
        f.debug_struct("Alerts")
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}

/// Ends the alerts when it is dropped, waiting two seconds at most.
#[must_use = "alerts end when the guard is dropped; keep it as long as the service runs"]
#[derive(Debug)]
pub struct AlertGuard {
    alerts: Alerts,
}

impl AlertGuard {
    pub(crate) fn new(alerts: Alerts) -> Self {
        Self { alerts }
    }

    /// The handle.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Ends the alerts; see [`Alerts::close`].
    pub fn close(self, timeout: Duration) -> Result<(), Error> {
        self.alerts.close(timeout)
    }
}

impl Drop for AlertGuard {
    fn drop(&mut self) {
        if self.alerts.shared.is_ended() {
            return;
        }
        if let Err(error) = self.alerts.close(DROP_TIMEOUT) {
            self.alerts.shared.tell.tell(error);
        }
    }
}

/// Marks this thread as one of the alerts' own.
pub(crate) fn mark_thread() {
    OURS.set(true);
}

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

pub(crate) fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    // A timeout beyond all clocks waits a century.
    now.checked_add(timeout)
        .unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400))
}

const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// Some 500 kB with their samples.
const MAX_UNREAD: usize = 256;
