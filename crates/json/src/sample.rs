//! Decides which lines of a busy callsite are written: the first of an interval, then one in so many.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing_core::{Level, Metadata};

/// How many lines a callsite may write, by interval: the first so many, then one in so many.
///
/// Each place in the code that logs is counted for itself; its fields make no difference. What is
/// left out is counted and told: when the interval is over, a line of the same level and target says
/// how many lines are missing, since when and until when, and where in the code they were logged.
/// The first line of each interval is always written, and ERROR always, unless
/// [`errors`](Sample::errors) says otherwise. Off by default.
///
/// ```
/// use dogwatch_json::{JsonLayer, Sample};
///
/// // In each second the first 100 lines of a callsite, and every 1000th behind them.
/// let layer = JsonLayer::default().sample(Sample::first(100).then_one_in(1000));
/// # drop(layer);
/// ```
/// ```json
/// {"timestamp":"2026-11-24T05:57:01.000213Z","level":"INFO","target":"shop::pay","message":"8900 lines were left out by sampling","gap":{"lines":8900,"reasons":{"sampled":8900},"since":"2026-11-24T05:57:00.000000Z","until":"2026-11-24T05:57:01.000000Z","callsite":"src/pay.rs:42"}}
/// ```
///
/// Records of the `log` crate are never left out: for `tracing` all of a level come from one
/// callsite, so that a busy crate would hide a quiet one. Closing lines of spans are not either.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a sample does nothing until it is given to a layer"]
pub struct Sample {
    first: u32,
    one_in: u32,
    seconds: u32,
    errors: bool,
    kept: Vec<String>,
}

impl Sample {
    /// The first `lines` of each interval, at least 1; what comes behind them is left out.
    pub fn first(lines: u32) -> Self {
        Sample {
            first: lines.max(1),
            one_in: 0,
            seconds: 1,
            errors: false,
            kept: Vec::new(),
        }
    }

    /// Behind the first lines every `lines`th is written: 1 leaves out none, 0 all. Default: 0.
    pub fn then_one_in(mut self, lines: u32) -> Self {
        self.one_in = lines;
        self
    }

    /// How long an interval is, in whole seconds, at least one. Default: 1 s. Intervals begin where
    /// the seconds since 1970 are a multiple of it.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.seconds = u32::try_from(interval.as_secs()).unwrap_or(u32::MAX).max(1);
        self
    }

    /// Whether lines at ERROR may be left out too. Default: false.
    pub fn errors(mut self, errors: bool) -> Self {
        self.errors = errors;
        self
    }

    /// A target whose lines, and those of its modules, are never left out: `shop::audit`.
    pub fn keep(mut self, target: impl Into<String>) -> Self {
        self.kept.push(target.into());
        self
    }

    /// Whether lines of this callsite may be left out.
    pub(crate) fn may_leave_out(&self, metadata: &Metadata<'_>) -> bool {
        let kept = |target: &String| {
            let rest = metadata.target().strip_prefix(target.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        (self.errors || *metadata.level() != Level::ERROR) && !self.kept.iter().any(kept)
    }

    /// Whether the `nth` line of an interval is written.
    pub(crate) fn writes(&self, nth: u32) -> bool {
        match nth.checked_sub(self.first) {
            None | Some(0) => true,
            Some(more) => more.checked_rem(self.one_in) == Some(0),
        }
    }

    /// How many of so many lines of an interval are left out.
    pub(crate) fn left_out(&self, lines: u32) -> u32 {
        let more = lines.saturating_sub(self.first);
        more - more.checked_div(self.one_in).unwrap_or(0)
    }

    /// The number of the interval that `now` falls in.
    pub(crate) fn interval_at(&self, now: SystemTime) -> u32 {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        (since.as_secs() / u64::from(self.seconds)) as u32
    }

    /// When an interval begins and when it is over.
    pub(crate) fn bounds(&self, interval: u32) -> (SystemTime, SystemTime) {
        let at = |n: u64| UNIX_EPOCH + Duration::from_secs(n * u64::from(self.seconds));
        (at(interval.into()), at(u64::from(interval) + 1))
    }
}

/// The lines of one callsite in its present interval: the interval's number above 32 bits of count.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

/// An interval that is over, and how many lines it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) interval: u32,
    pub(crate) lines: u32,
}

impl Counter {
    /// Counts a line. Returns its place in its interval, from 1, and the interval that ends with it.
    pub(crate) fn count(&self, interval: u32) -> (u32, Option<Ended>) {
        let mut place = 0;
        let before = self.change(|now| {
            place = if moves_on(now.interval, interval) {
                return Some((interval, 1));
            } else {
                now.lines.saturating_add(1)
            };
            Some((now.interval, place))
        });
        match before {
            Some(ended) if moves_on(ended.interval, interval) => (1, Some(ended)),
            _ => (place, None),
        }
    }

