//! Counts what was read, what was found, and what could not be read.

use crate::trouble::{Kind, Trouble};

/// What a reading has seen so far. Nothing is left out silently: each loss has its number here, and
/// its [`Trouble`](crate::Trouble) in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Files that were opened.
    pub files: u64,
    /// Bytes that were read, after decompression.
    pub bytes: u64,
    /// Lines that were read, whether or not they had to be looked at.
    pub lines: u64,
    /// Lines that were not read, because an [`Index`](crate::Index) says that none of them matches.
    pub skipped: u64,
    /// Lines that the query holds for.
    pub found: u64,
    /// Lines that were looked at and are no JSON; lines that cannot match are not looked at.
    pub text: u64,
    /// Files that end within a line of JSON, be it that it is being written. A line that only has no
    /// line end is whole.
    pub torn: u64,
    /// Lines longer than [`MAX_LINE`](crate::MAX_LINE), left out.
    pub long: u64,
    /// Frames of compressed files that are broken.
    pub broken: u64,
    /// Files that were listed and were gone when their turn came.
    pub vanished: u64,
    /// Files that are gone, and that a cursor had not finished.
    pub unfinished: u64,
    /// Files that could not be read to their end.
    pub unreadable: u64,
    /// Indexes that could not be used; their files were read whole.
    pub unfit: u64,
}

impl Report {
    pub(crate) fn count(&mut self, trouble: &Trouble) {
        let number = match trouble.kind() {
            Kind::Vanished => &mut self.vanished,
            Kind::Unreadable | Kind::Unsupported(_) => &mut self.unreadable,
            Kind::BrokenFrame { .. } => &mut self.broken,
            Kind::Unfinished { .. } => &mut self.unfinished,
            Kind::Torn => &mut self.torn,
            Kind::LongLine { .. } => &mut self.long,
            Kind::Index(_) => &mut self.unfit,
        };
        *number += 1;
    }

    /// What came since an earlier report of the same reading.
    pub(crate) fn since(&self, earlier: &Report) -> Report {
        Report {
            files: self.files - earlier.files,
            bytes: self.bytes - earlier.bytes,
            lines: self.lines - earlier.lines,
            skipped: self.skipped - earlier.skipped,
            found: self.found - earlier.found,
            text: self.text - earlier.text,
            torn: self.torn - earlier.torn,
            long: self.long - earlier.long,
            broken: self.broken - earlier.broken,
            vanished: self.vanished - earlier.vanished,
            unreadable: self.unreadable - earlier.unreadable,
            unfit: self.unfit - earlier.unfit,
            unfinished: self.unfinished - earlier.unfinished,
        }
    }

    /// Adds another reading's numbers.
    pub fn add(&mut self, other: &Report) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.skipped += other.skipped;
        self.found += other.found;
        self.text += other.text;
        self.torn += other.torn;
        self.long += other.long;
        self.broken += other.broken;
        self.vanished += other.vanished;
        self.unfinished += other.unfinished;
        self.unreadable += other.unreadable;
        self.unfit += other.unfit;
    }
}
