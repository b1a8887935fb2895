//! Trace and span ids: never zero, lower-case hex, made by a generator that each thread owns.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU64, NonZeroU128};
use std::ops::Deref;

use crate::TraceContext;

/// The id of a whole trace: 16 bytes, never all zero, shown as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// The id of one span in a trace: 8 bytes, never all zero, shown as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    /// A fresh id from the thread's own generator.
    pub fn random() -> Self {
        loop {
            let wide = (u128::from(next_u64()) << 64) | u128::from(next_u64());
            if let Some(id) = NonZeroU128::new(wide) {
                return Self(id);
            }
        }
    }

    /// The id with these bytes, unless they are all zero.
    pub fn from_bytes(bytes: [u8; 16]) -> Option<Self> {
        NonZeroU128::new(u128::from_be_bytes(bytes)).map(Self)
    }

    /// The bytes of the id, most significant first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    pub(crate) fn hex(self) -> Hex<32> {
        Hex::of(&self.to_bytes())
    }
}

impl SpanId {
    /// A fresh id from the thread's own generator.
    pub fn random() -> Self {
        loop {
            if let Some(id) = NonZeroU64::new(next_u64()) {
                return Self(id);
            }
        }
    }

    /// The id with these bytes, unless they are all zero.
    pub fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        NonZeroU64::new(u64::from_be_bytes(bytes)).map(Self)
    }

    /// The bytes of the id, most significant first.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }

    pub(crate) fn hex(self) -> Hex<16> {
        Hex::of(&self.to_bytes())
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hex())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.hex())
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

/// Hex digits in place, so that an id becomes text without an allocation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex<const N: usize>([u8; N]);

impl<const N: usize> Hex<N> {
    pub(crate) const ZEROS: Self = Self([b'0'; N]);

    pub(crate) fn of(bytes: &[u8]) -> Self {
        debug_assert_eq!(bytes.len() * 2, N);
        let mut digits = [b'0'; N];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 0x0f);
        }
        Self(digits)
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

/// Trace, span and parent id as one run of digits, which is checked to be text once instead of thrice.
pub(crate) struct Ids<'a> {
    pub(crate) trace_id: &'a str,
    pub(crate) span_id: &'a str,
    pub(crate) parent_span_id: Option<&'a str>,
}

impl<'a> Ids<'a> {
    /// `place` is where the digits are written.
    pub(crate) fn of(context: &TraceContext, place: &'a mut Hex<64>) -> Self {
        let parent = context.parent_span_id();
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&context.trace_id().to_bytes());
        bytes[16..24].copy_from_slice(&context.span_id().to_bytes());
        bytes[24..].copy_from_slice(&parent.map_or([0; 8], SpanId::to_bytes));
        *place = Hex::of(&bytes);
        let (trace_id, rest) = place.split_at(32);
        let (span_id, parent_span_id) = rest.split_at(16);
        Self {
            trace_id,
            span_id,
            parent_span_id: parent.map(|_| parent_span_id),
        }
    }
}

/// 32 random hex digits, for a request id.
pub(crate) fn random_hex() -> Hex<32> {
    TraceId::random().hex()
}

/// Reads lower-case hex digits only: an upper-case digit makes a header invalid (W3C Trace Context 3.2.2).
pub(crate) fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    if digits.len() != N * 2 {
        return None;
    }
    let (mut bytes, mut wrong) = ([0; N], 0);
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let (high, low) = (nibble(pair[0]), nibble(pair[1]));
        *byte = (high << 4) | (low & 0x0f);
        wrong |= high | low;
    }
    (wrong <= 0x0f).then_some(bytes)
}

/// Above 15 for what is no digit. Without a branch, as `digit` is: the loops around them become vector code.
fn nibble(digit: u8) -> u8 {
    let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    let number = if number < 10 { number } else { 0xf0 };
    if letter < 6 { letter + 10 } else { number }
}

fn digit(nibble: u8) -> u8 {
    const TO_LETTERS: u8 = b'a' - b'0' - 10;
    nibble + b'0' + if nibble > 9 { TO_LETTERS } else { 0 }
}

fn next_u64() -> u64 {
    // During a thread's teardown the generator may be gone: then a fresh one serves this call.
    GENERATOR
        .try_with(|generator| generator.borrow_mut().next())
        .unwrap_or_else(|_| Xoshiro::seeded().next())
}

/// xoshiro256++ by Blackman and Vigna: 256 bits of state, so that threads and hosts do not meet.
struct Xoshiro([u64; 4]);

impl Xoshiro {
    /// `RandomState` is keyed by the operating system and differs at each call.
    fn seeded() -> Self {
        let mut state = std::array::from_fn(|word| RandomState::new().hash_one(word));
        // An all-zero state would stay zero for ever.
        state[0] |= 1;
        Self(state)
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let out = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        out
    }
}

thread_local! {
    static GENERATOR: RefCell<Xoshiro> = RefCell::new(Xoshiro::seeded());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn xoshiro_gives_the_published_sequence() {
        // The reference implementation, state 1, 2, 3, 4.
        let mut generator = Xoshiro([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| generator.next()).collect();
        assert_eq!(
            first,
            [41943041, 58720359, 3588806011781223, 3591011842654386]
        );
    }

    #[test]
    fn ids_of_many_threads_never_repeat() {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(|| (0..2_000).map(|_| SpanId::random()).collect::<Vec<_>>())
            })
            .collect();
        let ids: Vec<SpanId> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 16_000);
    }

    #[test]
    fn an_id_is_shown_as_lower_case_hex_and_zero_is_none() {
        let id = SpanId::from_bytes([0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]).unwrap();
        assert_eq!(id.to_string(), "00f067aa0ba902b7");
        assert_eq!(format!("{id:?}"), "SpanId(00f067aa0ba902b7)");
        assert_eq!(SpanId::from_bytes([0; 8]), None);
        assert_eq!(TraceId::from_bytes([0; 16]), None);
    }

    #[test]
    fn only_lower_case_digits_of_the_right_number_are_hex() {
        assert_eq!(unhex::<2>(b"0aff"), Some([0x0a, 0xff]));
        for bad in [&b"0AFF"[..], b"0af", b"0afff", b"0ag0", b""] {
            assert_eq!(unhex::<2>(bad), None);
        }
        for byte in 0..=u8::MAX {
            let expected = char::from(byte)
                .to_digit(16)
                .filter(|_| !byte.is_ascii_uppercase());
            let read = unhex::<1>(&[b'0', byte]).map(|[low]| u32::from(low));
            assert_eq!(read, expected, "{byte:#x}");
            assert_eq!(*Hex::<2>::of(&[byte]), format!("{byte:02x}"));
        }
    }
}
