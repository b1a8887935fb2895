//! Follows a log across rolls, renames and truncation: no line twice, none lost.

mod files;
mod folder;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use dogwatch_line::Verdict;

use crate::known::{Known, Unread};
use crate::place::Place;
use crate::tail::{Line, Tail};
use crate::trouble::Trouble;
use crate::{Cursor, Found, Report, Search};
use folder::Folder;

/// Where following begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest file that is there.
    Beginning,
    /// With what is written from now on; a line that is half written counts.
    End,
}

/// A log that is being followed; made by [`Search::follow`].
///
/// It waits for nothing and starts no thread: [`next`](Self::next) gives `None` when there is nothing
/// new at the moment, and the caller asks again after a while, a tenth of a second for instance. To ask
/// a quiet log costs some ten system calls, no open file and no list of its folder; while the log is
/// missing, a list.
///
/// A file is known again by its place in the file system (device and inode, on Unix) and by its bytes,
/// the first and those before the place that was reached; so it may be renamed, compressed, copied and
/// truncated (`copytruncate`), or replaced by another that was given its place and begins alike. Files
/// that were rolled between two calls are read in their order. One that was rolled is looked into for
/// some calls more, for a writer that still has it open. What was rolled and deleted between two calls
/// is lost.
///
/// Where it stands outlives the process in a [`Cursor`].
pub struct Follow<'a> {
    search: &'a Search,
    log: PathBuf,
    current: Option<Tail>,
    /// Files that were left for newer ones, and may still grow for a while.
    late: Vec<Tail>,
    known: Known,
    /// Files that are to be read, the oldest first.
    unread: VecDeque<Unread>,
    /// Files that cannot be opened, told once.
    told: HashSet<PathBuf>,
    folder: Folder,
    lines: VecDeque<Line>,
    line: Option<Line>,
    troubles: VecDeque<Trouble>,
    report: Report,
    opened: u64,
}

impl Search {
    /// Follows the log at a path, which need not be there yet: it is the path of the file that is
    /// written to.
    pub fn follow(&self, log: &Path, start: Start) -> Follow<'_> {
        let mut follow = Follow::new(self, log, Known::default());
        if start == Start::End {
            follow.pass_over();
        }
        follow
    }

    /// Follows a log from where a cursor stands, or from `start` if it was never saved.
    ///
    /// A file in which the cursor stood and that is gone is the first [`Trouble`] that is told.
    pub fn resume(&self, log: &Path, cursor: &Cursor, start: Start) -> Follow<'_> {
        let Some(places) = cursor.places() else {
            return self.follow(log, start);
        };
        let mut follow = Follow::new(self, log, Known::new(places.to_vec()));
        // A file that is being renamed may be missing in a list, but not in each.
        for _ in 0..LOOKS {
            follow.unread = follow.list(&[]);
        }
        follow
    }
}

impl<'a> Follow<'a> {
    fn new(search: &'a Search, log: &Path, known: Known) -> Self {
        Self {
            search,
            log: log.to_owned(),
            current: None,
            late: Vec::new(),
            known,
            unread: VecDeque::new(),
            told: HashSet::new(),
            folder: Folder::default(),
            lines: VecDeque::new(),
            line: None,
            troubles: VecDeque::new(),
            report: Report::default(),
            opened: 0,
        }
    }

    /// The next line that the query holds for, or what could not be read; `None` if there is nothing
    /// new at the moment.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator that gave nothing is at its end, and this is not"
    )]
    pub fn next(&mut self) -> Option<Result<Found<'_>, Trouble>> {
        while self.lines.is_empty() {
            let step = match self.troubles.pop_front() {
                Some(trouble) => Err(trouble),
                None => self.step(),
            };
            match step {
                Ok(true) => {}
                Ok(false) => {
                    self.late.iter_mut().for_each(Tail::rest);
                    return None;
                }
                Err(trouble) => {
                    self.report.count(&trouble);
                    return Some(Err(trouble));
                }
            }
        }
        self.line = self.lines.pop_front();
        let line = self.line.as_ref()?;
        Some(Ok(Found::new(&line.bytes, &line.path, line.verdict)))
    }

    /// What was read so far.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Where it stands in each file: behind the last line that was given, and all before the next one
    /// that the query does not hold for.
    pub(crate) fn places(&self) -> Vec<Place> {
        let open = self.late.iter().chain(&self.current).map(|tail| {
            let mut waiting = self.lines.iter().filter(|line| line.tail == tail.id);
            tail.place(waiting.next().map(|line| line.start))
        });
        self.known.places().cloned().chain(open).collect()
    }

    /// Knows all that is there, and stands behind the last whole line of the current file.
    fn pass_over(&mut self) {
        for file in self.files() {
            if file.path != self.log {
                let place = files::whole(&file);
                self.known.add(place, Some(file.stamp));
            }
        }
        // A file that cannot be opened now is tried again by the first step.
        if let Ok(mut tail) = Tail::open(self.id(), &self.log) {
            tail.pass_whole_lines();
            self.report.files += 1;
            self.current = Some(tail);
        }
    }

    /// Reads a part of what is new, or goes on to the next file; `false` if there is nothing.
    fn step(&mut self) -> Result<bool, Trouble> {
        self.forget_ended();
        for tail in &mut self.late {
            if tail.read(self.search, &mut self.lines, &mut self.report)? {
                return Ok(true);
            }
        }
        if self.let_go_of_late() {
            return Ok(true);
        }
        let Some(current) = &mut self.current else {
            return self.open_next();
        };
        if current.was_truncated() {
            self.follow_truncated();
            return Ok(true);
        }
        let is_current = current.is_at(&self.log);
        if is_current {
            current.learn_from(&self.log);
            if self.folder.changed(&self.log) && self.open_beside() {
                return Ok(true);
            }
        }
        let Some(current) = &mut self.current else {
            return Ok(true);
        };
        if current.read(self.search, &mut self.lines, &mut self.report)? {
            return Ok(true);
        }
        if is_current {
            return Ok(false);
        }
        self.open_next()
    }

    /// Ends files in which nothing has been written for a while, and the oldest of too many; whether
    /// one had a line without an end.
    fn let_go_of_late(&mut self) -> bool {
        let many = self.late.len().saturating_sub(LATE);
        for (index, tail) in self.late.iter_mut().enumerate() {
            if tail.is_quiet() || index < many {
                tail.end(self.search, &mut self.lines, &mut self.report);
            }
        }
        !self.lines.is_empty()
    }

    /// What was ended, and its lines given, is known from now on.
    fn forget_ended(&mut self) {
        for tail in std::mem::take(&mut self.late) {
            if tail.ended {
                self.known.add(tail.place(None), None);
            } else {
                self.late.push(tail);
            }
        }
    }
}

impl<'a> Found<'a> {
    fn new(bytes: &'a [u8], path: &'a Path, verdict: Verdict) -> Self {
        Self {
            bytes,
            path,
            verdict,
            around: false,
            gap: false,
        }
    }
}

/// A file has one writer, which lets go of it before the next but one: more are not kept open.
const LATE: usize = 8;

/// So often a file must be missing in the list of its folder to be gone.
const LOOKS: usize = 3;
