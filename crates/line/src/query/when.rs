//! A moment as a query names it: `-1h`, `yesterday`, a date, a time of day, RFC 3339.

use std::fmt;

use super::civil::{Civil, DAY, Parsed, SECOND};
use super::literal::Span;
use super::now::Now;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Ago(Span),
    Now,
    /// A whole day, that many before today.
    Day(DayBefore),
    /// Of today, in the user's zone.
    Clock(Civil),
    Date(Parsed),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayBefore {
    Today,
    Yesterday,
}

/// From, and up to but without, in nanoseconds since 1970 UTC: `2026-11-24` is a whole day,
/// `10:30` a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moments {
    pub(crate) from: i128,
    pub(crate) to: i128,
}

impl When {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "now" => return Some(When::Now),
            "today" => return Some(When::Day(DayBefore::Today)),
            "yesterday" => return Some(When::Day(DayBefore::Yesterday)),
            _ => {}
        }
        if let Some(span) = text.strip_prefix('-') {
            return Span::parse(span).map(When::Ago);
        }
        if let Some(civil) = Civil::time_of_day(text) {
            return Some(When::Clock(civil));
        }
        Parsed::read(text).map(When::Date)
    }

    /// What it means at a moment and in a zone.
    pub(crate) fn at(self, now: &Now) -> Moments {
        let instant = |at: i128| Moments {
            from: at,
            to: at + 1,
        };
        match self {
            When::Now => instant(now.nanos()),
            When::Ago(Span(nanos)) => instant(now.nanos() - i128::from(nanos)),
            When::Day(day) => {
                let back = i128::from(day == DayBefore::Yesterday);
                let start = now.local_midnight() - back * DAY;
                Moments {
                    from: now.to_utc(start),
                    to: now.to_utc(start + DAY),
                }
            }
            When::Clock(civil) => {
                let from = now.local_midnight() + civil.nanos();
                Moments {
                    from: now.to_utc(from),
                    to: now.to_utc(from + civil.precision()),
                }
            }
            When::Date(parsed) => {
                let (from, to) = (
                    parsed.civil.nanos(),
                    parsed.civil.nanos() + parsed.civil.precision(),
                );
                let utc = |local: i128| match parsed.offset {
                    Some(seconds) => local - i128::from(seconds) * SECOND,
                    None => now.to_utc(local),
                };
                Moments {
                    from: utc(from),
                    to: utc(to),
                }
            }
        }
    }
}

/// What a person may write; for messages.
pub(crate) const EXAMPLES: &str =
    "`-1h`, `today`, `yesterday`, `10:30`, `2026-11-24` or `2026-11-24T10:30:00Z`";

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Now => f.write_str("now"),
            When::Ago(span) => write!(f, "-{span}"),
            When::Day(DayBefore::Today) => f.write_str("today"),
            When::Day(DayBefore::Yesterday) => f.write_str("yesterday"),
            When::Clock(civil) => civil.write_time(f),
            When::Date(parsed) => parsed.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{Moments, Now, When};
    use crate::query::civil::{HOUR, MINUTE, SECOND};

    /// 2026-03-29 is the day on which Berlin's clocks go from 02:00 to 03:00: at 01:00 UTC.
    const SPRING: i64 = 1_774_746_000;

    fn berlin() -> Now {
        let now = UNIX_EPOCH + Duration::from_secs(SPRING as u64 + 10 * 3600);
        Now::zoned(now, |seconds| if seconds < SPRING { 3600 } else { 7200 })
    }

    #[test]
    fn a_day_on_which_the_clock_changes_is_as_long_as_it_is() {
        let spring = i128::from(SPRING) * SECOND;
        let today = When::parse("today").unwrap().at(&berlin());
        assert_eq!(
            today,
            Moments {
                from: spring - 2 * HOUR,
                to: spring + 21 * HOUR
            }
        );
        let yesterday = When::parse("yesterday").unwrap().at(&berlin());
        assert_eq!(
            yesterday,
            Moments {
                from: today.from - 24 * HOUR,
                to: today.from
            }
        );
        let morning = When::parse("08:15").unwrap().at(&berlin());
        let from = spring + 5 * HOUR + 15 * MINUTE;
        assert_eq!(
            morning,
            Moments {
                from,
                to: from + MINUTE
            }
        );
    }

    #[test]
    fn a_date_with_a_zone_means_that_zone_and_one_without_means_the_users() {
        let spring = i128::from(SPRING) * SECOND;
        for (text, from, length) in [
            ("2026-03-29T01:00:00Z", spring, SECOND),
            ("2026-03-29T03:00:00+02:00", spring, SECOND),
            ("2026-03-29 03:00", spring, MINUTE),
            ("2026-03-29T03:00:00.25", spring + 250_000_000, 10_000_000),
            ("2026-03-29", spring - 2 * HOUR, 23 * HOUR),
            ("-90m", spring + 10 * HOUR - 90 * MINUTE, 1),
            ("now", spring + 10 * HOUR, 1),
        ] {
            let moments = When::parse(text).unwrap().at(&berlin());
            assert_eq!(
                moments,
                Moments {
                    from,
                    to: from + length
                },
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_what_is_one_is_written_as_it_is_read() {
        for text in [
            "",
            "-",
            "-1",
            "1h",
            "yesteday",
            "25:00",
            "2026-02-29",
            "2026-13-01",
            "2026-01-01T",
            "2026-01-01T10",
        ] {
            assert_eq!(When::parse(text), None, "{text}");
        }
        for text in [
            "now",
            "today",
            "yesterday",
            "-1h",
            "10:30",
            "10:30:05",
            "2026-11-24",
            "2028-02-29T10:30Z",
            "2026-11-24T10:30:00.000001+08:00",
            "2026-11-24T10:30:00-00:30",
        ] {
            assert_eq!(When::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            When::parse("2026-11-24 10:30:00,5z").unwrap().to_string(),
            "2026-11-24T10:30:00.5Z"
        );
    }
}
