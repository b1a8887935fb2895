//! What the layer, the threads and the handles have in common.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::alert::{Alert, AlertState, Deliveries};
use crate::clock::{Clock, Wake, nanos};
use crate::notify::logged::Logged;
use crate::outbox::Outbox;
use crate::playbook::Keeper;
use crate::prefilter::Prefilter;
use crate::redact::Redact;
use crate::rule::Rule;
use crate::slot::{About, Slot};
use crate::tell::Tell;

pub(crate) struct Shared {
    pub(crate) rules: Vec<Rule>,
    pub(crate) prefilter: Prefilter,
    pub(crate) slots: Vec<Mutex<Slot>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) outboxes: Vec<Arc<Outbox>>,
    pub(crate) keepers: Vec<Arc<Keeper>>,
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

/// Who is told about one rule: places in the lists of outboxes and keepers.
#[derive(Debug, Default)]
pub(crate) struct Route {
    pub(crate) outboxes: Vec<usize>,
    pub(crate) keeper: Option<usize>,
}

impl Shared {
    pub(crate) fn slot(&self, rule: usize) -> MutexGuard<'_, Slot> {
        self.slots[rule]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        let deadline = self.ends_at.load(Ordering::Acquire);
        self.outboxes.iter().for_each(|outbox| outbox.end(deadline));
        self.keepers.iter().for_each(|keeper| keeper.end());
    }

    pub(crate) fn states(&self) -> Vec<AlertState> {
        let about = self.about();
        self.rules
            .iter()
            .enumerate()
            .map(|(at, rule)| self.slot(at).state(rule, &about))
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
        let mut sum = Deliveries {
            panics: self.panics.load(Ordering::Relaxed),
            ..Deliveries::default()
        };
        sum.dropped = self.unheard.load(Ordering::Relaxed);
        sum.dropped += (0..self.slots.len())
            .map(|at| self.slot(at).untold())
            .sum::<u64>();
        for counts in self.outboxes.iter().map(|outbox| outbox.counts()) {
            sum.sent += counts.sent;
            sum.pending += counts.pending;
            sum.failed += counts.failed;
            sum.dropped += counts.dropped;
            sum.suppressed += counts.suppressed;
            sum.panics += counts.panics;
        }
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
