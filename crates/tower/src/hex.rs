//! Hex digits by vector instructions, and back, eight at a time in one register. Pure.

use std::fmt;
use std::ops::Deref;

/// Hex digits in place, so that an id becomes text without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    pub(crate) const ZEROS: Self = Self([b'0'; N]);

    pub(crate) fn to_bytes(self) -> [u8; N] {
        self.0
    }

    /// Writes the digits of `bytes` at `at`.
    #[inline]
    pub(crate) fn write<const B: usize>(&mut self, at: usize, bytes: &[u8; B]) {
        let mut pairs = [0; B];
        // Two loops, and no branch in them: the compiler turns them into vector instructions.
        for (pair, &byte) in pairs.iter_mut().zip(bytes) {
            *pair = digits(byte);
        }
        let places = self.0[at..at + 2 * B].chunks_exact_mut(2);
        for (place, pair) in places.zip(&pairs) {
            place.copy_from_slice(&pair.to_le_bytes());
        }
    }
}

impl<const N: usize> fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<const N: usize> Deref for Hex<N> {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hex digits are ASCII")
    }
}

/// The two digits of a byte.
pub(crate) fn of_byte(byte: u8) -> [u8; 2] {
    digits(byte).to_le_bytes()
}

/// Reads lower-case hex digits only: an upper-case digit makes a header invalid (W3C Trace Context 3.2.2).
#[inline]
pub(crate) fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N * 2 {
        return None;
    }
    let (mut bytes, mut wrong) = ([0; N], 0);
    for (bytes, digits) in bytes.chunks_mut(4).zip(digits.chunks(8)) {
        let mut eight = [b'0'; 8];
        eight[8 - digits.len()..].copy_from_slice(digits);
        let (four, unlike) = number(eight);
        bytes.copy_from_slice(&four[4 - bytes.len()..]);
        wrong |= unlike;
    }
    (wrong == 0).then_some(bytes)
}

/// The two digits of a byte, the first in the low half.
#[inline]
fn digits(byte: u8) -> u16 {
    let byte = u16::from(byte);
    let nibbles = (byte >> 4) | ((byte & 15) << 8);
    let letters = ((nibbles + 0x0606) >> 4) & 0x0101;
    nibbles + 0x3030 + letters * u16::from(b'a' - b'0' - 10)
}

/// A digit for each byte below 16.
#[inline]
fn text(nibbles: u64) -> u64 {
    let letters = ((nibbles + EACH * 6) >> 4) & EACH;
    nibbles + EACH * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)
}

/// The number that eight digits stand for. The second is not zero when they are no digits.
#[inline]
fn number(digits: [u8; 8]) -> ([u8; 4], u64) {
    let given = u64::from_be_bytes(digits);
    // Bit 6 tells a letter from a number.
    let mut x = (given & (EACH * 15)) + ((given >> 6) & EACH) * 9;
    // Nothing but a digit is what its number is written as.
    let unlike = (x & (EACH * 0xf0)) | (text(x & (EACH * 15)) ^ given);
    x = (x | (x >> 4)) & 0x00ff_00ff_00ff_00ff;
    x = (x | (x >> 8)) & 0x0000_ffff_0000_ffff;
    ((((x >> 16) | x) as u32).to_be_bytes(), unlike)
}

const EACH: u64 = 0x0101_0101_0101_0101;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_two_digits_and_no_other_pair_is_one() {
        for byte in 0..=u8::MAX {
            assert_eq!(of_byte(byte), format!("{byte:02x}").as_bytes());
        }
        for high in 0..=u8::MAX {
            for low in 0..=u8::MAX {
                let text = [high, low];
                let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
                let expected = (is_digit(high) && is_digit(low)).then(|| {
                    let text = std::str::from_utf8(&text).unwrap();
                    [u8::from_str_radix(text, 16).unwrap()]
                });
                assert_eq!(unhex::<1>(&text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn words_become_digits_and_come_back_and_one_wrong_digit_is_seen_anywhere() {
        let mut word = 1_u64;
        for _ in 0..1_000 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(9);
            let mut hex = Hex::<32>::ZEROS;
            hex.write(0, &word.to_be_bytes());
            hex.write(16, &(!word).to_be_bytes());
            assert_eq!(*hex, format!("{word:016x}{:016x}", !word));
            let wide = (u128::from(word) << 64) | u128::from(!word);
            assert_eq!(unhex(hex.as_bytes()), Some(wide.to_be_bytes()));
            let at = word as usize % 32;
            for wrong in [b'A', b'g', b'/', b':', b'`', 0xb0, 0x00] {
                let mut digits = hex.0;
                digits[at] = wrong;
                assert_eq!(unhex::<16>(&digits), None, "{wrong} at {at}");
            }
        }
    }

    #[test]
    fn only_the_right_number_of_digits_is_read() {
        assert_eq!(unhex::<2>(b"0aff"), Some([0x0a, 0xff]));
        for bad in [&b"0AFF"[..], b"0af", b"0afff", b"0ag0", b""] {
            assert_eq!(unhex::<2>(bad), None);
        }
    }
}
