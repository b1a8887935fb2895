//! The file system of this machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;

use super::{Disk, Facts, Lock, Open, Space, Syncs};

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
        let file = self.options().append(true).open(path)?;
        Ok(Box::new(OpenFile(Arc::new(file))))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        let file = self.options().write(true).truncate(true).open(path)?;
        Ok(Box::new(OpenFile(Arc::new(file))))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(path)?))
    }

    fn facts(&self, path: &Path) -> io::Result<Facts> {
        facts(&fs::metadata(path)?)
    }

    fn torn(&self, path: &Path) -> io::Result<bool> {
        let mut file = File::open(path)?;
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
        if !cfg!(unix) {
            return Ok(());
        }
        match File::open(directory)?.sync_all() {
            // fsync(2): a file system that cannot sync a directory. As PostgreSQL's fsync_fname has
            // it, that is nobody's failure; what waits for it would wait for ever.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        for _ in 0..LOCKS {
            let file = lock(self.options().write(true), path)?;
            // Deleted or replaced between the opening and the locking: it locks nothing.
            match fs::metadata(path) {
                Ok(named) if facts(&named)?.id == facts(&file.metadata()?)?.id => {
                    return Ok(Box::new(file));
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        space(directory)
    }

    fn link(&self, file: &Path, link: &Path) -> io::Result<bool> {
        super::link::link(file, link)
    }
}

struct OpenFile(Arc<File>);

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open for OpenFile {
    fn facts(&self) -> io::Result<Facts> {
        facts(&self.0.metadata()?)
    }

    fn syncs(&self) -> Arc<dyn Syncs> {
        Arc::clone(&self.0) as _
    }
}

impl Syncs for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Lock for File {
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
fn lock(options: &OpenOptions, path: &Path) -> io::Result<File> {
    use rustix::{
        fs::{FlockOperation, flock},
        io::Errno,
    };
    let file = options.open(path)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        // Some network file systems have no locks. A log without one is better than none.
        Err(Errno::NOLCK | Errno::NOSYS | Errno::NOTSUP) => Ok(file),
        Err(error) => Err(error.into()),
    }
}

#[cfg(windows)]
fn lock(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    const SHARING_VIOLATION: i32 = 32;
    let options = std::os::windows::fs::OpenOptionsExt::share_mode(options, 0);
    options.open(path).map_err(|error| {
        if error.raw_os_error() == Some(SHARING_VIOLATION) {
            io::ErrorKind::WouldBlock.into()
        } else {
            error
        }
    })
}

#[cfg(not(any(unix, windows)))]
fn lock(options: &OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

#[cfg(unix)]
fn space(directory: &Path) -> io::Result<Space> {
    let space = rustix::fs::statvfs(directory)?;
    Ok(Space {
        free: space.f_bavail.saturating_mul(space.f_frsize),
        total: space.f_blocks.saturating_mul(space.f_frsize),
    })
}

#[cfg(not(unix))]
fn space(_: &Path) -> io::Result<Space> {
    Err(io::ErrorKind::Unsupported.into())
}

/// So often a lock file that vanishes under our hands is made anew.
const LOCKS: usize = 10;

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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_directory_that_its_file_system_cannot_sync_is_no_failure_and_a_missing_one_is() {
        let disk = RealDisk { mode: None };
        assert_eq!(
            File::open("/proc").unwrap().sync_all().unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
        disk.sync_directory(Path::new("/proc")).unwrap();
        let missing = disk.sync_directory(Path::new("/proc/none")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
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

    #[test]
    fn a_lock_knows_whether_it_is_still_the_one_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (RealDisk { mode: None }, directory.path().join(".lock"));
        let held = disk.lock(&path).unwrap();
        assert_eq!(disk.facts(&path).unwrap().id, held.facts().unwrap().id);
        if cfg!(unix) {
            fs::remove_file(&path).unwrap();
            let other = disk.lock(&path).unwrap();
            assert_ne!(other.facts().unwrap().id, held.facts().unwrap().id);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_tells_its_room() {
        let directory = tempfile::tempdir().unwrap();
        let space = RealDisk { mode: None }.space(directory.path()).unwrap();
        assert!(0 < space.free && space.free <= space.total, "{space:?}");
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
