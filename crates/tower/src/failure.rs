//! What went wrong, kept as text: the error itself goes on to the caller.

use std::any::Any;
use std::error::Error;
use std::fmt;

use crate::panics::{self, Panic};

/// An error's message and those of its sources.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
    source: Option<Box<Failure>>,
    location: Option<String>,
    backtrace: Option<String>,
}

impl Failure {
    /// Of anything that a service may fail with. Tower's boxed error does not implement `Error` itself, so
    /// it is asked for by name; of any other type the message must do.
    pub(crate) fn of<E: fmt::Display + 'static>(error: &E) -> Self {
        match (error as &dyn Any).downcast_ref::<Box<dyn Error + Send + Sync>>() {
            Some(boxed) => Self::of_error(&**boxed),
            None => Self::message(render(error)),
        }
    }

    pub(crate) fn of_error(error: &(dyn Error + 'static)) -> Self {
        Self::chain(error, MAX_SOURCES)
    }

    /// Of a caught panic, with what the hook saw of it.
    pub(crate) fn of_panic(panic: &Panic) -> Self {
        let seen = panic.seen.as_ref();
        Self {
            location: seen.and_then(|seen| seen.location.clone()),
            backtrace: seen.and_then(|seen| seen.backtrace.clone()),
            ..Self::message(panics::message(&*panic.payload).to_owned())
        }
    }

    /// Where a panic was.
    pub(crate) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(crate) fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    pub(crate) fn as_error(&self) -> &(dyn Error + 'static) {
        self
    }

    fn message(message: String) -> Self {
        Self {
            message,
            source: None,
            location: None,
            backtrace: None,
        }
    }

    fn chain(error: &(dyn Error + 'static), depth: usize) -> Self {
        let source = error.source().filter(|_| depth > 0);
        let source = source.map(|source| Box::new(Self::chain(source, depth - 1)));
        Self {
            source,
            ..Self::message(render(error))
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(Failure::as_error)
    }
}

/// An error's text. `to_string` would panic when a `Display` fails, inside somebody's request.
fn render<E: fmt::Display + ?Sized>(error: &E) -> String {
    use fmt::Write;
    let mut text = String::new();
    let write = std::panic::AssertUnwindSafe(|| write!(text, "{error}"));
    match std::panic::catch_unwind(write) {
        Ok(Ok(())) => text,
        _ => "an error whose display failed".to_owned(),
    }
}

/// A chain that is deeper than this is a loop or a mistake.
const MAX_SOURCES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("again")
        }
    }

    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Endless)
        }
    }

    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    #[test]
    fn the_chain_of_a_boxed_error_is_kept() {
        let inner = std::io::Error::other("disk full");
        let outer: Box<dyn Error + Send + Sync> = Box::new(std::io::Error::other(inner));
        let failure = Failure::of(&outer);
        assert_eq!(failure.to_string(), "disk full");
        assert_eq!(Failure::of(&"plain text").to_string(), "plain text");
    }

    #[test]
    fn an_endless_chain_and_a_broken_display_are_survived() {
        let failure = Failure::of_error(&Endless);
        let depth =
            std::iter::successors(Some(failure.as_error()), |&error| error.source()).count();
        assert_eq!(depth, MAX_SOURCES + 1);
        assert_eq!(
            Failure::of(&Broken).to_string(),
            "an error whose display failed"
        );
    }
}
