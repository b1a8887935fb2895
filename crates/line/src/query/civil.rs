//! Dates and times of day as people and loggers write them, and what they are in nanoseconds.

use std::fmt;

use crate::Value;

pub(crate) const SECOND: i128 = 1_000_000_000;
pub(crate) const MINUTE: i128 = 60 * SECOND;
pub(crate) const HOUR: i128 = 60 * MINUTE;
pub(crate) const DAY: i128 = 24 * HOUR;

/// What a clock and a calendar show, to as many digits as were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// Days since 1970-01-01; 0 for a time of day alone.
    day: i64,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    digits: Digits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Day,
    Minute,
    Second,
    Fraction(u8),
}

/// A date, with a time of day or without, with an offset from UTC in seconds or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) civil: Civil,
    pub(crate) offset: Option<i32>,
}

impl Civil {
    /// `10:30`, `10:30:05`, `10:30:05.25`.
    pub(crate) fn time_of_day(text: &str) -> Option<Self> {
        let (civil, rest) = Self::midnight(0).with_time(text)?;
        rest.is_empty().then_some(civil)
    }

    fn midnight(day: i64) -> Self {
        Self {
            day,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            digits: Digits::Day,
        }
    }

    /// Since 1970 on the same clock.
    pub(crate) fn nanos(&self) -> i128 {
        i128::from(self.day) * DAY
            + i128::from(self.hour) * HOUR
            + i128::from(self.minute) * MINUTE
            + i128::from(self.second) * SECOND
            + i128::from(self.nanos)
    }

    /// How long what was written lasts: a date a day, `10:30` a minute.
    pub(crate) fn precision(&self) -> i128 {
        match self.digits {
            Digits::Day => DAY,
            Digits::Minute => MINUTE,
            Digits::Second => SECOND,
            Digits::Fraction(digits) => 10_i128.pow(9 - u32::from(digits)),
        }
    }

    /// Reads `HH:MM[:SS[.fraction]]` and gives what follows. A leap second counts as the one before.
    fn with_time(mut self, text: &str) -> Option<(Self, &str)> {
        let (hour, rest) = two(text)?;
        let (minute, rest) = two(rest.strip_prefix(':')?)?;
        self = Self {
            hour,
            minute,
            digits: Digits::Minute,
            ..self
        };
        if hour > 23 || minute > 59 {
            return None;
        }
        let Some(rest) = rest.strip_prefix(':') else {
            return Some((self, rest));
        };
        let (second, rest) = two(rest)?;
        self = Self {
            second: second.min(59),
            digits: Digits::Second,
            ..self
        };
        if second > 60 {
            return None;
        }
        let Some(rest) = rest.strip_prefix(['.', ',']) else {
            return Some((self, rest));
        };
        let written = rest.bytes().take_while(u8::is_ascii_digit).count();
        let kept = written.min(9);
        let fraction: u32 = rest[..kept].parse().ok()?;
        let nanos = fraction * 10_u32.pow(9 - kept as u32);
        let digits = Digits::Fraction(kept as u8);
        Some((
            Self {
                nanos,
                digits,
                ..self
            },
            &rest[written..],
        ))
    }

    pub(crate) fn write_time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)?;
        if self.digits != Digits::Minute {
            write!(f, ":{:02}", self.second)?;
        }
        if let Digits::Fraction(digits) = self.digits {
            let fraction = self.nanos / 10_u32.pow(9 - u32::from(digits));
            write!(f, ".{fraction:0width$}", width = usize::from(digits))?;
        }
        Ok(())
    }
}

impl Parsed {
    /// RFC 3339 section 5.6, and what loggers make of it: a space for the `T`, a comma before the
    /// fraction, `+0800`, no offset, no seconds, the date alone.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (year, rest) = (text.get(..4)?, text.get(4..)?);
        let year: i64 = digits(year)?.into();
        let (month, rest) = two(rest.strip_prefix('-')?)?;
        let (day, rest) = two(rest.strip_prefix('-')?)?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        let civil = Civil::midnight(days_since_1970(year, month, day));
        if rest.is_empty() {
            return Some(Self {
                civil,
                offset: None,
            });
        }
        let (civil, rest) = civil.with_time(rest.strip_prefix(['T', 't', ' '])?)?;
        let offset = match rest.trim_start_matches(' ') {
            "" => None,
            "Z" | "z" | "UTC" => Some(0),
            signed => Some(offset(signed)?),
        };
        Some(Self { civil, offset })
    }

    /// Nanoseconds since 1970 UTC; a time without an offset is given to the user's zone.
    pub(crate) fn instant(&self, to_utc: impl FnOnce(i128) -> i128) -> i128 {
        let local = self.civil.nanos();
        match self.offset {
            Some(seconds) => local - i128::from(seconds) * SECOND,
            None => to_utc(local),
        }
    }
}

