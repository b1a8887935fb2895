//! Measures how many times as many events there are as in the time before. Pure.

use crate::buckets::Buckets;
use crate::meter::Level;

/// How much more there is than before.
#[derive(Debug)]
pub(crate) struct Spike {
    pub(crate) factor: f64,
    pub(crate) below: f64,
    pub(crate) min_count: u64,
    pub(crate) min_reference: u64,
    /// How many stretches the reference has.
    pub(crate) before: u64,
    /// When the first event came: nothing is compared with a time that was not seen.
    pub(crate) born: Option<u64>,
    pub(crate) buckets: Buckets,
}

impl Spike {
    pub(crate) fn counts(&self, now: u64) -> (u64, u64) {
        let (count, _) = self.buckets.sum(now, 0, SPIKE_STEPS);
        let end = SPIKE_STEPS + self.before;
        let (reference, _) = self.buckets.sum(now, SPIKE_STEPS, end);
        (count, reference)
    }

    fn ripe(&self) -> Option<u64> {
        let seen = (SPIKE_STEPS + self.before).saturating_mul(self.buckets.width());
        Some(self.born?.saturating_add(seen))
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        let (count, reference) = self.counts(now);
        let ripe = self.ripe().is_some_and(|ripe| now >= ripe);
        if !ripe || count < self.min_count || reference < self.min_reference {
            return Level::Under;
        }
        let usual = reference as f64 * SPIKE_STEPS as f64 / self.before as f64;
        match count as f64 / usual {
            times if times >= self.factor => Level::Over,
            times if times < self.below => Level::Under,
            _ => Level::Between,
        }
    }

    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let all = SPIKE_STEPS + self.before;
        let moves = self.buckets.next(now, SPIKE_STEPS);
        let leaves = self.buckets.next(now, all);
        let ripe = self.ripe().filter(|&ripe| ripe > now);
        moves.into_iter().chain(leaves).chain(ripe).min()
    }
}

/// In how many stretches its window is counted.
pub(crate) const SPIKE_STEPS: u64 = 12;
