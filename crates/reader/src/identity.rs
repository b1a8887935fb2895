//! Knows a file again under another name, and tells it from another under its own.

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use crate::frames::Frames;

/// What a file is, whatever it is called: its place in the file system and how it begins.
///
/// The place alone is not enough: a new file often gets the place of one that was just deleted. The
/// beginning alone is not either: two logs may begin alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Device and inode, where the system has them and the file is not compressed.
    pub(crate) node: Option<(u64, u64)>,
    pub(crate) beginning: Vec<u8>,
}

impl Identity {
    /// Of a file at a path; `None` if it is not there or cannot be read.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let mut frames = Frames::open(path).ok()?;
        let node = frames
            .file()
            .and_then(|file| file.metadata().ok())
            .as_ref()
            .and_then(node);
        let beginning = beginning(|buffer| {
            frames
                .read(buffer, path)
                .map_err(|_| io::ErrorKind::Other.into())
        });
        Some(Self { node, beginning })
    }

    /// Of a file of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            node: None,
            beginning: Vec::new(),
        }
    }

    /// Takes in what follows the beginning that is known.
    pub(crate) fn learn(&mut self, more: &[u8]) {
        let room = BEGINNING.saturating_sub(self.beginning.len());
        self.beginning
            .extend_from_slice(&more[..room.min(more.len())]);
    }

    /// Whether this is what another file was, which may have grown since.
    pub(crate) fn was(&self, other: &Identity) -> bool {
        let same_place = match (self.node, other.node) {
            (Some(one), Some(other)) => one == other,
            // One of them is compressed.
            _ => !other.beginning.is_empty(),
        };
        same_place && self.beginning.starts_with(&other.beginning)
    }

    /// Whether this begins as another file did: a copy of it.
    pub(crate) fn begins_like(&self, other: &Identity) -> bool {
        !other.beginning.is_empty() && self.beginning.starts_with(&other.beginning)
    }
}

/// The first bytes of an open file, its place in it unchanged.
pub(crate) fn beginning_of(path: &Path) -> Vec<u8> {
    match File::open(path) {
        Ok(mut file) => beginning(|buffer| file.read(buffer)),
        Err(_) => Vec::new(),
    }
}

fn beginning(mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Vec<u8> {
    let mut bytes = vec![0; BEGINNING];
    let mut filled = 0;
    while filled < BEGINNING {
        match read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    bytes.truncate(filled);
    bytes
}

#[cfg(unix)]
pub(crate) fn node(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(crate) fn node(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// The files that were read, or were there before.
#[derive(Debug, Default)]
pub(crate) struct Known {
    files: VecDeque<Identity>,
}

impl Known {
    /// Of a file in which nothing was, nothing needs to be known: should it be met again, all of it
    /// is new.
    pub(crate) fn add(&mut self, identity: Identity) {
        if identity.beginning.is_empty() || self.files.contains(&identity) {
            return;
        }
        if self.files.len() == MOST {
            self.files.pop_front();
        }
        self.files.push_back(identity);
    }

    pub(crate) fn has(&self, identity: &Identity) -> bool {
        self.files.iter().any(|known| identity.was(known))
    }
}

/// A few lines: enough for a time with a fraction to tell one file from another.
const BEGINNING: usize = 1 << 10;

/// More files than a log has; the oldest are forgotten first.
const MOST: usize = 10_000;
