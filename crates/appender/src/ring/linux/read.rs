//! Reads the bytes of a ring file: which lines it holds, how far they got, what is torn. Pure.
//!
//! It trusts nothing: any bytes give either contents or a reason why not.

use std::fmt;

use super::layout::{
    HEADER, MAGIC, MOST, RECORD, Record, Roles, VERSION, at, header_check, unpack, word,
};

/// What a ring file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Of the machine's start in which it was made; zeros where that is not known.
    pub(crate) boot: [u64; 2],
    /// The last write that was begun.
    pub(crate) mark: Option<Mark>,
    /// The lines that were in the writer's hand, then those that waited.
    pub(crate) held: Vec<Held>,
}

/// Where a write began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) epoch: u64,
    /// Device and inode of the file.
    pub(crate) file: (u64, u64),
    /// The file's length before it.
    pub(crate) offset: u64,
    /// Where in its area.
    pub(crate) from: usize,
    /// How much was written, as far as that was noted.
    pub(crate) wrote: u64,
}

/// The lines of one area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) area: usize,
    pub(crate) epoch: u64,
    /// So many bytes are written or given up.
    pub(crate) done: usize,
    /// All bytes, as they lie, torn ones included.
    pub(crate) bytes: Vec<u8>,
    /// In order, without a hole, from the first byte to the last.
    pub(crate) pieces: Vec<Piece>,
    /// Records that cannot even be placed.
    pub(crate) lost: u64,
}

/// What was handed in together: one line, or a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) end: usize,
    /// Its bytes are not those that were written.
    pub(crate) torn: bool,
}

/// Why a file is no ring that can be read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoRing,
    OtherMachine,
    OtherVersion(u64),
    Truncated { bytes: usize, expected: u64 },
    Damaged(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRing => f.write_str("it is no crash ring"),
            Self::OtherMachine => f.write_str("a machine of another byte order wrote it"),
            Self::OtherVersion(version) => write!(
                f,
                "it has version {version} of the format, this program reads version {VERSION}"
            ),
            Self::Truncated { bytes, expected } => {
                write!(f, "it is truncated: {bytes} of {expected} bytes")
            }
            Self::Damaged(what) => write!(f, "it is damaged: {what}"),
        }
    }
}

impl Contents {
    pub(crate) fn read(ring: &[u8]) -> Result<Self, Refusal> {
        let (areas, area_bytes) = geometry(ring)?;
        let damaged = |what| Refusal::Damaged(what);
        let roles = Roles::unpack(word(ring, at::ROLES), areas).ok_or(damaged("its roles"))?;
        let mut held = Vec::new();
        for area in roles.flight.into_iter().chain([roles.front]) {
            let bytes = &ring[HEADER + area * area_bytes..][..area_bytes];
            let epoch = word(ring, at::epoch(area));
            let number = |at| unpack(word(ring, at)).map(|number| number as usize);
            let count = number(at::count(area)).ok_or(damaged("its counts"))?;
            let done = number(at::done(area)).ok_or(damaged("its progress"))?;
            if count > area_bytes / RECORD {
                return Err(damaged("its counts"));
            }
            held.push(Held::read(bytes, (area, epoch), count, done)?);
        }
        let boot = [word(ring, at::BOOT), word(ring, at::BOOT + 1)];
        let mark = Mark::read(ring);
        Ok(Self { boot, mark, held })
    }

    /// Whether nothing is left to write, and nothing torn to tell of.
    pub(crate) fn is_empty(&self) -> bool {
        let settled = |held: &Held| held.done == held.bytes.len() && held.lost == 0;
        self.held.iter().all(settled)
    }
}

