//! The lock that makes one appender the only one with a name: taken at the start, and looked after.

use std::{io, path::PathBuf};

use crate::{
    Error,
    active::failure,
    disk::{Disk, Lock},
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

/// So many processes have a name of their own at most.
const LAST: u32 = 99;
