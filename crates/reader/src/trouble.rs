//! What went wrong while reading, and was read around.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A file, or a part of one, that could not be read. Everything else was.
#[derive(Debug)]
pub struct Trouble {
    path: PathBuf,
    kind: Kind,
    source: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Vanished,
    Unreadable,
    BrokenFrame {
        at: u64,
        /// Whether no other frame follows it.
        last: bool,
    },
    Unsupported(&'static str),
    LongLine {
        bytes: u64,
    },
    /// A cursor stood before byte `at`.
    Unfinished {
        at: u64,
    },
    /// The file ends within a line.
    Torn,
    Index(&'static str),
}

impl Trouble {
    pub(crate) fn new(path: &Path, kind: Kind, source: Option<io::Error>) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            source,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The file; empty for a stream.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same in this file: for a part of a file that was read as a stream.
    pub fn in_file(self, path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            ..self
        }
    }

    /// Whether the file was listed and was gone when its turn came.
    pub fn is_vanished(&self) -> bool {
        self.kind == Kind::Vanished
    }

    /// Whether a cursor stood in a file that is gone: lines behind it, if there were any, are lost to
    /// its reader.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.kind, Kind::Unfinished { .. })
    }

    /// Whether a part of a compressed file is broken; what follows it was read.
    pub fn is_broken_frame(&self) -> bool {
        matches!(self.kind, Kind::BrokenFrame { .. })
    }

    /// Whether a file ends within a line of JSON, be it that it is being written; what there is of it
    /// was read as text, and no line is missing. A follower waits for the rest instead.
    pub fn is_torn(&self) -> bool {
        self.kind == Kind::Torn
    }

    /// Whether an [`Index`](crate::Index) could not be used; the whole file is read instead, and no
    /// line is missing.
    pub fn is_index(&self) -> bool {
        matches!(self.kind, Kind::Index(_))
    }

    /// Whether a line was longer than [`MAX_LINE`](crate::MAX_LINE) and was left out.
    pub fn is_long_line(&self) -> bool {
        matches!(self.kind, Kind::LongLine { .. })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_os_str().is_empty() {
            true => "the stream".to_owned(),
            false => format!("`{}`", self.path.display()),
        };
        match self.kind {
            Kind::Vanished => write!(f, "{path} was there and is gone"),
            Kind::Unreadable => write!(f, "cannot read {path} to its end"),
            Kind::BrokenFrame { at, last: false } => write!(
                f,
                "{path} is broken at byte {at}; what follows the broken part is read"
            ),
            Kind::BrokenFrame { at, last: true } => write!(
                f,
                "{path} is broken at byte {at}; what is whole before that is read, and nothing follows it"
            ),
            Kind::Unsupported(feature) => {
                write!(
                    f,
                    "cannot read {path}: it is compressed, and the feature `{feature}` is not compiled in"
                )
            }
            Kind::Index(why) => write!(
                f,
                "the index of {path} {why}; all of the file is read; `dogwatch index {}` makes it anew",
                self.path.display()
            ),
            Kind::Unfinished { at } => write!(
                f,
                "{path} is gone, in which the cursor stood before byte {at}; what was behind it is lost"
            ),
            Kind::Torn => write!(
                f,
                "{path} ends within a line, which is being written or was cut off; what there is of it is read as text"
            ),
            Kind::LongLine { bytes } => write!(
                f,
                "a line of {bytes} bytes in {path} is too long and left out"
            ),
        }
    }
}

impl std::error::Error for Trouble {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