    /// Ends the interval if it is over and had lines.
    pub(crate) fn end(&self, interval: u32) -> Option<Ended> {
        let over = |now: Ended| now.lines > 0 && moves_on(now.interval, interval);
        self.change(|now| over(now).then_some((interval, 0)))
    }

    /// Ends the interval whether it is over or not.
    pub(crate) fn take(&self) -> Option<Ended> {
        self.change(|now| (now.lines > 0).then_some((now.interval, 0)))
    }

    pub(crate) fn lines(&self) -> u32 {
        self.0.load(Ordering::Relaxed) as u32
    }

    /// What stood here before it was changed; `None` if `to` changes nothing.
    // Relaxed: nothing else is published with a count.
    fn change(&self, mut to: impl FnMut(Ended) -> Option<(u32, u32)>) -> Option<Ended> {
        let read = |packed: u64| Ended {
            interval: (packed >> 32) as u32,
            lines: packed as u32,
        };
        let pack = |(interval, lines): (u32, u32)| u64::from(interval) << 32 | u64::from(lines);
        let changed = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
                to(read(packed)).map(pack)
            });
        changed.ok().map(read)
    }
}

/// Whether `interval` is another one than `present`. A thread that read the clock just before the
/// present one began does not begin the last one again.
pub(crate) fn moves_on(present: u32, interval: u32) -> bool {
    present != interval && present.wrapping_sub(interval) != 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_written_and_then_one_in_so_many() {
        for (sample, expected) in [
            (
                Sample::first(3).then_one_in(4),
                vec![1, 2, 3, 7, 11, 15, 19],
            ),
            (Sample::first(2), vec![1, 2]),
            (Sample::first(0), vec![1]),
            (Sample::first(1).then_one_in(1), (1..=20).collect()),
            (Sample::first(u32::MAX), (1..=20).collect()),
        ] {
            let written: Vec<u32> = (1..=20).filter(|n| sample.writes(*n)).collect();
            assert_eq!(written, expected, "{sample:?}");
            for lines in 0..=20 {
                let counted = (1..=lines).filter(|n| !sample.writes(*n)).count();
                assert_eq!(
                    sample.left_out(lines) as usize,
                    counted,
                    "{lines}: {sample:?}"
                );
            }
        }
    }

    #[test]
    fn an_interval_begins_at_a_multiple_of_its_length() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        for (interval, now, number, since) in [
            (Duration::ZERO, 7, 7, 7),
            (Duration::from_millis(1900), 7, 7, 7),
            (Duration::from_secs(60), 179, 2, 120),
            (Duration::MAX, u64::from(u32::MAX) - 1, 0, 0),
        ] {
            let sample = Sample::first(1).interval(interval);
            assert_eq!(sample.interval_at(at(now)), number);
            assert_eq!(sample.bounds(number).0, at(since));
        }
        assert_eq!(
            Sample::first(1).interval_at(UNIX_EPOCH - Duration::from_secs(9)),
            0
        );
    }

    #[test]
    fn each_interval_ends_once() {
        let counter = Counter::default();
        let ended = |interval, lines| Some(Ended { interval, lines });
        assert_eq!(
            counter.count(5),
            (
                1,
                Some(Ended {
                    interval: 0,
                    lines: 0
                })
            )
        );
        assert_eq!(counter.count(5), (2, None));
        // From a thread whose clock was read a moment before.
        assert_eq!(counter.count(4), (3, None));
        assert_eq!((counter.end(5), counter.end(4)), (None, None));
        assert_eq!((counter.end(6), counter.end(6)), (ended(5, 3), None));
        assert_eq!(
            (counter.count(6), counter.count(8)),
            ((1, None), (1, ended(6, 1)))
        );
        // The clock was set back.
        assert_eq!(counter.count(2), (1, ended(8, 1)));
        assert_eq!((counter.take(), counter.take()), (ended(2, 1), None));
    }

    #[test]
    fn threads_count_together_and_no_line_is_counted_twice() {
        let counter = Counter::default();
        let ended = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..4000 {
                        let (_, over) = counter.count(n / 100);
                        let lines = over.map_or(0, |over| over.lines);
                        ended.fetch_add(lines.into(), Ordering::Relaxed);
                    }
                });
            }
        });
        let left = counter.take().unwrap().lines;
        assert_eq!(ended.into_inner() + u64::from(left), 16_000);
    }
}
