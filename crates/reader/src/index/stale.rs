//! Deletes the indexes whose files are gone.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::format::MAGIC;
use crate::name::Name;
use crate::{Error, Index};

impl Index {
    /// Deletes the indexes of files of a log that are there no more, and gives their paths in order: a
    /// logrotate that numbers its files anew, or that compresses or deletes one, leaves them. What only is
    /// called so and is no index stays.
    ///
    /// An error if the folder cannot be listed, or an index not be read or deleted.
    pub fn delete_stale(log: &Path) -> Result<Vec<PathBuf>, Error> {
        let folder = log.parent().filter(|path| !path.as_os_str().is_empty());
        let entries = fs::read_dir(folder.unwrap_or(Path::new(".")));
        let mut deleted = Vec::new();
        for entry in entries.map_err(|error| Error::new(log, error))? {
            let name = entry.map_err(|error| Error::new(log, error))?.file_name();
            let path = log.with_file_name(&name);
            let file = name.to_str().and_then(|name| name.strip_suffix(".idx"));
            let is_ours = |file: &&str| Name::of(file).is_some_and(|name| is_of(&name, log));
            let Some(file) = file.filter(is_ours) else {
                continue;
            };
            // A link that leads nowhere is there all the same.
            if log.with_file_name(file).symlink_metadata().is_ok() {
                continue;
            }
            let gone = is_index(&path).and_then(|index| match index {
                true => fs::remove_file(&path).map(|()| true),
                false => Ok(false),
            });
            if gone.map_err(|error| Error::index(&path, error.into()))? {
                deleted.push(path);
            }
        }
        deleted.sort();
        Ok(deleted)
    }
}

fn is_of(name: &Name, log: &Path) -> bool {
    log.file_name().is_some_and(|log| log == &*name.log)
}

/// Whether a file begins as an index of any version does.
fn is_index(path: &Path) -> io::Result<bool> {
    let magic = &MAGIC[..MAGIC.len() - 1];
    let mut begins = Vec::new();
    File::open(path)?
        .take(magic.len() as u64)
        .read_to_end(&mut begins)?;
    Ok(begins == magic)
}
