//! Hands a zstd frame to its decoder block by block, and ends it where another begins in its middle.
//!
//! A writer that was stopped within a frame leaves it torn, and the next writer begins another behind
//! it. A block that is stored as it is takes in whatever follows, and without a checksum nobody would
//! notice. So each block is looked through for the beginning of a frame (RFC 8878 section 3.1.1). No
//! text in UTF-8 has its four bytes; among compressed ones they stand by chance once in 100 GB and
//! more, followed by a sound header.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// A frame, or the rest of a file.
pub(crate) struct Frame {
    file: BufReader<File>,
    /// What was read of the file: a part of the frame, and a little behind it.
    window: Vec<u8>,
    /// How much of it the decoder has taken, and how much it may.
    taken: usize,
    part: usize,
    next: Part,
}

/// What comes next in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Header,
    Block {
        checksum: bool,
    },
    Checksum,
    /// So many bytes of a skippable frame.
    Skipped(u64),
    End,
}

impl Frame {
    /// The frame that the file stands before.
    pub(crate) fn new(file: BufReader<File>) -> Self {
        Self {
            file,
            window: Vec::new(),
            taken: 0,
            part: 0,
            next: Part::Header,
        }
    }

    /// The file, some way behind what the decoder took.
    pub(crate) fn file(&self) -> &BufReader<File> {
        &self.file
    }

    /// The file, behind what the decoder took.
    pub(crate) fn into_inner(mut self) -> io::Result<BufReader<File>> {
        let ahead = self.window.len() - self.taken;
        self.file.seek_relative(-(ahead as i64))?;
        Ok(self.file)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.window.drain(..self.taken);
        (self.taken, self.part) = (0, 0);
        let is_header = self.next == Part::Header;
        let is_skipped = matches!(self.next, Part::Skipped(_));
        self.read_up_to(LOOK)?;
        let (length, next) = self.next_part();
        self.next = next;
        self.read_up_to(length + LOOK)?;
        self.part = length.min(self.window.len());
        if is_skipped {
            // It may hold anything, a frame as well.
            return Ok(());
        }
        let from = usize::from(is_header);
        let another = memchr::memmem::find_iter(&self.window[from..], MAGIC)
            .map(|at| from + at)
            .find(|&at| begins_frame(&self.window[at..]));
        if let Some(at) = another.filter(|at| *at < self.part) {
            (self.part, self.next) = (at, Part::End);
        }
        Ok(())
    }

    /// How long the next part is, and what comes behind it.
    fn next_part(&self) -> (usize, Part) {
        match self.next {
            Part::Header => match self.window[..] {
                // A skippable frame, section 3.1.2.
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                    let length = u32::from_le_bytes([a, b, c, d]);
                    (8, Part::Skipped(u64::from(length)))
                }
                [_, _, _, _, descriptor, ..] => {
                    let checksum = descriptor & 4 != 0;
                    (header_length(descriptor), Part::Block { checksum })
                }
                _ => (self.window.len(), Part::End),
            },
            Part::Block { checksum } => match Block::of(&self.window) {
                Some(block) if !block.last => (3 + block.length, self.next),
                Some(block) if checksum => (3 + block.length, Part::Checksum),
                Some(block) => (3 + block.length, Part::End),
                None => (self.window.len(), Part::End),
            },
            Part::Checksum => (4, Part::End),
            Part::Skipped(left) => {
                let length = left.min(LONGEST as u64);
                let rest = left - length;
                let next = if rest > 0 {
                    Part::Skipped(rest)
                } else {
                    Part::End
                };
                (length as usize, next)
            }
            Part::End => (0, Part::End),
        }
    }

    /// Reads until so many bytes are there, or the file ends.
    fn read_up_to(&mut self, length: usize) -> io::Result<()> {
        let missing = length.saturating_sub(self.window.len());
        let mut file = (&mut self.file).take(missing as u64);
        file.read_to_end(&mut self.window).map(drop)
    }
}

impl BufRead for Frame {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.part && self.next != Part::End {
            self.advance()?;
        }
        Ok(&self.window[self.taken..self.part])
    }

    fn consume(&mut self, taken: usize) {
        self.taken += taken;
    }
}

impl Read for Frame {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// A block's header, section 3.1.1.2.
struct Block {
    last: bool,
    length: usize,
}

impl Block {
    /// `None` of bytes that are none, or too few.
    fn of(bytes: &[u8]) -> Option<Self> {
        let header = bytes.get(..3)?;
        let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let size = (header >> 3) as usize;
        let length = match header >> 1 & 3 {
            0 | 2 => size,
            // One byte, again and again.
            1 => 1,
            _ => return None,
        };
        (size <= LONGEST).then_some(Self {
            last: header & 1 == 1,
            length,
        })
    }
}

/// Whether a magic number is followed by a sound header, as far as the bytes reach.
fn begins_frame(bytes: &[u8]) -> bool {
    let Some(descriptor) = bytes.get(MAGIC.len()) else {
        return true;
    };
    let reserved = descriptor & 8 != 0;
    match bytes.get(header_length(*descriptor)..) {
        _ if reserved => false,
        Some(block) if block.len() >= 3 => Block::of(block).is_some(),
        _ => true,
    }
}

/// How long a frame's header is, its magic number included, by its descriptor, section 3.1.1.1.
fn header_length(descriptor: u8) -> usize {
    let single_segment = descriptor & 0x20 != 0;
    let window = usize::from(!single_segment);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = match descriptor >> 6 {
        0 => usize::from(single_segment),
        flag => 1 << flag,
    };
    MAGIC.len() + 1 + window + dictionary + content
}

const MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The longest header and that of a block.
const LOOK: usize = 18 + 3;

/// No block is longer, section 3.1.1.2.4.
const LONGEST: usize = 128 << 10;
