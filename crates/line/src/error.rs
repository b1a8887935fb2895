//! Why a text is not a line or not a query, and where.

use std::fmt;

/// A text that is not one JSON object with unique keys, or not a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    offset: usize,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Expected(&'static str),
    Control,
    Escape,
    Surrogate,
    Depth,
    Duplicate(Box<str>),
    #[cfg(feature = "query")]
    Query {
        column: usize,
        message: Box<str>,
    },
}

impl Error {
    pub(crate) fn new(offset: usize, kind: Kind) -> Self {
        Self { offset, kind }
    }

    #[cfg(feature = "query")]
    pub(crate) fn query(offset: usize, column: usize, message: Box<str>) -> Self {
        Self::new(offset, Kind::Query { column, message })
    }

    /// Where in the text, in bytes from its start. For a key that stands twice: the second key.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the text is JSON and only repeats a key.
    pub fn is_duplicate_key(&self) -> bool {
        matches!(self.kind, Kind::Duplicate(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "query")]
        if let Kind::Query { column, message } = &self.kind {
            return write!(f, "cannot read the query at column {column}: {message}");
        }
        write!(f, "cannot read the line at byte {}: ", self.offset)?;
        match &self.kind {
            Kind::Expected(what) => write!(f, "expected {what}"),
            Kind::Control => f.write_str("a control character in a string must be escaped"),
            Kind::Escape => f.write_str("unknown escape in a string"),
            Kind::Surrogate => f.write_str("half of a surrogate pair is no character"),
            Kind::Depth => write!(f, "nested deeper than {}", crate::MAX_DEPTH),
            Kind::Duplicate(key) => write!(f, "the key {key:?} stands twice in one object"),
            #[cfg(feature = "query")]
            Kind::Query { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}