// How many areas of how many bytes, if this is a ring and all there.
fn geometry(ring: &[u8]) -> Result<(usize, usize), Refusal> {
    if ring.len() < HEADER {
        return Err(Refusal::NoRing);
    }
    match word(ring, at::MAGIC) {
        MAGIC => {}
        magic if magic == MAGIC.swap_bytes() => return Err(Refusal::OtherMachine),
        _ => return Err(Refusal::NoRing),
    }
    let version = word(ring, at::VERSION);
    if version != VERSION {
        return Err(Refusal::OtherVersion(version));
    }
    let check = header_check((0..at::CHECK).map(|at| word(ring, at)));
    if check != word(ring, at::CHECK) {
        return Err(Refusal::Damaged("its header"));
    }
    let (areas, bytes) = (word(ring, at::AREAS), word(ring, at::AREA_BYTES));
    if !(2..=3).contains(&areas) || bytes > MOST as u64 {
        return Err(Refusal::Damaged("its header"));
    }
    let expected = HEADER as u64 + areas * bytes;
    if (ring.len() as u64) < expected {
        let bytes = ring.len();
        return Err(Refusal::Truncated { bytes, expected });
    }
    Ok((areas as usize, bytes as usize))
}

impl Mark {
    fn read(ring: &[u8]) -> Option<Self> {
        let nth = word(ring, at::MARK);
        let of = |at| word(ring, at::mark(nth) + at);
        matches!(nth, 1 | 2).then(|| Self {
            epoch: of(at::EPOCH),
            file: (of(at::DEVICE), of(at::INODE)),
            offset: of(at::OFFSET),
            from: usize::try_from(of(at::FROM)).unwrap_or(usize::MAX),
            wrote: of(at::WROTE),
        })
    }
}

impl Held {
    fn read(
        bytes: &[u8],
        (area, epoch): (usize, u64),
        count: usize,
        done: usize,
    ) -> Result<Self, Refusal> {
        let room = bytes.len() - count * RECORD;
        let (mut end, mut pieces, mut lost) = (0, Vec::with_capacity(count), 0);
        for index in 0..count {
            let record = Record::read(bytes, index);
            let (from, length) = (end, record.bytes as usize);
            if length > room - from {
                // Where the next one begins is not known either.
                lost = (count - index) as u64;
                break;
            }
            end += length;
            let torn = !record.holds(&bytes[from..end], (epoch, index));
            pieces.push(Piece { end, torn });
        }
        if done > end {
            return Err(Refusal::Damaged("its progress"));
        }
        Ok(Self {
            area,
            epoch,
            done,
            bytes: bytes[..end].to_owned(),
            pieces,
            lost,
        })
    }

    /// The first border of a line at or before `at`.
    pub(crate) fn line_start(&self, at: usize) -> usize {
        memchr::memrchr(b'\n', &self.bytes[..at]).map_or(0, |newline| newline + 1)
    }

