//! Compresses a closed file into frames that each decode alone.

use std::{
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{disk::Disk, name::Form};

/// How closed files are stored. The work is done by the housekeeping thread, off the write path.
///
/// A compressed file is a row of frames of about 1 MiB of whole lines, each of which decodes alone;
/// `zcat` and `zstdcat` read it as usual. It gets its name only when it is complete and on the disk;
/// the plain file is deleted after that. What a crash leaves half done is done again at the next
/// start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compress {
    /// As written: the default.
    #[default]
    None,
    /// As `.gz`.
    #[cfg(feature = "gzip")]
    Gzip,
    /// As `.zst`: smaller and several times faster than gzip.
    #[cfg(feature = "zstd")]
    Zstd,
}

impl Compress {
    /// The form of a finished file.
    pub(crate) fn form(self) -> Form {
        match self {
            Self::None => Form::Plain,
            #[cfg(feature = "gzip")]
            Self::Gzip => Form::Gzip,
            #[cfg(feature = "zstd")]
            Self::Zstd => Form::Zstd,
        }
    }

    /// Writes the compressed form of `from` to `to` and syncs it; an error of kind `Interrupted` if
    /// cancelled.
    pub(crate) fn run(
        self,
        disk: &dyn Disk,
        (from, to): (&Path, &Path),
        cancelled: &AtomicBool,
    ) -> io::Result<()> {
        let mut source = disk.read(from)?;
        let mut target = disk.create(to)?;
        let mut lines = Vec::with_capacity(FRAME);
        loop {
            if cancelled.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let more = fill(&mut *source, &mut lines)?;
            let border = memchr::memrchr(b'\n', &lines).filter(|_| more);
            let frame = border.map_or(lines.len(), |border| border + 1);
            if frame > 0 {
                target.write_all(&self.frame(&lines[..frame])?)?;
            }
            lines.drain(..frame);
            if !more {
                target.flush()?;
                return target.sync();
            }
        }
    }

    fn frame(self, lines: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::None => Ok(lines.to_owned()),
            #[cfg(feature = "gzip")]
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
                io::Write::write_all(&mut encoder, lines)?;
                encoder.finish()
            }
            #[cfg(feature = "zstd")]
            Self::Zstd => zstd::bulk::compress(lines, zstd::DEFAULT_COMPRESSION_LEVEL),
        }
    }
}

/// Reads up to a frame's worth; false at the end of the file.
fn fill(source: &mut dyn Read, lines: &mut Vec<u8>) -> io::Result<bool> {
    let wanted = FRAME.saturating_sub(lines.len()).max(1) as u64;
    let read = source.take(wanted).read_to_end(lines)?;
    Ok(read as u64 == wanted)
}

/// Small enough to seek to, large enough to compress well.
const FRAME: usize = 1024 * 1024;
