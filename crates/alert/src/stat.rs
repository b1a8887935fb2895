//! Measures a number that events carry, over a window: its mean, its ends, a percentile. Pure.

use std::collections::VecDeque;
use std::fmt;

use crate::meter::Level;
use crate::spike::SPIKE_STEPS;

/// What is made of the numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Avg,
    Sum,
    Min,
    Max,
    /// By the nearest rank: the least number that so many per cent of all do not exceed.
    Percentile(f64),
}

/// On which side of a number it is bad, and where it is good again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    pub(crate) side: Side,
    pub(crate) fires: f64,
    pub(crate) good: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    Below,
}

/// A rule's numbers by stretches of its window, and what is asked of them.
///
/// Whether a percentile reaches a limit is exact: it hangs on how many numbers are below the limit
/// alone. Only the value that an alert shows is of bins, a [`BINS_PER_OCTAVE`]th of an octave wide.
/// Some 100 bytes a stretch, and 256 more where a number was bad.
#[derive(Debug)]
pub(crate) struct Stat {
    of: Statistic,
    limit: Limit,
    min_count: u64,
    width: u64,
    stretches: VecDeque<Stretch>,
}

#[derive(Debug, Default)]
struct Stretch {
    index: u64,
    sums: Sums,
    /// When its first number came, and its first bad one.
    at: u64,
    bad_at: Option<u64>,
    /// How many bad ones are so far beyond the limit.
    bins: Option<Box<[u32; BINS]>>,
}

#[derive(Clone, Copy, Debug)]
struct Sums {
    count: u64,
    sum: f64,
    least: f64,
    greatest: f64,
    /// Numbers below the limit that fires, and below the one at which all is good.
    below_fires: u64,
    below_good: u64,
}

impl Stat {
    pub(crate) fn new(of: Statistic, limit: Limit, min_count: u64, window: u64) -> Self {
        Self {
            of,
            limit,
            min_count,
            width: (window / SPIKE_STEPS).max(1),
            stretches: VecDeque::new(),
        }
    }

    /// Adds a number. Time never steps back.
    pub(crate) fn push(&mut self, now: u64, number: f64) {
        let index = now / self.width;
        let last = self.stretches.back().map(|last| last.index);
        if last.is_none_or(|last| last < index) {
            let gone = |first: &Stretch| first.index + SPIKE_STEPS <= index;
            let mut fresh = Stretch::default();
            // The memory of one that has left is used again.
            while self.stretches.front().is_some_and(gone) {
                let old = self.stretches.pop_front();
                fresh.bins = old.and_then(|old| old.bins).or(fresh.bins);
            }
            if let Some(bins) = &mut fresh.bins {
                bins.fill(0);
            }
            self.stretches.push_back(Stretch {
                index,
                at: now,
                ..fresh
            });
        }
        let limit = self.limit;
        if let Some(last) = self.stretches.back_mut() {
            last.sums.add(number, limit);
            if limit.is_bad(number) {
                last.bad_at.get_or_insert(now);
                if let Statistic::Percentile(_) = self.of {
                    let bins = last.bins.get_or_insert_with(|| Box::new([0; BINS]));
                    let bin = &mut bins[limit.bin(number)];
                    *bin = bin.saturating_add(1);
                }
            }
        }
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        let sums = self.sums(now);
        if sums.count < self.min_count.max(1) {
            // Too few to judge by are no reason to go on.
            return Level::Under;
        }
        let reaches = |number: f64, below: u64| match self.of {
            Statistic::Percentile(percent) => below < rank(percent, sums.count),
            _ => self.plain(&sums) >= number,
        };
        let fires = reaches(self.limit.fires, sums.below_fires);
        let good = reaches(self.limit.good, sums.below_good);
        let (bad, good) = match self.limit.side {
            Side::AtLeast => (fires, !good),
            Side::Below => (!fires, good),
        };
        match (bad, good) {
            (true, _) => Level::Over,
            (_, true) => Level::Under,
            _ => Level::Between,
        }
    }

    /// What it comes to; of a percentile only while it is bad.
    pub(crate) fn value(&self, now: u64) -> Option<f64> {
        let sums = self.sums(now);
        match self.of {
            _ if sums.count == 0 => None,
            Statistic::Percentile(percent) => {
                let rank = rank(percent, sums.count);
                // How many stand from there to the bad end.
                let beyond = match self.limit.side {
                    Side::AtLeast => sums.count - rank + 1,
                    Side::Below => rank,
                };
                let bin = self.bin_of(now, beyond)?;
                Some(self.limit.middle(bin, &sums))
            }
            _ => Some(self.plain(&sums)),
        }
    }

