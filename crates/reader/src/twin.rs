//! Tells which of a plain file and its own compressed form holds more.

use std::path::Path;

use crate::frames::Frames;

/// What a compressed form holds beside its plain file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twin {
    /// The same, or less: it is being written, or was broken.
    Same,
    /// The same and more: the plain file was unpacked in part.
    More,
    /// Something else, or the plain file is empty.
    Other,
}

impl Twin {
    /// While a file is compressed, or after a crash, both are there; the plain one is whole and the
    /// older. One that was written to after its compressed form is being unpacked from it, or was, and
    /// not to its end; then their bytes are compared, as far as they are the same.
    ///
    /// Whoever unpacks a file gives it the time of the compressed one in the end (as `gunzip` and
    /// `zstd` do), so that they are compared once and not each time.
    pub(crate) fn of(plain: &Path, compressed: &Path) -> Self {
        let (Ok(whole), Ok(packed)) = (plain.metadata(), compressed.metadata()) else {
            return Self::Same;
        };
        if whole.len() == 0 {
            return Self::Other;
        }
        let later = match (whole.modified(), packed.modified()) {
            (Ok(one), Ok(other)) => one > other,
            // Nobody knows.
            _ => true,
        };
        match later {
            true => Self::compared(plain, compressed),
            false => Self::Same,
        }
    }

    fn compared(plain: &Path, compressed: &Path) -> Self {
        let (Ok(mut one), Ok(mut other)) = (Frames::open(plain), Frames::open(compressed)) else {
            return Self::Same;
        };
        let (mut ours, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            let Some(ours) = filled(&mut one, plain, &mut ours) else {
                return Self::Same;
            };
            // Behind what is broken nobody knows where what follows would stand.
            let theirs = filled(&mut other, compressed, &mut theirs).unwrap_or_default();
            let shorter = ours.len().min(theirs.len());
            if ours[..shorter] != theirs[..shorter] {
                return Self::Other;
            }
            if theirs.len() > ours.len() {
                return Self::More;
            }
            if ours.len() < CHUNK || theirs.len() < ours.len() {
                return Self::Same;
            }
        }
    }
}

/// Fills a buffer, less at the end; `None` if the file cannot be read further.
fn filled<'a>(frames: &mut Frames, path: &Path, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut length = 0;
    while length < buffer.len() {
        match frames.read(&mut buffer[length..], path) {
            Ok(0) => break,
            Ok(read) => length += read,
            // What was given before the broken part is right.
            Err(_) if length > 0 => break,
            Err(_) => return None,
        }
    }
    Some(&buffer[..length])
}

const CHUNK: usize = 128 << 10;
