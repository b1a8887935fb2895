//! Reads the files of one log one after the other, and gives the lines that a query holds for.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::Report;
use crate::blocks::{Blocks, Next};
use crate::frames::Frames;
use crate::index::Plan;
use crate::search::{Hit, Search};
use crate::trouble::{Kind, Trouble};
use crate::watch::{Told, Watch};

/// A reading under way; made by [`Search::read`].
///
/// It holds one block of lines, and one open file at most.
pub struct Reading<'a> {
    search: &'a Search,
    files: VecDeque<PathBuf>,
    path: PathBuf,
    input: Input,
    /// Parts of the input that are still to be read, if not all of it is.
    parts: VecDeque<Range<u64>>,
    /// Whether all of the input is in the buffer.
    ended: bool,
    blocks: Blocks,
    hits: VecDeque<Hit>,
    /// For so many blocks the sieve is left out, because it let too much through.
    unsifted: u32,
    told: Told,
    report: Report,
}

enum Input {
    None,
    File(Box<Frames>),
    Stream(Box<dyn Read>),
}

/// A line that was found, for as long as the reading stands still.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) path: &'a Path,
    pub(crate) verdict: Verdict,
}

impl<'a> Found<'a> {
    /// The line without its end; what is not UTF-8 in it is replaced by `\u{fffd}`.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }

    /// The line as it stands in the file, without its end.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file, as it was listed; empty for a stream.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        self.verdict == Verdict::Holds
    }
}

impl<'a> Reading<'a> {
    pub(crate) fn of_files(search: &'a Search, files: Vec<PathBuf>) -> Self {
        Self {
            search,
            files: files.into(),
            path: PathBuf::new(),
            input: Input::None,
            parts: VecDeque::new(),
            ended: true,
            blocks: Blocks::new(),
            hits: VecDeque::new(),
            unsifted: 0,
            told: Told::default(),
            report: Report::default(),
        }
    }

    pub(crate) fn of_stream(search: &'a Search, stream: Box<dyn Read>) -> Self {
        let mut reading = Self::of_files(search, Vec::new());
        reading.input = Input::Stream(stream);
        reading.ended = false;
        reading
    }

    /// The next line that the query holds for, or what could not be read on the way to it; `None`
    /// at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "the line is borrowed from the reading, which no iterator can lend"
    )]
    pub fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        while self.hits.is_empty() {
            if self.search.watch.as_ref().is_some_and(Watch::is_stopped) {
                return None;
            }
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(trouble) => {
                    self.report.count(&trouble);
                    return Some(Err(trouble));
                }
            }
        }
        let hit = self.hits.pop_front()?;
        Some(Ok(Found {
            bytes: &self.blocks.given()[hit.start..hit.end],
            path: &self.path,
            verdict: hit.verdict,
        }))
    }

    /// What was read so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// One step: judges a block, or reads, or opens the next file. `false` at the very end.
    fn advance(&mut self) -> Result<bool, Trouble> {
        match self.blocks.next(self.ended) {
            Next::Lines(_) => self.judge(),
            Next::Torn(_) => {
                self.report.torn += 1;
                self.report.lines += 1;
                self.judge();
            }
            Next::Long(bytes) => {
                self.report.lines += 1;
                return Err(Trouble::new(&self.path, Kind::LongLine { bytes }, None));
            }
            Next::More if !self.ended => self.fill()?,
            Next::More => return self.open(),
        }
        Ok(true)
    }

    fn judge(&mut self) {
        let block = self.blocks.given();
        let lines = memchr::memchr_iter(b'\n', block).count() as u64;
        let mut hits = Vec::new();
        let (seen, text) = self.search.block(block, self.unsifted == 0, &mut hits);
        if self.unsifted > 0 {
            self.unsifted -= 1;
        } else if seen * 2 > lines {
            self.unsifted = UNSIFTED;
        }
        self.report.lines += lines;
        self.report.text += text;
        self.report.found += hits.len() as u64;
        self.hits.extend(hits);
    }

    fn fill(&mut self) -> Result<(), Trouble> {
        let room = self.blocks.room();
        let read = match &mut self.input {
            Input::None => Ok(0),
            Input::File(frames) => frames.read(room, &self.path),
            Input::Stream(stream) => read_on(stream, room)
                .map_err(|error| Trouble::new(&self.path, Kind::Unreadable, Some(error))),
        };
        match read {
            Ok(0) => self.end_part()?,
            Ok(read) => {
                self.blocks.fill(read);
                self.report.bytes += read as u64;
                if let (Some(watch), Input::File(frames)) = (&self.search.watch, &self.input) {
                    self.told.at(watch, frames.position());
                }
            }
            Err(trouble) => {
                self.pass(&trouble);
                return Err(trouble);
            }
        }
        Ok(())
    }

    /// Goes on with the next part of the input, if there is one.
    fn end_part(&mut self) -> Result<(), Trouble> {
        match (&mut self.input, self.parts.pop_front()) {
            (Input::File(frames), Some(part)) => {
                let gone = frames.within(part, &self.path);
                self.ended = gone.is_err();
                gone
            }
            _ => {
                self.ended = true;
                Ok(())
            }
        }
    }

    /// Behind a broken frame a line begins; behind anything worse there is nothing.
    fn pass(&mut self, trouble: &Trouble) {
        match &mut self.input {
            Input::File(frames) if trouble.is_broken_frame() => {
                if !frames.ends_line() {
                    self.blocks.room()[0] = b'\n';
                    self.blocks.fill(1);
                }
            }
            _ => self.ended = true,
        }
    }

    /// Opens the next file; `false` if there is none.
    fn open(&mut self) -> Result<bool, Trouble> {
        self.input = Input::None;
        self.parts.clear();
        let next = self.files.pop_front();
        if let Some(watch) = &self.search.watch {
            let size = next.as_ref().and_then(|path| path.metadata().ok());
            self.told.next(watch, size.map_or(0, |size| size.len()));
        }
        let Some(path) = next else {
            return Ok(false);
        };
        let opened = open(&path);
        self.path = path;
        let (mut frames, path) = opened?;
        self.report.files += 1;
        let mut unfit = None;
        match self.search.plan(&path, &mut frames)? {
            Plan::All(trouble) => unfit = trouble,
            Plan::Parts { ranges, skipped } => {
                self.report.skipped += skipped;
                self.parts = ranges.into();
                let Some(part) = self.parts.pop_front() else {
                    return Ok(true);
                };
                frames.within(part, &path)?;
            }
        }
        self.input = Input::File(Box::new(frames));
        self.ended = false;
        unfit.map_or(Ok(true), Err)
    }
}

/// Opens a file, under the name that it has now: it may have been compressed since it was listed.
fn open(path: &Path) -> Result<(Frames, PathBuf), Trouble> {
    let trouble = match Frames::open(path) {
        Ok(frames) => return Ok((frames, path.to_owned())),
        Err(trouble) => trouble,
    };
    let later = ["gz", "zst"].map(|end| {
        let mut later = path.to_owned().into_os_string();
        later.push(".");
        later.push(end);
        PathBuf::from(later)
    });
    let found = later
        .into_iter()
        .filter(|_| trouble.is_vanished())
        .find_map(|later| Some((Frames::open(&later).ok()?, later)));
    found.ok_or(trouble)
}

fn read_on(stream: &mut dyn Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Then it is tried again: what is logged changes over a day.
const UNSIFTED: u32 = 32;