    /// How many numbers are within the window.
    pub(crate) fn count(&self, now: u64) -> u64 {
        self.sums(now).count
    }

    /// When it began: the first bad number, or the first of all where no single one is bad.
    pub(crate) fn first(&self, now: u64) -> Option<u64> {
        match self.of {
            Statistic::Avg | Statistic::Sum => self.within(now).next().map(|first| first.at),
            _ => self.within(now).find_map(|stretch| stretch.bad_at),
        }
    }

    /// When a stretch leaves the window if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let first = self.within(now).next()?;
        Some((first.index + SPIKE_STEPS).saturating_mul(self.width))
    }

    pub(crate) fn clear(&mut self) {
        self.stretches.clear();
    }

    fn plain(&self, sums: &Sums) -> f64 {
        match self.of {
            Statistic::Avg => sums.sum / sums.count.max(1) as f64,
            Statistic::Sum => sums.sum,
            Statistic::Min => sums.least,
            Statistic::Max | Statistic::Percentile(_) => sums.greatest,
        }
    }

    fn within(&self, now: u64) -> impl Iterator<Item = &Stretch> {
        let index = now / self.width;
        let inside = move |stretch: &&Stretch| stretch.index + SPIKE_STEPS > index;
        self.stretches.iter().filter(inside)
    }

    fn sums(&self, now: u64) -> Sums {
        let all = self.within(now).map(|stretch| stretch.sums);
        all.fold(Sums::default(), Sums::with)
    }

    /// The bin of the number that stands so far from the bad end.
    fn bin_of(&self, now: u64, beyond: u64) -> Option<usize> {
        let mut seen = 0;
        (0..BINS).rev().find(|&bin| {
            let of = |stretch: &Stretch| stretch.bins.as_ref().map_or(0, |bins| bins[bin]);
            seen += self.within(now).map(|one| u64::from(of(one))).sum::<u64>();
            seen >= beyond
        })
    }
}

impl Limit {
    fn is_bad(&self, number: f64) -> bool {
        match self.side {
            Side::AtLeast => number >= self.fires,
            Side::Below => number < self.fires,
        }
    }

    /// How far beyond the limit a bad number is, in steps of an eighth of an octave.
    fn bin(&self, number: f64) -> usize {
        let times = match self.side {
            Side::AtLeast => number / self.fires,
            Side::Below if number <= 0.0 => return BINS - 1,
            Side::Below => self.fires / number,
        };
        // A cast to an integer saturates at both ends.
        ((times.log2() * BINS_PER_OCTAVE) as usize).min(BINS - 1)
    }

    /// The number that stands for a bin; the last is open, and its end is known.
    fn middle(&self, bin: usize, sums: &Sums) -> f64 {
        let times = ((bin as f64 + 0.5) / BINS_PER_OCTAVE).exp2();
        let last = bin == BINS - 1;
        match self.side {
            Side::AtLeast if last => sums.greatest,
            Side::Below if last => sums.least,
            Side::AtLeast => (self.fires * times).min(sums.greatest),
            Side::Below => (self.fires / times).max(sums.least),
        }
    }
}

impl Default for Sums {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            below_fires: 0,
            below_good: 0,
        }
    }
}

impl Sums {
    fn add(&mut self, number: f64, limit: Limit) {
        *self = self.with(Self {
            count: 1,
            sum: number,
            least: number,
            greatest: number,
            below_fires: u64::from(number < limit.fires),
            below_good: u64::from(number < limit.good),
        });
    }

    fn with(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            least: self.least.min(other.least),
            greatest: self.greatest.max(other.greatest),
            below_fires: self.below_fires + other.below_fires,
            below_good: self.below_good + other.below_good,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Avg => f.write_str("avg"),
            Self::Sum => f.write_str("sum"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
        }
    }
}

/// The place of a percentile among so many numbers in their order, from 1 on.
fn rank(percent: f64, count: u64) -> u64 {
    // 99.9 % of 1000 is 999, whatever binary fractions make of it.
    let rank = (percent * count as f64 / 100.0 - 1e-9).ceil() as u64;
    rank.clamp(1, count.max(1))
}

