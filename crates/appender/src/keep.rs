//! Decides which rolled files go. Pure: it is given what there is.

use std::time::Duration;

use jiff::civil::DateTime;

use crate::disk::Space;

/// How many rolled files stay, beside the current one. The oldest go first.
///
/// Deleted are only files whose whole name proves that they are this log's, in any form (plain,
/// `.gz`, `.zst`), with a companion `<file>.idx`. The newest rolled file stays under each bound but
/// the count 0.
///
/// ```
/// use dogwatch_appender::Keep;
///
/// let keep = Keep::files(14).free_percent(10).unread(Keep::files(50));
/// # assert_ne!(keep, Keep::files(14));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a bound does nothing until it is given to an appender"]
pub struct Keep {
    files: Option<usize>,
    max_age: Option<Duration>,
    max_bytes: Option<u64>,
    free_bytes: Option<u64>,
    free_percent: Option<u8>,
    floor: Option<usize>,
    unread: Option<Box<Keep>>,
}

impl Keep {
    /// All of them, for ever: the default. Something else must tidy.
    pub fn all() -> Self {
        Self::default()
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

    /// Also no more than leave so many bytes free on the file system, for this user. It is looked at
    /// every 5 s while lines are written. On unix.
    pub fn free_bytes(mut self, bytes: u64) -> Self {
        self.free_bytes = Some(bytes);
        self
    }

    /// Also no more than leave so many percent of the file system free; the larger of this and
    /// [`free_bytes`](Self::free_bytes) counts.
    pub fn free_percent(mut self, percent: u8) -> Self {
        self.free_percent = Some(percent.min(100));
        self
    }

    /// So many of the newest rolled files stay though the disk is full, or too little of it is free.
    /// Default: 2, as svlogd has it; all of them where there is no other bound.
    ///
    /// A write that finds the disk full lets the oldest rolled file go, and each further one the
    /// next, down to this floor. A file that a reader holds stays.
    pub fn floor(mut self, files: usize) -> Self {
        self.floor = Some(files);
        self
    }

    /// The hard bound: a file that [`held`](crate::AppenderBuilder::held) claims stays as long as
    /// this lets it. Default: twice each bound of number, age and bytes.
    pub fn unread(mut self, hard: Keep) -> Self {
        self.unread = Some(Box::new(hard));
        self
    }

    /// The bound that even a file that is held is under.
    pub(crate) fn hard(&self) -> Self {
        let twice = || Self {
            files: self.files.map(|files| files.saturating_mul(2)),
            max_age: self.max_age.map(|age| age.saturating_mul(2)),
            max_bytes: self.max_bytes.map(|bytes| bytes.saturating_mul(2)),
            ..Self::all()
        };
        self.unread.as_deref().cloned().unwrap_or_else(twice)
    }

    /// How many files no want of room takes.
    pub(crate) fn floor_files(&self) -> usize {
        let bounded = *self != Self::all();
        self.floor
            .unwrap_or(if bounded { FLOOR } else { usize::MAX })
    }

    pub(crate) fn wants_room(&self) -> bool {
        self.free_bytes.is_some() || self.free_percent.is_some()
    }

    /// How many bytes less than wanted are free.
    pub(crate) fn missing(&self, space: Space) -> u64 {
        let part = |percent| (u128::from(space.total) * u128::from(percent)).div_ceil(100) as u64;
        let by_percent = self.free_percent.map_or(0, part);
        let wanted = self.free_bytes.unwrap_or(0).max(by_percent);
        wanted.saturating_sub(space.free)
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

/// What is known of a rolled file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) begun: DateTime,
    pub(crate) bytes: u64,
}

/// What svlogd(8) leaves on a full disk (its `N`).
const FLOOR: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_room_that_is_missing_is_by_the_larger_of_bytes_and_percent() {
        let space = |free, total| Space { free, total };
        let cases = [
            (Keep::all(), space(0, 1000), 0),
            (Keep::all().free_bytes(100), space(99, 1000), 1),
            (Keep::all().free_bytes(100), space(100, 1000), 0),
            (Keep::all().free_percent(10), space(99, 1000), 1),
            (Keep::all().free_percent(10), space(100, 1001), 1),
            (Keep::all().free_percent(200), space(1, 1000), 999),
            (
                Keep::all().free_percent(10).free_bytes(300),
                space(99, 1000),
                201,
            ),
            (Keep::all().free_percent(100), space(0, u64::MAX), u64::MAX),
        ];
        for (keep, space, missing) in cases {
            assert_eq!(keep.missing(space), missing, "{keep:?} {space:?}");
        }
    }

    #[test]
    fn the_hard_bound_is_twice_each_bound_unless_it_is_said() {
        let keep = Keep::files(7).max_bytes(10).max_age(Duration::from_secs(3));
        let twice = Keep::files(14)
            .max_bytes(20)
            .max_age(Duration::from_secs(6));
        assert_eq!(keep.clone().free_percent(5).hard(), twice);
        assert_eq!(keep.unread(Keep::files(9)).hard(), Keep::files(9));
        assert_eq!(Keep::all().hard(), Keep::all());
    }

    #[test]
    fn want_of_room_takes_no_file_of_a_log_that_keeps_all() {
        assert_eq!(Keep::all().floor_files(), usize::MAX);
        assert_eq!(Keep::files(7).floor_files(), 2);
        assert_eq!(Keep::all().free_bytes(1).floor_files(), 2);
        assert_eq!(Keep::all().floor(5).floor_files(), 5);
    }

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

    proptest! {
        #[test]
        fn no_more_goes_than_must_and_what_stays_is_within_every_bound(
            files in proptest::collection::vec((0i64..40, 0u64..50), 0..12),
            count in proptest::option::of(0usize..14),
            age in proptest::option::of(0u64..40),
            bytes in proptest::option::of(0u64..300),
        ) {
            let hours = |n: u64| Duration::from_secs(n * 3600);
            let keep = Keep { files: count, max_age: age.map(hours), max_bytes: bytes, ..Keep::all() };
            let now = day(6);
            // Times may step back: the order is by number.
            let files: Vec<_> = files
                .into_iter()
                .map(|(ago, bytes)| Kept { begun: now - jiff::SignedDuration::from_hours(ago), bytes })
                .collect();
            let old = |file: &Kept| {
                let since = now.duration_since(file.begun);
                age.is_some_and(|age| since > hours(age).try_into().unwrap())
            };
            let within = |files: &[Kept]| {
                let sum: u64 = files.iter().map(|file| file.bytes).sum();
                let recent = !files.iter().any(old) && bytes.is_none_or(|max| sum <= max);
                count.is_none_or(|count| files.len() <= count) && (files.len() <= 1 || recent)
            };
            let surplus = keep.surplus(&files, now);
            prop_assert!(surplus <= files.len());
            prop_assert!(within(&files[surplus..]));
            // The newest stays though it is old, and no other stays for its sake.
            if surplus > 0 && !files.last().is_some_and(old) {
                prop_assert!(!within(&files[surplus - 1..]), "one too many goes");
            }
            prop_assert!(keep.hard().surplus(&files, now) <= surplus);
        }
    }
}
