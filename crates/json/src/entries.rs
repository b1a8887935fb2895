//! A list of entries whose first few stand in place: a span of few fields needs no second allocation.

use crate::fields::Entry;
use std::ops::Deref;

/// A request's span has six fields at most, and a handler's span below it three more.
const FEW: usize = 9;

#[derive(Clone, Debug)]
pub(crate) struct Entries {
    few: [Entry; FEW],
    /// Of those in `few`.
    len: usize,
    /// All of them, as soon as there are more than a few.
    many: Vec<Entry>,
}

impl Default for Entries {
    fn default() -> Self {
        Entries {
            few: [Entry::default(); FEW],
            len: 0,
            many: Vec::new(),
        }
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        if self.many.is_empty() {
            &self.few[..self.len]
        } else {
            &self.many
        }
    }
}

impl Entries {
    /// Keeps the memory of a long list for the next.
    pub(crate) fn clear(&mut self) {
        self.len = 0;
        self.many.clear();
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if self.many.is_empty() {
            if let Some(place) = self.few.get_mut(self.len) {
                *place = entry;
                self.len += 1;
                return;
            }
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(entry);
    }
}

impl Extend<Entry> for Entries {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_the_same_in_place_and_beyond() {
        let mut entries = Entries::default();
        for round in 0..2 {
            for n in 0..FEW + 3 {
                assert_eq!(entries.len(), n, "round {round}");
                let mut entry = Entry::default();
                entry.hash = n as u32;
                entries.push(entry);
                let hashes: Vec<u32> = entries.iter().map(|entry| entry.hash).collect();
                assert_eq!(hashes, (0..=n as u32).collect::<Vec<_>>(), "round {round}");
            }
            assert_eq!(entries.clone().len(), FEW + 3);
            entries.clear();
        }
        assert!(entries.is_empty());
    }
}
