//! Says why logging could not start: what was tried, on what, and what to do.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// A start-up error. After start-up a logger returns nothing to its caller: failures are counted
/// and told through `on_error`.
///
/// `Display` says what was tried and what to do about it; the cause stands in
/// [`source`](StdError::source) and is not repeated.
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Variable,
    Feature,
    Start,
    Twice,
}

impl Error {
    pub(crate) fn variable(name: &str, value: &str, want: &str) -> Self {
        Self::new(Kind::Variable, format!("{name} is `{value}`, want {want}"))
    }

    pub(crate) fn setting(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Variable, message)
    }

    pub(crate) fn feature(asked: &str, feature: &str) -> Self {
        let message = format!(
            "{asked}, but dogwatch was built without its feature `{feature}`: \
             add it in Cargo.toml, or leave the setting away"
        );
        Self::new(Kind::Feature, message)
    }

    pub(crate) fn start(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Start, message)
    }

    pub(crate) fn twice() -> Self {
        Self::new(
            Kind::Twice,
            "cannot start logging twice: a tracing subscriber or a log logger is already set in \
             this process; call `dogwatch::init` once, first thing in main",
        )
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    fn new(kind: Kind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// Whether a variable or a setting holds a value that cannot be used.
    #[must_use]
    pub fn is_setting(&self) -> bool {
        self.kind == Kind::Variable
    }

    /// Whether something was asked for that is not compiled in.
    #[must_use]
    pub fn is_missing_feature(&self) -> bool {
        self.kind == Kind::Feature
    }

    /// Whether logging had been started before in this process.
    #[must_use]
    pub fn is_started_twice(&self) -> bool {
        self.kind == Kind::Twice
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The whole chain, for people: `main` that returns this error prints it by `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|e| e as &(dyn StdError + 'static))
    }
}
