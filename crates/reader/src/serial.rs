//! Reads files one after the other, block by block.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;

use crate::ahead::Parts;
use crate::around::Around;
use crate::blocks::{Blocks, Next};
use crate::frames::Frames;
use crate::half::is_half;
use crate::index::{Plan, looks};
use crate::opened::open;
use crate::search::{Hit, Place, Search};
use crate::stream::Stream;
use crate::trouble::{Kind, Trouble};
use crate::watch::Told;
use crate::{Found, Report};

/// A reading that does its own work. It holds one block of lines, and one open file at most.
pub(crate) struct Serial<'a> {
    search: &'a Search,
    files: VecDeque<PathBuf>,
    path: PathBuf,
    input: Input,
    /// Parts of the input that are still to be read, if not all of it is.
    parts: VecDeque<Range<u64>>,
    /// Parts that others have chosen.
    given: Option<Parts>,
    /// What the file looks like of which the parts are.
    looks: Option<(u64, i64)>,
    /// Whether all of the input is in the buffer.
    ended: bool,
    /// Whether the input ended within a line, which is still to be told.
    torn: bool,
    blocks: Blocks,
    hits: VecDeque<Hit>,
    around: Option<Around>,
    /// For so many blocks the sieve is left out, because it let too much through.
    unsifted: u32,
    told: Told,
    report: Report,
}

enum Input {
    None,
    File(Box<Frames>),
    Stream(Stream),
}

impl<'a> Serial<'a> {
    pub(crate) fn of_files(search: &'a Search, files: Vec<PathBuf>) -> Self {
        Self {
            search,
            files: files.into(),
            path: PathBuf::new(),
            input: Input::None,
            parts: VecDeque::new(),
            given: None,
            looks: None,
            ended: true,
            torn: false,
            blocks: Blocks::new(),
            hits: VecDeque::new(),
            around: search.surroundings(),
            unsifted: 0,
            told: Told::default(),
            report: Report::default(),
        }
    }

    pub(crate) fn of_stream(search: &'a Search, stream: Box<dyn Read>) -> Self {
        let mut reading = Self::of_files(search, Vec::new());
        reading.input = Input::Stream(Stream::New(stream));
        reading.ended = false;
        reading
    }

    /// Some parts of a file, if it is still the one of which they are parts.
    pub(crate) fn of_parts(search: &'a Search, path: PathBuf, parts: Parts) -> Self {
        let mut serial = Self::of_files(search, vec![path]);
        serial.given = Some(parts);
        serial
    }

    pub(crate) fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        while self.hits.is_empty() {
            if self.search.is_stopped() {
                return None;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(trouble) => return Some(Err(trouble)),
            }
        }
        self.found().map(Ok)
    }

    /// A line that was found in the block at which the reading stands.
    pub(crate) fn found(&mut self) -> Option<Found<'_>> {
        let hit = self.hits.pop_front()?;
        let (bytes, path) = match (&mut self.around, hit.place) {
            (Some(around), Place::Kept) => around.kept(),
            _ => (&self.blocks.given()[hit.start..hit.end], &*self.path),
        };
        Some(Found::of(hit, bytes, path))
    }

    /// Reads on; `false` at the very end. What was found so far must have been taken.
    pub(crate) fn step(&mut self) -> Result<bool, Trouble> {
        self.advance()
            .inspect_err(|trouble| self.report.count(trouble))
    }

    /// What was read so far.
    pub(crate) fn report(&self) -> &Report {
        &self.report
    }

    /// Leaves all parts of the file but the one that it stands in to others.
    pub(crate) fn rest_of_parts(&mut self) -> Vec<Parts> {
        let Some(looks) = self.looks else {
            return Vec::new();
        };
        let alone = |range| Parts {
            ranges: [range].into(),
            looks,
        };
        self.parts.drain(..).map(alone).collect()
    }

    /// Judges a block, or reads, or opens the next file.
    fn advance(&mut self) -> Result<bool, Trouble> {
        if std::mem::take(&mut self.torn) {
            return Err(Trouble::new(&self.path, Kind::Torn, None));
        }
        match self.blocks.next(self.ended) {
            Next::Lines(_) => self.judge(),
            Next::Torn(_) => {
                self.report.lines += 1;
                self.judge();
                self.torn = is_half(self.blocks.given());
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
        if let Some(around) = &mut self.around {
            hits = around.block(block, &self.path, &hits);
        }
        self.hits.extend(hits);
    }

    fn fill(&mut self) -> Result<(), Trouble> {
        let room = self.blocks.room();
        let read = match &mut self.input {
            Input::None => Ok(0),
            Input::File(frames) => frames.read(room, &self.path),
            Input::Stream(stream) => stream.read(room, &self.path),
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
                if let Some(around) = self.around.as_mut().filter(|_| frames.end() != part.start) {
                    around.leap();
                }
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
        self.looks = None;
        let next = self.files.pop_front();
        if let Some(watch) = &self.search.watch {
            // Whoever has the first part of a file tells of all of it.
            let whole = next.as_ref().filter(|_| self.given.is_none());
            let size = whole.and_then(|path| path.metadata().ok());
            self.told.next(watch, size.map_or(0, |size| size.len()));
        }
        let Some(path) = next else {
            return Ok(false);
        };
        self.path.clone_from(&path);
        if let Some(stream) = Stream::open(&path)? {
            self.report.files += 1;
            self.input = Input::Stream(stream);
            self.ended = false;
            return Ok(true);
        }
        let (mut frames, path) = open(&path)?;
        let looked = frames.stored().and_then(|file| looks(file).ok());
        if let Some(given) = self.given.take() {
            if looked != Some(given.looks) {
                return Err(Trouble::new(&path, Kind::Vanished, None));
            }
            self.parts = given.ranges;
        } else {
            self.report.files += 1;
        }
        let mut unfit = None;
        if self.parts.is_empty() {
            match self.search.plan(&path, &mut frames)? {
                Plan::All(trouble) => unfit = trouble,
                Plan::Parts { ranges, skipped } => {
                    self.report.skipped += skipped;
                    self.parts = ranges.into();
                    self.looks = looked;
                    if self.parts.is_empty() {
                        return Ok(true);
                    }
                }
            }
        }
        if let Some(part) = self.parts.pop_front() {
            frames.within(part, &path)?;
        }
        self.input = Input::File(Box::new(frames));
        self.ended = false;
        unfit.map_or(Ok(true), Err)
    }
}

/// Then it is tried again: what is logged changes over a day.
const UNSIFTED: u32 = 32;
