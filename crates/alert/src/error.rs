//! Why rules, a notifier or a playbook could not be set up, and what went wrong later.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// What failed, on what, and what to do about it; the cause is its `source()`.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    place: Option<Place>,
    file: Option<PathBuf>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rules,
    Setup,
    Delivery,
}

/// Where in a rules file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Error {
    pub(crate) fn rules(place: Option<Place>, what: impl Into<String>) -> Self {
        Self {
            kind: Kind::Rules,
            what: what.into(),
            place,
            file: None,
            source: None,
        }
    }

    pub(crate) fn setup(what: impl Into<String>) -> Self {
        Self {
            kind: Kind::Setup,
            what: what.into(),
            place: None,
            file: None,
            source: None,
        }
    }

    pub(crate) fn delivery(what: impl Into<String>) -> Self {
        Self {
            kind: Kind::Delivery,
            what: what.into(),
            place: None,
            file: None,
            source: None,
        }
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.into());
        self
    }

    pub(crate) fn and_more(mut self, more: u64) -> Self {
        if more > 0 {
            self.what
                .push_str(&format!(" (and {more} more since the last report)"));
        }
        self
    }

    /// All of it in one line.
    pub(crate) fn with_causes(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(&format!(": {error}"));
            cause = error.source();
        }
        line
    }

    /// Whether the rules themselves are at fault: their YAML, a key, a pattern, a name.
    pub fn is_rules(&self) -> bool {
        self.kind == Kind::Rules
    }

    /// Whether something failed after the start: an alert that could not be sent, a playbook or a
    /// callback that panicked.
    pub fn is_delivery(&self) -> bool {
        self.kind == Kind::Delivery
    }

    /// The line in the rules file, from 1, if the fault has one.
    pub fn line(&self) -> Option<usize> {
        self.place.map(|place| place.line)
    }

    /// The column in the rules file, from 1, if the fault has one.
    pub fn column(&self) -> Option<usize> {
        self.place.map(|place| place.column)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == Kind::Rules {
            f.write_str("cannot load the rules")?;
            if let Some(file) = &self.file {
                write!(f, " of `{}`", file.display())?;
            }
            if let Some(Place { line, column }) = self.place {
                write!(f, ", line {line} column {column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}
