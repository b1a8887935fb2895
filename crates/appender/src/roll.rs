//! Decides when a file is full or its day is over. Pure: no I/O, no clock of its own.

use jiff::{
    Timestamp, ToSpan as _, ZonedDateTime,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use memchr::{memchr, memrchr};

use crate::{Error, error::Kind};

/// When the current file is closed and a new one begun: at a size, at a time, both, or never.
///
/// ```
/// use dogwatch_appender::Roll;
///
/// let roll = Roll::daily().max_bytes(100 * 1024 * 1024);
/// # assert_ne!(roll, Roll::daily());
/// ```
///
/// Time boundaries are those of the appender's zone (UTC unless
/// [`zone`](crate::AppenderBuilder::zone) says otherwise), recomputed at each roll, so that a day
/// with a clock change has 23 or 25 hours. An empty file is not rolled. A clock that goes back rolls
/// nothing twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a roll does nothing until it is given to an appender"]
pub struct Roll {
    period: Option<Period>,
    at: Option<String>,
    max_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Minute,
    Hour,
    Day,
    Week,
}

impl Roll {
    /// One file for ever, unless a bound is added.
    pub fn never() -> Self {
        Self::default()
    }

    /// At each full minute.
    pub fn minutely() -> Self {
        Self::every(Period::Minute)
    }

    /// At each full hour.
    pub fn hourly() -> Self {
        Self::every(Period::Hour)
    }

    /// At midnight.
    pub fn daily() -> Self {
        Self::every(Period::Day)
    }

    /// At midnight before Monday.
    pub fn weekly() -> Self {
        Self::every(Period::Week)
    }

    /// Before the line that would make the file larger than `bytes`.
    pub fn size(bytes: u64) -> Self {
        Self::never().max_bytes(bytes)
    }

    /// Also before the line that would make the file larger than `bytes`.
    ///
    /// A line larger than that goes whole into a file of its own.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Days and weeks begin at this time of the clock, `HH:MM`, instead of midnight: the files of a
    /// shop that closes at four in the morning hold its days. A time that a clock change skips is
    /// that much later; of a repeated one the first counts. Anything else than `00:00` to `23:59`,
    /// and a log that does not roll by day or week, is an error of
    /// [`open`](crate::AppenderBuilder::open).
    pub fn at(mut self, time: impl Into<String>) -> Self {
        self.at = Some(time.into());
        self
    }

    fn every(period: Period) -> Self {
        Self {
            period: Some(period),
            ..Self::never()
        }
    }

    /// Whether the time of the clock is one, and of use.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(text) = &self.at else { return Ok(()) };
        let what = match (clock_time(text), self.period) {
            (Some(_), Some(Period::Day | Period::Week)) => return Ok(()),
            (None, _) => format!("cannot roll at `{text}`: a time is HH:MM, from 00:00 to 23:59"),
            (Some(_), _) => {
                format!("cannot roll at `{text}`: only a daily or weekly roll is at a time")
            }
        };
        Err(Error::new(Kind::Option, what))
    }

    /// The period of time that holds `at`, if files roll by time.
    pub(crate) fn term(&self, at: Timestamp, zone: &TimeZone) -> Option<Term> {
        let time = self.at.as_deref().and_then(clock_time).unwrap_or_default();
        let at = at.to_zoned_datetime(zone.clone());
        let (start, end) = self.period?.around(&at, time)?;
        Some(Term { start, end })
    }

    /// How many bytes still fit into a file of that length.
    pub(crate) fn room(&self, length: u64) -> u64 {
        self.max_bytes
            .map_or(u64::MAX, |max| max.saturating_sub(length))
    }
}

impl Period {
    // `None` only at the ends of time, in the year 9999.
    fn around(self, at: &ZonedDateTime, time: Time) -> Option<(Timestamp, Timestamp)> {
        match self {
            Self::Minute => steady(at, 60),
            Self::Hour => steady(at, 3600),
            Self::Day => dated(at, time, (at.date(), 1)),
            Self::Week => {
                let back = i64::from(at.weekday().since(Weekday::Monday));
                let monday = at.date().checked_sub(back.days()).ok()?;
                dated(at, time, (monday, 7))
            }
        }
    }
}

