//! Closes the current file and gives it its final name.

use std::{io, time::Duration};

use jiff::Timestamp;

use crate::{
    active::Active,
    name::{Form, Member},
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
                    self.notes.rolled.push(member);
                    self.part(name);
                    return Ok(());
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
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
