//! Counts what happened when, in stretches that widen as the time does, and draws it. Pure.

use std::collections::BTreeMap;

/// Counts over time, in at most [`MOST`] stretches of equal width.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    /// Counts by the number of the stretch since 1970.
    counts: BTreeMap<i64, u64>,
    /// Which of [`WIDTHS`] a stretch is wide.
    width: usize,
}

impl Timeline {
    /// Counts something that happened then, in nanoseconds since 1970.
    pub(crate) fn add(&mut self, nanos: i128) {
        *self.counts.entry(self.stretch(nanos)).or_default() += 1;
        while self.counts.len() > MOST && self.widen() {}
    }

    /// So many counts over the time from one moment to another, both within, each of the same
    /// stretch, and how many milliseconds that is.
    pub(crate) fn counts(&self, from: i128, to: i128, columns: usize) -> (Vec<u64>, i64) {
        let mut line = self.clone();
        let wide = |line: &Timeline| line.stretch(to) - line.stretch(from) >= columns as i64;
        while wide(&line) && line.widen() {}
        let (first, last) = (line.stretch(from), line.stretch(to));
        let counts = (first..=last.min(first + columns as i64 - 1))
            .map(|stretch| line.counts.get(&stretch).copied().unwrap_or(0));
        (counts.collect(), WIDTHS[line.width])
    }

    fn stretch(&self, nanos: i128) -> i64 {
        let width = i128::from(WIDTHS[self.width]) * 1_000_000;
        // No clock shows times so far away; so differences of two never overflow.
        let far = i128::from(i64::MAX / 4);
        nanos.div_euclid(width).clamp(-far, far) as i64
    }

    /// Joins stretches to the next width; `false` at the widest.
    fn widen(&mut self) -> bool {
        let Some(next) = WIDTHS.get(self.width + 1) else {
            return false;
        };
        let factor = next / WIDTHS[self.width];
        self.width += 1;
        for (stretch, count) in std::mem::take(&mut self.counts) {
            *self.counts.entry(stretch.div_euclid(factor)).or_default() += count;
        }
        true
    }
}

/// Draws counts as bars of eight heights; the highest is the most, a space is nothing.
pub(crate) fn bars(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: u64| match count {
        0 => ' ',
        _ => BARS[(u128::from(count) * 8).div_ceil(u128::from(most)).max(1) as usize - 1],
    };
    counts.iter().map(|count| bar(*count)).collect()
}

/// Milliseconds as people say it: `5s`, `15m`, `3h`, `28d`.
pub(crate) fn spoken(millis: i64) -> String {
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1000, "s"),
    ];
    let unit = units
        .iter()
        .find(|(unit, _)| millis % unit == 0 && millis > 0);
    match unit {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Milliseconds; each goes into the next without a rest, so that stretches can be joined.
const WIDTHS: [i64; 22] = [
    1,
    5,
    10,
    50,
    100,
    500,
    1000,
    5000,
    15_000,
    30_000,
    60_000,
    300_000,
    900_000,
    1_800_000,
    3_600_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    604_800_000,
    2_419_200_000,
    31_449_600_000,
];

/// Enough for any screen.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::{MOST, Timeline, WIDTHS, bars, spoken};

    #[test]
    fn each_width_goes_into_the_next() {
        assert!(WIDTHS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn counts_are_joined_to_what_fits_and_none_is_lost() {
        let mut line = Timeline::default();
        let second = 1_000_000_000;
        for nanos in [0, 0, 3 * second, 59 * second, -1] {
            line.add(nanos);
        }
        assert_eq!(
            line.counts(0, 59 * second, 12),
            (vec![3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 5000)
        );
        assert_eq!(line.counts(-1, 59 * second, 4), (vec![1, 3, 1], 30_000));
        assert_eq!(line.counts(0, 0, 10), (vec![2], 1));
        for minute in 0..10_000 {
            line.add(minute * 60 * second);
        }
        assert!(line.counts.len() <= MOST);
        let (counts, _) = line.counts(-1, 10_000 * 60 * second, 60);
        assert_eq!(counts.iter().sum::<u64>(), 10_005);
    }

    #[test]
    fn any_moment_has_a_stretch() {
        let mut line = Timeline::default();
        for nanos in [i128::MIN, i128::MAX, 0] {
            line.add(nanos);
        }
        let (counts, _) = line.counts(i128::MIN, i128::MAX, 10);
        assert!(counts.len() <= 10);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_most() {
        assert_eq!(bars(&[0, 1, 50, 99, 100]), " ▁▄██");
        assert_eq!(bars(&[]), "");
        assert_eq!(bars(&[0]), " ");
        for (millis, expected) in [
            (500, "500ms"),
            (15_000, "15s"),
            (10_800_000, "3h"),
            (604_800_000, "7d"),
        ] {
            assert_eq!(spoken(millis), expected);
        }
    }
}
