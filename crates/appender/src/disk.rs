//! The disk as the appender sees it, and the real one. Tests swap it for one that fails on demand.

use std::{
    any::Any,
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};

use jiff::Timestamp;

/// Every call that reaches the file system.
pub(crate) trait Disk: Send + Sync + 'static {
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Opens for appending, making the file if there is none.
    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>>;
    /// Opens an empty file for writing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>>;
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>>;
    fn facts(&self, path: &Path) -> io::Result<Facts>;
    /// Whether the file ends within a line.
    fn torn(&self, path: &Path) -> io::Result<bool>;
    /// Renames; `AlreadyExists` if something has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory that are UTF-8.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Makes renames and removals in this directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
    /// Held until dropped; `WouldBlock` while somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;
}

/// A file open for writing.
pub(crate) trait Open: Write + Send {
    fn sync(&self) -> io::Result<()>;
    fn facts(&self) -> io::Result<Facts>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Device and inode, where there are such.
    pub(crate) id: Option<(u64, u64)>,
    pub(crate) length: u64,
    pub(crate) modified: Timestamp,
}

/// The file system of this machine.
pub(crate) struct RealDisk {
    /// Permissions of new files, on unix.
    pub(crate) mode: Option<u32>,
}

impl RealDisk {
    fn options(&self) -> OpenOptions {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        if let Some(mode) = self.mode {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        }
        // Elsewhere a file has the permissions of its directory.
        #[cfg(not(unix))]
        let _ = self.mode;
        options.create(true);
        options
    }
}

impl Disk for RealDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        Ok(Box::new(self.options().append(true).open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        Ok(Box::new(
            self.options().write(true).truncate(true).open(path)?,
        ))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(fs::File::open(path)?))
    }

    fn facts(&self, path: &Path) -> io::Result<Facts> {
        facts(&fs::metadata(path)?)
    }

    fn torn(&self, path: &Path) -> io::Result<bool> {
        let mut file = fs::File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(false);
        }
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        if cfg!(unix) {
            fs::File::open(directory)?.sync_all()
        } else {
            Ok(())
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        lock(self.options().write(true), path)
    }
}

impl Open for fs::File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn facts(&self) -> io::Result<Facts> {
        facts(&self.metadata()?)
    }
}

fn facts(metadata: &fs::Metadata) -> io::Result<Facts> {
    #[cfg(unix)]
    let id = {
        use std::os::unix::fs::MetadataExt;
        Some((metadata.dev(), metadata.ino()))
    };
    #[cfg(not(unix))]
    let id = None;
    let modified = Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)?;
    Ok(Facts {
        id,
        length: metadata.len(),
        modified,
    })
}

// Never over another file, in one step where the kernel and the file system can.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_checked(from, to),
        result => Ok(result?),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    rename_checked(from, to)
}

// Two steps. Nobody comes between: the lock makes this process the only one that uses such names.
fn rename_checked(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn lock(options: &OpenOptions, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Box::new(file)),
        // Some network file systems have no locks. A log without one is better than none.
        Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP) => Ok(Box::new(file)),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn lock(options: &mut OpenOptions, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
    const SHARING_VIOLATION: i32 = 32;
    let options = std::os::windows::fs::OpenOptionsExt::share_mode(options, 0);
    match options.open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(any(unix, windows)))]
fn lock(options: &OpenOptions, path: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
    Ok(Box::new(options.open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rename_never_replaces_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        fs::write(&from, "new").unwrap();
        fs::write(&to, "old").unwrap();
        for rename in [rename, rename_checked] {
            assert_eq!(
                rename(&from, &to).unwrap_err().kind(),
                io::ErrorKind::AlreadyExists
            );
            assert_eq!(fs::read_to_string(&to).unwrap(), "old");
        }
        rename(&from, &directory.path().join("free")).unwrap();
        let missing = rename(&from, &directory.path().join("other")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_is_torn_if_its_last_byte_is_no_newline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        for (text, torn) in [("", false), ("\n", false), ("a\n", false), ("a\nb", true)] {
            fs::write(&path, text).unwrap();
            assert_eq!(
                RealDisk { mode: None }.torn(&path).unwrap(),
                torn,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_lock_is_held_by_one_until_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (RealDisk { mode: None }, directory.path().join(".lock"));
        let held = disk.lock(&path).unwrap();
        assert_eq!(
            disk.lock(&path).err().unwrap().kind(),
            io::ErrorKind::WouldBlock
        );
        drop(held);
        assert!(disk.lock(&path).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn new_files_have_the_permissions_asked_for() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        RealDisk { mode: Some(0o600) }.append(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
