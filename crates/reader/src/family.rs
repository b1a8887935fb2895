//! All files of one log: the one that is written to, and those that were rolled before it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::kin::Kin;
use crate::name::{Age, Name};
use crate::pattern::{folders, is_like, is_pattern};

/// The files of one log, the oldest first.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # for name in ["shop.log", "shop.log.1", "shop.log.2.gz", "pay.log"] {
/// #     std::fs::write(folder.path().join(name), "")?;
/// # }
/// use dogwatch_reader::Family;
///
/// let families = Family::find(&[folder.path().join("shop.log")])?;
/// let names: Vec<_> = families[0].files().iter().map(|file| file.file_name().unwrap()).collect();
/// assert_eq!(names, ["shop.log.2.gz", "shop.log.1", "shop.log"]);
///
/// // A folder holds several logs, by name.
/// assert_eq!(Family::find(&[folder.path()])?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    log: PathBuf,
    files: Vec<PathBuf>,
}

impl Family {
    /// The logs at these paths. A folder stands for every log in it, not for folders within. The
    /// path of a current file (`logs/shop.log`) stands for it and all that was rolled from it, by our
    /// appender, by logrotate or by `tracing-appender`, whether or not it is there itself; the path
    /// of a rolled or compressed file for that one file. `*` and `?` may stand in the name of a file, and
    /// of the folders that it is in.
    /// A pipe or a device is a log of its own, read as a stream; in a folder it is none.
    ///
    /// A file is in the list once, however often it is named. Of a plain file and its own compressed
    /// form (`shop.log.1`, `shop.log.1.gz`) only the plain one is: they say the same. One that was
    /// written to after its compressed form may have been unpacked in part, and is compared with it:
    /// then the one that holds more is in the list, and both if they differ. All other files are, also two compressed forms of one file, because one may be broken:
    /// then what both hold is there twice. An error if a path has no files, or leads through a folder
    /// that this process may not look into. A file of a folder that it may not look at is in the list:
    /// reading it tells why.
    pub fn find<P: AsRef<Path>>(paths: &[P]) -> Result<Vec<Self>, Error> {
        let mut found = Kin::default();
        for path in paths {
            let path = path.as_ref();
            if !collect_all(path, &mut found)? {
                return Err(Error::none(path));
            }
        }
        let families = found.into_logs();
        Ok(families.map(|(log, files)| Self { log, files }).collect())
    }

    /// The path of the file that is written to, which need not be there.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The files, the oldest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

/// Adds the files that a path stands for, in each folder that it may mean; whether there were any.
fn collect_all(path: &Path, found: &mut Kin) -> Result<bool, Error> {
    let folders = match path.parent() {
        Some(parent) => folders(parent).map_err(|(folder, error)| Error::new(&folder, error))?,
        None => None,
    };
    let (Some(folders), Some(name)) = (folders, path.file_name()) else {
        return collect(path, found);
    };
    let mut any = false;
    for folder in folders {
        any |= match collect(&folder.join(name), found) {
            // The next folder may have some.
            Err(error) if error.is_not_found() => false,
            collected => collected?,
        };
    }
    Ok(any)
}

/// Adds the files that a path stands for; whether there were any.
fn collect(path: &Path, found: &mut Kin) -> Result<bool, Error> {
    // A link is what it leads to: `current.log` may be today's file.
    let target = if path.is_symlink() && !is_handle(path) {
        fs::canonicalize(path).ok()
    } else {
        None
    };
    let path = target.as_deref().unwrap_or(path);
    if let Err(error) = path.metadata() {
        if error.kind() == ErrorKind::PermissionDenied {
            return Err(Error::new(path, error));
        }
    }
    if path.is_dir() {
        return list(path, path, &|_| true, found);
    }
    if path.exists() && !path.is_file() {
        // A pipe or a device: a log of its own, read as a stream.
        found.add(path.to_owned(), path.to_owned(), Age::Current);
        return Ok(true);
    }
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        // Not UTF-8: no name of ours, but a file all the same.
        found.add(path.to_owned(), path.to_owned(), Age::Current);
        return Ok(true);
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let exact = path.exists();
    let pattern = is_pattern(name.as_ref());
    match Name::of(name) {
        Some(Name {
            age: Age::Current,
            compressed: false,
            log,
        }) if !pattern || exact => list(path, folder, &|name| name.log == log, found),
        named if exact => {
            let (log, age) = match named {
                Some(named) => (folder.join(named.log), named.age),
                None => (folder.join(name), Age::Current),
            };
            found.add(log, folder.join(name), age);
            Ok(true)
        }
        _ if pattern => {
            let pattern: Vec<char> = name.chars().collect();
            let like =
                |name: &Name, file: &str| is_like(&pattern, file) || is_like(&pattern, &name.log);
            list_files(path, folder, &like, found)
        }
        _ => Err(Error::none(path)),
    }
}

/// Whether a path is what a process has open: `/dev/stdin`, or `/dev/fd/63` of a shell's `<(…)`. It
/// leads to no name, or to one that is not meant.
fn is_handle(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

fn list(
    path: &Path,
    folder: &Path,
    wanted: &dyn Fn(&Name) -> bool,
    found: &mut Kin,
) -> Result<bool, Error> {
    list_files(path, folder, &|name, _| wanted(name), found)
}

fn list_files(
    path: &Path,
    folder: &Path,
    wanted: &dyn Fn(&Name, &str) -> bool,
    found: &mut Kin,
) -> Result<bool, Error> {
    let mut any = false;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::none(path));
        }
        Err(error) => return Err(Error::new(path, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| Error::new(path, error))?;
        let file = entry.file_name();
        let Some((file, name)) = file.to_str().and_then(|file| Some((file, Name::of(file)?)))
        else {
            continue;
        };
        // A link to a log is a log, unless that log stands beside it: then it is there already.
        let path = entry.path();
        let beside = path.is_symlink() && leads_beside(&path);
        if !beside && wanted(&name, file) && may_be_file(&path) {
            found.add(folder.join(&name.log), folder.join(file), name.age);
            any = true;
        }
    }
    Ok(any)
}

/// Whether it is a file, or one that may not be looked at: whoever reads it is told.
fn may_be_file(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

/// Whether a link leads to a file of the same folder.
fn leads_beside(link: &Path) -> bool {
    let folder = link
        .parent()
        .and_then(|folder| fs::canonicalize(folder).ok());
    let target = fs::canonicalize(link).ok();
    target.is_some_and(|target| target.parent() == folder.as_deref())
}
