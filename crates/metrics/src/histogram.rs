//! Counts observations into fixed buckets, and remembers one exemplar a bucket. Atomics only.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// `N` buckets: one for each of `N - 1` upper bounds, and one above them all.
#[derive(Debug)]
pub(crate) struct Histogram<const N: usize> {
    buckets: [AtomicU64; N],
    sum: AtomicU64,
}

/// The last sampled trace seen in each bucket.
#[derive(Debug)]
pub(crate) struct Exemplars<const N: usize>([Slot; N]);

/// A trace that fell into a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Exemplar {
    pub(crate) trace_id: u128,
    pub(crate) seconds: f64,
    pub(crate) since_1970: Duration,
}

#[derive(Debug, Default)]
struct Slot {
    // Unix second of the last write plus one, so that 0 means never.
    second: AtomicU64,
    last: Mutex<Option<Exemplar>>,
}

impl<const N: usize> Histogram<N> {
    pub(crate) fn new() -> Self {
        Self {
            buckets: [const { AtomicU64::new(0) }; N],
            sum: AtomicU64::new(0),
        }
    }

    pub(crate) fn record(&self, bucket: usize, amount: u64) {
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(amount, Ordering::Relaxed);
    }

    /// How many fell into each bucket. The total count is their sum and stored nowhere else, so
    /// that the last bucket and the count can never disagree.
    pub(crate) fn counts(&self) -> [u64; N] {
        std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed))
    }

    pub(crate) fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

impl<const N: usize> Exemplars<N> {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Slot::default()))
    }

    /// Keeps at most one exemplar a bucket a second, and makes it only then. Never waits: whoever
    /// meets a held lock leaves its exemplar out.
    pub(crate) fn offer(
        &self,
        bucket: usize,
        since_1970: Duration,
        make: impl FnOnce() -> Option<Exemplar>,
    ) {
        let slot = &self.0[bucket];
        let second = since_1970.as_secs().saturating_add(1);
        let last = slot.second.load(Ordering::Relaxed);
        if last == second {
            return;
        }
        let Some(exemplar) = make() else { return };
        let first_this_second =
            slot.second
                .compare_exchange(last, second, Ordering::Relaxed, Ordering::Relaxed);
        if first_this_second.is_ok() {
            if let Ok(mut last) = slot.last.try_lock() {
                *last = Some(exemplar);
            }
        }
    }

    pub(crate) fn at(&self, bucket: usize) -> Option<Exemplar> {
        // No code that can panic runs under this lock, so it is never poisoned.
        self.0[bucket].last.lock().ok().and_then(|last| *last)
    }
}

/// The bucket whose upper bound is the first that is not below `value`: bounds are inclusive.
pub(crate) fn bucket(bounds: &[u64], value: u64) -> usize {
    bounds.partition_point(|bound| *bound < value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_belongs_to_it_and_one_above_to_the_next() {
        let bounds = [10, 20, 30];
        let cases = [
            (0, 0),
            (10, 0),
            (11, 1),
            (20, 1),
            (30, 2),
            (31, 3),
            (u64::MAX, 3),
        ];
        for (value, expected) in cases {
            assert_eq!(bucket(&bounds, value), expected, "value {value}");
        }
    }

    #[test]
    fn observations_are_counted_by_bucket_and_summed() {
        let histogram = Histogram::<4>::new();
        for (bucket, amount) in [(0, 4), (3, 400), (3, 500)] {
            histogram.record(bucket, amount);
        }
        assert_eq!((histogram.counts(), histogram.sum()), ([1, 0, 0, 2], 904));
    }

    fn exemplar(trace_id: u128, ms: u64) -> Exemplar {
        Exemplar {
            trace_id,
            seconds: 0.1,
            since_1970: Duration::from_millis(ms),
        }
    }

    fn offer(exemplars: &Exemplars<2>, exemplar: Exemplar) {
        exemplars.offer(1, exemplar.since_1970, || Some(exemplar));
    }

    #[test]
    fn a_bucket_takes_one_exemplar_a_second() {
        let exemplars = Exemplars::new();
        offer(&exemplars, exemplar(1, 5_000));
        offer(&exemplars, exemplar(2, 5_999));
        assert_eq!(exemplars.at(1), Some(exemplar(1, 5_000)));
        offer(&exemplars, exemplar(3, 6_000));
        assert_eq!(exemplars.at(1), Some(exemplar(3, 6_000)));
        assert_eq!(exemplars.at(0), None);
    }

    #[test]
    fn a_trace_that_is_none_takes_nobodys_second() {
        let exemplars = Exemplars::new();
        exemplars.offer(1, Duration::from_secs(5), || None);
        offer(&exemplars, exemplar(1, 5_500));
        assert_eq!(exemplars.at(1), Some(exemplar(1, 5_500)));
    }

    #[test]
    fn an_exemplar_never_waits_for_a_held_lock() {
        let exemplars = Exemplars::new();
        let held = exemplars.0[1].last.lock().unwrap();
        offer(&exemplars, exemplar(1, 0));
        drop(held);
        assert_eq!(exemplars.at(1), None);
    }
}
