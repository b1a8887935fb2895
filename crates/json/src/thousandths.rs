//! Writes numbers of at most three digits behind the point, as most durations and amounts are, without a general
//! algorithm.

/// The shortest text that is read back as the same number.
pub(crate) struct Thousandths {
    text: [u8; LONGEST],
    start: usize,
    end: usize,
}

impl Thousandths {
    /// `None` for a number that needs more digits, for large ones, and for those below zero.
    #[inline]
    pub(crate) fn of(value: f64) -> Option<Self> {
        // What is too large, negative or no number becomes a count that does not lead back to it.
        let count = (value * 1_000.0 + 0.5) as u64;
        if count >= END || (count as f64 / 1_000.0).to_bits() != value.to_bits() {
            return None;
        }
        Some(Self::write(count))
    }

    pub(crate) fn as_str(&self) -> &str {
        let digits = &self.text[self.start..self.end];
        std::str::from_utf8(digits).expect("digits and a point are ASCII")
    }

    fn write(count: u64) -> Self {
        let (mut whole, rest) = (count / 1_000, count % 1_000);
        let digit = |number: u64| b'0' + (number % 10) as u8;
        let mut text = [b'0'; LONGEST];
        let point = LONGEST - 4;
        text[point..].copy_from_slice(&[b'.', digit(rest / 100), digit(rest / 10), digit(rest)]);
        let mut start = point;
        loop {
            start -= 1;
            text[start] = digit(whole);
            whole /= 10;
            if whole == 0 {
                break;
            }
        }
        // A whole number keeps one digit behind its point, which says that it is no integer.
        let spare = text[point + 2..].iter().rev().take_while(|&&d| d == b'0');
        let end = LONGEST - spare.count();
        Self { text, start, end }
    }
}

/// Below this many thousandths the number has fewer than 16 digits, so that no shorter text is nearer to it.
const END: u64 = 1_000_000_000_000;

/// Nine digits, a point and three.
const LONGEST: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    fn both(value: f64) -> (Option<String>, String) {
        let short = Thousandths::of(value).map(|short| short.as_str().to_owned());
        (short, zmij::Buffer::new().format(value).to_owned())
    }

    #[test]
    fn what_is_written_here_is_what_the_general_algorithm_writes() {
        let mut seed = 1_u64;
        let random = std::iter::from_fn(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(9);
            Some(seed >> 16)
        });
        let edges = [0, 1, 9, 10, 99, 100, 999, 1_000, 1_001, 1_500, END - 1];
        for count in edges
            .into_iter()
            .chain(random.take(200_000).map(|n| n % END))
        {
            let value = count as f64 / 1_000.0;
            let (short, general) = both(value);
            assert_eq!(short.as_deref(), Some(general.as_str()), "{count}");
        }
    }

    #[test]
    fn all_else_is_left_to_it() {
        let more = [
            0.000_1,
            1.000_5,
            0.1 + 0.2,
            1e9,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
        ];
        let none = [-0.0, -1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for value in more.into_iter().chain(none) {
            assert!(Thousandths::of(value).is_none(), "{value}");
        }
    }
}
