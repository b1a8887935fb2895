//! Decides which rolled files go. Pure: it is given what there is.

use std::time::Duration;

use jiff::civil::DateTime;

/// How many rolled files stay, beside the current one. The oldest go first.
///
/// Deleted are only files whose whole name proves that they are this log's, in any form (plain,
/// `.gz`, `.zst`), with a companion `<file>.idx`. The newest rolled file stays under each bound but
/// the count 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a bound does nothing until it is given to an appender"]
pub struct Keep {
    files: Option<usize>,
    max_age: Option<Duration>,
    max_bytes: Option<u64>,
}

impl Keep {
    /// All of them, for ever: the default. Something else must tidy.
    pub fn all() -> Self {
        Self {
            files: None,
            max_age: None,
            max_bytes: None,
        }
    }

    /// At most `files` rolled files.
    pub fn files(files: usize) -> Self {
        Self {
            files: Some(files),
            ..Self::all()
        }
    }

    /// Also none that was begun longer ago than this, by its name.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Also at most so many bytes in all rolled files, as they stand on the disk.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How many of these files, oldest first, must go.
    pub(crate) fn surplus(&self, files: &[Kept], now: DateTime) -> usize {
        let last = files.len().saturating_sub(1);
        let by_count = self
            .files
            .map_or(0, |keep| files.len().saturating_sub(keep));
        let by_age = self.max_age.map_or(0, |age| {
            // By the newest that is too old: the order is by sequence, times may step back.
            let old = |file: &Kept| now.duration_since(file.begun).unsigned_abs() > age;
            let past = |file: &Kept| file.begun < now && old(file);
            files
                .iter()
                .rposition(past)
                .map_or(0, |newest| newest + 1)
                .min(last)
        });
        let by_bytes = self.max_bytes.map_or(0, |max| {
            let mut sum = 0u64;
            let fits = |file: &&Kept| {
                sum = sum.saturating_add(file.bytes);
                sum <= max
            };
            (files.len() - files.iter().rev().take_while(fits).count()).min(last)
        });
        by_count.max(by_age).max(by_bytes)
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self::all()
    }
}

/// What is known of a rolled file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) begun: DateTime,
    pub(crate) bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i8) -> DateTime {
        jiff::civil::date(2026, 11, day).at(0, 0, 0, 0)
    }

    #[test]
    fn the_strictest_bound_wins_and_the_oldest_go() {
        let files: Vec<_> = (1..=5)
            .map(|n| Kept {
                begun: day(n),
                bytes: u64::from(n.unsigned_abs()) * 10,
            })
            .collect();
        let days = |n: u64| Duration::from_secs(n * 24 * 3600);
        let cases = [
            (Keep::all(), 0),
            (Keep::files(7), 0),
            (Keep::files(5), 0),
            (Keep::files(2), 3),
            (Keep::files(0), 5),
            (Keep::all().max_age(days(3)), 2),
            (Keep::all().max_age(days(0)), 4),
            (Keep::all().max_age(days(99)), 0),
            (Keep::all().max_bytes(150), 0),
            (Keep::all().max_bytes(149), 1),
            (Keep::all().max_bytes(90), 3),
            (Keep::all().max_bytes(0), 4),
            (Keep::files(4).max_bytes(90), 3),
            (Keep::files(1).max_bytes(150), 4),
        ];
        for (keep, expected) in cases {
            assert_eq!(keep.surplus(&files, day(6)), expected, "{keep:?}");
        }
        assert_eq!(
            Keep::files(0)
                .max_age(days(0))
                .max_bytes(0)
                .surplus(&[], day(6)),
            0
        );
    }

    #[test]
    fn a_file_from_the_future_is_not_old() {
        let files = [
            Kept {
                begun: day(20),
                bytes: 1,
            },
            Kept {
                begun: day(21),
                bytes: 1,
            },
        ];
        assert_eq!(
            Keep::all()
                .max_age(Duration::from_secs(1))
                .surplus(&files, day(6)),
            0
        );
    }
}
