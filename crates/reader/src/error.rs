//! What could not be done, on which path, and why.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A path whose log files cannot be found, or a file that cannot be indexed.
///
/// Files that are found and then cannot be read are a [`Trouble`](crate::Trouble) instead: the rest
/// is read.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    kind: Kind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    None,
    Index,
}

impl Error {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::List,
            source: Some(source.into()),
        }
    }

    pub(crate) fn none(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::None,
            source: None,
        }
    }

    pub(crate) fn index(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::Index,
            source: Some(source),
        }
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is simply nothing at the path.
    pub fn is_not_found(&self) -> bool {
        let io = self.source.as_ref().map(|source| source.downcast_ref());
        io.is_none_or(|io: Option<&io::Error>| {
            io.is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.kind {
            Kind::List => write!(f, "cannot list the log files of `{path}`"),
            Kind::None => write!(
                f,
                "cannot find log files at `{path}`: there are none; name a file, a folder or a pattern such as `logs/*.log`"
            ),
            Kind::Index => write!(f, "cannot index log file `{path}`"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
