//! Reads when a line happened, whoever wrote it.

use super::civil;
use super::names::Names;
use super::now::Now;
use super::walk::Index;
use super::wrapped;

/// Tells when lines happened, by any of the names and forms that a query knows.
///
/// ```
/// use std::time::SystemTime;
/// use dogwatch_line::{Now, Times};
///
/// let times = Times::new(Now::utc(SystemTime::now()));
/// let ours = times.of(r#"{"timestamp":"2026-11-24T10:00:00.000000Z","level":"INFO"}"#);
/// let zap = times.of(r#"{"level":"info","ts":1795514400.0}"#);
/// assert_eq!(ours, Some(1_795_514_400_000_000_000));
/// assert_eq!(ours, zap);
/// assert_eq!(times.of("no JSON"), None);
/// ```
#[derive(Debug)]
pub struct Times {
    slots: [Names; 1],
    index: Index,
    now: Now,
}

impl Times {
    /// The moment is given for its zone alone: a time without one is the user's.
    pub fn new(now: Now) -> Self {
        let slots = [Names::of("timestamp")];
        let index = Index::new(&slots);
        Self { slots, index, now }
    }

    /// Nanoseconds since 1970 UTC; `None` if the line has no time that can be read.
    pub fn of(&self, line: &str) -> Option<i128> {
        match wrapped::inner(line) {
            Some(inner) => self.of_bare(&inner),
            None => self.of_bare(line),
        }
    }

    fn of_bare(&self, line: &str) -> Option<i128> {
        let mut found = [None];
        self.index.walk(line, &self.slots, &mut found).ok()?;
        let value = found[0]?.token.value();
        civil::instant(&value, |local| self.now.to_utc(local))
    }
}
