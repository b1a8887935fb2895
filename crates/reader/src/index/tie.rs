//! Ties an index to the content of its file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::UNIX_EPOCH;

use super::xxh64::xxh64;

/// What an index knows its file by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tie {
    pub(crate) size: u64,
    /// Nanoseconds since 1970, 0 if the system does not tell.
    pub(crate) modified: i64,
    /// Of the first and the last 4 KiB.
    pub(crate) ends: u64,
    /// Of all of it.
    pub(crate) whole: u64,
}

impl Tie {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let (size, modified) = looks(file)?;
        Ok(Self {
            size,
            modified,
            ends: ends(file, size)?,
            whole: whole(file)?,
        })
    }

    /// Whether the file is still what it was. One that only has a new time, a copy for instance, is
    /// read through: that is many times faster than to search it.
    pub(crate) fn fits(&self, file: &File) -> io::Result<bool> {
        let (size, modified) = looks(file)?;
        if size != self.size || ends(file, size)? != self.ends {
            return Ok(false);
        }
        Ok(modified == self.modified && modified != 0 || whole(file)? == self.whole)
    }
}

/// Size, and time of the last change.
pub(crate) fn looks(file: &File) -> io::Result<(u64, i64)> {
    let metadata = file.metadata()?;
    let modified = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let nanos = modified.and_then(|since| i64::try_from(since.as_nanos()).ok());
    Ok((metadata.len(), nanos.unwrap_or(0)))
}

fn ends(mut file: &File, size: u64) -> io::Result<u64> {
    let mut end = Vec::with_capacity(END as usize);
    file.seek(SeekFrom::Start(0))?;
    file.take(END).read_to_end(&mut end)?;
    let first = xxh64(&end, 0);
    end.clear();
    file.seek(SeekFrom::Start(size.saturating_sub(END)))?;
    file.take(END).read_to_end(&mut end)?;
    Ok(xxh64(&end, first))
}

/// Each chunk's hash is the seed of the next.
fn whole(mut file: &File) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut chunk = Vec::with_capacity(CHUNK as usize);
    let mut hash = 0;
    loop {
        chunk.clear();
        if file.take(CHUNK).read_to_end(&mut chunk)? == 0 {
            return Ok(hash);
        }
        hash = xxh64(&chunk, hash);
    }
}

const END: u64 = 4 << 10;
const CHUNK: u64 = 64 << 10;