    /// The first border of a line at or after `at`.
    pub(crate) fn line_end(&self, at: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[at..])
            .map_or(self.bytes.len(), |newline| at + newline + 1)
    }

    pub(crate) fn is_within_line(&self, at: usize) -> bool {
        at > 0 && self.bytes[at - 1] != b'\n'
    }

    /// The whole runs of bytes that are to be written, from `from` on, and how many records among
    /// them are torn.
    pub(crate) fn sound(&self, from: usize) -> (Vec<std::ops::Range<usize>>, u64) {
        let (mut runs, mut torn) = (Vec::<std::ops::Range<usize>>::new(), self.lost);
        let mut start = 0;
        for piece in &self.pieces {
            let (first, end) = (start.max(from), piece.end);
            start = end;
            if end <= from {
                continue;
            }
            if piece.torn {
                torn += 1;
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.end == first => run.end = end,
                _ => runs.push(first..end),
            }
        }
        (runs, torn)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        batch::{Batch, Spare},
        name::Family,
        ring::{CrashRing, create, linux::drive::drive},
    };

    const LINES: [&str; 5] = ["one\n", "two\ntwo more\n", "three\n", "four\n", "five\n"];

    /// A ring with three entries in the writer's hand and two that wait.
    fn image() -> Vec<u8> {
        let directory = tempfile::tempdir().unwrap();
        let family = Family::of(&directory.path().join("app.log")).unwrap();
        let (ring, front, back) = create(&CrashRing::new(), &family, (4000, 2)).unwrap();
        let (mut front, mut back) = (Batch::in_ring(front), Batch::in_ring(back));
        for (nth, lines) in LINES.into_iter().enumerate() {
            if nth == 3 {
                front.hand_over(&mut back);
            }
            let count = lines.matches('\n').count() as u64;
            front.push((nth, count), lines.as_bytes(), &mut Spare::default(), 4000);
        }
        fs::read(ring.path()).unwrap()
    }

    /// What would be written, and how much is known to be torn.
    fn replay(ring: &[u8]) -> Result<(Vec<String>, u64), Refusal> {
        let contents = Contents::read(ring)?;
        let (mut found, mut torn) = (Vec::new(), 0);
        for held in &contents.held {
            let (runs, bad) = held.sound(held.done);
            torn += bad;
            for run in runs {
                let text = String::from_utf8(held.bytes[run].to_owned()).unwrap();
                found.extend(text.split_inclusive('\n').map(str::to_owned));
            }
        }
        Ok((found, torn))
    }

    fn all() -> Vec<String> {
        LINES
            .concat()
            .split_inclusive('\n')
            .map(str::to_owned)
            .collect()
    }

    /// Whether `some` are lines of ours, in order and none twice.
    fn is_part(some: &[String]) -> bool {
        let mut all = all().into_iter();
        some.iter().all(|line| all.any(|next| next == *line))
    }

    #[test]
    fn what_was_pushed_is_read_in_order() {
        assert_eq!(replay(&image()), Ok((all(), 0)));
    }

    #[test]
    fn no_flipped_bit_makes_a_line_or_hides_one_in_silence() {
        let mut ring = image();
        // In the header, in the lines, and in the records at the end of each area.
        let area = (ring.len() - HEADER) / 2;
        let used = (0..HEADER)
            .chain(HEADER..HEADER + 40)
            .chain(HEADER + area - 4 * RECORD..HEADER + area + 40)
            .chain(ring.len() - 4 * RECORD..ring.len());
        for bit in used.flat_map(|byte| byte * 8..byte * 8 + 8) {
            ring[bit / 8] ^= 1 << (bit % 8);
            if let Ok((found, torn)) = replay(&ring) {
                assert!(is_part(&found), "bit {bit}: {found:?}");
                assert_eq!(
                    torn > 0,
                    found != all(),
                    "bit {bit}: {found:?}, {torn} torn"
                );
            }
            ring[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_ring_is_whole_or_refused() {
        let ring = image();
        for length in (0..ring.len()).step_by(13).chain([ring.len() - 1]) {
            let refusal = Contents::read(&ring[..length]).unwrap_err();
            let expected = match length {
                0..HEADER => Refusal::NoRing,
                _ => Refusal::Truncated {
                    bytes: length,
                    expected: ring.len() as u64,
                },
            };
            assert_eq!(refusal, expected);
        }
    }

    #[test]
    fn every_input_of_the_corpus_is_read_or_refused() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
        let mut inputs = 0;
        for entry in fs::read_dir(corpus).expect("the corpus stands beside the tests") {
            drive(&fs::read(entry.unwrap().path()).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 50, "{inputs} inputs");
    }

    proptest! {
        #[test]
        fn bytes_of_chance_are_read_or_refused(
            data in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            drive(&data);
        }

        #[test]
        fn whatever_is_spoilt_no_other_line_is_read(
            spoils in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
            within in prop::sample::select(vec![200, HEADER, usize::MAX]),
        ) {
            let mut ring = image();
            let length = ring.len().min(within);
            for (at, byte) in spoils {
                ring[at.index(length)] = byte;
            }
            if let Ok((found, _)) = replay(&ring) {
                prop_assert!(is_part(&found), "{found:?}");
            }
        }

        #[test]
        fn bytes_of_chance_are_no_ring(ring in prop::collection::vec(any::<u8>(), 0..9000)) {
            prop_assert_eq!(Contents::read(&ring), Err(Refusal::NoRing));
        }
    }
}
