//! Writes and reads the bytes of an index: `docs/index.md` describes them.

use std::io::{self, Read, Write};

use super::filter::Filter;
use super::ids::Hiding;
use super::part::{MOST_IDS, Part};
use super::tie::Tie;
use super::xxh64::xxh64;

/// Why an index is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It begins like no index, or like one of a version that is not known.
    Foreign,
    /// A checksum is wrong, or what stands behind it makes no sense.
    Damaged,
    /// It ends early.
    Short,
}

/// Writes an index.
pub(crate) fn write(out: &mut impl Write, tie: &Tie, parts: &[Part]) -> io::Result<()> {
    out.write_all(MAGIC)?;
    let mut head = Vec::new();
    head.extend(tie.size.to_le_bytes());
    head.extend(tie.modified.to_le_bytes());
    head.extend(tie.ends.to_le_bytes());
    head.extend(tie.whole.to_le_bytes());
    head.extend((parts.len() as u64).to_le_bytes());
    record(out, &head, 0)?;
    for (index, part) in parts.iter().enumerate() {
        record(out, &encoded(part), index as u64 + 1)?;
    }
    Ok(())
}

fn record(out: &mut impl Write, body: &[u8], number: u64) -> io::Result<()> {
    out.write_all(&(body.len() as u32).to_le_bytes())?;
    out.write_all(&xxh64(body, number).to_le_bytes())?;
    out.write_all(body)
}

fn encoded(part: &Part) -> Vec<u8> {
    let mut body = Vec::new();
    let (earliest, latest) = part.times.unwrap_or_default();
    for number in [part.stored, part.bytes, part.lines] {
        body.extend(number.to_le_bytes());
    }
    for nanos in [earliest, latest] {
        body.extend(nanos.to_le_bytes());
    }
    for lines in part.levels {
        body.extend(lines.to_le_bytes());
    }
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    body.push(
        flag(part.times.is_some(), TIMES)
            | flag(part.hiding.spelled, SPELLED)
            | flag(part.hiding.longer, LONGER)
            | flag(part.ids.is_some(), IDS),
    );
    if let Some(ids) = &part.ids {
        body.extend(ids.seed.to_le_bytes());
        body.extend_from_slice(&ids.cells);
    }
    body
}

/// An index being read, one part after the other.
pub(crate) struct Reader<R> {
    input: R,
    body: Vec<u8>,
    /// Of the next record.
    number: u64,
    parts: u64,
    /// Bytes of the file that no part had yet.
    left: u64,
}

impl<R: Read> Reader<R> {
    /// Reads what ties the index to its file.
    pub(crate) fn open(mut input: R) -> Result<(Tie, Self), Unfit> {
        let mut magic = [0; MAGIC.len()];
        filled(&mut input, &mut magic)?;
        if magic != *MAGIC {
            return Err(Unfit::Foreign);
        }
        let mut reader = Self {
            input,
            body: Vec::new(),
            number: 0,
            parts: 0,
            left: 0,
        };
        reader.record()?;
        let mut body = Body(&reader.body);
        let tie = Tie {
            size: body.u64()?,
            modified: body.i64()?,
            ends: body.u64()?,
            whole: body.u64()?,
        };
        reader.parts = body.u64()?;
        reader.left = tie.size;
        Ok((tie, reader))
    }

    /// The next part; `None` when the whole file was described.
    pub(crate) fn part(&mut self) -> Result<Option<Part>, Unfit> {
        if self.number > self.parts {
            return if self.left == 0 {
                Ok(None)
            } else {
                Err(Unfit::Damaged)
            };
        }
        self.record()?;
        let part = decoded(&self.body)?;
        // A part of nothing could be followed by endlessly many.
        let left = self.left.checked_sub(part.stored);
        self.left = left.filter(|_| part.stored > 0).ok_or(Unfit::Damaged)?;
        Ok(Some(part))
    }

    /// Reads a record and holds it against its checksum.
    fn record(&mut self) -> Result<(), Unfit> {
        let (mut length, mut sum) = ([0; 4], [0; 8]);
        filled(&mut self.input, &mut length)?;
        filled(&mut self.input, &mut sum)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > LONGEST {
            return Err(Unfit::Damaged);
        }
        self.body.resize(length, 0);
        filled(&mut self.input, &mut self.body)?;
        if xxh64(&self.body, self.number) != u64::from_le_bytes(sum) {
            return Err(Unfit::Damaged);
        }
        self.number += 1;
        Ok(())
    }
}

fn decoded(body: &[u8]) -> Result<Part, Unfit> {
    let mut body = Body(body);
    let [stored, bytes, lines] = [body.u64()?, body.u64()?, body.u64()?];
    let times = (body.i64()?, body.i64()?);
    let mut levels = [0; 7];
    for lines in &mut levels {
        *lines = body.u64()?;
    }
    let [flags] = body.take()?;
    let ids = if flags & IDS == 0 {
        None
    } else {
        let seed = body.u64()?;
        Some(Filter {
            seed,
            cells: body.0.to_vec(),
        })
    };
    let thirds = ids.as_ref().is_none_or(|ids| ids.cells.len() % 3 == 0);
    if !thirds || times.0 > times.1 {
        return Err(Unfit::Damaged);
    }
    Ok(Part {
        stored,
        bytes,
        lines,
        times: (flags & TIMES != 0).then_some(times),
        levels,
        hiding: Hiding {
            spelled: flags & SPELLED != 0,
            longer: flags & LONGER != 0,
        },
        ids,
    })
}

/// What is left of a record.
struct Body<'a>(&'a [u8]);

impl Body<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unfit> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Unfit::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u64(&mut self) -> Result<u64, Unfit> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, Unfit> {
        self.take().map(i64::from_le_bytes)
    }
}

fn filled(input: &mut impl Read, buffer: &mut [u8]) -> Result<(), Unfit> {
    input.read_exact(buffer).map_err(|_| Unfit::Short)
}

/// The last byte is the version.
pub(super) const MAGIC: &[u8; 8] = b"DOGWIDX\x01";

const TIMES: u8 = 1;
const SPELLED: u8 = 2;
const LONGER: u8 = 4;
const IDS: u8 = 8;

/// A part with a filter of as many ids as there may be, and room to spare.
const LONGEST: usize = MOST_IDS * 2;
