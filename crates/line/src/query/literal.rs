//! The right side of a comparison: text, numbers, durations, sizes.

use std::fmt;

use super::expr::Pattern;
use super::glob::Glob;
use super::when::When;
use crate::Level;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(Box<str>),
    /// As it was written, by the grammar of JSON.
    Number(Box<str>),
    Like(Glob),
    Pattern(Pattern),
    Level(Level),
    Span(Span),
    Size(Size),
    When(When),
}

/// A duration in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) u64);

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

impl Literal {
    /// What a word without quotes is by its looks alone.
    pub(crate) fn guess(word: &str) -> Self {
        if is_number(word) {
            Literal::Number(word.into())
        } else if word.contains('*') {
            Literal::Like(Glob::new(word))
        } else if let Some(span) = Span::parse(word) {
            Literal::Span(span)
        } else if let Some(size) = Size::parse(word) {
            Literal::Size(size)
        } else {
            Literal::Text(word.into())
        }
    }
}

impl Span {
    /// `250ms`, `1.5s`, `1h30m`; `None` for anything else, a number without a unit included.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut total = 0_u64;
        let mut rest = text;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (amount, unit, after) = amount(rest)?;
            let (_, nanos) = SPANS.iter().find(|(name, _)| *name == unit)?;
            total = total.checked_add(scaled(amount, *nanos)?)?;
            rest = after;
        }
        Some(Span(total))
    }
}

impl Size {
    /// `10MiB` (1024), `10MB` (1000), `512B`; the case of the letters does not matter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (amount, unit, rest) = amount(text)?;
        let (_, bytes) = SIZES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        if rest.is_empty() {
            scaled(amount, *bytes).map(Size)
        } else {
            None
        }
    }
}

/// In the largest unit that leaves no fraction: 90 minutes are `90m`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        largest(self.0, &SPANS[..8], f)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        largest(self.0, &SIZES, f)
    }
}

fn largest(amount: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let fits = |unit: &&(&str, u64)| amount % unit.1 == 0 && amount >= unit.1;
    // Nothing at all is told in the least unit, the last of each table.
    let (name, unit) = units.iter().find(fits).unwrap_or(&units[units.len() - 1]);
    write!(f, "{}{name}", amount / unit)
}

/// Splits `1.5s…` into the number, its unit and what follows.
fn amount(text: &str) -> Option<(&str, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = &text[digits..];
    let letters = unit
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(unit.len());
    if digits == 0 || letters == 0 {
        return None;
    }
    Some((&text[..digits], &unit[..letters], &unit[letters..]))
}

/// `amount` units as a whole number; `None` if it is no number or too large. What is finer than
/// one is cut off.
fn scaled(amount: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // 18 digits: finer than a nanosecond of a week, and the product fits 128 bits.
    let fraction = &fraction[..fraction.len().min(18)];
    let finer =
        fraction.parse::<u128>().ok()? * u128::from(unit) / 10_u128.pow(fraction.len() as u32);
    whole.checked_add(u64::try_from(finer).ok()?)
}

/// Whether a text is a number by the grammar of JSON, RFC 8259 section 6.
pub(crate) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Largest first; what is below the ninth is another spelling.
const SPANS: [(&str, u64); 14] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("µs", 1_000),
    ("μs", 1_000),
    ("min", 60_000_000_000),
    ("sec", 1_000_000_000),
    ("secs", 1_000_000_000),
    ("days", 86_400_000_000_000),
];

const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

#[cfg(test)]
mod tests {
    use super::{Literal, Size, Span, is_number};

    #[test]
    fn durations_are_read_with_their_units_and_written_in_the_largest_whole_one() {
        for (text, nanos, written) in [
            ("250ms", 250_000_000, "250ms"),
            ("1.5s", 1_500_000_000, "1500ms"),
            ("1h30m", 5_400_000_000_000, "90m"),
            ("3µs", 3_000, "3us"),
            ("0s", 0, "0ns"),
            ("7d", 604_800_000_000_000, "1w"),
            ("0.0000000001s", 0, "0ns"),
            ("0.123456789s", 123_456_789, "123456789ns"),
        ] {
            assert_eq!(Span::parse(text), Some(Span(nanos)), "{text}");
            assert_eq!(Span(nanos).to_string(), written);
        }
        for text in [
            "",
            "5",
            "s",
            "1.s",
            "1x",
            "1..5s",
            "1h30",
            "99999999999999w",
            "-5s",
        ] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024_with_an_i_and_of_1000_without() {
        for (text, bytes, written) in [
            ("10MiB", 10 << 20, "10MiB"),
            ("1.5kb", 1500, "1500B"),
            ("0B", 0, "0B"),
            ("2000KB", 2_000_000, "2MB"),
        ] {
            assert_eq!(Size::parse(text), Some(Size(bytes)), "{text}");
            assert_eq!(Size(bytes).to_string(), written);
        }
        assert_eq!(Size::parse("10Mi"), None);
        assert_eq!(Size::parse("99999999TiB"), None);
    }

    #[test]
    fn a_number_is_a_number_of_json() {
        for text in ["0", "-0", "10", "-1.5", "1e3", "1E-3", "1.0e+9"] {
            assert!(is_number(text), "{text}");
            assert_eq!(Literal::guess(text), Literal::Number(text.into()));
        }
        for text in [
            "", "-", "01", "1.", ".5", "+1", "1e", "0x1", "1_0", "NaN", "٣",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }
}
