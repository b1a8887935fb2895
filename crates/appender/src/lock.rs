//! The lock that makes one appender the only one with a name: taken at the start, and looked after.

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    Error,
    active::failure,
    disk::{Disk, Facts, Lock},
    error::Kind,
    name::Family,
};

/// What an appender does at its start when another one, in this process or another, writes to its
/// path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenLocked {
    /// Returns an error: the default.
    #[default]
    Refuse,
    /// Takes the first free name of `app-2.log`, `app-3.log` … `app-99.log`. Each is a log of its
    /// own, rolled and kept by itself; numbers are used again when they are free.
    Suffix,
}

/// Which lock we have, for those who work beside the write path: they look for it themselves, as
/// nobody else does while nothing is written.
#[derive(Default)]
pub(crate) struct Owner(Mutex<Option<Facts>>);

impl Owner {
    /// We have this lock now, or none. True: there was none.
    pub(crate) fn note(&self, lock: Option<Facts>) -> bool {
        std::mem::replace(&mut *self.lock(), lock).is_none()
    }

    /// Whether the lock that we have is the one with the name. Without it another appender has the
    /// directory.
    pub(crate) fn owns(&self, disk: &dyn Disk, family: &Family) -> bool {
        let held = *self.lock();
        held.is_some_and(|held| match disk.facts(&family.lock()) {
            Ok(named) => named.id == held.id,
            // Told at the next look.
            Err(error) => !is_gone(&error),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Facts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first family that nobody has, and its lock.
pub(crate) fn claim(
    disk: &dyn Disk,
    family: &Family,
    when_locked: WhenLocked,
) -> Result<(Family, Box<dyn Lock>), Error> {
    let mut refused = match take(disk, family) {
        Ok(lock) => return Ok((family.clone(), lock)),
        Err(error) => error,
    };
    if when_locked == WhenLocked::Suffix {
        for number in 2..=LAST {
            if !refused.is_locked() {
                break;
            }
            let numbered = family.numbered(number);
            match take(disk, &numbered) {
                Ok(lock) => return Ok((numbered, lock)),
                Err(error) => refused = error,
            }
        }
    }
    Err(refused)
}

/// Takes the lock of a family, making its directory if there is none.
pub(crate) fn take(disk: &dyn Disk, family: &Family) -> Result<Box<dyn Lock>, Error> {
    let directory = family.directory();
    disk.create_directory(directory)
        .map_err(|error| failure("cannot make log directory", directory, error))?;
    disk.lock(&family.lock()).map_err(|error| {
        let path: PathBuf = family.current();
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                let path = path.display();
                let what = format!(
                    "cannot log to `{path}`: another appender writes to it; give each process a \
                     path of its own"
                );
                Error::new(Kind::Locked, what)
            }
            _ => failure("cannot lock log file", &path, error),
        }
    })
}

/// Nothing has this name.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// So many processes have a name of their own at most.
const LAST: u32 = 99;
