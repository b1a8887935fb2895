//! Writes a moment as RFC 3339 in UTC with microseconds, always 27 bytes. No clock of its own.

use std::time::{SystemTime, UNIX_EPOCH};

/// `9999-12-31T23:59:59Z`, the last second that four digits of a year can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// Remembers the text of the last second, which most lines share.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    second: u64,
    text: [u8; 20],
}

impl Stamp {
    /// Appends `now`. Moments before 1970 or after 9999 are written as the nearest that fits.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let second = since.as_secs().min(LAST_SECOND);
        if second != self.second || self.text[19] != b'.' {
            self.second = second;
            self.text = to_the_second(second);
        }
        out.extend_from_slice(&self.text);
        let micros = since.subsec_micros();
        let [a, b] = two(micros / 10_000);
        let [c, d] = two(micros / 100 % 100);
        let [e, f] = two(micros % 100);
        out.extend_from_slice(&[a, b, c, d, e, f, b'Z']);
    }
}

fn to_the_second(second: u64) -> [u8; 20] {
    let (year, month, day) = civil(second / 86_400);
    let of_day = (second % 86_400) as u32;
    let [c, y] = [two(year / 100), two(year % 100)];
    let [mo, d] = [two(month), two(day)];
    let [h, mi, s] = [two(of_day / 3600), two(of_day / 60 % 60), two(of_day % 60)];
    [
        c[0], c[1], y[0], y[1], b'-', mo[0], mo[1], b'-', d[0], d[1], b'T', h[0], h[1], b':',
        mi[0], mi[1], b':', s[0], s[1], b'.',
    ]
}

/// Days since 1970-01-01 to year, month, day (Howard Hinnant's `civil_from_days`, for years >= 1970).
fn civil(days: u64) -> (u32, u32, u32) {
    let days = days + 719_468;
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
    use std::time::Duration;

    #[test]
    fn moments_are_written_with_a_fixed_width() {
        let mut stamp = Stamp::default();
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (0, 999_999_999, "1970-01-01T00:00:00.999999Z"),
            (951_782_399, 1_000, "2000-02-28T23:59:59.000001Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
            (1_709_251_199, 500_000_000, "2024-02-29T23:59:59.500000Z"),
            (1_795_499_820, 123_456_000, "2026-11-24T05:57:00.123456Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (LAST_SECOND, 0, "9999-12-31T23:59:59.000000Z"),
            (LAST_SECOND + 5, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let mut out = Vec::new();
            stamp.write(&mut out, UNIX_EPOCH + Duration::new(seconds, nanos));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn a_clock_before_1970_is_written_as_1970() {
        let mut out = Vec::new();
        Stamp::default().write(&mut out, UNIX_EPOCH - Duration::from_secs(9));
        assert_eq!(out, b"1970-01-01T00:00:00.000000Z");
    }
}
