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
/// `zcat` and `zstdcat` read it as usual. A longer line makes its frame longer, up to
/// 16 MiB: then it is cut. It gets its name only when it is complete and on the disk;
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
            let frame = match memchr::memrchr(b'\n', &lines) {
                _ if !more => lines.len(),
                Some(border) => border + 1,
                None if lines.len() < LONGEST => continue,
                None => lines.len(),
            };
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

    /// Reads the compressed file `packed` to its end: it holds what `plain` does, or this is an error,
    /// of kind `Interrupted` if cancelled.
    pub(crate) fn check(
        disk: &dyn Disk,
        (packed, form): (&Path, Form),
        plain: &Path,
        cancelled: &AtomicBool,
    ) -> io::Result<()> {
        let mut packed = decoded(disk.read(packed)?, form)?;
        let mut plain = disk.read(plain)?;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        loop {
            if cancelled.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            left.clear();
            right.clear();
            packed.by_ref().take(FRAME as u64).read_to_end(&mut left)?;
            plain.by_ref().take(FRAME as u64).read_to_end(&mut right)?;
            if left != right {
                let what = "the compressed file beside it holds something else, or less";
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            if left.is_empty() {
                return Ok(());
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

fn decoded(packed: Box<dyn Read>, form: Form) -> io::Result<Box<dyn Read>> {
    match form {
        #[cfg(feature = "gzip")]
        Form::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(packed))),
        #[cfg(feature = "zstd")]
        Form::Zstd => Ok(Box::new(zstd::stream::read::Decoder::new(packed)?)),
        _ => {
            drop(packed);
            let what = "the compressed file beside it is of a kind that is not compiled in";
            Err(io::Error::new(io::ErrorKind::Unsupported, what))
        }
    }
}

/// Reads up to a frame's worth, or as much again of a line that is longer; false at the end of the
/// file.
fn fill(source: &mut dyn Read, lines: &mut Vec<u8>) -> io::Result<bool> {
    let wanted = (FRAME - lines.len() % FRAME) as u64;
    let read = source.take(wanted).read_to_end(lines)?;
    Ok(read as u64 == wanted)
}

/// Small enough to seek to, large enough to compress well.
const FRAME: usize = 1024 * 1024;

/// What a line may take of memory.
const LONGEST: usize = 16 * FRAME;

#[cfg(all(test, feature = "gzip", feature = "zstd"))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fakes::{ManualClock, MemoryDisk};

    fn compressed(compress: Compress, text: &[u8]) -> Vec<u8> {
        let disk = MemoryDisk::new(Arc::new(ManualClock::at("2026-11-24T10:00:00Z")));
        disk.put("plain", std::str::from_utf8(text).unwrap());
        let paths = (Path::new("plain"), Path::new("packed"));
        compress.run(&disk, paths, &AtomicBool::new(false)).unwrap();
        disk.content("packed")
    }

    /// Each frame, decoded by a decoder that sees nothing of the others.
    fn frames(compress: Compress, mut packed: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        while !packed.is_empty() {
            let mut frame = Vec::new();
            match compress {
                Compress::Gzip => {
                    let mut decoder = flate2::bufread::GzDecoder::new(packed);
                    decoder.read_to_end(&mut frame).unwrap();
                    packed = decoder.into_inner();
                }
                _ => {
                    let length = zstd::zstd_safe::find_frame_compressed_size(packed).unwrap();
                    frame = zstd::stream::decode_all(&packed[..length]).unwrap();
                    packed = &packed[length..];
                }
            }
            frames.push(frame);
        }
        frames
    }

    #[test]
    fn each_frame_decodes_alone_and_holds_whole_lines_of_about_a_mebibyte() {
        let text: String = (0..300_000).map(|n| format!("line {n}\n")).collect();
        for compress in [Compress::Gzip, Compress::Zstd] {
            let frames = frames(compress, &compressed(compress, text.as_bytes()));
            assert!(frames.concat() == text.as_bytes());
            let (last, full) = frames.split_last().unwrap();
            assert!(full.len() >= 3 && last.len() <= FRAME);
            for frame in full {
                assert!(frame.ends_with(b"\n"));
                assert!(FRAME - 20 < frame.len() && frame.len() <= FRAME);
            }
        }
    }

    #[test]
    fn a_line_longer_than_a_frame_makes_it_longer_up_to_a_bound() {
        let line = |bytes: usize| "x".repeat(bytes - 1) + "\n";
        let cases = [
            (
                vec![line(10), line(3 * FRAME + 5), line(10)],
                vec![10, 3 * FRAME + 15],
            ),
            (vec![line(FRAME), line(FRAME)], vec![FRAME, FRAME]),
            (vec![line(LONGEST + 9), line(7)], vec![LONGEST, 16]),
            (vec!["half a line".to_owned()], vec![11]),
            (vec![], vec![]),
        ];
        for (lines, expected) in cases {
            let text = lines.concat();
            let frames = frames(Compress::Zstd, &compressed(Compress::Zstd, text.as_bytes()));
            let lengths: Vec<_> = frames.iter().map(Vec::len).collect();
            assert_eq!(lengths, expected);
            assert!(frames.concat() == text.as_bytes());
        }
    }
}
