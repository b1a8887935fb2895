//! Measures how many events there are among others. Pure.

use crate::buckets::Buckets;
use crate::meter::Level;

/// What share of some events are bad ones.
#[derive(Debug)]
pub(crate) struct Ratio {
    pub(crate) above: f64,
    pub(crate) below: f64,
    pub(crate) min_total: u64,
    pub(crate) buckets: Buckets,
}

impl Ratio {
    pub(crate) fn level(&self, now: u64) -> Level {
        let (counted, all) = self.buckets.sum(now, 0, STEPS);
        let share = counted as f64 / all.max(1) as f64;
        if all >= self.min_total && share >= self.above {
            Level::Over
        } else if all < self.min_total || share < self.below {
            // Too few to judge by are no reason to go on.
            Level::Under
        } else {
            Level::Between
        }
    }
}

/// In how many stretches a ratio's window is counted: it is right to a sixtieth of its length.
pub(crate) const STEPS: u64 = 60;