// Step by step, because a zone may skip a whole day, as Samoa's did.
fn dated(
    at: &ZonedDateTime,
    time: Time,
    (mut date, days): (Date, i64),
) -> Option<(Timestamp, Timestamp)> {
    let begins = |date: Date| {
        let zone = at.time_zone().clone();
        let begins = if time == Time::midnight() {
            date.to_zoned_datetime(zone).ok()?.start_of_day().ok()?
        } else {
            date.to_datetime(time).to_zoned_datetime(zone).ok()?
        };
        Some(begins.timestamp())
    };
    let now = at.timestamp();
    while begins(date)? > now {
        date = date.checked_sub(days.days()).ok()?;
    }
    let start = begins(date)?;
    let end = loop {
        date = date.checked_add(days.days()).ok()?;
        match begins(date)? {
            end if end > now => break end,
            _ => {}
        }
    };
    Some((start, end))
}

// Strictly two digits each, so that a typing error is told.
fn clock_time(text: &str) -> Option<Time> {
    let two = |digits: &str| match digits.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => digits.parse().ok(),
        _ => None,
    };
    let (hour, minute) = text.split_once(':')?;
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

// A change of the clock ends a period too: where it is by half an hour, the hour it cuts is short.
fn steady(at: &ZonedDateTime, seconds: i64) -> Option<(Timestamp, Timestamp)> {
    let (now, zone) = (at.timestamp(), at.time_zone());
    let local = now.as_second() + i64::from(at.offset().seconds());
    let start = now.as_second() - local.rem_euclid(seconds);
    let (start, end) = (
        Timestamp::from_second(start).ok()?,
        Timestamp::from_second(start + seconds).ok()?,
    );
    let changed = zone
        .following(start)
        .next()
        .map(|change| change.timestamp());
    Some(match changed {
        Some(change) if change <= now => (change, end),
        Some(change) if change < end => (start, change),
        _ => (start, end),
    })
}

/// The period that a file belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The file goes on.
    Within,
    /// The period is over.
    Over,
    /// The clock was set back by more than a whole period: it is believed, without a roll.
    Behind,
}

impl Term {
    pub(crate) fn judge(&self, now: Timestamp) -> Verdict {
        let length = self.end.duration_since(self.start);
        if now >= self.end {
            Verdict::Over
        } else if now.duration_since(self.start) < -length {
            Verdict::Behind
        } else {
            // Also when a small step back leads before the start: at its end it rolls, once.
            Verdict::Within
        }
    }
}

/// What to do with the lines at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Write that many bytes: whole lines that fit.
    Write(usize),
    /// Not one more line fits.
    Roll,
}

/// Cuts `lines` at the last border that fits into `room` bytes; an empty file takes one line whole.
pub(crate) fn cut(lines: &[u8], room: u64, empty: bool) -> Cut {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if lines.len() <= room {
        return Cut::Write(lines.len());
    }
    match memrchr(b'\n', &lines[..room]) {
        Some(border) => Cut::Write(border + 1),
        None if empty => Cut::Write(first_line(lines)),
        None => Cut::Roll,
    }
}

