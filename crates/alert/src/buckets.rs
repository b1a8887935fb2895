//! Counts events by short stretches of time, for windows that are compared, not just filled.

use std::collections::VecDeque;

/// Counts of two kinds in stretches of one length; only those with an event are kept.
#[derive(Debug)]
pub(crate) struct Buckets {
    width: u64,
    /// How many stretches back anybody asks for.
    kept: u64,
    counts: VecDeque<Bucket>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) index: u64,
    pub(crate) counted: u32,
    pub(crate) all: u32,
}

impl Buckets {
    pub(crate) fn new(width: u64, kept: u64) -> Self {
        Self {
            width: width.max(1),
            kept,
            counts: VecDeque::new(),
        }
    }

    /// Adds an event, and whether it is one of those that count. Time never steps back.
    pub(crate) fn push(&mut self, now: u64, counts: bool) {
        let index = self.index(now);
        let index = self
            .counts
            .back()
            .map_or(index, |last| index.max(last.index));
        while (self.counts.front()).is_some_and(|first| first.index + self.kept <= index) {
            self.counts.pop_front();
        }
        if self.counts.back().is_none_or(|last| last.index < index) {
            self.counts.push_back(Bucket {
                index,
                ..Bucket::default()
            });
        }
        if let Some(last) = self.counts.back_mut() {
            last.all = last.all.saturating_add(1);
            last.counted = last.counted.saturating_add(u32::from(counts));
        }
    }

    /// The stretches with an event, the oldest first.
    pub(crate) fn stretches(&self) -> &VecDeque<Bucket> {
        &self.counts
    }

    /// Adds the counts of a stretch by its beginning, later than all that are there.
    pub(crate) fn add(&mut self, start: u64, counted: u32, all: u32) {
        self.push(start, false);
        if let Some(last) = self.counts.back_mut() {
            last.all = last.all.saturating_add(all).saturating_sub(1);
            last.counted = last.counted.saturating_add(counted);
        }
    }

    /// The sums (counted, all) of the stretches from `from` to before `to` steps back; 0 is the one
    /// that is on now.
    pub(crate) fn sum(&self, now: u64, from: u64, to: u64) -> (u64, u64) {
        let now = self.index(now);
        self.within(now, from, to).fold((0, 0), |sum, bucket| {
            (
                sum.0 + u64::from(bucket.counted),
                sum.1 + u64::from(bucket.all),
            )
        })
    }

    /// When the first counted event of those stretches happened, to a stretch's beginning.
    pub(crate) fn first(&self, now: u64, from: u64, to: u64) -> Option<u64> {
        let now = self.index(now);
        let counted = |bucket: &&Bucket| bucket.counted > 0;
        let first = self.within(now, from, to).find(counted)?;
        Some(first.index.saturating_mul(self.width))
    }

    /// When a sum over the last `steps` stretches changes next if no event comes.
    pub(crate) fn next(&self, now: u64, steps: u64) -> Option<u64> {
        let index = self.index(now);
        let leaves = |bucket: &Bucket| bucket.index + steps > index;
        let first = self.counts.iter().find(|bucket| leaves(bucket))?;
        Some((first.index + steps).saturating_mul(self.width))
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }

    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    fn index(&self, now: u64) -> u64 {
        now / self.width
    }

    fn within(&self, now: u64, from: u64, to: u64) -> impl Iterator<Item = &Bucket> {
        self.counts.iter().filter(move |bucket| {
            let back = now.checked_sub(bucket.index);
            back.is_some_and(|back| back >= from && back < to)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sums_equal_a_naive_count_over_stretches_at_every_step(
            width in 1_u64..9, kept in 2_u64..20,
            steps in prop::collection::vec((0_u64..30, any::<bool>()), 1..150),
        ) {
            let mut buckets = Buckets::new(width, kept);
            let mut all: Vec<(u64, bool)> = Vec::new();
            let mut now = 0;
            for (step, counts) in steps {
                now += step;
                buckets.push(now, counts);
                all.push((now, counts));
                for (from, to) in [(0, kept), (0, kept / 2), (kept / 2, kept)] {
                    let inside = |time: u64| (from..to).contains(&(now / width - time / width));
                    let naive = all.iter().filter(|(time, _)| inside(*time));
                    let counted = naive.clone().filter(|(_, counts)| *counts).count() as u64;
                    prop_assert_eq!(buckets.sum(now, from, to), (counted, naive.count() as u64));
                }
                let sum = |at: u64| buckets.sum(at, 0, kept);
                let changes = (now..now + (kept + 1) * width).find(|&at| sum(at) != sum(now));
                prop_assert_eq!(buckets.next(now, kept), changes);
            }
        }
    }
}
