//! Counts the lines that a writer did not take, and tells about them without a flood.

use crate::shield::shielded;
use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a line was not written, or why there is no such [`Schema`](crate::Schema).
#[derive(Debug)]
pub struct Error {
    reason: Reason,
    lost: u64,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    Panic,
    Nested,
    Schema(String),
}

impl Error {
    pub(crate) fn schema(why: String) -> Self {
        let reason = Reason::Schema(why);
        Error { reason, lost: 0 }
    }

    /// True if a schema was asked for that cannot be: no line is lost.
    pub fn is_schema(&self) -> bool {
        matches!(self.reason, Reason::Schema(_))
    }

    /// The lines that this layer has lost so far, this one included.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// True if the writer panicked rather than returned an error.
    pub fn is_panic(&self) -> bool {
        matches!(self.reason, Reason::Panic)
    }

    /// True if the event came from inside the writing of too many others, as from a writer or a
    /// `Display` that logs through itself.
    pub fn is_nested(&self) -> bool {
        matches!(self.reason, Reason::Nested)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match &self.reason {
            Reason::Schema(why) => return write!(f, "cannot write lines in this schema: {why}"),
            Reason::Io(_) => "cannot write a line of log",
            Reason::Panic => "cannot write a line of log: its writer panicked",
            Reason::Nested => {
                "cannot write a line of log: it was logged from inside the writing of another, \
                 too deep; look for a writer or a Display that logs"
            }
        };
        write!(f, "{why} ({} lost so far)", self.lost)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.reason {
            Reason::Io(error) => Some(error),
            Reason::Panic | Reason::Nested | Reason::Schema(_) => None,
        }
    }
}

/// How many lines a layer's writer did not take. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct LostLines {
    count: Arc<AtomicU64>,
}

impl LostLines {
    /// The lines lost so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

/// Whom a layer tells about lost lines.
pub(crate) struct Failures {
    pub(crate) lost: LostLines,
    pub(crate) on_error: Box<dyn Fn(&Error) + Send + Sync>,
}

impl Failures {
    pub(crate) fn io(&self, error: io::Error) {
        self.add(Reason::Io(error));
    }

    pub(crate) fn panic(&self) {
        self.add(Reason::Panic);
    }

    pub(crate) fn nested(&self) {
        self.add(Reason::Nested);
    }

    /// Tells about the first, second, fourth, eighth … loss: at once, and never a flood.
    fn add(&self, reason: Reason) {
        let lost = self.lost.count.fetch_add(1, Ordering::Relaxed) + 1;
        if lost.is_power_of_two() {
            // A callback that panics has nobody left to tell.
            let _ = shielded(|| (self.on_error)(&Error { reason, lost }));
        }
    }
}

impl Default for Failures {
    fn default() -> Self {
        let tell = |error: &Error| {
            let why = error
                .source()
                .map(|why| format!(": {why}"))
                .unwrap_or_default();
            // If stderr is gone too, the count is all that is left.
            let _ = writeln!(io::stderr(), "dogwatch-json: {error}{why}");
        };
        Failures {
            lost: LostLines::default(),
            on_error: Box::new(tell),
        }
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures")
            .field("lost", &self.lost.count())
            .finish_non_exhaustive()
    }
}
