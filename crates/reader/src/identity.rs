//! Looks at a file that is there, and tells whether it is the one that a place is in.

use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::frames::Frames;
use crate::place::{Place, Reach, WINDOW, sum};

/// A file that is there, under the name that it has now.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// What the system says of a file. One that has the same as before was not written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    /// Device and inode, where the system has them.
    pub(crate) node: Option<(u64, u64)>,
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            node: node(metadata),
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl Present {
    /// `None` if there is nothing at the path.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            stamp: Stamp::of(&metadata),
        })
    }

    /// The file's name, for people and to tell dated files apart.
    pub(crate) fn name(&self) -> String {
        name(&self.path)
    }

    /// Whether the place is in this file: then, whether there is more behind it.
    pub(crate) fn has(&self, place: &Place) -> Option<bool> {
        let mut frames = Frames::open(&self.path).ok()?;
        let beginning = read_up_to(&mut frames, &self.path, WINDOW);
        if !place.begins.is_of(&beginning) {
            return None;
        }
        let Reach::At { at, ends } = place.reach else {
            return Some(false);
        };
        let from = at - at.min(WINDOW as u64);
        // What was read as the beginning may be before the place as well.
        let (mut bytes, first) = if from <= beginning.len() as u64 {
            (beginning, 0)
        } else if frames.go_to(from, &self.path) {
            (Vec::new(), from)
        } else {
            return None;
        };
        let end = (at - first) as usize;
        let missing = end.saturating_sub(bytes.len());
        bytes.extend(read_up_to(&mut frames, &self.path, missing));
        let window = bytes.get((from - first) as usize..end)?;
        let is_more = || bytes.len() > end || !read_up_to(&mut frames, &self.path, 1).is_empty();
        (sum(window) == ends).then(is_more)
    }
}

/// The first bytes of a file, decompressed; none of one that cannot be read.
pub(crate) fn beginning_of(path: &Path) -> Vec<u8> {
    match Frames::open(path) {
        Ok(mut frames) => read_up_to(&mut frames, path, WINDOW),
        Err(_) => Vec::new(),
    }
}

/// Reads so many bytes, less at the end. What is broken is passed over, as every reading does.
pub(crate) fn read_up_to(frames: &mut Frames, path: &Path, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    // It never fails: it ends early.
    let _ = Around { frames, path }
        .take(length as u64)
        .read_to_end(&mut bytes);
    bytes
}

/// Reads around what is broken.
struct Around<'a> {
    frames: &'a mut Frames,
    path: &'a Path,
}

impl Read for Around<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.frames.read(buffer, self.path) {
                Ok(read) => return Ok(read),
                Err(trouble) if trouble.is_broken_frame() => {}
                Err(_) => return Ok(0),
            }
        }
    }
}

pub(crate) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char })
        .collect()
}

#[cfg(unix)]
fn node(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn node(_: &Metadata) -> Option<(u64, u64)> {
    None
}
