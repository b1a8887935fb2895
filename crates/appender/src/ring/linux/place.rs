//! Where ring files lie: always under a name beside the log, perhaps a link to somewhere else.

use std::{
    fs::{self, File},
    io,
    os::{
        fd::AsRawFd as _,
        unix::fs::{MetadataExt as _, symlink},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, linkat};

use crate::name::Family;

/// One ring file: its name beside the log, and the file itself.
///
/// They are the same, unless another directory was chosen: then the name is a symbolic link, so
/// that whoever opens the log next finds the ring without knowing that choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Beside the log.
    name: PathBuf,
    file: PathBuf,
}

impl Place {
    pub(crate) fn new(name: PathBuf, file: PathBuf) -> Self {
        Self { name, file }
    }

    /// Follows the link, if it is one.
    pub(crate) fn of(name: PathBuf) -> Self {
        let file = fs::read_link(&name).unwrap_or_else(|_| name.clone());
        Self { name, file }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// Puts the name back where the next start looks for it, if this file has another one by now:
    /// somebody has moved the directory. What has no name at all any more cannot get one.
    pub(crate) fn keep(&self, file: &File) -> io::Result<()> {
        if self.name != self.file {
            return match fs::read_link(&self.name) {
                Ok(target) if target == self.file => Ok(()),
                Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                Err(_) => symlink(&self.file, &self.name),
            };
        }
        let facts = file.metadata()?;
        match fs::symlink_metadata(&self.name) {
            Ok(named) if (named.dev(), named.ino()) == (facts.dev(), facts.ino()) => Ok(()),
            _ if facts.nlink() == 0 => Err(io::ErrorKind::NotFound.into()),
            _ => {
                let open = format!("/proc/self/fd/{}", file.as_raw_fd());
                Ok(linkat(CWD, open, CWD, &self.name, AtFlags::SYMLINK_FOLLOW)?)
            }
        }
    }

    /// Removes both. The file first: a link without a file is told at the next start, a file without
    /// a link would never be found.
    pub(crate) fn remove(&self) -> io::Result<()> {
        remove(&self.file)?;
        remove(&self.name)
    }

    /// Takes it out of the sight of later starts and leaves it to people. Says where it is.
    pub(crate) fn set_aside(&self) -> io::Result<PathBuf> {
        let mut aside = self.name.as_os_str().to_owned();
        aside.push(".bad");
        fs::rename(&self.name, &aside)?;
        Ok(aside.into())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What lies beside a log.
#[derive(Default)]
pub(crate) struct Names {
    /// By number.
    pub(crate) rings: Vec<(u64, PathBuf)>,
    /// Of a start that was killed while it made one.
    pub(crate) unfinished: Vec<PathBuf>,
}

/// The ring files of a log.
pub(crate) fn list(family: &Family) -> io::Result<Names> {
    let mut names = Names::default();
    let entries = match fs::read_dir(family.directory()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let number = family.ring_number(name.strip_suffix(UNFINISHED).unwrap_or(name));
        match number {
            Some(_) if name.ends_with(UNFINISHED) => names.unfinished.push(entry.path()),
            Some(number) => names.rings.push((number, entry.path())),
            None => {}
        }
    }
    names.rings.sort_unstable();
    Ok(names)
}

/// What a name ends with until its ring is complete.
pub(crate) const UNFINISHED: &str = ".tmp";
