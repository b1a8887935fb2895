//! The bytes of a crash ring: its header, its words, its records and their checks. Pure.
//!
//! A page of header, then two or three areas of equal size, all in the byte order of the machine.
//!
//! ```text
//! header   magic · version · area bytes · areas · boot id · check     written once
//!          roles · two marks                                          change while it lives
//!          per area: epoch · count of records · bytes dealt with
//! area     line line line line →                    ← record record record record
//! ```
//!
//! Lines stand in a row, so that they are written as they lie; what is known of them grows from the
//! area's end. A line is accepted when the count of its area says so: everything else is in place
//! before. Counts and the like stand beside their complement, so that a flipped bit is seen.

/// The header's size: one page.
pub(crate) const HEADER: usize = 4096;

/// The size of a record.
pub(crate) const RECORD: usize = 16;

/// The most that an area may have, in whole pages: offsets are 32 bits wide.
pub(crate) const MOST: usize = u32::MAX as usize / HEADER * HEADER;

/// What a ring file begins with.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"dogwring");

/// Raised with each change of this layout.
pub(crate) const VERSION: u64 = 1;

/// The places of the words, counted in words of 8 bytes.
pub(crate) mod at {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 1;
    pub(crate) const AREA_BYTES: usize = 2;
    pub(crate) const AREAS: usize = 3;
    pub(crate) const BOOT: usize = 4;
    pub(crate) const CHECK: usize = 6;

    /// Which area is filled and which one is written.
    pub(crate) const ROLES: usize = 8;

    /// Which of the two marks is the last one that is complete; 0: none yet.
    pub(crate) const MARK: usize = 9;

    /// A mark: its words follow each other.
    pub(crate) const fn mark(nth: u64) -> usize {
        32 + nth as usize * 8
    }

    /// Of the area that the mark speaks of.
    pub(crate) const EPOCH: usize = 0;
    pub(crate) const DEVICE: usize = 1;
    pub(crate) const INODE: usize = 2;
    /// The file's length before the last write.
    pub(crate) const OFFSET: usize = 3;
    /// Where in its area that write began.
    pub(crate) const FROM: usize = 4;
    /// How much it wrote.
    pub(crate) const WROTE: usize = 5;

    pub(crate) const fn epoch(area: usize) -> usize {
        16 + area * 4
    }

    /// How many records are in place.
    pub(crate) const fn count(area: usize) -> usize {
        16 + area * 4 + 1
    }

    /// How many bytes of lines are written or given up.
    pub(crate) const fn done(area: usize) -> usize {
        16 + area * 4 + 2
    }
}

/// Which area callers fill, and which one the writer has in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) front: usize,
    pub(crate) flight: Option<usize>,
}

impl Roles {
    /// Of an empty ring.
    pub(crate) const FIRST: Self = Self {
        front: 0,
        flight: None,
    };

    pub(crate) fn pack(self) -> u64 {
        let flight = self.flight.map_or(NONE, |area| area as u32);
        pack(self.front as u32 | flight << 8)
    }

    /// `None` if the word is damaged or names an area that is not there.
    pub(crate) fn unpack(word: u64, areas: usize) -> Option<Self> {
        let word = unpack(word)?;
        let (front, flight) = ((word & 0xff) as usize, word >> 8);
        let flight = (flight != NONE).then_some(flight as usize);
        let there = |area: usize| area < areas;
        (there(front) && flight.is_none_or(there) && flight != Some(front))
            .then_some(Self { front, flight })
    }
}

/// A number beside its complement.
pub(crate) fn pack(number: u32) -> u64 {
    u64::from(number) | u64::from(!number) << 32
}

/// `None` if the word is damaged.
pub(crate) fn unpack(word: u64) -> Option<u32> {
    let (number, complement) = (word as u32, (word >> 32) as u32);
    (number == !complement).then_some(number)
}

/// What is known of lines that were handed in together: all of one level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) bytes: u32,
    pub(crate) lines: u32,
    pub(crate) slot: u8,
    /// 56 bits.
    check: u64,
}

impl Record {
    /// The record of these lines at this place: `index` in the area, which is in its `epoch`.
    pub(crate) fn of(lines: &[u8], (count, slot): (u32, u8), (epoch, index): (u64, usize)) -> Self {
        let bytes = lines.len() as u32;
        let mut check = Check::new(epoch, index as u64);
        check.add(u64::from(bytes) | u64::from(count) << 32);
        check.add(u64::from(slot));
        Self {
            bytes,
            lines: count,
            slot,
            check: check.finish(lines) >> 8,
        }
    }

    /// Whether it is the record of these lines at this place.
    pub(crate) fn holds(&self, lines: &[u8], place: (u64, usize)) -> bool {
        *self == Self::of(lines, (self.lines, self.slot), place)
    }

