//! Measures how far the count has moved since the same span of time before. Pure.

use crate::buckets::Buckets;
use crate::meter::Level;
use crate::spike::SPIKE_STEPS;

/// A window against one as long that ended `offset` before it.
#[derive(Debug)]
pub(crate) struct Shift {
    limits: Limits,
    min_reference: u64,
    /// How many stretches lie between the two ends.
    offset: u64,
    /// When the first event came: nothing is compared with a time that was not seen.
    born: Option<u64>,
    buckets: Buckets,
}

/// As shares of the count before: 0.5 is half of it, 2 is twice as many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    pub(crate) way: Way,
    pub(crate) fires: f64,
    pub(crate) good: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Rise,
    Fall,
}

impl Shift {
    pub(crate) fn new(limits: Limits, min_reference: u64, window: u64, offset: u64) -> Self {
        let width = (window / SPIKE_STEPS).max(1);
        let offset = offset / width;
        Self {
            limits,
            min_reference,
            offset,
            born: None,
            buckets: Buckets::new(width, SPIKE_STEPS + offset),
        }
    }

    pub(crate) fn push(&mut self, now: u64) {
        self.born.get_or_insert(now);
        self.buckets.push(now, true);
    }

    /// How many there are, and how many there were.
    pub(crate) fn counts(&self, now: u64) -> (u64, u64) {
        let (count, _) = self.buckets.sum(now, 0, SPIKE_STEPS);
        let (before, _) = self.buckets.sum(now, self.offset, self.all());
        (count, before)
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        let (count, before) = self.counts(now);
        let ripe = self.ripe().is_some_and(|ripe| now >= ripe);
        if !ripe || before < self.min_reference.max(1) {
            // Too few to compare with are no reason to go on.
            return Level::Under;
        }
        let share = count as f64 / before as f64;
        let Limits { way, fires, good } = self.limits;
        let (bad, good) = match way {
            Way::Rise => (share >= fires, share < good),
            Way::Fall => (share <= fires, share > good),
        };
        match (bad, good) {
            (true, _) => Level::Over,
            (_, true) => Level::Under,
            _ => Level::Between,
        }
    }

    /// When a count may change next if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let leaves = self.buckets.next(now, SPIKE_STEPS);
        let enters = self.buckets.next(now, self.offset);
        let forgotten = self.buckets.next(now, self.all());
        let ripe = self.ripe().filter(|&ripe| ripe > now);
        let all = [leaves, enters, forgotten, ripe];
        all.into_iter().flatten().min()
    }

    pub(crate) fn first(&self, now: u64) -> Option<u64> {
        self.buckets.first(now, 0, SPIKE_STEPS)
    }

    pub(crate) fn clear(&mut self) {
        self.buckets.clear();
    }

    fn all(&self) -> u64 {
        SPIKE_STEPS + self.offset
    }

    fn ripe(&self) -> Option<u64> {
        let seen = self.all().saturating_mul(self.buckets.width());
        Some(self.born?.saturating_add(seen))
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Shift, Way};
    use crate::meter::Level;
    use crate::spike::SPIKE_STEPS;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_comparison_equals_a_naive_one_at_every_step(
            rises in any::<bool>(), fires in 1_u32..8, gap in 0_u32..3, width in 1_u64..5,
            offset in SPIKE_STEPS..40, least in 1_u64..5,
            steps in prop::collection::vec(0_u64..12, 1..150),
        ) {
            let (way, fires, good) = match rises {
                true => (Way::Rise, 1.0 + f64::from(fires) / 4.0, 1.0 + f64::from(fires) / 4.0 - f64::from(gap) / 16.0),
                false => (Way::Fall, 1.0 / f64::from(fires + 1), 1.0 / f64::from(fires + 1) + f64::from(gap) / 16.0),
            };
            let limits = Limits { way, fires, good };
            let mut shift = Shift::new(limits, least, width * SPIKE_STEPS, width * offset);
            let mut all: Vec<u64> = Vec::new();
            let mut now = 0;
            for step in steps {
                let next = shift.next(now).unwrap_or(u64::MAX);
                for moment in now..(now + step).min(next) {
                    prop_assert_eq!(shift.level(moment), shift.level(now), "at {} from {}", moment, now);
                }
                now += step;
                shift.push(now);
                all.push(now);
                let back = |time: u64| now / width - time / width;
                let within = |from: u64| {
                    all.iter().filter(|time| (from..from + SPIKE_STEPS).contains(&back(**time))).count() as u64
                };
                let (count, before) = (within(0), within(offset));
                prop_assert_eq!(shift.counts(now), (count, before));
                let seen = now - all[0] >= (SPIKE_STEPS + offset) * width;
                let share = count as f64 / before as f64;
                let level = match (seen && before >= least, way) {
                    (false, _) => Level::Under,
                    (_, Way::Rise) if share >= fires => Level::Over,
                    (_, Way::Fall) if share <= fires => Level::Over,
                    (_, Way::Rise) if share < good => Level::Under,
                    (_, Way::Fall) if share > good => Level::Under,
                    _ => Level::Between,
                };
                prop_assert_eq!(shift.level(now), level);
            }
        }
    }
}