impl fmt::Display for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.civil.day);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        if self.civil.digits == Digits::Day {
            return Ok(());
        }
        f.write_str("T")?;
        self.civil.write_time(f)?;
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(seconds) => {
                let minutes = seconds.abs() / 60;
                let sign = if seconds < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// When a field says that something happened: a text as [`Parsed::read`] takes it, or a number of
/// seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by its size.
pub(crate) fn instant(value: &Value<'_>, to_utc: impl FnOnce(i128) -> i128) -> Option<i128> {
    match value {
        Value::I64(int) => Some(epoch(i128::from(*int))),
        Value::U64(int) => Some(epoch(i128::from(*int))),
        Value::F64(float) if float.is_finite() => {
            // Seconds with a fraction, as zap writes them; anything larger has no use for one.
            if float.abs() < 1e11 {
                Some((float * 1e6) as i128 * 1_000)
            } else {
                Some(epoch(*float as i128))
            }
        }
        Value::Str(text) => match Parsed::read(text) {
            Some(parsed) => Some(parsed.instant(to_utc)),
            None => text.parse::<i64>().ok().map(|int| epoch(i128::from(int))),
        },
        _ => None,
    }
}

/// Each unit has the numbers from 1973 to 5138 to itself.
fn epoch(number: i128) -> i128 {
    match number.abs() {
        0..100_000_000_000 => number * SECOND,
        100_000_000_000..100_000_000_000_000 => number * 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => number * 1_000,
        _ => number,
    }
}

/// `+08:00`, `+0800`, `+08`.
fn offset(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two(&text[1..])?;
    let minutes = match rest.strip_prefix(':').unwrap_or(rest) {
        "" if rest.is_empty() => 0,
        rest => match two(rest)? {
            (minutes, "") => minutes,
            _ => return None,
        },
    };
    (hours < 24 && minutes < 60)
        .then_some(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
}

fn two(text: &str) -> Option<(u8, &str)> {
    let value = digits(text.get(..2)?)?;
    Some((value as u8, &text[2..]))
}

fn digits(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn days_in(year: i64, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_since_1970(year: i64, month: u8, day: u8) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = (i64::from(month) + 9) % 12;
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The same page, `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (year + era * 400 + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::{DAY, Parsed, SECOND, date, days_since_1970, instant};
    use crate::Value;

    #[test]
    fn every_day_of_eight_centuries_is_one_after_the_one_before() {
        let mut expected = days_since_1970(1600, 1, 1);
        assert_eq!(days_since_1970(1970, 1, 1), 0);
        for year in 1600..2400 {
            for month in 1..=12 {
                for day in 1..=super::days_in(year, month) {
                    assert_eq!(days_since_1970(year, month, day), expected);
                    assert_eq!(date(expected), (year, i64::from(month), i64::from(day)));
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn a_timestamp_is_read_as_its_logger_wrote_it() {
        let at = 1_790_000_000 * SECOND;
        let zone = |local: i128| local - 8 * 3600 * SECOND;
        let read = |value: Value<'_>| instant(&value, zone);
        for value in [
            Value::I64(1_790_000_000),
            Value::I64(1_790_000_000_000),
            Value::I64(1_790_000_000_000_000),
            Value::I64(1_790_000_000_000_000_000),
            Value::F64(1_790_000_000.0),
            Value::from("1790000000000000000"),
            Value::from("2026-09-21T14:13:20Z"),
            Value::from("2026-09-21T22:13:20.000+08:00"),
            Value::from("2026-09-21T22:13:20+0800"),
            Value::from("2026-09-21 22:13:20"),
            Value::from("2026-09-21 22:13:20,000"),
        ] {
            assert_eq!(read(value.clone()), Some(at), "{value:?}");
        }
        assert_eq!(read(Value::F64(1_790_000_000.25)), Some(at + 250_000_000));
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::from("soon"),
            Value::F64(f64::NAN),
            Value::from("2026-09-21T14:13:20+8"),
        ] {
            assert_eq!(read(value.clone()), None, "{value:?}");
        }
        assert_eq!(Parsed::read("1970-01-02").unwrap().instant(|at| at), DAY);
    }
}
