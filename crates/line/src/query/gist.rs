//! Reads of a line what an index keeps of it: when it happened, and its level.

use super::civil::{self, DAY};
use super::names::Names;
use super::source::meant;
use super::walk::Index;
use super::wrapped;
use crate::members::Elements;
use crate::{Level, Value};

/// Reads time and level of lines as a query over `timestamp` and `level` sees them, whatever zone its
/// user is in. For an index.
///
/// ```
/// use dogwatch_line::{Gist, Level};
///
/// let gist = Gist::new();
/// let line = r#"{"@timestamp":"2026-11-24T10:00:00Z","log.level":"error"}"#;
/// let ten = 1_795_514_400_000_000_000;
/// assert_eq!(gist.of(line), (Some((ten, ten)), Some(Level::Error)));
///
/// // A time without a zone may be a day earlier or later.
/// let (times, _) = gist.of(r#"{"time":"2026-11-24T10:00:00","level":"loud"}"#);
/// let day = 86_400_000_000_000;
/// assert_eq!(times, Some((ten - day, ten + day)));
/// ```
#[derive(Debug)]
pub struct Gist {
    slots: [Names; 2],
    index: Index,
}

impl Default for Gist {
    fn default() -> Self {
        Self::new()
    }
}

impl Gist {
    /// Ready to read lines.
    pub fn new() -> Self {
        let slots = ["timestamp", "level"].map(Names::of);
        let index = Index::new(&slots);
        Self { slots, index }
    }

    /// The earliest and the latest that the line's time can mean, in nanoseconds since 1970 UTC, and
    /// the line's level, if it has them.
    pub fn of(&self, line: &str) -> (Option<(i128, i128)>, Option<Level>) {
        match wrapped::inner(line) {
            Some(inner) => self.of_bare(&inner),
            None => self.of_bare(line),
        }
    }

    fn of_bare(&self, line: &str) -> (Option<(i128, i128)>, Option<Level>) {
        let mut found = [None; 2];
        if self.index.walk(line, &self.slots, &mut found).is_err() {
            return (None, None);
        }
        let value = |slot: usize| {
            let found = found[slot]?;
            meant(&self.slots[slot], found.name(), found.token.value())
        };
        let times = value(0).and_then(|value| times(&value));
        (times, value(1).and_then(|value| Level::of(&value)))
    }
}

fn times(value: &Value<'_>) -> Option<(i128, i128)> {
    match value {
        // A query holds for a list if it does for one of its elements.
        Value::Raw(json) => Elements::of(json)
            .filter(|element| !matches!(element, Value::Raw(_)))
            .filter_map(|element| times(&element))
            .reduce(|(earliest, latest), (from, to)| (earliest.min(from), latest.max(to))),
        scalar => {
            let mut local = false;
            let at = civil::instant(scalar, |at| {
                local = true;
                at
            })?;
            let within = if local { DAY } else { 0 };
            Some((at - within, at + within))
        }
    }
}
