//! Closes the current file and gives it its final name, and opens the next one.

use std::{io, time::Duration};

use jiff::Timestamp;

use crate::{
    active::Active,
    current::Current,
    look::LOOK,
    name::{Form, Member},
    roll::Verdict,
};

impl Active {
    /// Closes the current file and gives it its final name. An empty one stays.
    pub(crate) fn roll(&mut self) -> io::Result<()> {
        self.look();
        let Some(file) = &self.state.file else {
            return Ok(());
        };
        if file.is_empty() {
            return Ok(());
        }
        if self.state.lock.is_none() {
            return Err(io::Error::other("another appender has its lock"));
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
            let name = self.family.path(&member);
            match self.disk.rename(&current, &name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => {
                    self.notes.rolled += 1;
                    self.part(name);
                    return Ok(());
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Opens the current file, if it is not open.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        if self.state.file.is_some() {
            return Ok(());
        }
        self.prepare()
            .map_err(|error| io::Error::new(error.io_kind(), error))?;
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

    // False: it failed, now or a moment ago, and the lines go on into the current file.
    pub(crate) fn roll_now(&mut self) -> bool {
        let uptime = self.clock.uptime();
        if uptime < self.state.roll_at {
            return false;
        }
        let Err(error) = self.roll() else { return true };
        self.state.roll_at = uptime + ROLL_AGAIN;
        self.note("cannot roll log file", error);
        self.state.file.is_none()
    }
}

/// How long a failed roll waits before it is tried again.
const ROLL_AGAIN: Duration = Duration::from_secs(1);

/// How many taken names in a row are stepped over.
const RENAMES: usize = 1000;
