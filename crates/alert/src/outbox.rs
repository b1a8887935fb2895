//! One notifier's queue and thread: in order, bounded, tried again until there is no hope.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::alert::{Alert, Deliveries, State};
use crate::clock::{Clock, Wake, nanos, until};
use crate::error::Error;
use crate::notify::{Notify, NotifyError};

/// Alerts on their way to one notifier.
pub(crate) struct Outbox {
    name: String,
    notifier: Arc<dyn Notify>,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<Alert>>,
    /// Rules whose firing was given up or dropped: their "resolved" would only puzzle.
    unheard: HashSet<Arc<str>>,
    counts: Deliveries,
    ending: Option<u64>,
}

impl Queue {
    /// The front, a firing, is given up: the "resolved" that follows, waiting or to come, is kept
    /// back.
    fn unheard(&mut self, rule: &Arc<str>) {
        match self.waiting.iter().position(|alert| alert.rule == *rule) {
            Some(next) if self.waiting[next].state == State::Resolved => {
                self.waiting.remove(next);
                self.counts.suppressed += 1;
            }
            Some(_) => {}
            None => drop(self.unheard.insert(rule.clone())),
        }
    }
}

impl Outbox {
    pub(crate) fn new(name: String, notifier: Arc<dyn Notify>, clock: Arc<dyn Clock>) -> Self {
        let wake = Arc::new(Wake::default());
        clock.watch(&wake);
        Self {
            name,
            notifier,
            clock,
            wake,
            queue: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes an alert, or says that the queue is full.
    pub(crate) fn push(&self, alert: Arc<Alert>) -> Result<(), Error> {
        self.with(|queue| {
            if alert.state == State::Firing {
                queue.unheard.remove(&alert.rule);
            } else if queue.unheard.remove(&alert.rule) {
                queue.counts.suppressed += 1;
                return Ok(());
            }
            if queue.waiting.len() == MAX_WAITING {
                queue.counts.dropped += 1;
                if alert.state == State::Firing {
                    queue.unheard.insert(alert.rule.clone());
                }
                let name = &self.name;
                return Err(Error::delivery(format!(
                    "cannot queue an alert of `{}` for `{name}`: {MAX_WAITING} wait already",
                    alert.rule
                )));
            }
            queue.waiting.push_back(alert);
            Ok(())
        })?;
        self.wake.ring();
        Ok(())
    }

    /// Sends what waits until the deadline, a moment of the steady clock, then ends the thread.
    pub(crate) fn end(&self, deadline: u64) {
        self.with(|queue| queue.ending = Some(deadline));
        self.wake.ring();
    }

    pub(crate) fn counts(&self) -> Deliveries {
        self.with(|queue| Deliveries {
            pending: queue.waiting.len() as u64,
            ..queue.counts
        })
    }

    /// The thread's work. `tell` hears of each failure.
    pub(crate) fn run(&self, tell: impl Fn(Error)) {
        let mut tries = Tries::default();
        loop {
            let (front, ending) = self.with(|queue| (queue.waiting.front().cloned(), queue.ending));
            let Some(alert) = front else {
                if ending.is_some() {
                    return;
                }
                self.wake.wait(None);
                continue;
            };
            let now = self.clock.now();
            if ending.is_some_and(|deadline| deadline <= now) {
                return;
            }
            if ending.is_some() {
                tries.hurry(now);
            }
            if let Some(wait) = tries.wait(now) {
                self.wake.wait(Some(wait));
                continue;
            }
            self.attempt(&alert, &mut tries, &tell);
        }
    }

    fn attempt(&self, alert: &Arc<Alert>, tries: &mut Tries, tell: &impl Fn(Error)) {
        // No lock is held here: this may take as long as the notifier likes.
        let sent = catch_unwind(AssertUnwindSafe(|| self.notifier.notify(alert)));
        let panicked = sent.is_err();
        let sent = sent.unwrap_or_else(|_| Err(NotifyError::permanent("the notifier panicked")));
        let Err(error) = sent else {
            tries.reset();
            return self.with(|queue| {
                queue.waiting.pop_front();
                queue.counts.sent += 1;
            });
        };
        let again = tries.failed(&error, self.clock.now(), RandomState::new().hash_one(()));
        let rule = &alert.rule;
        if !again {
            tries.reset();
            self.with(|queue| {
                queue.waiting.pop_front();
                queue.counts.failed += 1;
                queue.counts.panics += u64::from(panicked);
                if alert.state == State::Firing {
                    queue.unheard(rule);
                }
            });
        }
        let then = if again {
            "it is tried again"
        } else {
            "it is given up"
        };
        let what = format!(
            "cannot send an alert of `{rule}` to `{}`, {then}",
            self.name
        );
        tell(Error::delivery(what).caused_by(error));
    }

    fn with<T>(&self, run: impl FnOnce(&mut Queue) -> T) -> T {
        run(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// When to try again. Pure.
#[derive(Debug, Default)]
struct Tries {
    failures: u32,
    hurried: bool,
    since: Option<u64>,
    next: u64,
}

impl Tries {
    /// How long to wait before the next try.
    fn wait(&self, now: u64) -> Option<Duration> {
        (self.next > now).then(|| until(now, self.next))
    }

    /// The process is ending: the next try is now, and each further one soon.
    fn hurry(&mut self, now: u64) {
        if !self.hurried {
            self.hurried = true;
            self.next = now;
        }
    }

    /// The next alert's tries begin.
    fn reset(&mut self) {
        *self = Self {
            hurried: self.hurried,
            ..Self::default()
        };
    }

    /// Notes a failure; `false` gives up.
    fn failed(&mut self, error: &NotifyError, now: u64, random: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        if error.is_permanent() || now.saturating_sub(since) >= nanos(GIVE_UP) {
            return false;
        }
        let most = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        // Full jitter above a floor, so that a fleet does not come back in step.
        let jitter = random % (nanos(most) / 2 + 1);
        let wait = error
            .retry_after()
            .map_or(nanos(most) / 2 + jitter, |wait| nanos(wait.min(GIVE_UP)));
        self.failures += 1;
        let wait = if self.hurried {
            wait.min(nanos(HURRY))
        } else {
            wait
        };
        self.next = now.saturating_add(wait);
        true
    }
}

/// How many alerts wait for one notifier: hours of a storm, some 500 kB with their samples.
const MAX_WAITING: usize = 256;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
const GIVE_UP: Duration = Duration::from_secs(3600);
const HURRY: Duration = Duration::from_millis(200);
