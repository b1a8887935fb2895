//! One file that may still grow: gives its whole lines, and keeps what has no end yet.

mod compare;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::blocks::{Blocks, Next};
use crate::frames::Frames;
use crate::half::is_half;
use crate::identity::{Stamp, beginning_of, name};
use crate::place::{Beginning, Place, Reach, WINDOW, sum, window};
use crate::trouble::{Kind, Trouble};
use crate::{Report, Search};

/// A file that is followed.
pub(crate) struct Tail {
    pub(crate) id: u64,
    path: PathBuf,
    /// The first bytes, as far as they are known, up to [`WINDOW`].
    beginning: Vec<u8>,
    frames: Frames,
    blocks: Blocks,
    /// Bytes that were read, after decompression.
    read: u64,
    /// Of these, bytes of whole lines, which were judged.
    whole: u64,
    /// The bytes before the block that is given.
    behind: Vec<u8>,
    /// Where that block begins, and how many bytes at its end are not in the file.
    block: u64,
    added: usize,
    /// The sum of the bytes before `whole`.
    ends: u64,
    /// What the system said of the file when its bytes were last compared.
    compared: Option<Stamp>,
    /// How many times in a row there was nothing new.
    quiet: u32,
    /// Whether it was let go.
    pub(crate) ended: bool,
}

/// A line that was found.
pub(crate) struct Line {
    pub(crate) tail: u64,
    /// Where it begins in its file, decompressed.
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) path: PathBuf,
    pub(crate) verdict: Verdict,
}

impl Tail {
    /// Opens a file at its beginning.
    pub(crate) fn open(id: u64, path: &Path) -> Result<Self, Trouble> {
        Ok(Self {
            id,
            path: path.to_owned(),
            beginning: beginning_of(path),
            frames: Frames::open(path)?,
            blocks: Blocks::new(),
            read: 0,
            whole: 0,
            behind: Vec::new(),
            block: 0,
            added: 0,
            ends: sum(&[]),
            compared: None,
            quiet: 0,
            ended: false,
        })
    }

    /// Opens a file behind a place that is in it; `None` if the place is there no more.
    pub(crate) fn open_behind(
        id: u64,
        path: &Path,
        place: &Place,
    ) -> Result<Option<Self>, Trouble> {
        let mut tail = Self::open(id, path)?;
        let stands = match place.reach {
            Reach::At { at, ends } => tail.stand_at(at) && tail.ends == ends,
            Reach::Whole => false,
        };
        Ok(stands.then_some(tail))
    }

    /// The place in the file system of what was opened.
    pub(crate) fn node(&self) -> Option<(u64, u64)> {
        self.frames.stamp().and_then(|stamp| stamp.node)
    }

    /// How far the file was read, up to the first line that waits to be given, if one does.
    pub(crate) fn place(&self, waiting: Option<u64>) -> Place {
        let (at, ends) = match waiting {
            Some(start) => {
                let before = &self.given()[..(start - self.block) as usize];
                (start, sum(&window(&self.behind, before)))
            }
            None => (self.whole, self.ends),
        };
        Place {
            node: self.node(),
            name: name(&self.path),
            begins: Beginning::of(&self.beginning),
            reach: Reach::At { at, ends },
            done: self.ended && waiting.is_none(),
        }
    }

