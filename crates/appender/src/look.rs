//! Looks whether the file and the lock are still those with their names, and leaves them if not.

use std::{io, path::PathBuf, time::Duration};

use crate::{
    Error,
    active::{Active, failure},
    error::Kind,
    fsync::Synced,
    lock::{is_gone, take},
    ring::{Found, find},
};

impl Active {
    /// Takes the lock and finds the number to go on after, unless that is done.
    pub(crate) fn prepare(&mut self) -> Result<(), Error> {
        if self.state.numbered {
            return Ok(());
        }
        if self.state.lock.is_none() {
            self.state.lock = Some(take(&*self.disk, &self.family)?);
        }
        let names = self.disk.list(self.family.directory()).map_err(|error| {
            failure("cannot list log directory", self.family.directory(), error)
        })?;
        self.state.last_sequence = self.family.last_sequence(&names);
        self.own()?;
        self.state.numbered = true;
        Ok(())
    }

    /// Opens the file, or a new one. Returns what killed processes left in their rings.
    pub(crate) fn start(&mut self, roll: bool) -> Result<Found, Error> {
        self.prepare()?;
        // Before the file is opened: a line that is half written at its end is completed.
        let found = find(&self.family);
        let mut start = || {
            self.open()?;
            if roll {
                self.roll()?;
                self.open()?;
            }
            Ok(())
        };
        start().map_err(|error| failure("cannot open log file", &self.path(), error))?;
        Ok(found)
    }

    pub(crate) fn look_in_time(&mut self, uptime: Duration) {
        if self.state.file.is_some() && uptime >= self.state.look_at {
            self.state.look_at = uptime + LOOK;
            self.look();
            self.look_for_room(uptime);
        }
    }

    /// Is the file that we write to still the one with its name? And the lock?
    pub(crate) fn look(&mut self) {
        let Some(file) = &mut self.state.file else {
            return;
        };
        match self.disk.facts(&self.family.current()) {
            Ok(facts) if file.is_same(&facts) => {
                if file.trust(&facts) {
                    self.was_cut();
                }
            }
            Ok(_) => self.leave(),
            Err(error) if is_gone(&error) => self.leave(),
            Err(error) => self.note("cannot look for log file", error),
        }
        self.keep_lock();
    }

    /// Leaves the file for whatever has its name now.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.leave();
        self.keep_lock();
        self.open()
    }

    /// A line that was begun in the old file, now of this name, ends there if the old file takes it,
    /// and is written whole elsewhere if not.
    pub(crate) fn part(&mut self, name: PathBuf) {
        let Some(mut file) = self.state.file.take() else {
            return;
        };
        self.notes.parted.push(Synced {
            path: name,
            file: file.handle.syncs(),
        });
        let left = file.leave();
        self.notes.torn += u64::from(left.torn);
        self.state.ended = left.ended;
        self.state.cut = left.cut.or(self.state.cut.take());
        if let Some(gap) = left.untold {
            self.detour.untold(gap);
        }
    }

    // A directory that was moved took the lock along, and under the old name another process may
    // begin. Two that tidy one directory would spoil each other's files: whoever has no lock writes
    // on, and rolls, compresses and deletes nothing.
    fn keep_lock(&mut self) {
        let Some(held) = &self.state.lock else {
            return self.take_lock();
        };
        let same = held.facts().and_then(|held| {
            let named = self.disk.facts(&self.family.lock());
            named.map(|named| named.id == held.id)
        });
        match same {
            Ok(true) => {}
            Ok(false) => self.take_lock(),
            Err(error) if is_gone(&error) => self.take_lock(),
            Err(error) => self.note("cannot look for the lock of log file", error),
        }
    }

    fn take_lock(&mut self) {
        self.state.lock = None;
        self.owner.note(None);
        let taken = take(&*self.disk, &self.family).and_then(|lock| {
            self.state.lock = Some(lock);
            self.own()
        });
        if let Err(error) = taken {
            self.notes.failures.push(error);
        }
    }

    // Whoever works beside the write path may work. A lock that does not say which it is, is none.
    fn own(&mut self) -> Result<(), Error> {
        let Some(lock) = &self.state.lock else {
            return Ok(());
        };
        match lock.facts() {
            Ok(facts) => self.notes.tidy |= self.owner.note(Some(facts)),
            Err(error) => {
                self.state.lock = None;
                return Err(failure("cannot look for the lock of", &self.path(), error));
            }
        }
        Ok(())
    }

    // Somebody else moved, deleted or replaced the file, or wants it reopened.
    fn leave(&mut self) {
        self.notes.reopened += u64::from(self.state.file.is_some());
        self.part(self.path());
    }

    // What was written between the copy and the cut is in neither: nobody can count it.
    fn was_cut(&mut self) {
        self.notes.cut += 1;
        let path = self.path();
        let what = format!(
            "log file `{}` was cut by somebody else, and lines may be missing: let logrotate use \
             `create` in the place of `copytruncate`",
            path.display()
        );
        self.notes.failures.push(Error::new(Kind::Loss, what));
    }

    // Between two rolls somebody else may fill the disk.
    fn look_for_room(&mut self, uptime: Duration) {
        if self.keep.wants_room() && uptime >= self.state.room_at {
            self.state.room_at = uptime + ROOM;
            match self.disk.space(self.family.directory()) {
                Ok(space) => self.notes.tidy |= self.keep.missing(space) > 0,
                // Told by the pass that each roll asks for.
                Err(_) => self.notes.tidy = true,
            }
        }
    }
}

/// How often we look whether the file was moved or deleted: three stat(2), a microsecond each.
pub(crate) const LOOK: Duration = Duration::from_millis(250);

/// How often we look how much room there is, while lines are written.
const ROOM: Duration = Duration::from_secs(5);
