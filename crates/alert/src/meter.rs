//! Measures how bad it is: one way for each type of rule. Pure.

use crate::buckets::Buckets;
use crate::clock::nanos;
use crate::rule::{Kind, Rule};
use crate::window::Window;

/// What a rule measures by.
#[derive(Debug)]
pub(crate) enum Meter {
    Count(Window),
    Ratio(Ratio),
    Silence(Silence),
    Spike(Spike),
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
        }
    }

    /// An event. `counts` is false for those that a ratio is among.
    pub(crate) fn push(&mut self, now: u64, counts: bool) {
        match self {
            Self::Count(window) => window.push(now),
            Self::Ratio(ratio) => ratio.buckets.push(now, counts),
            Self::Silence(silence) => silence.last = Some(silence.last.unwrap_or(0).max(now)),
            Self::Spike(spike) => {
                spike.born.get_or_insert(now);
                spike.buckets.push(now, true);
            }
        }
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        match self {
            Self::Count(window) => window.level(now),
            Self::Ratio(ratio) => ratio.level(now),
            Self::Silence(silence) => silence.level(now),
            Self::Spike(spike) => spike.level(now),
        }
    }

    /// When the level may change next if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        match self {
            Self::Count(window) => window.next(now),
            Self::Ratio(ratio) => ratio.buckets.next(now, STEPS),
            Self::Silence(silence) => silence.next(now),
            Self::Spike(spike) => spike.next(now),
        }
    }

    /// Whether it may become bad without a further event.
    pub(crate) fn rises_by_itself(&self) -> bool {
        !matches!(self, Self::Count(_))
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
        }
    }

    /// When it began to be bad: the first of the events that count; in silence the last.
    pub(crate) fn first(&self, now: u64) -> Option<u64> {
        match self {
            Self::Count(window) => window.first(),
            Self::Ratio(ratio) => ratio.buckets.first(now, 0, STEPS),
            Self::Silence(silence) => silence.last,
            Self::Spike(spike) => spike.buckets.first(now, 0, SPIKE_STEPS),
        }
    }

    /// Whether nothing would be lost with it.
    pub(crate) fn is_empty(&self, now: u64) -> bool {
        match self {
            Self::Count(window) => window.count(now) == 0,
            Self::Ratio(ratio) => ratio.buckets.next(now, STEPS).is_none(),
            Self::Silence(silence) => silence.level(now) == Level::Under && !silence.waits(now),
            Self::Spike(spike) => spike.next(now).is_none(),
        }
    }

    /// Counts anew.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Count(window) => window.clear(),
            Self::Ratio(ratio) => ratio.buckets.clear(),
            Self::Silence(_) => {}
            Self::Spike(spike) => spike.buckets.clear(),
        }
    }
}

/// What share of some events are bad ones.
#[derive(Debug)]
pub(crate) struct Ratio {
    above: f64,
    below: f64,
    min_total: u64,
    pub(crate) buckets: Buckets,
}

impl Ratio {
    fn level(&self, now: u64) -> Level {
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

/// How long nothing came, once something had.
#[derive(Debug)]
pub(crate) struct Silence {
    window: u64,
    forget_after: Option<u64>,
    pub(crate) last: Option<u64>,
}

impl Silence {
    fn over(&self) -> Option<u64> {
        Some(self.last?.saturating_add(self.window))
    }

    fn forgotten(&self) -> Option<u64> {
        Some(self.over()?.saturating_add(self.forget_after?))
    }

    fn level(&self, now: u64) -> Level {
        let over = self.over().is_some_and(|over| now >= over);
        let forgotten = self.forgotten().is_some_and(|at| now >= at);
        if over && !forgotten {
            Level::Over
        } else {
            Level::Under
        }
    }

    fn next(&self, now: u64) -> Option<u64> {
        let both = [self.over(), self.forgotten()];
        both.into_iter().flatten().find(|&at| at > now)
    }

    fn waits(&self, now: u64) -> bool {
        self.next(now).is_some()
    }
}

/// How much more there is than before.
#[derive(Debug)]
pub(crate) struct Spike {
    factor: f64,
    below: f64,
    min_count: u64,
    min_reference: u64,
    /// How many stretches the reference has.
    before: u64,
    /// When the first event came: nothing is compared with a time that was not seen.
    pub(crate) born: Option<u64>,
    pub(crate) buckets: Buckets,
}

impl Spike {
    fn counts(&self, now: u64) -> (u64, u64) {
        let (count, _) = self.buckets.sum(now, 0, SPIKE_STEPS);
        let end = SPIKE_STEPS + self.before;
        let (reference, _) = self.buckets.sum(now, SPIKE_STEPS, end);
        (count, reference)
    }

    fn ripe(&self) -> Option<u64> {
        let seen = (SPIKE_STEPS + self.before).saturating_mul(self.buckets.width());
        Some(self.born?.saturating_add(seen))
    }

    fn level(&self, now: u64) -> Level {
        let (count, reference) = self.counts(now);
        let ripe = self.ripe().is_some_and(|ripe| now >= ripe);
        if !ripe || count < self.min_count || reference < self.min_reference {
            return Level::Under;
        }
        let usual = reference as f64 * SPIKE_STEPS as f64 / self.before as f64;
        match count as f64 / usual {
            times if times >= self.factor => Level::Over,
            times if times < self.below => Level::Under,
            _ => Level::Between,
        }
    }

    fn next(&self, now: u64) -> Option<u64> {
        let all = SPIKE_STEPS + self.before;
        let moves = self.buckets.next(now, SPIKE_STEPS);
        let leaves = self.buckets.next(now, all);
        let ripe = self.ripe().filter(|&ripe| ripe > now);
        moves.into_iter().chain(leaves).chain(ripe).min()
    }
}

/// In how many stretches a ratio's window is counted: it is right to a sixtieth of its length.
const STEPS: u64 = 60;

/// In how many a spike's window is.
pub(crate) const SPIKE_STEPS: u64 = 12;
