//! Counts what happened within a span of time, exactly. Pure: no clock of its own.

use std::collections::VecDeque;

use crate::meter::Level;

/// The last `threshold` times, all that the question "that many within the span?" needs.
///
/// An event counts from its own time until just before `length` nanoseconds later. At most 8 bytes
/// for each event of the threshold, taken as they come.
#[derive(Debug)]
pub(crate) struct Window {
    length: u64,
    threshold: usize,
    /// Fewer than this many are few enough again; the threshold at most.
    below: usize,
    times: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(length: u64, threshold: usize, below: usize) -> Self {
        Self {
            length,
            threshold,
            below,
            times: VecDeque::new(),
        }
    }

    /// Adds an event. Time never steps back: an older time counts as the newest so far.
    pub(crate) fn push(&mut self, now: u64) {
        let now = self.times.back().map_or(now, |&last| now.max(last));
        if self.times.len() == self.threshold {
            self.times.pop_front();
        }
        self.times.push_back(now);
    }

    /// How many events are within the span that ends now, `threshold` at most.
    pub(crate) fn count(&self, now: u64) -> usize {
        let gone = self
            .times
            .partition_point(|&time| now.saturating_sub(time) >= self.length);
        self.times.len() - gone
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        Level::of(self.count(now), self.threshold, self.below)
    }

    /// When the level changes next if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        // The count falls below a number when the event that stands so far from the end leaves.
        let falls = |number: usize| {
            let at = self.times.len().checked_sub(number)?;
            let at = self.times.get(at)?.saturating_add(self.length);
            (at > now).then_some(at)
        };
        falls(self.threshold)
            .into_iter()
            .chain(falls(self.below))
            .min()
    }

    /// The first event of those that are kept.
    pub(crate) fn first(&self) -> Option<u64> {
        self.times.front().copied()
    }

    /// The times that are kept, the oldest first.
    pub(crate) fn times(&self) -> &VecDeque<u64> {
        &self.times
    }

    pub(crate) fn clear(&mut self) {
        self.times.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::meter::Level;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_window_equals_a_naive_count_at_every_step(
            length in 1_u64..50, threshold in 1_usize..12, below in 1_usize..12,
            steps in prop::collection::vec((0_u64..20, any::<bool>()), 1..200),
        ) {
            let below = below.min(threshold);
            let mut window = Window::new(length, threshold, below);
            let mut all: Vec<u64> = Vec::new();
            let mut now = 0;
            let naive = |all: &[u64], now: u64| all.iter().filter(|&&time| now - time < length).count();
            let level = |count: usize| match count {
                count if count >= threshold => Level::Over,
                count if count < below => Level::Under,
                _ => Level::Between,
            };
            for (step, event) in steps {
                // It changes exactly when it says, and at no moment before.
                for moment in now..=now + step {
                    let changes = window.next(now).is_some_and(|next| next <= moment);
                    let changed = level(naive(&all, moment)) != level(naive(&all, now));
                    prop_assert_eq!(changes, changed, "at {} from {}", moment, now);
                }
                now += step;
                if event {
                    window.push(now);
                    all.push(now);
                }
                let count = naive(&all, now);
                prop_assert_eq!(window.count(now), count.min(threshold));
                prop_assert_eq!(window.level(now), level(count));
                if count >= threshold {
                    prop_assert_eq!(window.first(), Some(all[all.len() - threshold]));
                }
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_loses_no_event() {
        let mut window = Window::new(10, 2, 2);
        window.push(100);
        window.push(95);
        assert_eq!(window.count(100), 2);
        assert_eq!(window.next(100), Some(110));
    }
}
