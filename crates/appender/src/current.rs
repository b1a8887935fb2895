//! The open file, and what is known of its end: a line half written, bytes still owed to it.

use std::{io, mem::take};

use jiff::Timestamp;

use crate::{
    Gap,
    disk::{Facts, Open},
    ring::Mark,
    roll::first_line,
};

/// A line that a failure cut in two: what was written of it, and what was not.
pub(crate) struct HalfLine {
    pub(crate) half: Vec<u8>,
    pub(crate) rest: Vec<u8>,
}

/// What becomes of the last line of a file that is left.
#[derive(Default)]
pub(crate) struct Left {
    /// The line is in that file, and this end of it begins no other.
    pub(crate) ended: Vec<u8>,
    /// The file did not take it whole.
    pub(crate) cut: Option<HalfLine>,
    /// A half line stays in that file.
    pub(crate) torn: bool,
    /// Not told of after all.
    pub(crate) untold: Option<Gap>,
}

pub(crate) struct Current {
    pub(crate) handle: Box<dyn Open>,
    /// When its first line was written, as far as known.
    pub(crate) begun: Timestamp,
    id: Option<(u64, u64)>,
    length: u64,
    /// The header's length; a file that holds no more than that is empty.
    header: u64,
    within_line: bool,
    /// What that line still lacks, if the disk took only part of it.
    rest: Vec<u8>,
    /// What the disk took of that line.
    half: Vec<u8>,
    /// Bytes of our own that come before the next line: a header, a closing newline.
    owed: Vec<u8>,
    /// What the line tells of that is owed.
    telling: Option<Gap>,
}

impl Current {
    pub(crate) fn new(handle: Box<dyn Open>, facts: Facts, begun: Timestamp, torn: bool) -> Self {
        Self {
            handle,
            begun,
            id: facts.id,
            length: facts.length,
            header: 0,
            within_line: false,
            rest: Vec::new(),
            half: Vec::new(),
            owed: if torn { b"\n".to_vec() } else { Vec::new() },
            telling: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length <= self.header
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn within_line(&self) -> bool {
        self.within_line
    }

    pub(crate) fn wants_header(&self) -> bool {
        self.length == 0 && self.owed.is_empty()
    }

    pub(crate) fn begin_with(&mut self, header: Vec<u8>) {
        self.header = header.len() as u64;
        self.owed = header;
    }

    pub(crate) fn is_same(&self, facts: &Facts) -> bool {
        self.id == facts.id
    }

    /// Somebody else may have appended to the file, or cut it (logrotate's `copytruncate`): then true.
    pub(crate) fn trust(&mut self, facts: &Facts) -> bool {
        let was_cut = facts.length < self.length;
        self.length = facts.length;
        was_cut
    }

    /// Writes what is owed.
    pub(crate) fn pay(&mut self) -> io::Result<()> {
        while !self.owed.is_empty() {
            let written = put(&mut *self.handle, &self.owed)?;
            self.length += written as u64;
            self.owed.drain(..written);
        }
        self.telling = None;
        Ok(())
    }

    /// Says where the next write begins. Asked anew each time: somebody else may have appended.
    pub(crate) fn mark(&mut self, mark: &dyn Mark) -> io::Result<()> {
        let facts = self.handle.facts()?;
        if let Some(file) = facts.id {
            mark.begin(file, facts.length)?;
        }
        Ok(())
    }

    /// Writes once, up to `length` bytes of `lines`, and remembers where it stopped.
    pub(crate) fn write(&mut self, lines: &[u8], length: usize) -> io::Result<usize> {
        let written = put(&mut *self.handle, &lines[..length])?;
        self.length += written as u64;
        let (taken, rest) = lines.split_at(written);
        self.rest.clear();
        self.within_line = taken[written - 1] != b'\n';
        if self.within_line {
            self.rest.extend_from_slice(&rest[..first_line(rest)]);
            let begun = memchr::memrchr(b'\n', taken).map(|border| border + 1);
            if begun.is_some() {
                self.half.clear();
            }
            self.half.extend_from_slice(&taken[begun.unwrap_or(0)..]);
        } else {
            self.half.clear();
        }
        Ok(written)
    }

    /// True if a line was half written and `lines` are not its rest: the caller gave it up after an
    /// error. Its half is closed by a newline, so that the next line is not glued to it.
    pub(crate) fn gives_up(&mut self, lines: &[u8]) -> bool {
        let gave_up = !self.rest.is_empty() && !lines.starts_with(&self.rest);
        if gave_up {
            self.abandon_line();
        }
        gave_up
    }

    pub(crate) fn lacks_end(&self) -> bool {
        self.rest == b"\n"
    }

    /// Closes a line that is half written, and returns it: it goes elsewhere, whole.
    pub(crate) fn abandon_line(&mut self) -> Option<HalfLine> {
        let (half, rest) = (take(&mut self.half), take(&mut self.rest));
        if !take(&mut self.within_line) {
            return None;
        }
        self.owed = b"\n".to_vec();
        Some(HalfLine { half, rest })
    }

    /// Writes the first part of such a line; its rest is the caller's. What is written of it when
    /// that fails is closed.
    pub(crate) fn resume_line(&mut self, line: &HalfLine) -> io::Result<()> {
        let mut at = 0;
        while at < line.half.len() {
            match put(&mut *self.handle, &line.half[at..]) {
                Ok(more) => (at, self.length) = (at + more, self.length + more as u64),
                Err(error) => {
                    self.owed.extend((at > 0).then_some(b'\n'));
                    return Err(error);
                }
            }
        }
        self.half.clone_from(&line.half);
        self.rest.clone_from(&line.rest);
        self.within_line = true;
        Ok(())
    }

    pub(crate) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Writes the line that tells of a gap before the next one; an error leaves everything as it was.
    pub(crate) fn insert(&mut self, line: Vec<u8>, gap: Gap) -> io::Result<()> {
        if !line.is_empty() {
            let written = put(&mut *self.handle, &line)?;
            self.length += written as u64;
            self.owed.extend_from_slice(&line[written..]);
            self.telling = Some(gap);
        }
        Ok(())
    }

    /// Ends what is half written, as far as the disk takes it: nothing is written to this file again.
    pub(crate) fn leave(&mut self) -> Left {
        let Some(line) = self.abandon_line() else {
            // No header for a file that has no line.
            let unpaid = self.length > 0 && self.pay().is_err();
            return Left {
                torn: unpaid && self.owed != b"\n",
                untold: self.telling.take(),
                ..Left::default()
            };
        };
        self.owed.clone_from(&line.rest);
        let torn = self.pay().is_err();
        // A line that lacks nothing but its end is in the file, and would be there twice.
        if self.owed.is_empty() || self.owed == b"\n" {
            let ended = line.rest;
            return Left {
                ended,
                torn,
                ..Left::default()
            };
        }
        self.owed = b"\n".to_vec();
        // If it is not taken either, the half line ends the file; it is counted in both cases.
        let _ = self.pay();
        Left {
            cut: Some(line),
            torn,
            ..Left::default()
        }
    }
}

/// One write that takes at least one byte.
fn put(handle: &mut dyn Open, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match handle.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => return Ok(written.min(bytes.len())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
