//! The current file: what is written to it, and when it is left for the next one.

use std::{
    io::{self, Write as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Error, Roll,
    clock::Clock,
    current::Current,
    disk::Disk,
    name::{Family, Form, Member},
    roll::{Cut, Term, Verdict, cut, first_line},
};

/// Everything that the appender's mutex guards. It calls no callback: it asks for the header and
/// leaves notes, and the appender sees to both without the lock.
pub(crate) struct Active {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) family: Family,
    pub(crate) roll: Roll,
    pub(crate) zone: TimeZone,
    pub(crate) wants_header: bool,
    pub(crate) state: State,
    pub(crate) notes: Notes,
}

#[derive(Default)]
pub(crate) struct State {
    file: Option<Current>,
    term: Option<Term>,
    last_sequence: u64,
    /// The next look whether the file is still where it was, in uptime.
    look_at: Duration,
    /// No roll is tried before, in uptime: the last one failed.
    roll_at: Duration,
    /// The rest of a line whose start went to a file that is gone: it begins no other file.
    swallow: Vec<u8>,
}

/// What happened under the lock and is told after it.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) rolled: Vec<Member>,
    pub(crate) failures: Vec<Error>,
    pub(crate) torn: u64,
    pub(crate) reopened: u64,
}

pub(crate) enum Advance {
    Wrote(usize),
    /// A new file begins: call again with its header.
    WantsHeader,
}

impl Active {
    /// Writes the first of `lines`, into the current file or a new one. After a short write the
    /// caller goes on where it stopped, or gives that line up.
    pub(crate) fn advance(
        &mut self,
        lines: &[u8],
        header: &mut Option<Vec<u8>>,
    ) -> io::Result<Advance> {
        self.look_in_time();
        let swallow = std::mem::take(&mut self.state.swallow);
        if !swallow.is_empty() && lines.starts_with(&swallow) {
            return Ok(Advance::Wrote(swallow.len()));
        }
        loop {
            self.open()?;
            let Some(file) = &mut self.state.file else {
                continue;
            };
            if self.wants_header && file.wants_header() {
                match header.take() {
                    Some(header) => file.begin_with(header),
                    None => return Ok(Advance::WantsHeader),
                }
            }
            self.notes.torn += u64::from(file.gives_up(lines));
            file.pay()?;
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
            return file.write(lines, length).map(Advance::Wrote);
        }
    }

    /// Opens the current file, if it is not open.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.state.file.is_some() {
            return Ok(());
        }
        let path = self.family.current();
        let handle = match self.disk.append(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.disk.create_directory(self.family.directory())?;
                self.disk.append(&path)?
            }
            result => result?,
        };
        let facts = handle.facts()?;
        let torn = facts.length > 0 && self.disk.torn(&path)?;
        let now = self.clock.now();
        let begun = if facts.length == 0 {
            now
        } else {
            facts.modified
        };
        // A period goes on over a size roll, even if the clock has stepped back before its start.
        let goes_on = facts.length == 0
            && self
                .state
                .term
                .is_some_and(|term| term.judge(now) == Verdict::Within);
        if !goes_on {
            self.state.term = self.roll.term(begun, &self.zone);
        }
        self.notes.torn += u64::from(torn);
        self.state.look_at = self.clock.uptime() + LOOK;
        self.state.file = Some(Current::new(handle, facts, begun, torn));
        Ok(())
    }

    /// Closes the current file and gives it its final name. An empty one stays.
    pub(crate) fn roll(&mut self) -> io::Result<()> {
        self.look();
        let Some(file) = &self.state.file else {
            return Ok(());
        };
        if file.is_empty() {
            return Ok(());
        }
        let begun = Timestamp::new(file.begun.as_second(), 0).unwrap_or(file.begun);
        let begun = begun.to_zoned_datetime(self.zone.clone()).datetime();
        let current = self.family.current();
        for _ in 0..RENAMES {
            self.state.last_sequence += 1;
            let member = Member {
                sequence: self.state.last_sequence,
                begun,
                form: Form::Plain,
            };
            match self.disk.rename(&current, &self.family.path(&member)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.notes.rolled.push(member);
                    self.part();
                    return Ok(());
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Leaves the file for whatever has its name now.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.leave();
        self.open()
    }

    /// Syncs the current file to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.state.file.as_ref().map_or(Ok(()), Current::sync)
    }

    /// Numbers go on after this one.
    pub(crate) fn number_after(&mut self, sequence: u64) {
        self.state.last_sequence = sequence;
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
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

    // False: it failed, now or a moment ago, and the lines go on into the current file.
    fn roll_now(&mut self) -> bool {
        let uptime = self.clock.uptime();
        if uptime < self.state.roll_at {
            return false;
        }
        let Err(error) = self.roll() else { return true };
        self.state.roll_at = uptime + ROLL_AGAIN;
        self.note("cannot roll log file", error);
        self.state.file.is_none()
    }

    fn look_in_time(&mut self) {
        let uptime = self.clock.uptime();
        if self.state.file.is_some() && uptime >= self.state.look_at {
            self.state.look_at = uptime + LOOK;
            self.look();
        }
    }

    // Is the file that we write to still the one with its name?
    fn look(&mut self) {
        let Some(file) = &mut self.state.file else {
            return;
        };
        match self.disk.facts(&self.family.current()) {
            Ok(facts) if file.is_same(&facts) => file.trust(&facts),
            Ok(_) => self.leave(),
            Err(error) if is_gone(&error) => self.leave(),
            Err(error) => self.note("cannot look for log file", error),
        }
    }

    // Somebody else moved, deleted or replaced the file, or wants it reopened.
    fn leave(&mut self) {
        self.notes.reopened += u64::from(self.state.file.is_some());
        self.part();
    }

    // A line that was begun in the old file ends there, if the old file takes it.
    fn part(&mut self) {
        let Some(mut file) = self.state.file.take() else {
            return;
        };
        let rest = file.take_rest();
        if !rest.is_empty() {
            self.notes.torn += u64::from(file.handle.write_all(&rest).is_err());
            self.state.swallow = rest;
        }
    }

    fn note(&mut self, what: &str, error: io::Error) {
        let path = self.family.current();
        self.notes.failures.push(failure(what, &path, error));
    }
}

pub(crate) fn failure(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("{what} `{}`", path.display()), error)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// How often we look whether the file was moved or deleted: one stat(2), about a microsecond.
const LOOK: Duration = Duration::from_millis(250);

/// How long a failed roll waits before it is tried again.
const ROLL_AGAIN: Duration = Duration::from_secs(1);

/// How many taken names in a row are stepped over.
const RENAMES: usize = 1000;
