//! Counts what happened within a span of time, exactly. Pure: no clock of its own.

use std::collections::VecDeque;

/// The last `threshold` times, all that the question "that many within the span?" needs.
///
/// An event counts from its own time until just before `length` nanoseconds later. At most 8 bytes
/// for each event of the threshold, taken as they come.
#[derive(Debug)]
pub(crate) struct Window {
    length: u64,
    threshold: usize,
    times: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(length: u64, threshold: usize) -> Self {
        Self {
            length,
            threshold,
            times: VecDeque::new(),
        }
    }

    pub(crate) fn threshold(&self) -> usize {
        self.threshold
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

    /// Until when (exclusive) the threshold stays reached without a further event.
    pub(crate) fn reached_until(&self) -> Option<u64> {
        let full = self.times.len() == self.threshold;
        self.times
            .front()
            .filter(|_| full)
            .map(|first| first.saturating_add(self.length))
    }

    /// The first event of those that reach the threshold.
    pub(crate) fn first(&self) -> Option<u64> {
        self.times.front().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_window_equals_a_naive_count_at_every_step(
            length in 1_u64..50, threshold in 1_usize..12,
            steps in prop::collection::vec((0_u64..20, any::<bool>()), 1..200),
        ) {
            let mut window = Window::new(length, threshold);
            let mut all = Vec::new();
            let mut now = 0;
            for (step, event) in steps {
                now += step;
                if event {
                    window.push(now);
                    all.push(now);
                }
                let naive = all.iter().filter(|&&time| now - time < length).count();
                prop_assert_eq!(window.count(now), naive.min(threshold));
                let reached = window.reached_until().is_some_and(|until| now < until);
                prop_assert_eq!(reached, naive >= threshold);
                if reached {
                    prop_assert_eq!(window.first(), Some(all[all.len() - threshold]));
                }
            }
        }
    }

    #[test]
    fn a_clock_that_steps_back_loses_no_event() {
        let mut window = Window::new(10, 2);
        window.push(100);
        window.push(95);
        assert_eq!(window.count(100), 2);
        assert_eq!(window.reached_until(), Some(110));
    }
}
