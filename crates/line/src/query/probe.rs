//! Tells from the bytes of a line that a text cannot be in it, before anything is read.

use memchr::memmem::Finder;

use super::expr::Expr;
use super::literals::Literals;

/// The needles of one text; with none of them in a line, the text is not in it.
#[derive(Debug)]
pub(crate) struct Probe {
    finders: Vec<Finder<'static>>,
}

impl Probe {
    pub(crate) fn of(expr: &Expr) -> Self {
        let literals = Literals::of(expr);
        let needles = literals.best().iter();
        Self {
            finders: needles
                .map(|needle| Finder::new(needle.bytes()).into_owned())
                .collect(),
        }
    }

    /// Whether the text may be in the line.
    pub(crate) fn may_be_in(&self, line: &str) -> bool {
        self.finders.is_empty()
            || self
                .finders
                .iter()
                .any(|finder| finder.find(line.as_bytes()).is_some())
    }
}
