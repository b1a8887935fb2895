//! The one error of this crate: what was tried, on what, and how often since the last report.

use std::{error, fmt, io};

/// What went wrong when a file was opened, or later behind the caller's back.
///
/// Start-up gives it back ([`AppenderBuilder::open`](crate::AppenderBuilder::open)); after start-up
/// it reaches `on_error`, rate limited. The cause, if the system gave one, is the `source()`.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    more: u64,
    source: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Io,
    Locked,
    Option,
    Loss,
    Space,
    Panic,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            more: 0,
            source: None,
        }
    }

    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self {
            kind: Kind::Io,
            what: what.into(),
            more: 0,
            source: Some(source),
        }
    }

    pub(crate) fn of(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn and_more(mut self, more: u64) -> Self {
        self.more = more;
        self
    }

    /// As what an `io::Error` around it counts.
    pub(crate) fn io_kind(&self) -> io::ErrorKind {
        let kind = self.source.as_ref().map(io::Error::kind);
        kind.unwrap_or(io::ErrorKind::Other)
    }

    /// The system refused: the cause is the `source()`.
    pub fn is_io(&self) -> bool {
        self.kind == Kind::Io
    }

    /// Another appender, in this process or another one, writes to the same path.
    pub fn is_locked(&self) -> bool {
        self.kind == Kind::Locked
    }

    /// An option cannot be served: an unknown time zone, a roll at 25 o'clock, a path without a
    /// usable file name.
    pub fn is_option(&self) -> bool {
        self.kind == Kind::Option
    }

    /// Lines were refused or lost; [`Accounts`](crate::Accounts) say how many, by reason and level.
    pub fn is_loss(&self) -> bool {
        self.kind == Kind::Loss
    }

    /// The free space that [`Keep`](crate::Keep) wants cannot be had: no further file may go.
    pub fn is_space(&self) -> bool {
        self.kind == Kind::Space
    }

    /// A writer or a callback panicked; the writer thread goes on.
    pub fn is_panic(&self) -> bool {
        self.kind == Kind::Panic
    }

    /// How many further failures this report stands for, because reports are rate limited.
    pub fn more(&self) -> u64 {
        self.more
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match self.more {
            0 => Ok(()),
            more => write!(f, " (and {more} more failures since the last report)"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
