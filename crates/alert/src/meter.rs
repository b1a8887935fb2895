//! Measures how bad it is: one way for each type of rule. Pure.

use crate::anomaly::{Anomaly, Odds};
use crate::buckets::Buckets;
use crate::clock::nanos;
use crate::ratio::{Ratio, STEPS};
use crate::rule::{Kind, Rule};
use crate::shift::Shift;
use crate::silence::Silence;
use crate::spike::{SPIKE_STEPS, Spike};
use crate::stat::Stat;
use crate::variety::Variety;
use crate::window::Window;

/// What a rule measures by.
#[derive(Debug)]
pub(crate) enum Meter {
    Count(Window),
    Ratio(Ratio),
    Silence(Silence),
    Spike(Spike),
    Shift(Shift),
    Stat(Stat),
    Variety(Variety),
    /// Half a kilobyte: what the others hold inside is far less.
    Anomaly(Box<Anomaly>),
}

/// What an event brings to a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Weight {
    /// It is one of those that others are counted among.
    None,
    One,
    Number(f64),
    /// A value by its hash.
    Value(u64),
}

impl From<bool> for Weight {
    fn from(counts: bool) -> Self {
        match counts {
            true => Self::One,
            false => Self::None,
        }
    }
}

/// How a measure stands to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Bad.
    Over,
    /// No longer bad enough to fire, not yet good enough to resolve.
    Between,
    /// Good.
    Under,
}

impl Level {
    /// From the threshold on it is bad, below another number it is good.
    pub(crate) fn of(count: usize, threshold: usize, below: usize) -> Self {
        match count {
            many if many >= threshold => Self::Over,
            few if few < below => Self::Under,
            _ => Self::Between,
        }
    }
}

impl Meter {
    pub(crate) fn new(rule: &Rule) -> Self {
        let window = nanos(rule.window);
        match &rule.kind {
            Kind::Any | Kind::Threshold | Kind::NewValue { .. } | Kind::NewTemplate { .. } => {
                Self::Count(Window::new(window, rule.threshold, rule.below))
            }
            &Kind::Ratio {
                above,
                below,
                min_total,
            } => Self::Ratio(Ratio {
                above,
                below,
                min_total,
                buckets: Buckets::new(window / STEPS, STEPS),
            }),
            &Kind::Anomaly { learn, min_count } => {
                Self::Anomaly(Box::new(Anomaly::new(nanos(learn), min_count)))
            }
            Kind::Absence { forget_after, .. } => Self::Silence(Silence {
                window,
                forget_after: forget_after.map(nanos),
                last: None,
            }),
            &Kind::Spike {
                factor,
                below,
                min_count,
                min_reference,
                reference,
            } => {
                let width = (window / SPIKE_STEPS).max(1);
                let before = nanos(reference) / width;
                Self::Spike(Spike {
                    factor,
                    below,
                    min_count,
                    min_reference,
                    before,
                    born: None,
                    buckets: Buckets::new(width, SPIKE_STEPS + before),
                })
            }
            &Kind::Change {
                limits,
                min_reference,
                offset,
            } => Self::Shift(Shift::new(limits, min_reference, window, nanos(offset))),
            Kind::Cardinality { .. } => {
                Self::Variety(Variety::new(window, rule.threshold, rule.below))
            }
            &Kind::FieldStat {
                of,
                limit,
                min_count,
                ..
            } => Self::Stat(Stat::new(of, limit, min_count, window)),
        }
    }

    pub(crate) fn push(&mut self, now: u64, weight: Weight) {
        match self {
            Self::Count(window) => window.push(now),
            Self::Ratio(ratio) => ratio.buckets.push(now, weight != Weight::None),
            Self::Silence(silence) => silence.last = Some(silence.last.unwrap_or(0).max(now)),
            Self::Spike(spike) => {
                spike.born.get_or_insert(now);
                spike.buckets.push(now, true);
            }
            Self::Shift(shift) => shift.push(now),
            Self::Anomaly(anomaly) => anomaly.push(now),
            Self::Stat(stat) => {
                if let Weight::Number(number) = weight {
                    stat.push(now, number);
                }
            }
            Self::Variety(variety) => {
                if let Weight::Value(value) = weight {
                    variety.push(now, value);
                }
            }
        }
    }

