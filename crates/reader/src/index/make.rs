//! Reads a log file once and makes its index.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::format;
use super::part::{Gathering, Part, Tools};
use super::tie::{Tie, looks};
use crate::Error;
use crate::blocks::{Blocks, Next};
use crate::frames::Frames;

/// An index that was written beside its file, as `<file>.idx`.
///
/// It knows of each part of the file, about a mebibyte of lines, between which times they lie, how
/// many lines of each level and which ids there are, so that a [`Search`](crate::Search) reads only
/// the parts that it must. Whatever happens to it, a search finds the same lines: it is tied to the
/// file by size, time and checksums, and one that is lost, damaged or of another content is not used.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("shop.log.1");
/// # std::fs::write(&path, "{\"level\":\"ERROR\"}\n{\"level\":\"INFO\"}\n")?;
/// use dogwatch_reader::Index;
///
/// let index = Index::write(&path)?;
/// assert_eq!((index.lines(), index.parts()), (2, 1));
/// assert!(folder.path().join("shop.log.1.idx").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index {
    parts: u64,
    lines: u64,
    file_bytes: u64,
    bytes: u64,
}

impl Index {
    /// Reads a log file, plain or compressed, and writes its index; one that is there is replaced
    /// when the new one is whole.
    ///
    /// A compressed file can be read from the beginning of each frame that begins with a line, so
    /// one of a single frame or gzip member is a single part. Memory: a part's ids, at most 40 MB.
    ///
    /// An error if the file cannot be read to its end without trouble, if it changes meanwhile, or if
    /// the index cannot be written.
    pub fn write(path: &Path) -> Result<Self, Error> {
        make(path, LEAST).map_err(|why| Error::index(path, why))
    }

    /// The parts of the file that can be read alone.
    pub fn parts(&self) -> u64 {
        self.parts
    }

    /// The lines of the file.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// The size of the file, in bytes.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The size of the index, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Where the index of a file stands.
pub(crate) fn path_of(path: &Path) -> PathBuf {
    with_end(path, ".idx")
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

pub(super) fn make(
    path: &Path,
    least: u64,
) -> Result<Index, Box<dyn std::error::Error + Send + Sync>> {
    let file = File::open(path)?;
    let tie = Tie::of(&file)?;
    let parts = parts(path, tie.size, least)?;
    // By its path: what was read may have been put there meanwhile.
    if looks(&File::open(path)?)? != (tie.size, tie.modified) {
        return Err("it changed while it was read; index it when it is closed".into());
    }
    let (ready, unfinished) = (path_of(path), with_end(path, ".idx.tmp"));
    let written = put(&unfinished, &file, &tie, &parts)
        .and_then(|bytes| fs::rename(&unfinished, &ready).map(|()| bytes));
    let bytes = written.inspect_err(|_| drop(fs::remove_file(&unfinished)))?;
    Ok(Index {
        parts: parts.len() as u64,
        lines: parts.iter().map(|part| part.lines).sum(),
        file_bytes: tie.size,
        bytes,
    })
}

/// Writes the index; it may be read by those who may read the file.
fn put(unfinished: &Path, file: &File, tie: &Tie, parts: &[Part]) -> io::Result<u64> {
    // What a crash left, or a link that somebody else has put there: it is not written through.
    let _ = fs::remove_file(unfinished);
    let out = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(unfinished)?;
    let mut out = BufWriter::new(out);
    format::write(&mut out, tie, parts)?;
    out.flush()?;
    let out = out.get_ref();
    out.set_permissions(file.metadata()?.permissions())?;
    Ok(out.metadata()?.len())
}

/// Cuts the file into parts that can be read alone.
fn parts(path: &Path, size: u64, least: u64) -> Result<Vec<Part>, crate::Trouble> {
    let tools = Tools::new();
    let mut frames = Frames::open(path)?;
    let mut blocks = Blocks::new();
    let mut parts = Vec::new();
    let mut part = Gathering::new(&tools);
    // Where the part begins as it is stored, and, for a file that is not compressed, where it ends.
    let (mut start, mut plain) = (0, 0);
    loop {
        let read = frames.read(blocks.room(), path)?;
        let (border, whole, least) = if frames.file().is_some() {
            (plain, true, 2 * least)
        } else {
            // What was just read is the beginning of the frame.
            (frames.start(), blocks.is_empty(), least)
        };
        if border > start && whole && part.bytes() >= least {
            parts.push(std::mem::replace(&mut part, Gathering::new(&tools)).end(border - start));
            start = border;
        }
        blocks.fill(read);
        loop {
            match blocks.next(read == 0) {
                Next::Lines(_) | Next::Torn(_) => part.lines(blocks.given()),
                Next::Long(bytes) => part.left_out(bytes),
                Next::More => break,
            }
        }
        plain = start + part.bytes();
        if read == 0 {
            break;
        }
    }
    if size > start {
        parts.push(part.end(size - start));
    }
    Ok(parts)
}

/// Smaller frames are put together.
const LEAST: u64 = 512 << 10;
