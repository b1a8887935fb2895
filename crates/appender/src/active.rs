//! The current file: what is written to it, and when it is left for the next one.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::tz::TimeZone;

use crate::{
    Error, Gap, Keep, Roll,
    clock::Clock,
    current::{Current, HalfLine},
    detour::Detour,
    disk::{Disk, Lock},
    fsync::Synced,
    lock::Owner,
    name::Family,
    ring::Mark,
    roll::{Cut, Term, Verdict, cut, first_line},
};

/// Everything that the appender's mutex guards. It calls no callback and no fallback: it asks for
/// them and leaves notes, and the appender sees to both without the mutex.
pub(crate) struct Active {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) family: Family,
    pub(crate) roll: Roll,
    pub(crate) zone: TimeZone,
    pub(crate) keep: Keep,
    pub(crate) wants_header: bool,
    pub(crate) detour: Detour,
    pub(crate) owner: Arc<Owner>,
    pub(crate) state: State,
    pub(crate) notes: Notes,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) file: Option<Current>,
    /// Given back when it goes.
    pub(crate) lock: Option<Box<dyn Lock>>,
    pub(crate) term: Option<Term>,
    pub(crate) last_sequence: u64,
    /// The last number is known.
    pub(crate) numbered: bool,
    /// The next look whether the file is still where it was, in uptime.
    pub(crate) look_at: Duration,
    /// The next look how much room there is, in uptime.
    pub(crate) room_at: Duration,
    /// No roll is tried before, in uptime: the last one failed.
    pub(crate) roll_at: Duration,
    /// The end of a line that is whole in the file that was left: it begins no other file.
    pub(crate) ended: Vec<u8>,
    /// A line that the file took by half, and that is not written whole yet.
    pub(crate) cut: Option<HalfLine>,
}

/// What happened under the lock and is told after it.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) rolled: u64,
    /// Files that were left, rolled or not.
    pub(crate) parted: Vec<Synced>,
    pub(crate) failures: Vec<Error>,
    pub(crate) torn: u64,
    pub(crate) reopened: u64,
    pub(crate) cut: u64,
    /// The directory is to be put in order, though nothing was rolled.
    pub(crate) tidy: bool,
    /// The disk is full.
    pub(crate) full: bool,
}

pub(crate) enum Advance {
    Wrote(usize),
    /// A new file begins: call again with its header.
    WantsHeader,
    /// The file is written to again: call again with the line that tells what it lacks.
    WantsGap(Gap),
    /// The lines are for the fallback, after this half of a line that the file did not take.
    Fallback(Vec<u8>),
}

/// What was asked for.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) header: Option<Vec<u8>>,
    pub(crate) gap: Option<Vec<u8>>,
}

impl Active {
    /// Writes the first of `lines`, into the current file or a new one. After a short write the
    /// caller goes on where it stopped, or gives that line up.
    ///
    /// The `mark` is told where a write begins, and what was written, while nobody else can roll.
    pub(crate) fn advance(
        &mut self,
        lines: &[u8],
        given: &mut Given,
        mark: Option<&dyn Mark>,
    ) -> io::Result<Advance> {
        let uptime = self.clock.uptime();
        if let Some(file) = &mut self.state.file {
            self.notes.torn += u64::from(file.gives_up(lines));
        }
        let cut = self.state.cut.take();
        self.state.cut = cut.filter(|cut| lines.starts_with(&cut.rest));
        if !self.detour.tries_file(uptime) {
            return Ok(self.to_fallback());
        }
        match self.write(lines, given, mark, uptime) {
            Ok(Advance::Wrote(written)) => {
                self.detour.worked();
                if let Some(mark) = mark {
                    mark.wrote(written);
                }
                Ok(Advance::Wrote(written))
            }
            Ok(wish) => Ok(wish),
            Err(error) => {
                self.notes.full |= is_full(&error);
                // Lines of our own may have been written before it failed.
                mark.into_iter().for_each(|mark| self.mark(mark));
                if !self.detour.failed(uptime) {
                    return Err(error);
                }
                self.note("lines go to the fallback: cannot write log file", error);
                if let Some(file) = &mut self.state.file {
                    // A line that lacks nothing but its end is written: the end is owed.
                    let ended = file.lacks_end();
                    let cut = file.abandon_line();
                    if ended {
                        mark.into_iter().for_each(|mark| mark.passed(1));
                        return Ok(Advance::Wrote(1));
                    }
                    self.notes.torn += u64::from(cut.is_some());
                    self.state.cut = cut.or(self.state.cut.take());
                }
                Ok(self.to_fallback())
            }
        }
    }

