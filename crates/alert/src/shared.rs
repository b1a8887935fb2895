//! What the layer, the threads and the handles have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::about::About;
use crate::alert::{Alert, AlertState, Deliveries, RuleCounts};
use crate::clock::{Clock, Wake, nanos};
use crate::current::Current;
use crate::filter::Least;
use crate::notify::logged::Logged;
use crate::redact::Redact;
use crate::reload::Reloads;
use crate::set::{Roster, Set};
use crate::tell::Tell;
use crate::workers::Workers;

pub(crate) struct Shared {
    pub(crate) current: Current,
    pub(crate) least: Arc<Least>,
    pub(crate) workers: Workers,
    /// Of a file.
    pub(crate) reloads: Option<Reloads>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Rings for the ticker.
    pub(crate) wake: Arc<Wake>,
    pub(crate) redact: Redact,
    /// What every line carries: the service's name and the like.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) logged: Logged,
    pub(crate) on_change: Vec<OnChange>,
    pub(crate) listeners: Mutex<Vec<SyncSender<Alert>>>,
    pub(crate) tell: Tell,
    pub(crate) panics: AtomicU64,
    pub(crate) unheard: AtomicU64,
    pub(crate) ended: AtomicBool,
    /// Until when the outboxes may send once the end has come, on the steady clock.
    pub(crate) ends_at: AtomicU64,
    pub(crate) progress: Progress,
}

/// What the application wants to be told of each change.
pub(crate) struct OnChange(pub(crate) Box<dyn Fn(&Alert) + Send + Sync>);

/// What is made once and does not change.
pub(crate) struct Fixed {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) redact: Redact,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) logged: Logged,
    pub(crate) on_change: Vec<OnChange>,
    pub(crate) tell: Tell,
    pub(crate) reloads: Option<Reloads>,
}

impl Shared {
    pub(crate) fn new(fixed: Fixed, roster: Roster) -> Self {
        let wake = Arc::new(Wake::default());
        fixed.clock.watch(&wake);
        let shared = Self {
            least: Arc::new(Least::new(roster.set.least_level())),
            workers: Workers::default(),
            current: Current::new(Arc::new(roster)),
            clock: fixed.clock,
            wake,
            redact: fixed.redact,
            fields: fixed.fields,
            logged: fixed.logged,
            on_change: fixed.on_change,
            tell: fixed.tell,
            reloads: fixed.reloads,
            listeners: Mutex::default(),
            panics: AtomicU64::default(),
            unheard: AtomicU64::default(),
            ended: AtomicBool::default(),
            ends_at: AtomicU64::default(),
            progress: Progress::default(),
        };
        let roster = shared.current.roster();
        shared.workers.adopt(&roster.outboxes(), &roster.keepers());
        shared
    }

    /// The rules that are at work now.
    pub(crate) fn set(&self) -> Arc<Set> {
        self.current.roster().set.clone()
    }

    pub(crate) fn about(&self) -> About<'_> {
        About {
            clock: &*self.clock,
            fields: &self.fields,
        }
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Asks the ticker for its last round, after which it ends all others.
    pub(crate) fn end(&self, timeout: Duration) {
        if !self.is_ended() {
            let deadline = self.clock.now().saturating_add(nanos(timeout));
            self.ends_at.store(deadline, Ordering::Release);
            self.ended.store(true, Ordering::Release);
            self.wake.ring();
        }
    }

    pub(crate) fn end_workers(&self) {
        self.workers.end(self.ends_at.load(Ordering::Acquire));
    }

    pub(crate) fn states(&self) -> Vec<AlertState> {
        let (set, about) = (self.set(), self.about());
        let rules = set.rules.iter().enumerate();
        rules
            .map(|(at, rule)| set.slot(at).state(rule, &about))
            .collect()
    }

    pub(crate) fn active(&self) -> Vec<Alert> {
        let (set, about) = (self.set(), self.about());
        let rules = set.rules.iter().enumerate();
        rules
            .flat_map(|(at, rule)| set.slot(at).active(rule, &about))
            .collect()
    }

    pub(crate) fn counts(&self) -> Vec<RuleCounts> {
        let set = self.set();
        let rules = set.rules.iter().enumerate();
        rules.map(|(at, rule)| set.slot(at).counts(rule)).collect()
    }

    /// How each rule stands and what it has done: of the same rules, though others come meanwhile.
    pub(crate) fn standing(&self) -> Vec<(AlertState, RuleCounts)> {
        let (set, about) = (self.set(), self.about());
        let rules = set.rules.iter().enumerate();
        rules
            .map(|(at, rule)| {
                let slot = set.slot(at);
                (slot.state(rule, &about), slot.counts(rule))
            })
            .collect()
    }

    /// Counts panics that were caught on an application's thread; the ticker tells of them.
    pub(crate) fn panicked(&self, times: u64) {
        if times > 0 {
            self.panics.fetch_add(times, Ordering::Relaxed);
            self.wake.ring();
        }
    }

    /// Hands a change to those who subscribed. A full channel misses it, a closed one goes.
    pub(crate) fn publish(&self, alert: &Alert) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| match listener.try_send(alert.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.unheard.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        });
    }

    pub(crate) fn deliveries(&self) -> Deliveries {
        let mut sum = self.workers.deliveries();
        sum.panics += self.panics.load(Ordering::Relaxed);
        sum.dropped += self.unheard.load(Ordering::Relaxed);
        let set = self.set();
        sum.dropped += (0..set.slots.len())
            .map(|at| set.slot(at).tally.untold)
            .sum::<u64>();
        sum
    }
}

/// How far the threads are, for those who wait.
#[derive(Default)]
pub(crate) struct Progress {
    state: Mutex<(u64, usize)>,
    bell: Condvar,
}

impl Progress {
    /// The ticker has told of changes.
    pub(crate) fn step(&self) {
        self.change(|state| state.0 += 1);
    }

    pub(crate) fn thread_starts(&self) {
        self.change(|state| state.1 += 1);
    }

    pub(crate) fn thread_ends(&self) {
        self.change(|state| state.1 -= 1);
    }

    fn change(&self, change: impl FnOnce(&mut (u64, usize))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_all();
    }

    /// Asks again after each step until the answer is yes, or the time is over.
    pub(crate) fn wait_until(
        &self,
        deadline: Instant,
        mut done: impl FnMut(usize) -> bool,
    ) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (seen, threads) = *state;
            drop(state);
            // Not under the lock: the question is the caller's.
            if done(threads) {
                return true;
            }
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            while *state == (seen, threads) {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                let waited = self.bell.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}
