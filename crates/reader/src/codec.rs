//! Tells how a file is compressed, and where a frame of it may begin.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Plain,
    Zstd,
    Gzip,
}

impl Codec {
    pub(crate) fn of(beginning: &[u8]) -> Self {
        match beginning {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Codec::Zstd,
            // A skippable frame, RFC 8878 section 3.1.2.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Codec::Zstd,
            [0x1f, 0x8b, 8, ..] => Codec::Gzip,
            _ => Codec::Plain,
        }
    }

    /// Whether more bytes behind these may tell that they are compressed.
    pub(crate) fn may_be_compressed(beginning: &[u8]) -> bool {
        let magics = [Codec::Zstd, Codec::Gzip].map(Codec::magic);
        let skippable = matches!(
            beginning,
            [0x50..=0x5f] | [0x50..=0x5f, 0x2a] | [0x50..=0x5f, 0x2a, 0x4d]
        );
        let begins = |magic: &&[u8]| magic.len() > beginning.len() && magic.starts_with(beginning);
        skippable || magics.iter().any(begins)
    }

    fn magic(self) -> &'static [u8] {
        match self {
            Codec::Plain => &[],
            Codec::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Codec::Gzip => &[0x1f, 0x8b, 8],
        }
    }

    /// Stands where a frame may begin, at `from` or behind it, or at the end of the file.
    pub(crate) fn next_frame(self, file: &mut BufReader<File>, from: u64) -> io::Result<()> {
        let mut at = file.seek(SeekFrom::Start(from))?;
        let magic = self.magic();
        // What may be the beginning of a magic number at the end of one look stands before the next.
        let mut window: Vec<u8> = Vec::new();
        loop {
            let chunk = file.fill_buf()?;
            let read = chunk.len();
            window.extend_from_slice(chunk);
            if let Some(found) = memchr::memmem::find(&window, magic) {
                file.seek(SeekFrom::Start(at + found as u64))?;
                return Ok(());
            }
            if read == 0 {
                return Ok(());
            }
            file.consume(read);
            let done = window.len().saturating_sub(magic.len() - 1);
            window.drain(..done);
            at += done as u64;
        }
    }
}