/// A value that is told is right to half of this: 4.4 %.
const BINS_PER_OCTAVE: f64 = 8.0;

/// To 235 times the limit; what is beyond is told as the greatest.
const BINS: usize = 64;

#[cfg(test)]
mod tests {
    use super::{BINS_PER_OCTAVE, Limit, Side, Stat, Statistic, rank};
    use crate::meter::Level;
    use crate::spike::SPIKE_STEPS;
    use proptest::prelude::*;

    #[test]
    fn a_rank_is_the_nearest_one() {
        for (percent, count, expected) in [
            (50.0, 1, 1),
            (50.0, 2, 1),
            (50.0, 3, 2),
            (99.0, 100, 99),
            (99.0, 101, 100),
            (99.9, 1000, 999),
            (100.0, 7, 7),
            (1.0, 7, 1),
        ] {
            assert_eq!(rank(percent, count), expected, "p{percent} of {count}");
        }
    }

    /// By sorting all of them.
    fn naive(of: Statistic, numbers: &mut [f64]) -> f64 {
        numbers.sort_by(f64::total_cmp);
        let count = numbers.len();
        match of {
            Statistic::Avg => numbers.iter().sum::<f64>() / count as f64,
            Statistic::Sum => numbers.iter().sum(),
            Statistic::Min => numbers[0],
            Statistic::Max => numbers[count - 1],
            Statistic::Percentile(percent) => {
                let at = (percent as usize * count).div_ceil(100).max(1);
                numbers[at - 1]
            }
        }
    }

    proptest! {
        #[test]
        fn the_decision_equals_a_naive_one_at_every_step_and_the_value_is_near(
            of in prop::sample::select(vec![
                Statistic::Avg, Statistic::Sum, Statistic::Min, Statistic::Max,
                Statistic::Percentile(50.0), Statistic::Percentile(95.0), Statistic::Percentile(3.0),
            ]),
            below in any::<bool>(), fires in 1_u32..60, gap in 0_u32..20, width in 1_u64..7,
            min_count in 1_u64..4,
            steps in prop::collection::vec((0_u64..20, -5_i32..2000), 1..120),
        ) {
            let fires = f64::from(fires);
            let (side, good) = match below {
                true => (Side::Below, fires + f64::from(gap)),
                false => (Side::AtLeast, fires - f64::from(gap)),
            };
            let mut stat = Stat::new(of, Limit { side, fires, good }, min_count, width * SPIKE_STEPS);
            let mut all: Vec<(u64, f64)> = Vec::new();
            let mut now = 0;
            for (step, number) in steps {
                now += step;
                // Whole numbers: their sums are exact in any order.
                let number = if number > 300 { f64::from(number) } else { f64::from(number % 60) };
                stat.push(now, number);
                all.push((now, number));
                for now in [now, stat.next(now).unwrap() - 1, stat.next(now).unwrap()] {
                    let inside = |time: u64| now / width - time / width < SPIKE_STEPS;
                    let numbers = all.iter().filter(|(time, _)| inside(*time));
                    let mut numbers: Vec<f64> = numbers.map(|(_, number)| *number).collect();
                    prop_assert_eq!(stat.count(now), numbers.len() as u64);
                    if (numbers.len() as u64) < min_count {
                        prop_assert_eq!(stat.level(now), Level::Under);
                        continue;
                    }
                    let naive = naive(of, &mut numbers);
                    let (over, under) = match side {
                        Side::AtLeast => (naive >= fires, naive < good),
                        Side::Below => (naive < fires, naive >= good),
                    };
                    let level = match (over, under) {
                        (true, _) => Level::Over,
                        (_, true) => Level::Under,
                        _ => Level::Between,
                    };
                    prop_assert_eq!(stat.level(now), level, "{} is {}", of, naive);
                    let exact = !matches!(of, Statistic::Percentile(_));
                    if exact {
                        prop_assert_eq!(stat.value(now), Some(naive));
                    } else if over && naive > fires / 200.0 && naive < fires * 200.0 {
                        let told = stat.value(now).unwrap();
                        let error = (told / naive).log2().abs();
                        prop_assert!(error <= 0.5 / BINS_PER_OCTAVE + 1e-9, "{told} for {naive}");
                        let limit = Limit { side, fires, good };
                        prop_assert!(limit.is_bad(told), "{} is told", told);
                    }
                }
            }
        }
    }
}
