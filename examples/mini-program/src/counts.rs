//! Counts what the callers see: answers, degraded answers, orders in the storm.

use std::time::SystemTime;

use tokio::sync::watch;

/// The figures, as one value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Calls that ended with an answer, or with the caller's own time-out.
    pub(crate) requests: u64,
    /// Of these, the ones that the caller gave up on.
    pub(crate) abandoned: u64,
    /// Answers 503 with `Retry-After`: the route was shed.
    pub(crate) degraded: u64,
    /// When the first of these came.
    pub(crate) first_degraded: Option<SystemTime>,
    /// Visits that began and that ended.
    pub(crate) visits_begun: u64,
    /// Visits that came to their end, however they went.
    pub(crate) visits_done: u64,
    /// Orders tried by visits that began in the storm, up to the storm's quota.
    pub(crate) storm_tried: u64,
    /// Of these, the orders that the shop took.
    pub(crate) storm_ok: u64,
}

/// The one place where the callers count; whoever waits for a figure is woken by it.
#[derive(Debug)]
pub(crate) struct Counts(watch::Sender<Tally>);

impl Counts {
    pub(crate) fn new() -> Counts {
        Counts(watch::Sender::new(Tally::default()))
    }

    /// Counts one call that ended with an answer.
    pub(crate) fn answer(&self, shed: bool, now: SystemTime) {
        self.0.send_modify(|tally| {
            tally.requests += 1;
            if shed {
                tally.degraded += 1;
                tally.first_degraded.get_or_insert(now);
            }
        });
    }

    /// Counts one call that the caller gave up on.
    pub(crate) fn abandoned(&self) {
        self.0.send_modify(|tally| {
            tally.requests += 1;
            tally.abandoned += 1;
        });
    }

    pub(crate) fn visit_begun(&self) {
        self.0.send_modify(|tally| tally.visits_begun += 1);
    }

    pub(crate) fn visit_done(&self) {
        self.0.send_modify(|tally| tally.visits_done += 1);
    }

    /// Counts one order tried in the storm; those beyond `quota` are not counted, so that two
    /// runs compare the same number of tries.
    pub(crate) fn storm_order(&self, ok: bool, quota: u64) {
        self.0.send_modify(|tally| {
            if tally.storm_tried < quota {
                tally.storm_tried += 1;
                tally.storm_ok += u64::from(ok);
            }
        });
    }

    pub(crate) fn now(&self) -> Tally {
        self.0.borrow().clone()
    }

    /// Returns once the figures satisfy `enough`.
    pub(crate) async fn reach(&self, enough: impl FnMut(&Tally) -> bool) {
        // `wait_for` fails only when the sender is gone, and `self` is the sender.
        let _ = self.0.subscribe().wait_for(enough).await;
    }
}
