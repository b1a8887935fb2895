//! The steps by which a file is replaced as a whole, on the real disk here, on one that dies in tests.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// A step at a time, each of which may be the last.
pub(crate) trait Disk: Send {
    /// A new file with these bytes, readable by its owner alone, in the place of one of an earlier
    /// process that died.
    fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<File>;

    fn sync(&mut self, file: File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// So that the new name outlives a power cut.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
}

pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // New, so that it follows no link that somebody laid.
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    #[cfg(unix)]
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Windows opens no folder as a file.
    #[cfg(not(unix))]
    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// Replaces a file: whoever looks finds the old bytes or the new ones, never a part.
pub(crate) fn replace(disk: &mut dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, "tmp");
    let file = disk.create(&new, bytes)?;
    disk.sync(file)?;
    disk.rename(&new, path)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    disk.sync_folder(folder.unwrap_or(Path::new(".")))
}

/// The path with one more ending.
pub(crate) fn beside(path: &Path, ending: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::{Disk, RealDisk, beside, replace};
    use std::fs::{self, File};
    use std::io;
    use std::path::Path;

    /// Dies within its step number `left`, which does a half of its work or none.
    struct Dying {
        left: usize,
        half: usize,
    }

    impl Dying {
        fn step(&mut self) -> io::Result<()> {
            self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::Other)?;
            Ok(())
        }
    }

    impl Disk for Dying {
        fn create(&mut self, path: &Path, bytes: &[u8]) -> io::Result<File> {
            if let Err(error) = self.step() {
                RealDisk.create(path, &bytes[..self.half])?;
                return Err(error);
            }
            RealDisk.create(path, bytes)
        }

        fn sync(&mut self, file: File) -> io::Result<()> {
            self.step()?;
            file.sync_all()
        }

        fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.rename(from, to)
        }

        fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
            self.step()?;
            RealDisk.sync_folder(folder)
        }
    }

    #[test]
    fn whoever_dies_at_any_step_leaves_the_old_or_the_new_and_the_next_goes_on() {
        let (old, new) = (b"the old state".as_slice(), b"the new one".as_slice());
        let steps = [old, old, old, new, new];
        for (left, stands) in steps.into_iter().enumerate() {
            for half in 0..=new.len() {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("状态");
                replace(&mut RealDisk, &path, old).unwrap();
                let done = replace(&mut Dying { left, half }, &path, new);
                assert_eq!(done.is_ok(), left == 4);
                assert_eq!(fs::read(&path).unwrap(), stands, "step {left}");
                replace(&mut RealDisk, &path, b"the next").unwrap();
                assert_eq!(fs::read(&path).unwrap(), b"the next");
                assert!(!beside(&path, "tmp").exists());
            }
        }
    }
}
