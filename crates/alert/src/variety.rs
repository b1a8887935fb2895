//! Counts how many different values came within a span of time, exactly up to a bound. Pure.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use dogwatch_line::Value;

use crate::meter::Level;

/// The latest different values, `threshold` at most: all that the question "that many within the
/// span?" needs, so that the answer is exact and no sketch is asked.
///
/// Values are known by a hash of 64 bits, each with the time when it last came, in a list from the
/// newest to the oldest. Some 45 bytes of each, taken as they come.
#[derive(Debug)]
pub(crate) struct Variety {
    length: u64,
    threshold: usize,
    /// Fewer than this many are few enough again; the threshold at most.
    below: usize,
    places: HashMap<u64, usize>,
    entries: Vec<Entry>,
    newest: usize,
    oldest: usize,
    /// Entries that have left, to be used again.
    free: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    value: u64,
    last: u64,
    newer: usize,
    older: usize,
}

impl Variety {
    pub(crate) fn new(length: u64, threshold: usize, below: usize) -> Self {
        Self {
            length,
            threshold,
            below,
            places: HashMap::new(),
            entries: Vec::new(),
            newest: NOBODY,
            oldest: NOBODY,
            free: Vec::new(),
        }
    }

    /// Adds a value by its hash. Time never steps back: an older time counts as the newest so far.
    pub(crate) fn push(&mut self, now: u64, value: u64) {
        let newest = self.entries.get(self.newest).map(|entry| entry.last);
        let now = newest.map_or(now, |newest| newest.max(now));
        self.forget(now);
        let at = match self.places.get(&value) {
            Some(&at) => {
                self.unlink(at);
                at
            }
            None => {
                if self.places.len() == self.threshold {
                    self.drop_oldest();
                }
                let at = self.free.pop().unwrap_or(self.entries.len());
                self.places.insert(value, at);
                at
            }
        };
        self.link(
            at,
            Entry {
                value,
                last: now,
                newer: NOBODY,
                older: NOBODY,
            },
        );
    }

    /// Lets go of what came a span ago or longer.
    pub(crate) fn forget(&mut self, now: u64) {
        while self
            .oldest_at()
            .is_some_and(|last| now.saturating_sub(last) >= self.length)
        {
            self.drop_oldest();
        }
    }

    /// How many different values are within the span that ends now, `threshold` at most.
    pub(crate) fn count(&self, now: u64) -> usize {
        let mut gone = 0;
        let mut at = self.oldest;
        while let Some(entry) = self.entries.get(at) {
            if now.saturating_sub(entry.last) < self.length {
                break;
            }
            gone += 1;
            at = entry.newer;
        }
        self.places.len() - gone
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        Level::of(self.count(now), self.threshold, self.below)
    }

    /// When a value leaves the span if no event comes.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let mut at = self.oldest;
        while let Some(entry) = self.entries.get(at) {
            let leaves = entry.last.saturating_add(self.length);
            if leaves > now {
                return Some(leaves);
            }
            at = entry.newer;
        }
        None
    }

    /// The time of the value among those kept that came the longest ago.
    pub(crate) fn oldest_at(&self) -> Option<u64> {
        self.entries.get(self.oldest).map(|entry| entry.last)
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.length, self.threshold, self.below);
    }

    /// Puts an entry at the newest end.
    fn link(&mut self, at: usize, entry: Entry) {
        let entry = Entry {
            older: self.newest,
            ..entry
        };
        match self.entries.get_mut(at) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        match self.entries.get_mut(self.newest) {
            Some(newest) => newest.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: usize) {
        let Entry { newer, older, .. } = self.entries[at];
        match self.entries.get_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.entries.get_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn drop_oldest(&mut self) {
        let at = self.oldest;
        if let Some(&entry) = self.entries.get(at) {
            self.unlink(at);
            self.places.remove(&entry.value);
            self.free.push(at);
        }
    }
}

/// A value's hash: of the text that a group would have, so that `7` and `"7"` are one. None of a
/// value that is not there.
pub(crate) fn hash(value: &Value<'_>) -> Option<u64> {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    match value {
        Value::Null => return None,
        Value::Str(text) if text.is_empty() => return None,
        // Writing into a hash never fails, and allocates nothing.
        Value::Str(text) => drop(hash.write_str(text)),
        other => drop(write!(hash, "{other}")),
    }
    Some(hash.0)
}

/// FNV-1a: the same on every machine, so that a test is a proof.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

/// Beyond any list.
const NOBODY: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use super::{Variety, hash};
    use crate::meter::Level;
    use dogwatch_line::Value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_count_of_different_values_equals_a_naive_one_at_every_step(
            length in 1_u64..50, threshold in 1_usize..12, below in 1_usize..12,
            forgets in any::<bool>(),
            steps in prop::collection::vec((0_u64..15, 0_u64..20), 1..200),
        ) {
            let below = below.min(threshold);
            let mut variety = Variety::new(length, threshold, below);
            let mut all: Vec<(u64, u64)> = Vec::new();
            let mut now = 0;
            let naive = |all: &[(u64, u64)], now: u64| {
                let inside = all.iter().filter(|(time, _)| now - time < length);
                let mut values: Vec<u64> = inside.map(|(_, value)| *value).collect();
                values.sort_unstable();
                values.dedup();
                values.len()
            };
            for (step, value) in steps {
                // Between two moments that it names the level stays as it is.
                let next = variety.next(now).unwrap_or(u64::MAX);
                for moment in now..(now + step).min(next) {
                    prop_assert_eq!(variety.level(moment), variety.level(now));
                }
                now += step;
                if forgets {
                    variety.forget(now);
                }
                prop_assert_eq!(variety.count(now), naive(&all, now).min(threshold));
                variety.push(now, value);
                all.push((now, value));
                let count = naive(&all, now);
                prop_assert_eq!(variety.count(now), count.min(threshold));
                let level = match count {
                    count if count >= threshold => Level::Over,
                    count if count < below => Level::Under,
                    _ => Level::Between,
                };
                prop_assert_eq!(variety.level(now), level);
                prop_assert!(variety.entries.len() <= threshold);
            }
        }
    }

    #[test]
    fn a_number_and_its_text_are_one_value_and_nothing_is_none() {
        assert_eq!(hash(&Value::from("7")), hash(&Value::U64(7)));
        assert_eq!(hash(&Value::I64(7)), hash(&Value::U64(7)));
        assert_ne!(hash(&Value::from("甲")), hash(&Value::from("乙")));
        assert_eq!(hash(&Value::from("")), None);
        assert_eq!(hash(&Value::Null), None);
    }
}
