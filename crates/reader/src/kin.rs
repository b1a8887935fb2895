//! Gathers the files that were named or found, by their log, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::name::{Age, stem};

/// Files by the log that they belong to.
#[derive(Default)]
pub(crate) struct Kin {
    /// By age, and by name where that is equal: names of several forms may tell of one day.
    logs: BTreeMap<PathBuf, BTreeSet<(Age, PathBuf)>>,
}

impl Kin {
    /// Adds a file of a log.
    pub(crate) fn add(&mut self, log: PathBuf, path: PathBuf, age: Age) {
        self.logs.entry(log).or_default().insert((age, path));
    }

    /// Each log with its files, the oldest first.
    pub(crate) fn into_logs(self) -> impl Iterator<Item = (PathBuf, Vec<PathBuf>)> {
        self.logs.into_iter().map(|(log, files)| {
            let alone = |(age, path): &(Age, PathBuf)| {
                let plain = plain(path).map(|plain| (age.clone(), plain));
                !plain.is_some_and(|plain| files.contains(&plain) && !is_empty(&plain.1))
            };
            let paths = files.iter().filter(|file| alone(file));
            (log, paths.map(|(_, path)| path.clone()).collect())
        })
    }
}

/// The path of the file of which this is the compressed form. While it is compressed, or after a
/// crash, both are there and say the same; the plain one is whole.
fn plain(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = stem(name);
    (stem.len() < name.len()).then(|| path.with_file_name(stem))
}

/// Whether nothing was unpacked into it yet, or its writer began it anew.
fn is_empty(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.len() == 0)
}
