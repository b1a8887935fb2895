//! Writes the digits of a moment in a given form, always as many. No clock of its own.

use crate::timestamp::{Precision, Shape, Timestamp};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `9999-12-31T23:59:59Z`, the last second that four digits of a year can say.
const LAST_SECOND: i64 = 253_402_300_799;

/// Remembers the text of the last second, which most lines share.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    /// Of the local time.
    second: i64,
    text: [u8; 20],
}

impl Stamp {
    /// Appends `now` without what [`Timestamp::before`] and [`Timestamp::after`] say. Moments before
    /// 1970 or after 9999 are written as the nearest that fits.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, now: SystemTime, form: Timestamp) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let Shape::Rfc3339(offset) = form.shape else {
            return write_number(out, since, form.precision);
        };
        let second = i64::try_from(since.as_secs()).unwrap_or(LAST_SECOND);
        let second = (second.min(LAST_SECOND) + i64::from(offset) * 60).min(LAST_SECOND);
        if second != self.second || self.text[19] != b'.' {
            self.second = second;
            self.text = to_the_second(second);
        }
        let micros = since.subsec_micros();
        let [a, b] = two(micros / 10_000);
        let [c, d] = two(micros / 100 % 100);
        let [e, f] = two(micros % 100);
        match form.precision {
            Precision::Seconds => out.extend_from_slice(&self.text[..19]),
            Precision::Millis => {
                out.extend_from_slice(&self.text);
                out.extend_from_slice(&[a, b, c]);
            }
            Precision::Micros => {
                out.extend_from_slice(&self.text);
                out.extend_from_slice(&[a, b, c, d, e, f]);
            }
            Precision::Nanos => {
                out.extend_from_slice(&self.text);
                let rest = since.subsec_nanos() % 1000;
                let ([g, h], i) = (two(rest / 10), b'0' + (rest % 10) as u8);
                out.extend_from_slice(&[a, b, c, d, e, f, g, h, i]);
            }
        }
    }
}

fn write_number(out: &mut Vec<u8>, since: Duration, precision: Precision) {
    let mut number = itoa::Buffer::new();
    let digits = match precision {
        Precision::Seconds => number.format(since.as_secs()),
        Precision::Millis => number.format(since.as_millis()),
        Precision::Micros => number.format(since.as_micros()),
        Precision::Nanos => number.format(since.as_nanos()),
    };
    out.extend_from_slice(digits.as_bytes());
}

fn to_the_second(second: i64) -> [u8; 20] {
    let (year, month, day) = civil(second.div_euclid(86_400));
    let of_day = second.rem_euclid(86_400) as u32;
    let [c, y] = [two(year / 100), two(year % 100)];
    let [mo, d] = [two(month), two(day)];
    let [h, mi, s] = [two(of_day / 3600), two(of_day / 60 % 60), two(of_day % 60)];
    [
        c[0], c[1], y[0], y[1], b'-', mo[0], mo[1], b'-', d[0], d[1], b'T', h[0], h[1], b':',
        mi[0], mi[1], b':', s[0], s[1], b'.',
    ]
}

/// Days since 1970-01-01 to year, month, day (Howard Hinnant's `civil_from_days`, for years >= 0).
fn civil(days: i64) -> (u32, u32, u32) {
    let days = (days + 719_468) as u64;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year as u32, month as u32, day as u32)
}

fn two(n: u32) -> [u8; 2] {
    [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(stamp: &mut Stamp, seconds: u64, nanos: u32, form: Timestamp) -> String {
        let mut out = form.before().as_bytes().to_vec();
        let now = UNIX_EPOCH + Duration::new(seconds, nanos);
        stamp.write(&mut out, now, form);
        String::from_utf8(out).unwrap() + &form.after()
    }

    #[test]
    fn moments_are_written_with_a_fixed_width() {
        let mut stamp = Stamp::default();
        let last = LAST_SECOND as u64;
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (0, 999_999_999, "1970-01-01T00:00:00.999999Z"),
            (951_782_399, 1_000, "2000-02-28T23:59:59.000001Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
            (1_709_251_199, 500_000_000, "2024-02-29T23:59:59.500000Z"),
            (1_795_499_820, 123_456_000, "2026-11-24T05:57:00.123456Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (last, 0, "9999-12-31T23:59:59.000000Z"),
            (last + 5, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            assert_eq!(
                written(&mut stamp, seconds, nanos, Timestamp::default()),
                format!("\"{expected}\"")
            );
        }
    }

    #[test]
    fn a_clock_before_1970_is_written_as_1970() {
        let before = UNIX_EPOCH - Duration::from_secs(9);
        let mut out = Vec::new();
        Stamp::default().write(&mut out, before, Timestamp::default());
        out.push(b' ');
        Stamp::default().write(&mut out, before, Timestamp::epoch(Precision::Nanos));
        assert_eq!(out, b"1970-01-01T00:00:00.000000 0");
    }

    #[test]
    fn each_form_has_its_precision_and_its_offset_on_one_stamp() {
        let mut stamp = Stamp::default();
        let rfc = Timestamp::rfc3339;
        for (form, expected) in [
            (rfc(Precision::Seconds), r#""2026-11-24T05:57:00Z""#),
            (rfc(Precision::Millis), r#""2026-11-24T05:57:00.123Z""#),
            (rfc(Precision::Micros), r#""2026-11-24T05:57:00.123456Z""#),
            (rfc(Precision::Nanos), r#""2026-11-24T05:57:00.123456789Z""#),
            (
                rfc(Precision::Millis).offset_minutes(480),
                r#""2026-11-24T13:57:00.123+08:00""#,
            ),
            (
                rfc(Precision::Nanos).offset_minutes(-570),
                r#""2026-11-23T20:27:00.123456789-09:30""#,
            ),
            (
                rfc(Precision::Seconds).offset_minutes(Timestamp::MOST_OFFSET),
                r#""2026-11-25T05:56:00+23:59""#,
            ),
            (Timestamp::epoch(Precision::Seconds), "1795499820"),
            (Timestamp::epoch(Precision::Millis), "1795499820123"),
            (Timestamp::epoch(Precision::Micros), "1795499820123456"),
            (Timestamp::epoch(Precision::Nanos), "1795499820123456789"),
            (
                Timestamp::epoch_text(Precision::Nanos).offset_minutes(60),
                r#""1795499820123456789""#,
            ),
        ] {
            assert_eq!(
                written(&mut stamp, 1_795_499_820, 123_456_789, form),
                expected
            );
        }
    }

    #[test]
    fn an_offset_keeps_the_moment_at_both_ends_of_time() {
        let mut stamp = Stamp::default();
        let west = Timestamp::rfc3339(Precision::Seconds).offset_minutes(-480);
        let east = west.offset_minutes(480);
        let last = LAST_SECOND as u64;
        assert_eq!(
            written(&mut stamp, 0, 0, west),
            r#""1969-12-31T16:00:00-08:00""#
        );
        assert_eq!(
            written(&mut stamp, last - 28_800, 0, east),
            r#""9999-12-31T23:59:59+08:00""#
        );
        assert_eq!(
            written(&mut stamp, last, 0, east),
            r#""9999-12-31T23:59:59+08:00""#
        );
    }
}