    /// Tells the mark where the file ends now. Without it, it stands where a write last began: only
    /// after a restart of the machine that makes a difference.
    ///
    /// So it does while a half line is not the end of this file: a replay finds that line by its half.
    pub(crate) fn mark(&mut self, mark: &dyn Mark) {
        if let (Some(file), None) = (&mut self.state.file, &self.state.cut) {
            let _ = file.mark(mark);
        }
    }

    fn to_fallback(&self) -> Advance {
        let half = self.state.cut.as_ref().map(|cut| cut.half.clone());
        Advance::Fallback(half.unwrap_or_default())
    }

    fn write(
        &mut self,
        lines: &[u8],
        given: &mut Given,
        mark: Option<&dyn Mark>,
        uptime: Duration,
    ) -> io::Result<Advance> {
        self.look_in_time(uptime);
        let ended = std::mem::take(&mut self.state.ended);
        if !ended.is_empty() && lines.starts_with(&ended) {
            return Ok(Advance::Wrote(ended.len()));
        }
        loop {
            if let Some(wish) = self.begin(given)? {
                return Ok(wish);
            }
            let Some(file) = &mut self.state.file else {
                continue;
            };
            if let Some(line) = &self.state.cut {
                let resumed = file.resume_line(line);
                self.notes.torn += u64::from(file.owes());
                resumed?;
                self.state.cut = None;
            }
            let length = if file.within_line() {
                first_line(lines)
            } else {
                match self.cut(lines) {
                    Cut::Write(length) => length,
                    Cut::Roll if self.roll_now() => continue,
                    Cut::Roll => lines.len(),
                }
            };
            let file = self
                .state
                .file
                .as_mut()
                .expect("a failed roll keeps the file");
            if let Some(mark) = mark {
                file.mark(mark)?;
            }
            return file.write(lines, length).map(Advance::Wrote);
        }
    }

    /// Opens the file and writes what comes before the next line: a header, the end of a half line, a
    /// gap line. Returns what it wants for that.
    pub(crate) fn begin(&mut self, given: &mut Given) -> io::Result<Option<Advance>> {
        self.open()?;
        let Some(file) = &mut self.state.file else {
            return Ok(None);
        };
        if self.wants_header && file.wants_header() {
            match given.header.take() {
                Some(header) => file.begin_with(header),
                None => return Ok(Some(Advance::WantsHeader)),
            }
        }
        file.pay()?;
        if let Some(gap) = self.detour.gap() {
            let Some(line) = given.gap.take() else {
                return Ok(Some(Advance::WantsGap(gap)));
            };
            file.insert(line, gap)?;
            self.detour.told();
            file.pay()?;
        }
        Ok(None)
    }

    /// So many lines went to the fallback.
    pub(crate) fn went_to_fallback(&mut self, lines: u64) {
        let now = SystemTime::try_from(self.clock.now()).expect("the clock is a SystemTime");
        self.detour.took(lines, now);
        self.state.cut = None;
    }

    /// What syncs the current file to the disk.
    pub(crate) fn synced(&self) -> Option<Synced> {
        self.state.file.as_ref().map(|file| Synced {
            path: self.path(),
            file: file.handle.syncs(),
        })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.family.current()
    }

    fn cut(&mut self, lines: &[u8]) -> Cut {
        let Some(file) = &mut self.state.file else {
            return Cut::Roll;
        };
        let now = self.clock.now();
        match self.state.term.map(|term| term.judge(now)) {
            Some(Verdict::Over) if !file.is_empty() => return Cut::Roll,
            Some(Verdict::Over) => {
                file.begun = now;
                self.state.term = self.roll.term(now, &self.zone);
            }
            Some(Verdict::Behind) => self.state.term = self.roll.term(now, &self.zone),
            Some(Verdict::Within) | None => {}
        }
        cut(lines, self.roll.room(file.length()), file.is_empty())
    }

    pub(crate) fn note(&mut self, what: &str, error: io::Error) {
        self.notes.failures.push(failure(what, &self.path(), error));
    }
}

pub(crate) fn failure(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("{what} `{}`", path.display()), error)
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
