//! The file of states: one process at a time has it, and what it cannot read it sets aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::snapshot::disk::{Disk, RealDisk, beside, private, replace};
use crate::snapshot::frame;
use crate::snapshot::kept::Kept;

pub(crate) struct StateFile {
    path: PathBuf,
    disk: Box<dyn Disk>,
    /// Held as long as the file is. Not the file itself, which is replaced.
    _lock: File,
}

impl StateFile {
    /// Locks it, at the start, so that a wrong path and a second process are known then.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let failed = |what: &str, error: io::Error| {
            let path = path.display();
            Error::setup(format!("cannot keep the alerts' state in `{path}`: {what}"))
                .caused_by(error)
        };
        if let Some(folder) = path.parent() {
            let made = fs::create_dir_all(folder);
            made.map_err(|error| failed("its folder cannot be made", error))?;
        }
        let named = fs::metadata(&path).is_ok_and(|found| !found.is_file());
        if named || path.file_name().is_none() {
            let kind = io::ErrorKind::InvalidInput;
            return Err(failed("it is no file", kind.into()));
        }
        let lock = lock(&beside(&path, "lock")).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => failed(
                "another process has it; give each process a file of its own",
                error,
            ),
            _ => failed("its lock cannot be opened", error),
        })?;
        Ok(Self {
            path,
            disk: Box::new(RealDisk),
            _lock: lock,
        })
    }

    /// What was kept; `None` if there is no file. `now` is the wall's time. A file that is wrong is
    /// set aside, not deleted.
    pub(crate) fn read(&self, now: u64) -> Result<Option<Kept>, Error> {
        let path = self.path.display();
        let failed = |what: &str| {
            Error::delivery(format!(
                "cannot take up the alerts' state of `{path}`, {what}"
            ))
        };
        let bytes = match bytes(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("it cannot be read").caused_by(error)),
        };
        frame::read(&bytes, now).map(Some).map_err(|why| {
            let aside = self.free_name();
            match fs::rename(&self.path, &aside) {
                Ok(()) => failed(&format!("it is set aside as `{}`", aside.display())),
                Err(_) => failed("nor can it be set aside"),
            }
            .caused_by(why)
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        replace(&mut *self.disk, &self.path, bytes).map_err(|error| {
            let path = self.path.display();
            Error::delivery(format!("cannot save the alerts' state in `{path}`")).caused_by(error)
        })
    }

    /// Of nine names, so that a loop of crashes fills no disk: the last is used again.
    fn free_name(&self) -> PathBuf {
        let names = (1..=MAX_ASIDE).map(|number| beside(&self.path, &format!("aside{number}")));
        let mut names = names.peekable();
        loop {
            match names.next() {
                Some(name) if names.peek().is_none() || !name.exists() => return name,
                Some(_) => {}
                None => return beside(&self.path, "aside"),
            }
        }
    }
}

/// A little more than may be written, so that what is longer is refused as damaged.
fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_BYTES as u64 + 1_024)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    let file = private(OpenOptions::new().create(true).append(true)).open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        // Some network file systems have no locks. A state without one is better than none.
        Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP) => Ok(file),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn lock(path: &Path) -> io::Result<File> {
    const SHARING_VIOLATION: i32 = 32;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, 0);
    private(&mut options).open(path).map_err(|error| {
        match error.raw_os_error() == Some(SHARING_VIOLATION) {
            true => io::ErrorKind::WouldBlock.into(),
            false => error,
        }
    })
}

#[cfg(not(any(unix, windows)))]
fn lock(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().create(true).append(true)).open(path)
}

/// Ten thousand alerts with all their samples: what is more is left out and told.
pub(crate) const MAX_BYTES: usize = 32 << 20;

const MAX_ASIDE: usize = 9;

#[cfg(test)]
mod tests {
    use super::StateFile;
    use std::error::Error as _;
    use std::fs;

    #[test]
    fn one_process_has_it_and_the_next_when_that_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("新/state");
        let first = StateFile::open(path.clone()).unwrap();
        let error = StateFile::open(path.clone()).map(|_| ()).unwrap_err();
        let what = format!(
            "cannot keep the alerts' state in `{}`: another process has it; give each process a file \
             of its own",
            path.display()
        );
        assert_eq!(error.to_string(), what);
        drop(first);
        assert_eq!(StateFile::open(path).unwrap().read(0).unwrap(), None);
        let error = StateFile::open(dir.path().into()).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with("`: it is no file"), "{error}");
    }

    #[test]
    fn what_it_cannot_read_is_set_aside_under_a_name_of_its_own_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let mut file = StateFile::open(path.clone()).unwrap();
        for time in 1..=11 {
            file.write(format!("foreign {time}").as_bytes()).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
            let error = file.read(0).unwrap_err();
            let aside = format!("{}.aside{}", path.display(), time.min(9));
            let what = format!(
                "cannot take up the alerts' state of `{}`, it is set aside as `{aside}`",
                path.display()
            );
            assert_eq!(error.to_string(), what);
            let why = error.source().unwrap().to_string();
            assert_eq!(why, "it is no file of alerts' states");
            assert_eq!(
                fs::read_to_string(aside).unwrap(),
                format!("foreign {time}")
            );
        }
    }
}
