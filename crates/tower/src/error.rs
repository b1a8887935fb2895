//! Says why a text is no trace context.

use std::fmt;

/// A `traceparent` that does not follow W3C Trace Context Level 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    why: &'static str,
}

impl Error {
    pub(crate) const fn new(why: &'static str) -> Self {
        Self { why }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read traceparent: {}", self.why)
    }
}

impl std::error::Error for Error {}
