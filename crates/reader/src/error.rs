//! What could not be done, on which path, and why.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A path whose log files cannot be found, a file that cannot be indexed, or a cursor that cannot be
/// read or saved.
///
/// Files that are found and then cannot be read are a [`Trouble`](crate::Trouble) instead: the rest
/// is read.
#[derive(Debug)]
pub struct Error {
    path: PathBuf,
    what: What,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    List,
    /// There is nothing.
    None,
    Index,
    ReadCursor,
    SaveCursor,
    LockCursor,
    /// Another reader has it.
    HeldCursor,
    /// This line of a cursor is none.
    GarbledCursor {
        line: usize,
    },
    NewerCursor {
        version: u64,
    },
}

impl Error {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self::of(path, What::List, Some(source.into()))
    }

    pub(crate) fn none(path: &Path) -> Self {
        Self::of(path, What::None, None)
    }

    pub(crate) fn read_cursor(path: &Path, source: io::Error) -> Self {
        Self::of(path, What::ReadCursor, Some(source.into()))
    }

    pub(crate) fn save_cursor(path: &Path, source: io::Error) -> Self {
        Self::of(path, What::SaveCursor, Some(source.into()))
    }

    pub(crate) fn lock_cursor(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::WouldBlock => Self::of(path, What::HeldCursor, None),
            _ => Self::of(path, What::LockCursor, Some(source.into())),
        }
    }

    pub(crate) fn garbled_cursor(path: &Path, line: usize) -> Self {
        Self::of(path, What::GarbledCursor { line }, None)
    }

    pub(crate) fn newer_cursor(path: &Path, version: u64) -> Self {
        Self::of(path, What::NewerCursor { version }, None)
    }

    fn of(
        path: &Path,
        what: What,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            path: path.to_owned(),
            what,
            source,
        }
    }

    pub(crate) fn index(path: &Path, source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::of(path, What::Index, Some(source))
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is simply nothing at the path.
    pub fn is_not_found(&self) -> bool {
        self.what == What::None || self.io_kind() == Some(io::ErrorKind::NotFound)
    }

    /// Whether this process may not look at the path, or not write there.
    pub fn is_denied(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::PermissionDenied)
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        let source = self.source.as_ref()?;
        source.downcast_ref().map(io::Error::kind)
    }

    /// Whether another reader, in this process or another, uses the cursor.
    pub fn is_locked(&self) -> bool {
        self.what == What::HeldCursor
    }

    /// Whether a cursor's file is no cursor that this version can read.
    pub fn is_garbled(&self) -> bool {
        matches!(
            self.what,
            What::GarbledCursor { .. } | What::NewerCursor { .. }
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.what {
            What::List => write!(f, "cannot list the log files of `{path}`"),
            What::None => write!(
                f,
                "cannot find log files at `{path}`: there are none; name a file, a folder or a pattern such as `logs/*.log`"
            ),
            What::Index => write!(f, "cannot index log file `{path}`"),
            What::ReadCursor => write!(f, "cannot read the cursor `{path}`"),
            What::SaveCursor => write!(f, "cannot save the cursor `{path}`"),
            What::LockCursor => write!(f, "cannot lock the cursor `{path}` by `{path}.lock`"),
            What::HeldCursor => write!(
                f,
                "cannot lock the cursor `{path}`: another reader uses it; give each reader a cursor of its own"
            ),
            What::GarbledCursor { line } => write!(
                f,
                "cannot read the cursor `{path}`: its line {line} is garbled; delete it, and its reader begins anew"
            ),
            What::NewerCursor { version } => write!(
                f,
                "cannot read the cursor `{path}`: its format is {version}, and this program knows 1; update it"
            ),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
