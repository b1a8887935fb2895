//! Tells whether a followed file is still what was read of it, and finds a place in it again.

use std::path::Path;

use super::{LAST, Tail};
use crate::frames::Frames;
use crate::identity::{Present, Stamp, beginning_of, read_up_to};
use crate::place::{WINDOW, sum, window};

impl Tail {
    /// Goes to behind the last whole line that is there now.
    pub(crate) fn pass_whole_lines(&mut self) {
        let length = self.frames.file().and(self.frames.stamp());
        let from = length.map_or(0, |stamp| stamp.size.saturating_sub(LAST));
        if !self.frames.go_to(from, &self.path) {
            return;
        }
        let (mut at, mut whole) = (from, None);
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = self.frames.read(&mut buffer, &self.path) {
            if let Some(end) = memchr::memrchr(b'\n', &buffer[..read]) {
                whole = Some(at + end as u64 + 1);
            }
            at += read as u64;
        }
        // Of a longer half line than that the end will come alone.
        let behind = whole.unwrap_or(if from > 0 { at } else { 0 });
        self.stand_at(behind);
    }

    /// Opens the file anew and goes to a place in it; whether it is there.
    pub(super) fn stand_at(&mut self, at: u64) -> bool {
        let Ok(frames) = Frames::open(&self.path) else {
            return false;
        };
        if frames.stamp().map(|stamp| stamp.node) != self.frames.stamp().map(|stamp| stamp.node) {
            return false;
        }
        self.frames = frames;
        let before = at.min(WINDOW as u64);
        if !self.frames.go_to(at - before, &self.path) {
            return false;
        }
        self.behind = read_up_to(&mut self.frames, &self.path, before as usize);
        (self.read, self.whole) = (at, at);
        self.ends = sum(&self.behind);
        self.behind.len() as u64 == before
    }

    /// Whether the file at the path is this one, and not another under its name.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        match Present::at(path) {
            Some(file) if file.stamp.node.is_some() => file.stamp.node == self.node(),
            // Without a place in the file system the bytes decide.
            Some(file) => self.beginning.is_empty() || file.has(&self.place(None)).is_some(),
            None => false,
        }
    }

    /// Whether the file is shorter than what was read of it, or holds something else: it was emptied,
    /// and perhaps written again.
    pub(crate) fn was_truncated(&mut self) -> bool {
        let Some(metadata) = self.frames.file().and_then(|file| file.metadata().ok()) else {
            return false;
        };
        let stamp = Stamp::of(&metadata);
        if stamp.size < self.read {
            return true;
        }
        // A system's clock is coarse: at the end of the file the stamp alone proves nothing.
        let compared = self.compared.replace(stamp) == Some(stamp);
        if compared && stamp.size > self.read {
            return false;
        }
        // What waits for the end of its line was read as well.
        let before = window(&self.behind, self.given());
        let before = window(&before, self.blocks.unfinished());
        let (mut beginning, mut bytes) = (vec![0; self.beginning.len()], vec![0; before.len()]);
        let same = self.frames.peek(0, &mut beginning)
            && beginning == self.beginning
            && self.frames.peek(self.read - bytes.len() as u64, &mut bytes)
            && bytes == before;
        !same
    }

    /// Whether another file holds what this one does, or the first part of it: a copy.
    pub(crate) fn has_copy(&self, file: &Present) -> bool {
        let Ok(mut frames) = Frames::open(&file.path) else {
            return false;
        };
        // Looked at after the other: what only grows is no shorter than its copy.
        let Some(ours) = self.frames.file().and_then(|file| file.metadata().ok()) else {
            return false;
        };
        if ours.len() < self.read {
            // It was emptied just now: what of the copy is new is seen to next.
            return file.has(&self.place(None)).is_some();
        }
        let length = match frames.file().and(frames.stamp()) {
            Some(theirs) if theirs.size <= ours.len() => theirs.size,
            _ => return false,
        };
        let before = length.min(WINDOW as u64);
        let mut bytes = vec![0; before as usize];
        let theirs = beginning_of(&file.path);
        let shorter = theirs.len().min(self.beginning.len());
        shorter > 0
            && theirs[..shorter] == self.beginning[..shorter]
            && frames.go_to(length - before, &file.path)
            && self.frames.peek(length - before, &mut bytes)
            && read_up_to(&mut frames, &file.path, bytes.len()) == bytes
    }
}
