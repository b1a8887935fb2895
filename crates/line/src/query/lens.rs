//! Sees the four things that every line has, whoever wrote it: time, level, target, message.

use std::borrow::Cow;

use super::civil;
use super::names::Names;
use super::now::Now;
use super::source::meant;
use super::walk::{Found, Index};
use super::wrapped;
use crate::{Level, Value};

/// Looks at lines of any logger and finds time, level, target and message under the names that a
/// query knows.
///
/// ```
/// use std::time::SystemTime;
/// use dogwatch_line::{Lens, Level, Now};
///
/// let lens = Lens::new(Now::utc(SystemTime::now()));
/// let seen = lens.look(r#"{"level":50,"time":1795514400000,"msg":"pool timed out","pid":1}"#);
/// assert_eq!(seen.level(), Some(Level::Error));
/// assert_eq!(seen.nanos(), Some(1_795_514_400_000_000_000));
/// assert_eq!(seen.message().as_deref(), Some("pool timed out"));
/// assert!(seen.shows("msg") && !seen.shows("pid"));
/// ```
#[derive(Debug)]
pub struct Lens {
    slots: [Names; 4],
    index: Index,
    now: Now,
}

/// What a [`Lens`] saw of a line; borrows both.
#[derive(Clone, Debug)]
pub struct Seen<'l, 'a> {
    lens: &'l Lens,
    found: [Option<Found<'a>>; 4],
}

impl Lens {
    /// The moment is given for its zone alone: a time without one is the user's.
    pub fn new(now: Now) -> Self {
        let slots = ["timestamp", "level", "target", "message"].map(Names::of);
        let index = Index::new(&slots);
        Self { slots, index, now }
    }

    /// Looks at a line. Of text that is no JSON object nothing is seen.
    pub fn look<'l, 'a>(&'l self, line: &'a str) -> Seen<'l, 'a> {
        let mut found = [None; 4];
        if self.index.walk(line, &self.slots, &mut found).is_err() {
            found = [None; 4];
        }
        Seen { lens: self, found }
    }
}

/// The line within the wrapper of Docker's json-file driver, or the line itself.
pub fn unwrapped(line: &str) -> Cow<'_, str> {
    match wrapped::inner(line) {
        Some(inner) => Cow::Owned(inner),
        None => Cow::Borrowed(line),
    }
}

impl<'a> Seen<'_, 'a> {
    /// When it happened, in nanoseconds since 1970 UTC.
    pub fn nanos(&self) -> Option<i128> {
        let value = self.value(0)?;
        civil::instant(&value, |local| self.lens.now.to_utc(local))
    }

    /// Its level.
    pub fn level(&self) -> Option<Level> {
        Level::of(&self.value(1)?)
    }

    /// Where it was logged from: a target, a logger's name.
    pub fn target(&self) -> Option<Cow<'a, str>> {
        self.text(2)
    }

    /// Its message.
    pub fn message(&self) -> Option<Cow<'a, str>> {
        self.text(3)
    }

    /// Whether a field is one of the four, by the name that it has in this line.
    pub fn shows(&self, name: &str) -> bool {
        let names = self.found.iter().zip(&self.lens.slots);
        names
            .filter_map(|(found, slot)| Some(&*slot.names[found.as_ref()?.name()].path))
            .any(|shown| shown == name)
    }

    fn value(&self, slot: usize) -> Option<Value<'a>> {
        let found = self.found[slot]?;
        meant(&self.lens.slots[slot], found.name(), found.token.value())
    }

    fn text(&self, slot: usize) -> Option<Cow<'a, str>> {
        match self.value(slot)? {
            Value::Str(text) => Some(text),
            other => Some(Cow::Owned(other.to_string())),
        }
    }
}