/// The length of the first line, its newline included.
pub(crate) fn first_line(lines: &[u8]) -> usize {
    memchr(b'\n', lines).map_or(lines.len(), |border| border + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn term(roll: Roll, time: &str, zone: &str) -> (String, String) {
        let zone = TimeZone::get(zone).unwrap();
        let term = roll.term(at(time), &zone).unwrap();
        (term.start.to_string(), term.end.to_string())
    }

    #[test]
    fn a_term_is_the_period_of_the_zone_around_a_moment() {
        let cases = [
            (
                Roll::minutely(),
                "2026-11-24T10:20:30Z",
                "UTC",
                "2026-11-24T10:20:00Z",
                "2026-11-24T10:21:00Z",
            ),
            (
                Roll::hourly(),
                "2026-11-24T10:20:30Z",
                "UTC",
                "2026-11-24T10:00:00Z",
                "2026-11-24T11:00:00Z",
            ),
            (
                Roll::daily(),
                "2026-11-24T10:20:30Z",
                "UTC",
                "2026-11-24T00:00:00Z",
                "2026-11-25T00:00:00Z",
            ),
            (
                Roll::daily(),
                "2026-11-24T10:20:30Z",
                "Asia/Shanghai",
                "2026-11-23T16:00:00Z",
                "2026-11-24T16:00:00Z",
            ),
            (
                Roll::weekly(),
                "2026-11-24T10:20:30Z",
                "UTC",
                "2026-11-23T00:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
            (
                Roll::weekly(),
                "2026-11-23T00:00:00Z",
                "UTC",
                "2026-11-23T00:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
            // The clocks go back: the day has 25 hours, and the repeated hour is two terms.
            (
                Roll::daily(),
                "2026-10-25T10:00:00Z",
                "Europe/Berlin",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            (
                Roll::hourly(),
                "2026-10-25T00:30:00Z",
                "Europe/Berlin",
                "2026-10-25T00:00:00Z",
                "2026-10-25T01:00:00Z",
            ),
            (
                Roll::hourly(),
                "2026-10-25T01:30:00Z",
                "Europe/Berlin",
                "2026-10-25T01:00:00Z",
                "2026-10-25T02:00:00Z",
            ),
            // They go forward: 23 hours.
            (
                Roll::daily(),
                "2026-03-29T10:00:00Z",
                "Europe/Berlin",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ),
            // By half an hour, back from 2:00 to 1:30 and forward from 2:00 to 2:30.
            (
                Roll::hourly(),
                "2070-04-05T14:59:59Z",
                "Australia/Lord_Howe",
                "2070-04-05T14:00:00Z",
                "2070-04-05T15:00:00Z",
            ),
            (
                Roll::hourly(),
                "2070-04-05T15:00:00Z",
                "Australia/Lord_Howe",
                "2070-04-05T15:00:00Z",
                "2070-04-05T15:30:00Z",
            ),
            (
                Roll::hourly(),
                "2026-10-03T15:45:00Z",
                "Australia/Lord_Howe",
                "2026-10-03T15:30:00Z",
                "2026-10-03T16:00:00Z",
            ),
            // At a time of the clock: before it, on it, after it.
            (
                Roll::daily().at("04:00"),
                "2026-11-24T03:59:59Z",
                "UTC",
                "2026-11-23T04:00:00Z",
                "2026-11-24T04:00:00Z",
            ),
            (
                Roll::daily().at("04:00"),
                "2026-11-24T04:00:00Z",
                "UTC",
                "2026-11-24T04:00:00Z",
                "2026-11-25T04:00:00Z",
            ),
            (
                Roll::weekly().at("23:30"),
                "2026-11-23T15:29:59Z",
                "Asia/Shanghai",
                "2026-11-16T15:30:00Z",
                "2026-11-23T15:30:00Z",
            ),
            // 2:30 does not exist that day, and is 3:30; 2:30 exists twice that other day.
            (
                Roll::daily().at("02:30"),
                "2026-03-29T10:00:00Z",
                "Europe/Berlin",
                "2026-03-29T01:30:00Z",
                "2026-03-30T00:30:00Z",
            ),
            (
                Roll::daily().at("02:30"),
                "2026-10-25T10:00:00Z",
                "Europe/Berlin",
                "2026-10-25T00:30:00Z",
                "2026-10-26T01:30:00Z",
            ),
            // Samoa had no 30 December 2011.
            (
                Roll::daily().at("04:00"),
                "2011-12-30T10:30:00Z",
                "Pacific/Apia",
                "2011-12-29T14:00:00Z",
                "2011-12-30T14:00:00Z",
            ),
            // Midnight does not exist there that day.
            (
                Roll::daily(),
                "2018-11-04T10:00:00Z",
                "America/Sao_Paulo",
                "2018-11-04T03:00:00Z",
                "2018-11-05T02:00:00Z",
            ),
        ];
        for (roll, time, zone, start, end) in cases {
            assert_eq!(
                term(roll, time, zone),
                (start.into(), end.into()),
                "{time} in {zone}"
            );
        }
        assert_eq!(
            Roll::size(1).term(at("2026-11-24T10:20:30Z"), &TimeZone::UTC),
            None
        );
    }

    #[test]
    fn what_is_no_time_or_of_no_use_is_an_error_that_says_so() {
        for text in ["00:00", "04:30", "23:59"] {
            Roll::daily().at(text).check().unwrap();
            Roll::weekly().at(text).max_bytes(1).check().unwrap();
        }
        for text in [
            "",
            ":",
            "4:00",
            "04:0",
            "24:00",
            "04:60",
            "+4:00",
            "04:00:00",
            "noon",
            "٠٤:٠٠",
        ] {
            let error = Roll::daily().at(text).check().unwrap_err();
            assert!(error.is_option());
            assert_eq!(
                error.to_string(),
                format!("cannot roll at `{text}`: a time is HH:MM, from 00:00 to 23:59")
            );
        }
        for roll in [Roll::hourly(), Roll::minutely(), Roll::size(1)] {
            assert_eq!(
                roll.at("04:00").check().unwrap_err().to_string(),
                "cannot roll at `04:00`: only a daily or weekly roll is at a time"
            );
        }
    }

    #[test]
    fn a_small_step_back_of_the_clock_rolls_nothing_twice_and_a_large_one_is_believed() {
        let term = Roll::hourly()
            .term(at("2026-11-24T10:00:00Z"), &TimeZone::UTC)
            .unwrap();
        let cases = [
            ("2026-11-24T10:59:59Z", Verdict::Within),
            ("2026-11-24T11:00:00Z", Verdict::Over),
            ("2027-11-24T11:00:00Z", Verdict::Over),
            ("2026-11-24T09:59:58Z", Verdict::Within),
            ("2026-11-24T09:00:00Z", Verdict::Within),
            ("2026-11-24T08:59:59Z", Verdict::Behind),
        ];
        for (now, verdict) in cases {
            assert_eq!(term.judge(at(now)), verdict, "{now}");
        }
    }

    #[test]
    fn lines_are_cut_at_the_last_border_that_fits() {
        let cases: [(&[u8], u64, bool, Cut); 8] = [
            (b"one\ntwo\n", 8, false, Cut::Write(8)),
            (b"one\ntwo\n", 7, false, Cut::Write(4)),
            (b"one\ntwo\n", 4, false, Cut::Write(4)),
            (b"one\ntwo\n", 3, false, Cut::Roll),
            (b"one\ntwo\n", 3, true, Cut::Write(4)),
            (b"one\ntwo\n", 0, true, Cut::Write(4)),
            (b"half", 2, true, Cut::Write(4)),
            (b"half", 2, false, Cut::Roll),
        ];
        for (lines, room, empty, expected) in cases {
            assert_eq!(cut(lines, room, empty), expected, "{lines:?} into {room}");
        }
    }

    proptest! {
        #[test]
        fn a_term_holds_its_moment_and_the_next_begins_where_it_ends(seconds in 0i64..4_000_000_000) {
            for zone in ["UTC", "Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"] {
                let zone = TimeZone::get(zone).unwrap();
                let at = Timestamp::from_second(seconds).unwrap();
                // Also when the clock is changed next, and just before.
                let change = zone.following(at).next().map_or(at, |change| change.timestamp());
                for at in [at, change, change - 1.second(), change + 1.second()] {
                    for roll in [
                        Roll::minutely(),
                        Roll::hourly(),
                        Roll::daily(),
                        Roll::weekly(),
                        Roll::daily().at("02:15"),
                        Roll::weekly().at("23:45"),
                    ] {
                        let term = roll.term(at, &zone).unwrap();
                        prop_assert!(term.start <= at && at < term.end, "{:?} {}", term, at);
                        prop_assert_eq!(roll.term(term.start, &zone).unwrap(), term);
                        prop_assert_eq!(roll.term(term.end, &zone).unwrap().start, term.end);
                    }
                }
            }
        }

        #[test]
        fn a_cut_loses_nothing_and_never_parts_a_line(
            lines in proptest::collection::vec("[a-c]{0,9}\n", 1..20), room in 0u64..60,
        ) {
            let all = lines.concat().into_bytes();
            match cut(&all, room, true) {
                Cut::Write(n) => {
                    prop_assert!(n > 0 && n <= all.len());
                    prop_assert_eq!(all[n - 1], b'\n');
                    prop_assert!(n as u64 <= room || n == first_line(&all));
                }
                Cut::Roll => prop_assert!(false, "an empty file takes a line"),
            }
        }
    }
}