    pub(crate) fn encode(&self) -> [u8; RECORD] {
        let mut record = [0; RECORD];
        record[..4].copy_from_slice(&self.bytes.to_ne_bytes());
        record[4..8].copy_from_slice(&self.lines.to_ne_bytes());
        record[8..].copy_from_slice(&(self.check << 8 | u64::from(self.slot)).to_ne_bytes());
        record
    }

    /// The `index`-th record of an area.
    pub(crate) fn read(area: &[u8], index: usize) -> Self {
        let from = area.len() - (index + 1) * RECORD;
        let word = |at: usize| word(&area[from..], at);
        let number = |at: usize| {
            let bytes = area[from + at..][..4].try_into();
            u32::from_ne_bytes(bytes.expect("four bytes are four bytes"))
        };
        Self {
            bytes: number(0),
            lines: number(4),
            slot: word(1) as u8,
            check: word(1) >> 8,
        }
    }
}

/// The `at`-th word of these bytes.
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at * 8..][..8].try_into();
    u64::from_ne_bytes(word.expect("eight bytes are eight bytes"))
}

/// The check over the words that are written once.
pub(crate) fn header_check(words: impl Iterator<Item = u64>) -> u64 {
    let mut check = Check::new(MAGIC, VERSION);
    words.for_each(|word| check.add(word));
    check.finish(&[])
}

/// A checksum against torn and mixed-up records, not against people: four lanes of multiply and
/// rotate, so that a line of 200 bytes takes some ten nanoseconds. Each step is a bijection of its
/// lane, so that no single flipped bit is lost on the way.
struct Check([u64; 4]);

impl Check {
    fn new(a: u64, b: u64) -> Self {
        let mut check = Self([PRIME, !PRIME, PRIME.rotate_left(32), !PRIME.rotate_left(32)]);
        check.add(a);
        check.add(b);
        check
    }

    fn add(&mut self, word: u64) {
        self.0[0] = step(self.0[0], word);
    }

    fn finish(self, bytes: &[u8]) -> u64 {
        let mut lanes = self.0;
        let mut chunks = bytes.chunks_exact(32);
        for chunk in &mut chunks {
            for (at, lane) in lanes.iter_mut().enumerate() {
                *lane = step(*lane, word(chunk, at));
            }
        }
        // The length is in the check already: zeros at the end are not mistaken for bytes.
        let mut last = [0; 32];
        last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        for (at, lane) in lanes.iter_mut().enumerate() {
            *lane = step(*lane, word(&last, at));
        }
        let folded = lanes.into_iter().fold(0, step);
        folded ^ folded >> 32
    }
}

fn step(lane: u64, word: u64) -> u64 {
    let mixed = (lane ^ word).wrapping_mul(PRIME);
    mixed ^ mixed >> 29
}

/// Odd, with bits all over: 2^64 divided by the golden ratio, as in Fibonacci hashing (Knuth, The Art of Computer
/// Programming, volume 3, section 6.4).
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

const NONE: u32 = 0xff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_and_a_flipped_bit_is_seen() {
        for number in [0, 1, 4711, u32::MAX] {
            assert_eq!(unpack(pack(number)), Some(number));
            for bit in 0..64 {
                assert_eq!(unpack(pack(number) ^ 1 << bit), None, "{number} {bit}");
            }
        }
    }

    #[test]
    fn roles_name_two_different_areas_that_are_there() {
        for (front, flight, good) in [
            (0, None, true),
            (2, Some(1), true),
            (1, Some(1), false),
            (3, None, false),
            (0, Some(3), false),
        ] {
            let roles = Roles { front, flight };
            assert_eq!(Roles::unpack(roles.pack(), 3), good.then_some(roles));
        }
    }

    #[test]
    fn a_record_is_of_its_lines_at_its_place_and_of_nothing_else() {
        let lines = b"the quick brown fox jumps over the lazy dog\nand again\n";
        let record = Record::of(lines, (2, 4), (7, 3));
        let mut area = vec![0; 1000];
        area[1000 - 4 * RECORD..][..RECORD].copy_from_slice(&record.encode());
        assert_eq!(Record::read(&area, 3), record);
        assert!(record.holds(lines, (7, 3)));
        assert!(!record.holds(lines, (8, 3)));
        assert!(!record.holds(lines, (7, 4)));
        assert!(!record.holds(&lines[..lines.len() - 1], (7, 3)));
        for bit in 0..lines.len() * 8 {
            let mut flipped = lines.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!record.holds(&flipped, (7, 3)), "bit {bit} of the lines");
        }
        for bit in 0..RECORD * 8 {
            let mut flipped = area.clone();
            flipped[1000 - 4 * RECORD + bit / 8] ^= 1 << (bit % 8);
            let read = Record::read(&flipped, 3);
            assert!(!read.holds(lines, (7, 3)), "bit {bit} of the record");
        }
    }
}
