//! Counts durations in fixed steps, so that measuring one costs no memory.

use std::time::Instant;

/// Exact to 1 ns below 10 µs, to 1 µs below 10 ms, to 1 ms above; the last step takes the rest.
#[derive(Clone, Debug)]
pub struct Latencies {
    fine: Box<[u64]>,
    middle: Box<[u64]>,
    coarse: Box<[u64]>,
    longest: u64,
}

impl Latencies {
    #[must_use]
    pub fn new() -> Self {
        let steps = |count| vec![0; count].into_boxed_slice();
        Self {
            fine: steps(10_000),
            middle: steps(10_000),
            coarse: steps(10_000),
            longest: 0,
        }
    }

    pub fn record(&mut self, ns: u64) {
        self.longest = self.longest.max(ns);
        let (steps, step) = if ns < 10_000 {
            (&mut self.fine, ns)
        } else if ns < 10_000_000 {
            (&mut self.middle, ns / 1_000)
        } else {
            (&mut self.coarse, ns / 1_000_000)
        };
        let last = steps.len() - 1;
        steps[last.min(step as usize)] += 1;
    }

    pub fn merge(&mut self, other: &Self) {
        let pairs = [
            (&mut self.fine, &other.fine),
            (&mut self.middle, &other.middle),
            (&mut self.coarse, &other.coarse),
        ];
        for (into, from) in pairs {
            into.iter_mut()
                .zip(from)
                .for_each(|(into, from)| *into += from);
        }
        self.longest = self.longest.max(other.longest);
    }

    /// The duration in ns that a share of all stays within: the upper end of its step.
    #[must_use]
    pub fn within(&self, share: f64) -> f64 {
        let all = [
            (&self.fine, 1),
            (&self.middle, 1_000),
            (&self.coarse, 1_000_000),
        ];
        let total: u64 = all.iter().flat_map(|(steps, _)| steps.iter()).sum();
        let mut left = (total as f64 * share).ceil() as u64;
        for (steps, width) in all {
            for (step, count) in steps.iter().enumerate() {
                if left <= *count {
                    return ((step as u64 + 1) * width - 1).min(self.longest) as f64;
                }
                left -= count;
            }
        }
        self.longest as f64
    }
}

/// What the clock itself takes of a duration between two looks at it, in ns: the median of many.
#[must_use]
pub fn clock_ns() -> u64 {
    let mut empty = Latencies::new();
    for _ in 0..100_000 {
        let before = std::hint::black_box(Instant::now());
        empty.record(before.elapsed().as_nanos() as u64);
    }
    empty.within(0.5) as u64
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_found_across_the_steps() {
        let mut latencies = Latencies::new();
        (0..900).for_each(|_| latencies.record(25));
        (0..99).for_each(|_| latencies.record(50_400));
        latencies.record(77_000_000);
        let found = [0.5, 0.9, 0.95, 0.999, 1.0].map(|share| latencies.within(share));
        assert_eq!(found, [25.0, 25.0, 50_999.0, 50_999.0, 77_000_000.0]);
    }

    #[test]
    fn merged_ones_count_together() {
        let (mut one, mut other) = (Latencies::new(), Latencies::new());
        one.record(5);
        other.record(95);
        one.merge(&other);
        assert_eq!((one.within(0.5), one.within(1.0)), (5.0, 95.0));
    }
}
