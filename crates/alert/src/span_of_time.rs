//! Spans of time as people write them: `30s`, `1m30s`, `500ms`.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `2h`, `1d` and their sums, such as `1m30s`. A number without a unit
/// is no span of time.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|char: char| !char.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3_600)?),
            "d" => Duration::from_secs(number.checked_mul(86_400)?),
            _ => return None,
        };
        sum = sum.checked_add(part)?;
        rest = after;
    }
    Some(sum)
}

/// Writes a span the way [`parse`] reads it, to the millisecond.
pub(crate) fn show(span: Duration) -> String {
    let mut left = span.as_millis();
    let mut out = String::new();
    for (unit, millis) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if left >= millis {
            out.push_str(&format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    if left > 0 {
        out.push_str(&format!("{left}ms"));
    }
    if out.is_empty() {
        String::from("0s")
    } else {
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, show};
    use std::time::Duration;

    #[test]
    fn spans_read_and_write_the_same() {
        let table = [
            ("500ms", 500),
            ("30s", 30_000),
            ("1m", 60_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("1d1h", 90_000_000),
            ("0s", 0),
        ];
        for (text, millis) in table {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_number_alone_a_word_and_an_overflow_are_no_spans() {
        for text in [
            "",
            "30",
            "s",
            "1x",
            "1.5s",
            "-1s",
            "1m 30",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("18446744073709551615d"), None);
    }
}
