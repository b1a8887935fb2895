//! One file that may still grow: gives its whole lines, and keeps what has no end yet.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::blocks::{Blocks, Next};
use crate::frames::Frames;
use crate::identity::{Identity, beginning_of, node};
use crate::trouble::{Kind, Trouble};
use crate::{Report, Search};

/// A file that is followed.
pub(crate) struct Tail {
    path: PathBuf,
    pub(crate) identity: Identity,
    frames: Frames,
    blocks: Blocks,
    /// Bytes that were read, after decompression.
    read: u64,
    /// The file's size when it was last looked at.
    size: u64,
    /// How many times in a row there was nothing new.
    quiet: u32,
}

/// A line that was found.
pub(crate) struct Line {
    pub(crate) bytes: Vec<u8>,
    pub(crate) path: PathBuf,
    pub(crate) verdict: Verdict,
}

impl Tail {
    pub(crate) fn open(path: &Path, identity: Identity) -> Result<Self, Trouble> {
        Ok(Self {
            path: path.to_owned(),
            identity,
            frames: Frames::open(path)?,
            blocks: Blocks::new(),
            read: 0,
            size: 0,
            quiet: 0,
        })
    }

    /// Whether what was opened is still what was meant.
    pub(crate) fn is(&self, identity: &Identity) -> bool {
        let opened = self.frames.file().and_then(|file| file.metadata().ok());
        opened.as_ref().and_then(node) == identity.node
    }

    /// Goes to behind the last whole line that is there now.
    pub(crate) fn pass_whole_lines(&mut self) {
        let length = self
            .frames
            .file()
            .and_then(|file| file.metadata().ok())
            .map_or(0, |metadata| metadata.len());
        let from = length.saturating_sub(LAST);
        if !self.frames.skip(from, &self.path) {
            return;
        }
        let mut last = Vec::new();
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = self.frames.read(&mut buffer, &self.path) {
            last.extend_from_slice(&buffer[..read]);
        }
        let whole = memchr::memrchr(b'\n', &last).map_or(0, |at| at as u64 + 1);
        // Of a longer half line than that the end will come alone.
        self.read = if whole == 0 && from > 0 {
            from + last.len() as u64
        } else {
            from + whole
        };
        self.frames.skip(self.read, &self.path);
    }

    /// Reads once and gives the whole lines; `false` if there was nothing to read.
    pub(crate) fn read(
        &mut self,
        search: &Search,
        lines: &mut VecDeque<Line>,
        report: &mut Report,
    ) -> Result<bool, Trouble> {
        let read = match self.frames.read(self.blocks.room(), &self.path) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(trouble) => {
                if trouble.is_broken_frame() && !self.frames.ends_line() {
                    self.blocks.room()[0] = b'\n';
                    self.blocks.fill(1);
                }
                return Err(trouble);
            }
        };
        self.quiet = 0;
        let before = self.read;
        self.learn(before, read);
        self.blocks.fill(read);
        self.read += read as u64;
        report.bytes += read as u64;
        self.judge(false, search, lines, report)?;
        Ok(true)
    }

    /// Gives the last line, which never got an end.
    pub(crate) fn end(&mut self, search: &Search, lines: &mut VecDeque<Line>, report: &mut Report) {
        // A line too long has been told before its end or is told no more.
        let _ = self.judge(true, search, lines, report);
    }

    fn judge(
        &mut self,
        ended: bool,
        search: &Search,
        lines: &mut VecDeque<Line>,
        report: &mut Report,
    ) -> Result<(), Trouble> {
        loop {
            match self.blocks.next(ended) {
                Next::More => return Ok(()),
                Next::Long(bytes) => {
                    report.lines += 1;
                    return Err(Trouble::new(&self.path, Kind::LongLine { bytes }, None));
                }
                Next::Torn(_) => {
                    report.torn += 1;
                    report.lines += 1;
                }
                Next::Lines(_) => {
                    report.lines += memchr::memchr_iter(b'\n', self.blocks.given()).count() as u64
                }
            }
            let block = self.blocks.given();
            let mut hits = Vec::new();
            let (_, text) = search.block(block, true, &mut hits);
            report.text += text;
            report.found += hits.len() as u64;
            lines.extend(hits.iter().map(|hit| Line {
                bytes: block[hit.start..hit.end].to_vec(),
                path: self.path.clone(),
                verdict: hit.verdict,
            }));
        }
    }

    /// Learns more of how the file begins from what was just read to the room, `before` bytes behind
    /// its beginning.
    fn learn(&mut self, before: u64, read: usize) {
        let known = self.identity.beginning.len() as u64;
        if before <= known && known < before + read as u64 {
            let new = &self.blocks.room()[(known - before) as usize..read];
            self.identity.learn(new);
        }
    }

    /// Learns how the file begins from the file at a path, which is this one.
    pub(crate) fn learn_from(&mut self, path: &Path) {
        let beginning = beginning_of(path);
        if beginning.starts_with(&self.identity.beginning) {
            self.identity.beginning = beginning;
        }
    }

    /// Whether the file, which is the one at the path, is shorter than what was read of it, or begins
    /// otherwise: it was emptied, and perhaps written again.
    pub(crate) fn was_truncated(&mut self, path: &Path) -> bool {
        let Some(metadata) = self.frames.file().and_then(|file| file.metadata().ok()) else {
            return false;
        };
        if metadata.len() < self.read {
            return true;
        }
        // Looked at only when something changed: a quiet file costs one question to the system.
        let changed = std::mem::replace(&mut self.size, metadata.len()) != metadata.len();
        changed && !beginning_of(path).starts_with(&self.identity.beginning)
    }

    /// Goes on at the same place of a copy of the file; `false` if it cannot be read there.
    pub(crate) fn go_on_in(&mut self, path: &Path, identity: Identity) -> bool {
        let Ok(frames) = Frames::open(path) else {
            return false;
        };
        self.frames = frames;
        self.path = path.to_owned();
        self.identity = identity;
        self.quiet = 0;
        self.frames.skip(self.read, path)
    }

    /// Nothing was new when the caller asked.
    pub(crate) fn rest(&mut self) {
        self.quiet += 1;
    }

    /// Whether nothing was written for so long that its writer must have let go of it.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet >= QUIET
    }
}

/// How far back a half line's beginning is looked for.
const LAST: u64 = 1 << 20;

/// Asked every tenth of a second, a rolled file is let go six seconds after its last line.
const QUIET: u32 = 64;
