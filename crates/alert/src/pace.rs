//! How often a receiver may be called, and when the next call is allowed. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{nanos, until};

/// How often a receiver may be called. The last call that is allowed for a while takes all alerts along that wait, as
/// one digest.
///
/// ```
/// use std::time::Duration;
/// use dogwatch_alert::Pace;
///
/// // At most one a second, and 18 in any minute.
/// let pace = Pace::unlimited()
///     .at_most(1, Duration::from_secs(1))
///     .at_most(18, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a pace limits nothing until a notifier names it"]
pub struct Pace {
    limits: Vec<(usize, Duration)>,
}

impl Pace {
    /// As often as there are alerts.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// And at most so many calls in any span of this length. A limit of 0 counts as 1, one above 1000 as 1000.
    pub fn at_most(mut self, calls: u32, within: Duration) -> Self {
        self.limits.push((calls.clamp(1, 1_000) as usize, within));
        self
    }
}

/// Remembers when the latest calls were: any span of a limit's length holds no more than the limit, where a bucket
/// of tokens would let through nearly twice as many.
pub(crate) struct Meter {
    limits: Vec<Limit>,
}

struct Limit {
    calls: usize,
    within: u64,
    latest: VecDeque<u64>,
}

impl Meter {
    pub(crate) fn new(pace: &Pace) -> Self {
        let limit = |&(calls, within): &(usize, Duration)| Limit {
            calls,
            within: nanos(within),
            latest: VecDeque::with_capacity(calls),
        };
        Self {
            limits: pace.limits.iter().map(limit).collect(),
        }
    }

    /// How long until the next call is allowed.
    pub(crate) fn wait(&self, now: u64) -> Option<Duration> {
        let next = self.limits.iter().filter_map(Limit::next).max()?;
        (next > now).then(|| until(now, next))
    }

    /// Whether the next call is the last that is allowed for a while: whatever waits should go with it.
    pub(crate) fn is_scarce(&self, now: u64) -> bool {
        self.limits.iter().any(|limit| {
            let before = limit.calls - 1;
            let Some(first) = limit.latest.len().checked_sub(before) else {
                return false;
            };
            let oldest = limit.latest.get(first).copied().unwrap_or(now);
            oldest.saturating_add(limit.within) > now
        })
    }

    pub(crate) fn called(&mut self, now: u64) {
        for limit in &mut self.limits {
            if limit.latest.len() == limit.calls {
                limit.latest.pop_front();
            }
            limit.latest.push_back(now);
        }
    }

    /// Lets one go out of turn: the process ends.
    pub(crate) fn forget(&mut self) {
        self.limits
            .iter_mut()
            .for_each(|limit| limit.latest.clear());
    }
}

impl Limit {
    fn next(&self) -> Option<u64> {
        let full = self.latest.len() == self.calls;
        let oldest = full.then(|| self.latest.front()).flatten()?;
        Some(oldest.saturating_add(self.within))
    }
}

#[cfg(test)]
mod tests {
    use super::{Meter, Pace};
    use crate::clock::nanos;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn no_span_holds_more_calls_than_its_limit_and_none_waits_longer_than_it_must() {
        let pace = Pace::unlimited().at_most(2, SECOND).at_most(5, MINUTE);
        let mut meter = Meter::new(&pace);
        let (mut now, mut calls) = (0, Vec::new());
        for _ in 0..200 {
            if let Some(wait) = meter.wait(now) {
                now += nanos(wait);
                assert_eq!(meter.wait(now), None);
                assert!(meter.wait(now - 1).is_some());
            }
            meter.called(now);
            calls.push(now);
        }
        for (at, call) in calls.iter().enumerate() {
            for (most, within) in [(2, SECOND), (5, MINUTE)] {
                let end = call + nanos(within);
                let held = calls[at..].iter().filter(|&&other| other < end).count();
                assert!(held <= most, "{held} within {within:?}");
            }
        }
        // Two at once, two after a second, one after two; then the minute's limit.
        let seconds: Vec<u64> = calls[..7].iter().map(|at| at / nanos(SECOND)).collect();
        assert_eq!(seconds, [0, 0, 1, 1, 2, 60, 60]);
    }

    #[test]
    fn the_last_call_of_a_span_is_known_before_it() {
        let pace = Pace::unlimited().at_most(3, MINUTE);
        let mut meter = Meter::new(&pace);
        for scarce in [false, false, true] {
            assert_eq!(meter.is_scarce(7), scarce);
            meter.called(7);
        }
        let later = 7 + nanos(MINUTE);
        assert!(!meter.is_scarce(later));
        assert!(!Meter::new(&Pace::unlimited()).is_scarce(0));
        assert!(Meter::new(&Pace::unlimited().at_most(1, SECOND)).is_scarce(0));
    }

    #[test]
    fn without_limits_nobody_waits_and_forgetting_lets_the_next_go() {
        let mut free = Meter::new(&Pace::unlimited());
        free.called(0);
        assert_eq!(free.wait(0), None);
        let mut slow = Meter::new(&Pace::unlimited().at_most(0, MINUTE));
        slow.called(0);
        assert_eq!(slow.wait(0), Some(MINUTE));
        slow.forget();
        assert_eq!(slow.wait(0), None);
    }
}