    /// Reads once and gives the whole lines; `false` if there was nothing to read.
    pub(crate) fn read(
        &mut self,
        search: &Search,
        lines: &mut VecDeque<Line>,
        report: &mut Report,
    ) -> Result<bool, Trouble> {
        if self.ended {
            return Ok(false);
        }
        // A line too long may have left others behind it.
        if self.judge(false, search, lines, report)? {
            return Ok(true);
        }
        self.keep_behind();
        let read = match self.frames.read(self.blocks.room(), &self.path) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(trouble) => {
                if trouble.is_broken_frame() && !self.frames.ends_line() {
                    self.blocks.room()[0] = b'\n';
                    self.blocks.fill(1);
                    self.judge(false, search, lines, report)?;
                    // The end that the line was given is not in the file.
                    self.added = 1;
                    self.stand_behind(self.read);
                }
                return Err(trouble);
            }
        };
        self.quiet = 0;
        self.learn(read);
        self.blocks.fill(read);
        self.read += read as u64;
        report.bytes += read as u64;
        self.judge(false, search, lines, report)?;
        Ok(true)
    }

    /// Gives the last line, which never got an end, and lets go of the file.
    pub(crate) fn end(&mut self, search: &Search, lines: &mut VecDeque<Line>, report: &mut Report) {
        // A line too long has been told before its end or is told no more.
        let _ = self.judge(true, search, lines, report);
        self.ended = true;
    }

    /// Judges the whole lines that were read; `false` if there were none.
    fn judge(
        &mut self,
        ended: bool,
        search: &Search,
        lines: &mut VecDeque<Line>,
        report: &mut Report,
    ) -> Result<bool, Trouble> {
        self.keep_behind();
        let length = match self.blocks.next(ended) {
            Next::More => return Ok(false),
            Next::Long(bytes) => {
                report.lines += 1;
                self.stand_behind(self.whole + bytes);
                return Err(Trouble::new(&self.path, Kind::LongLine { bytes }, None));
            }
            Next::Torn(length) => {
                report.torn += u64::from(is_half(self.blocks.given()));
                report.lines += 1;
                length
            }
            Next::Lines(length) => {
                report.lines += memchr::memchr_iter(b'\n', self.blocks.given()).count() as u64;
                length
            }
        };
        let block = self.blocks.given();
        let mut hits = Vec::new();
        let (_, text) = search.block(block, true, &mut hits);
        report.text += text;
        report.found += hits.len() as u64;
        lines.extend(hits.iter().map(|hit| Line {
            tail: self.id,
            start: self.whole + hit.start as u64,
            bytes: block[hit.start..hit.end].to_vec(),
            path: self.path.clone(),
            verdict: hit.verdict,
        }));
        self.block = self.whole;
        self.stand_behind(self.whole + length as u64);
        Ok(true)
    }

    /// All before this place is done with; the last of it is given.
    fn stand_behind(&mut self, whole: u64) {
        self.whole = whole;
        self.ends = sum(&window(&self.behind, self.given()));
    }

    /// Keeps the last of what is given, before it makes room.
    fn keep_behind(&mut self) {
        self.behind = window(&self.behind, self.given());
        self.added = 0;
        self.blocks.let_go();
    }

    /// What is given, as it is in the file.
    fn given(&self) -> &[u8] {
        let given = self.blocks.given();
        &given[..given.len() - self.added]
    }

    /// Learns more of how the file begins from what was just read to the room.
    fn learn(&mut self, read: usize) {
        let known = self.beginning.len() as u64;
        if known < WINDOW as u64 && self.read <= known && known < self.read + read as u64 {
            let new = &self.blocks.room()[(known - self.read) as usize..read];
            let room = WINDOW - self.beginning.len();
            self.beginning
                .extend_from_slice(&new[..room.min(new.len())]);
        }
    }

    /// Learns how the file begins from the file at a path, which is this one.
    pub(crate) fn learn_from(&mut self, path: &Path) {
        if self.beginning.len() < WINDOW {
            let beginning = beginning_of(path);
            if beginning.starts_with(&self.beginning) {
                self.beginning = beginning;
            }
        }
    }

    /// Goes on at the same place of a copy of the file; `false` if it cannot be read there.
    pub(crate) fn go_on_in(&mut self, path: &Path) -> bool {
        let Ok(frames) = Frames::open(path) else {
            return false;
        };
        self.frames = frames;
        self.path = path.to_owned();
        self.quiet = 0;
        self.frames.go_to(self.read, path)
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
