//! Reads the times of other programs' text logs. Pure.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

/// What a time without zone or year is meant in.
pub(crate) struct Stamps {
    zone: TimeZone,
    now: Timestamp,
}

impl Stamps {
    pub(crate) fn new(zone: TimeZone, now: Timestamp) -> Self {
        Self { zone, now }
    }

    /// `24/Nov/2026:10:00:00 +0800`, in the common log format.
    pub(crate) fn access(text: &str) -> Option<String> {
        let time = BrokenDownTime::parse("%d/%b/%Y:%H:%M:%S %z", text).ok()?;
        Some(time.to_timestamp().ok()?.to_string())
    }

    /// Of the user's zone, by a form of `strptime`.
    pub(crate) fn local(&self, form: &str, text: &str) -> Option<String> {
        let time = BrokenDownTime::parse(form, text).ok()?.to_datetime().ok()?;
        Some(self.moment(time)?.to_string())
    }

    /// `Nov 24 10:00:00` (RFC 3164 section 4.1.2), of this year or the last.
    pub(crate) fn without_year(&self, text: &str) -> Option<String> {
        let this = self.now.to_zoned_datetime(self.zone.clone()).year();
        let of = |year: i16| {
            let text = format!("{year} {text}");
            let time = BrokenDownTime::parse("%Y %b %e %H:%M:%S", text).ok()?;
            self.moment(time.to_datetime().ok()?)
        };
        // A day ahead may be a clock that is wrong; more is the year before.
        let near = of(this).filter(|time| time.as_second() <= self.now.as_second() + 86_400);
        Some(near.or_else(|| of(this - 1))?.to_string())
    }

    fn moment(&self, time: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(time).ok()
    }
}
