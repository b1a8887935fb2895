//! Trace and span ids: never zero, lower-case hex, made by a generator that each thread owns.

use std::cell::RefCell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU64, NonZeroU128};

use crate::TraceContext;
use crate::hex::Hex;

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
            let [high, low] = random().map(u128::from);
            if let Some(id) = NonZeroU128::new((high << 64) | low) {
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

    /// The 32 digits as ASCII text, for where [`Display`](fmt::Display) would be too slow.
    ///
    /// ```
    /// let id = dogwatch_tower::TraceId::random();
    /// assert_eq!(id.to_hex(), *id.to_string().as_bytes());
    /// ```
    pub fn to_hex(self) -> [u8; 32] {
        self.hex().to_bytes()
    }

    pub(crate) fn hex(self) -> Hex<32> {
        let mut hex = Hex::ZEROS;
        hex.write(0, &self.to_bytes());
        hex
    }
}

impl SpanId {
    /// A fresh id from the thread's own generator.
    pub fn random() -> Self {
        loop {
            let [word] = random();
            if let Some(id) = NonZeroU64::new(word) {
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
        let mut hex = Hex::ZEROS;
        hex.write(0, &self.to_bytes());
        hex
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
        place.write(0, &bytes);
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

fn random<const N: usize>() -> [u64; N] {
    // During a thread's teardown the generator may be gone: then a fresh one serves this call.
    GENERATOR
        .try_with(|generator| generator.borrow_mut().words())
        .unwrap_or_else(|_| Xoshiro::seeded().words())
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

    fn words<const N: usize>(&mut self) -> [u64; N] {
        std::array::from_fn(|_| self.next())
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
}
