//! The lock that makes one reader the only one with a cursor.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A lock that is held; it goes with this, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    #[cfg_attr(not(unix), expect(dead_code, reason = "held by being open"))]
    file: File,
}

impl Lock {
    /// Takes the lock whose file is at a path, made if it is not there. `WouldBlock` if somebody has it.
    ///
    /// The file stays when the lock goes: one that is deleted while another waits for it locks nothing.
    pub(crate) fn take(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        for _ in 0..TRIES {
            let file = locked(&mut options, path)?;
            // Deleted or replaced between the opening and the locking: it locks nothing.
            if is_at(&file, path) {
                return Ok(Self { file });
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

#[cfg(unix)]
impl Drop for Lock {
    /// A child of this process that another thread has just forked has the file too, until it executes
    /// its program: to close ours is not enough.
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.file, rustix::fs::FlockOperation::Unlock);
    }
}

#[cfg(unix)]
fn locked(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::io::Errno;
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        // Some network file systems have no locks: there nobody is kept out.
        Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP) => Ok(file),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn locked(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    const SHARING_VIOLATION: i32 = 32;
    let options = std::os::windows::fs::OpenOptionsExt::share_mode(options, 0);
    options
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(SHARING_VIOLATION) => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })
}

#[cfg(not(any(unix, windows)))]
fn locked(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let node = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, named) = (file.metadata().map(node), path.metadata().map(node));
    open.is_ok_and(|open| named.is_ok_and(|named| named == open))
}

/// Where there is no inode: what is open cannot be deleted.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// So often a lock file that vanishes under our hands is made anew.
const TRIES: usize = 10;

#[cfg(test)]
mod tests {
    use super::Lock;

    #[cfg(any(unix, windows))]
    #[test]
    fn a_lock_has_one_holder_until_it_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.lock");
        let held = Lock::take(&path).unwrap();
        // As a child has it between fork and exec.
        #[cfg(unix)]
        let _child = held.file.try_clone().unwrap();
        assert_eq!(
            Lock::take(&path).unwrap_err().kind(),
            std::io::ErrorKind::WouldBlock
        );
        drop(held);
        let held = Lock::take(&path).unwrap();
        // Somebody tidied up: what is held there no more keeps nobody out, and the next one is whole.
        #[cfg(unix)]
        {
            std::fs::remove_file(&path).unwrap();
            let next = Lock::take(&path).unwrap();
            drop(held);
            assert!(Lock::take(&path).is_err());
            drop(next);
        }
        #[cfg(not(unix))]
        drop(held);
    }
}
