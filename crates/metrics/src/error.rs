//! What can go wrong while metrics are set up. Nothing can once they run.

use std::fmt;

/// A family of metrics that could not be registered.
#[derive(Debug)]
pub struct Error {
    name: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Name,
    Label(String),
    Taken,
}

impl Error {
    pub(crate) fn name(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            why: Why::Name,
        }
    }

    pub(crate) fn label(name: &str, label: &str) -> Self {
        Self {
            name: name.to_owned(),
            why: Why::Label(label.to_owned()),
        }
    }

    pub(crate) fn taken(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            why: Why::Taken,
        }
    }

    /// The name, or the name of a label, is not one that Prometheus can read.
    #[must_use]
    pub fn is_invalid_name(&self) -> bool {
        matches!(self.why, Why::Name | Why::Label(_))
    }

    /// There is a family of that name already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        matches!(self.why, Why::Taken)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot register metric `{}`: ", self.name)?;
        match &self.why {
            Why::Name => f.write_str(
                "not a metric name; use letters, digits, `_` and `:`, the first no digit",
            ),
            Why::Label(label) => write!(
                f,
                "`{label}` is not a label name, or it is there twice; use letters, digits and `_`, the first no digit, not two `_` at the start"
            ),
            Why::Taken => f.write_str(
                "its samples would have the names of a family that exists; choose another name",
            ),
        }
    }
}

impl std::error::Error for Error {}
