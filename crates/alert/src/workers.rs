//! The outboxes and keepers whose threads run, those included that are about to end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::alert::Deliveries;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::set::is_among;

#[derive(Default)]
pub(crate) struct Workers {
    state: Mutex<State>,
    /// Playbooks are turned off, those to come too.
    off: AtomicBool,
}

#[derive(Default)]
struct State {
    outboxes: Vec<Arc<Outbox>>,
    keepers: Vec<Arc<Keeper>>,
    /// What those did that have ended while the process went on, by their names.
    ended: Vec<(String, Deliveries)>,
}

impl Workers {
    /// Takes these in, each once, before their threads start.
    pub(crate) fn adopt(&self, outboxes: &[Arc<Outbox>], keepers: &[Arc<Keeper>]) {
        self.with(|state| {
            for outbox in outboxes {
                if !is_among(&state.outboxes, outbox) {
                    state.outboxes.push(outbox.clone());
                }
            }
            for keeper in keepers {
                if !is_among(&state.keepers, keeper) {
                    keeper.turn_off(self.off.load(Ordering::Relaxed));
                    state.keepers.push(keeper.clone());
                }
            }
        });
    }

    pub(crate) fn turn_off(&self, off: bool) {
        // Under the lock, so that a keeper that is taken in meanwhile misses nothing.
        self.with(|state| {
            self.off.store(off, Ordering::Relaxed);
            state.keepers.iter().for_each(|keeper| keeper.turn_off(off));
        });
    }

    /// Sends what waits until a moment of the steady clock, takes playbooks back, ends all threads.
    pub(crate) fn end(&self, deadline: u64) {
        self.with(|state| {
            state
                .outboxes
                .iter()
                .for_each(|outbox| outbox.end(deadline));
            state.keepers.iter().for_each(|keeper| keeper.end());
        });
    }

    /// Its thread has ended; what it did still counts.
    pub(crate) fn forget_outbox(&self, outbox: &Arc<Outbox>) {
        self.with(|state| {
            let before = state.outboxes.len();
            state.outboxes.retain(|known| !Arc::ptr_eq(known, outbox));
            if state.outboxes.len() < before {
                add_for(&mut state.ended, outbox.name(), outbox.counts());
            }
        });
    }

    pub(crate) fn forget_keeper(&self, keeper: &Arc<Keeper>) {
        self.with(|state| state.keepers.retain(|known| !Arc::ptr_eq(known, keeper)));
    }

    pub(crate) fn deliveries(&self) -> Deliveries {
        let mut sum = Deliveries::default();
        let all = self.by_notifier();
        all.into_iter()
            .for_each(|(_, counts)| add(&mut sum, counts));
        sum
    }

    pub(crate) fn outboxes(&self) -> Vec<Arc<Outbox>> {
        self.with(|state| state.outboxes.clone())
    }

    /// By the notifiers' names, each once.
    pub(crate) fn by_notifier(&self) -> Vec<(String, Deliveries)> {
        self.with(|state| {
            let mut sums = Vec::new();
            for outbox in &state.outboxes {
                add_for(&mut sums, outbox.name(), outbox.counts());
            }
            for (name, counts) in &state.ended {
                add_for(&mut sums, name, *counts);
            }
            sums
        })
    }

    fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn add_for(sums: &mut Vec<(String, Deliveries)>, name: &str, counts: Deliveries) {
    match sums.iter_mut().find(|(known, _)| known == name) {
        Some((_, sum)) => add(sum, counts),
        None => sums.push((name.to_owned(), counts)),
    }
}

fn add(sum: &mut Deliveries, counts: Deliveries) {
    sum.sent += counts.sent;
    sum.pending += counts.pending;
    sum.failed += counts.failed;
    sum.dropped += counts.dropped;
    sum.coalesced += counts.coalesced;
    sum.suppressed += counts.suppressed;
    sum.digested += counts.digested;
    sum.dead_lettered += counts.dead_lettered;
    sum.panics += counts.panics;
}
