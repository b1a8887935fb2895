//! What could not be read, on which path, and why.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A path whose log files cannot be found.
///
/// Files that are found and then cannot be read are a [`Trouble`](crate::Trouble) instead: the rest
/// is read.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    source: Option<io::Error>,
}

impl Error {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            source: Some(source),
        }
    }

    pub(crate) fn none(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            source: None,
        }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is simply nothing at the path.
    pub fn is_not_found(&self) -> bool {
        self.source
            .as_ref()
            .is_none_or(|source| source.kind() == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.source {
            Some(_) => write!(f, "cannot list the log files of `{path}`"),
            None => write!(
                f,
                "cannot find log files at `{path}`: there are none; name a file, a folder or a pattern such as `logs/*.log`"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
