//! Counts the commonest of many things in bounded memory, and says what it left out. Pure.

use std::collections::HashMap;

/// Something for each of at most [`MOST`] names.
pub(crate) struct Tops<T> {
    entries: HashMap<String, T>,
    /// How many had a name for which there was no room.
    pub(crate) left_out: u64,
}

impl<T: Default> Tops<T> {
    pub(crate) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            left_out: 0,
        }
    }

    /// What belongs to a name; `None` if there is no room for a new one.
    pub(crate) fn entry(&mut self, name: &str) -> Option<&mut T> {
        if !self.entries.contains_key(name) {
            if self.entries.len() >= MOST {
                self.left_out += 1;
                return None;
            }
            self.entries.insert(name.to_owned(), T::default());
        }
        self.entries.get_mut(name)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.values_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The first so many, the greatest first, equals by name.
    pub(crate) fn first(&self, most: usize, by: impl Fn(&T) -> u64) -> Vec<(&str, &T)> {
        let mut all: Vec<(&str, &T)> = self
            .entries
            .iter()
            .map(|(name, entry)| (&**name, entry))
            .collect();
        all.sort_by_key(|(name, entry)| (std::cmp::Reverse(by(entry)), *name));
        all.truncate(most);
        all
    }
}

/// Names are at most a template long, so that this is a few MiB.
pub(crate) const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::{MOST, Tops};

    #[test]
    fn the_commonest_come_first_and_what_has_no_room_is_counted() {
        let mut tops: Tops<u64> = Tops::new();
        for name in ["b", "a", "a", "c"] {
            *tops.entry(name).unwrap() += 1;
        }
        assert_eq!(tops.first(2, |count| *count), [("a", &2), ("b", &1)]);
        for number in 0..MOST {
            let _ = tops.entry(&number.to_string());
        }
        assert_eq!((tops.len(), tops.left_out), (MOST, 3));
        assert!(tops.entry("a").is_some());
    }
}
