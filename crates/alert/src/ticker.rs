//! The thread that tells of changes: resolves in time, renews leases, fills the outboxes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::alert::Alert;
use crate::clock::{nanos, until};
use crate::error::Error;
use crate::shared::Shared;

/// The ticker's own memory; all else is shared.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    /// For each rule that fires and has a playbook: when to renew its lease.
    renew: Vec<Option<u64>>,
    panics_told: u64,
}

impl Ticker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let renew = vec![None; shared.rules.len()];
        Self {
            shared,
            renew,
            panics_told: 0,
        }
    }

    /// Runs until the end is asked for. The last round tells what is left to tell.
    pub(crate) fn run(mut self) {
        loop {
            let ending = self.shared.is_ended();
            let next = self.round();
            if ending {
                return self.shared.end_workers();
            }
            let now = self.shared.clock.now();
            self.shared.wake.wait(next.map(|next| until(now, next)));
        }
    }

    /// Does what is due, and says when to come again.
    fn round(&mut self) -> Option<u64> {
        let mut next: Option<u64> = None;
        let mut told = false;
        for rule in 0..self.shared.rules.len() {
            let now = self.shared.clock.now();
            self.shared.slot(rule).turn(now);
            // One at a time: no lock is held while a change is told.
            while let Some((alert, firing)) = self.take(rule) {
                self.renew[rule] = firing.then_some(now);
                self.tell(rule, &alert);
                told = true;
            }
            self.renew(rule, now);
            let due = self.shared.slot(rule).due();
            let soonest = [next, due, self.renew[rule]];
            next = soonest.into_iter().flatten().min();
        }
        self.tell_of_panics();
        if told {
            self.shared.progress.step();
        }
        next
    }

    fn take(&self, rule: usize) -> Option<(Arc<Alert>, bool)> {
        let occurrence = self.shared.slot(rule).take()?;
        let alert = self
            .shared
            .about()
            .alert(&self.shared.rules[rule], &occurrence);
        Some((Arc::new(alert), occurrence.is_firing()))
    }

    fn tell(&self, rule: usize, alert: &Arc<Alert>) {
        let shared = &*self.shared;
        let route = &shared.routes[rule];
        for &outbox in &route.outboxes {
            if let Err(error) = shared.outboxes[outbox].push(alert.clone()) {
                shared.tell.tell(error);
            }
        }
        if let Some(keeper) = route.keeper {
            // A firing takes its lease as a renewal that is due at once.
            if alert.resolved_at.is_some() {
                shared.keepers[keeper].release(rule);
            }
        }
        shared.publish(alert);
        for on_change in &shared.on_change {
            if catch_unwind(AssertUnwindSafe(|| on_change.0(alert))).is_err() {
                shared.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn renew(&mut self, rule: usize, now: u64) {
        let shared = &*self.shared;
        let call = shared.rules[rule]
            .playbook
            .as_ref()
            .zip(shared.routes[rule].keeper);
        let Some((call, keeper)) = call else {
            self.renew[rule] = None;
            return;
        };
        if self.renew[rule].is_some_and(|due| due <= now) {
            shared.keepers[keeper].hold(rule, call.lease);
            self.renew[rule] = Some(now.saturating_add(nanos(call.lease) / 2));
        }
    }

    fn tell_of_panics(&mut self) {
        let panics = self.shared.panics.load(Ordering::Relaxed);
        let new = panics - self.panics_told;
        if new > 0 {
            self.panics_told = panics;
            self.shared.tell.tell(Error::delivery(format!(
                "{new} panics were caught in values, judges, playbooks or callbacks that alerts ran"
            )));
        }
    }
}
