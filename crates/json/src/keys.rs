//! The keys of objects that are being written: each stands once in its object.

use crate::key::key_hash;

/// The keys of the open objects, the innermost object's last.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Known>);

/// Where a key stands with its quotes and its colon.
#[derive(Debug)]
struct Known {
    hash: u32,
    start: usize,
    end: usize,
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the key that ends `out`, of an object whose first key is at `first`; one that the object
    /// has gets a `_` behind its name. False if it is one of too many.
    pub(crate) fn settle(&mut self, out: &mut Vec<u8>, start: usize, first: usize) -> bool {
        if self.0.len() - first >= MOST_KEYS {
            return false;
        }
        for _ in 0..MOST_TWINS {
            let (hash, end) = (key_hash(&out[start..]), out.len());
            let same =
                |known: &Known| known.hash == hash && out[known.start..known.end] == out[start..];
            if !self.0[first..].iter().any(same) {
                self.0.push(Known { hash, start, end });
                return true;
            }
            out.insert(end - 2, b'_');
        }
        false
    }

    /// Forgets the keys of an object that is closed.
    pub(crate) fn close(&mut self, first: usize) {
        self.0.truncate(first);
    }

    /// Forgets the keys that stand behind `end`.
    pub(crate) fn take_back(&mut self, end: usize) {
        while self.0.last().is_some_and(|key| key.end > end) {
            self.0.pop();
        }
    }
}

/// Keys of one object: each is compared with those before it.
const MOST_KEYS: usize = 1000;

/// Keys of one name in an object.
const MOST_TWINS: usize = 16;