    /// Lets go of what no later moment asks for, so that it is passed over once only.
    pub(crate) fn forget(&mut self, now: u64) {
        if let Self::Variety(variety) = self {
            variety.forget(now);
        }
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        match self {
            Self::Count(window) => window.level(now),
            Self::Ratio(ratio) => ratio.level(now),
            Self::Silence(silence) => silence.level(now),
            Self::Spike(spike) => spike.level(now),
            Self::Shift(shift) => shift.level(now),
            Self::Stat(stat) => stat.level(now),
            Self::Variety(variety) => variety.level(now),
            Self::Anomaly(anomaly) => anomaly.level(now),
        }
    }

    /// When the level may change next if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        match self {
            Self::Count(window) => window.next(now),
            Self::Ratio(ratio) => ratio.buckets.next(now, STEPS),
            Self::Silence(silence) => silence.next(now),
            Self::Spike(spike) => spike.next(now),
            Self::Shift(shift) => shift.next(now),
            Self::Stat(stat) => stat.next(now),
            Self::Variety(variety) => variety.next(now),
            Self::Anomaly(anomaly) => anomaly.next(now),
        }
    }

    /// Whether it may become bad without a further event.
    pub(crate) fn rises_by_itself(&self) -> bool {
        !matches!(self, Self::Count(_) | Self::Variety(_) | Self::Anomaly(_))
    }

    /// How many events count, and among how many for a ratio or how many before for a spike.
    pub(crate) fn count(&self, now: u64) -> (u64, Option<u64>) {
        match self {
            Self::Count(window) => (window.count(now) as u64, None),
            Self::Ratio(ratio) => {
                let (counted, all) = ratio.buckets.sum(now, 0, STEPS);
                (counted, Some(all))
            }
            Self::Silence(_) => (0, None),
            Self::Spike(spike) => {
                let (count, reference) = spike.counts(now);
                (count, Some(reference))
            }
            Self::Shift(shift) => {
                let (count, before) = shift.counts(now);
                (count, Some(before))
            }
            Self::Stat(stat) => (stat.count(now), None),
            Self::Variety(variety) => (variety.count(now) as u64, None),
            Self::Anomaly(anomaly) => (anomaly.odds(now).map_or(0, |odds| odds.count), None),
        }
    }

    /// How unusual that is, where it is measured by that.
    pub(crate) fn odds(&self, now: u64) -> Option<Odds> {
        match self {
            Self::Anomaly(anomaly) => anomaly.odds(now),
            _ => None,
        }
    }

    /// What it measures where that is no count of events.
    pub(crate) fn value(&self, now: u64) -> Option<f64> {
        match self {
            Self::Stat(stat) => stat.value(now),
            _ => None,
        }
    }

    /// When it began to be bad: the first of the events that count; in silence the last.
    pub(crate) fn first(&self, now: u64) -> Option<u64> {
        match self {
            Self::Count(window) => window.first(),
            Self::Ratio(ratio) => ratio.buckets.first(now, 0, STEPS),
            Self::Silence(silence) => silence.last,
            Self::Spike(spike) => spike.buckets.first(now, 0, SPIKE_STEPS),
            Self::Shift(shift) => shift.first(now),
            Self::Stat(stat) => stat.first(now),
            Self::Variety(variety) => variety.oldest_at(),
            Self::Anomaly(anomaly) => anomaly.first(now),
        }
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_empty(&self, now: u64) -> bool {
        match self {
            Self::Count(window) => window.count(now) == 0,
            Self::Ratio(ratio) => ratio.buckets.next(now, STEPS).is_none(),
            Self::Silence(silence) => silence.level(now) == Level::Under && !silence.waits(now),
            Self::Spike(spike) => spike.next(now).is_none(),
            Self::Shift(shift) => shift.next(now).is_none(),
            Self::Stat(stat) => stat.next(now).is_none(),
            Self::Variety(variety) => variety.count(now) == 0,
            Self::Anomaly(anomaly) => anomaly.is_empty(now),
        }
    }

    /// Counts anew.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Count(window) => window.clear(),
            Self::Ratio(ratio) => ratio.buckets.clear(),
            Self::Silence(_) => {}
            Self::Spike(spike) => spike.buckets.clear(),
            Self::Shift(shift) => shift.clear(),
            Self::Stat(stat) => stat.clear(),
            Self::Variety(variety) => variety.clear(),
            Self::Anomaly(anomaly) => anomaly.clear(),
        }
    }
}
