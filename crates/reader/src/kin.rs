//! Gathers the files that were named or found, by their log, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::name::{Age, stem};
use crate::twin::Twin;

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
            let mut hidden = BTreeSet::new();
            for (age, path) in &files {
                let Some(plain) = plain(path).filter(|plain| has(&files, age, plain)) else {
                    continue;
                };
                match Twin::of(&plain, path) {
                    Twin::Same => hidden.insert(path.clone()),
                    Twin::More => hidden.insert(plain),
                    Twin::Other => false,
                };
            }
            let paths = files.into_iter().map(|(_, path)| path);
            (log, paths.filter(|path| !hidden.contains(path)).collect())
        })
    }
}

fn has(files: &BTreeSet<(Age, PathBuf)>, age: &Age, path: &Path) -> bool {
    files.contains(&(age.clone(), path.to_owned()))
}

/// The path of the file of which this is the compressed form.
fn plain(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let stem = stem(name);
    (stem.len() < name.len()).then(|| path.with_file_name(stem))
}
