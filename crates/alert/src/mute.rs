//! When nobody wants to hear of a rule: times of the week. Pure.

use std::time::SystemTime;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A stretch of time on some days of the week, on one zone's clocks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mute {
    /// On which days it begins.
    pub(crate) days: Vec<Weekday>,
    pub(crate) from: Time,
    /// Not after `from`: on the next day.
    pub(crate) to: Time,
    pub(crate) zone: TimeZone,
}

impl Mute {
    /// Until when it lasts, if it is on at a moment.
    pub(crate) fn until(&self, at: SystemTime) -> Option<SystemTime> {
        let at = Timestamp::try_from(at).ok()?;
        let today = at.to_zoned_datetime(self.zone.clone()).date();
        // One that began yesterday may go on.
        let days = [today.yesterday().ok(), Some(today)];
        days.into_iter().flatten().find_map(|day| {
            let (from, to) = self.on(day)?;
            (from <= at && at < to).then(|| SystemTime::try_from(to).ok())?
        })
    }

    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        let last = match self.to > self.from {
            true => day,
            false => day.checked_add(1.day()).ok()?,
        };
        // A time that the clocks jump over is the moment after the jump; of two the first.
        let moment = |day: Date, time: Time| {
            let zoned = day
                .to_datetime(time)
                .to_zoned_datetime(self.zone.clone())
                .ok()?;
            Some(zoned.timestamp())
        };
        Some((moment(day, self.from)?, moment(last, self.to)?))
    }
}

/// Until when one of them lasts, if one is on.
pub(crate) fn until(mutes: &[Mute], at: SystemTime) -> Option<SystemTime> {
    mutes.iter().filter_map(|mute| mute.until(at)).max()
}

#[cfg(test)]
mod tests {
    use super::Mute;
    use jiff::Timestamp;
    use jiff::civil::{Weekday, time};
    use jiff::tz::TimeZone;

    fn until(mute: &Mute, at: &str) -> Option<String> {
        let at: Timestamp = at.parse().unwrap();
        let until = mute.until(at.try_into().unwrap())?;
        Some(Timestamp::try_from(until).unwrap().to_string())
    }

    #[test]
    fn it_is_on_from_its_first_moment_to_before_its_last_over_midnight_too() {
        let mut mute = Mute {
            days: vec![Weekday::Saturday],
            from: time(22, 0, 0, 0),
            to: time(4, 0, 0, 0),
            zone: TimeZone::UTC,
        };
        let end = Some("2026-11-29T04:00:00Z".to_owned());
        for (at, expected) in [
            ("2026-11-28T21:59:59.999Z", None),
            ("2026-11-28T22:00:00Z", end.clone()),
            ("2026-11-29T03:59:59Z", end),
            ("2026-11-29T04:00:00Z", None),
            ("2026-11-29T22:00:00Z", None),
        ] {
            assert_eq!(until(&mute, at), expected, "{at}");
        }
        // The whole day.
        mute.from = time(0, 0, 0, 0);
        mute.to = time(0, 0, 0, 0);
        let end = Some("2026-11-29T00:00:00Z".to_owned());
        assert_eq!(until(&mute, "2026-11-28T00:00:00Z"), end);
        assert_eq!(until(&mute, "2026-11-29T00:00:00Z"), None);
    }

    #[test]
    fn the_zones_clocks_decide() {
        let mute = Mute {
            days: vec![Weekday::Sunday],
            from: time(2, 0, 0, 0),
            to: time(4, 0, 0, 0),
            zone: TimeZone::fixed(jiff::tz::offset(8)),
        };
        let end = Some("2026-11-28T20:00:00Z".to_owned());
        assert_eq!(until(&mute, "2026-11-28T18:00:00Z"), end);
        assert_eq!(until(&mute, "2026-11-29T02:00:00Z"), None);
    }
}
