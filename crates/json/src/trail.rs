//! The way from a field's name down to a key inside of its value, and what is to be hidden there.

use crate::redact::{Redact, Treatment};
use crate::words::push_words;

#[derive(Debug, Default)]
pub(crate) struct Trail {
    redact: Redact,
    /// The keys from the field's name down to here, with dots between.
    path: String,
    /// Their words, as secrets are compared.
    words: String,
}

/// A place on the way, to come back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    path: usize,
    words: usize,
}

impl Trail {
    pub(crate) fn new(redact: Redact, field: &str) -> Self {
        let mut trail = Trail {
            redact,
            path: String::with_capacity(BYTES),
            words: String::with_capacity(BYTES),
        };
        trail.path.push_str(field);
        push_words(&mut trail.words, field);
        trail
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            path: self.path.len(),
            words: self.words.len(),
        }
    }

    pub(crate) fn back(&mut self, place: Place) {
        self.path.truncate(place.path);
        self.words.truncate(place.words);
    }

    /// Goes to the key `name` of the object at `place`. What becomes of its value.
    pub(crate) fn enter(&mut self, place: Place, name: &str) -> Option<Treatment> {
        if !self.redact.hides() {
            return None;
        }
        self.back(place);
        self.path.push('.');
        self.path.push_str(name);
        push_words(&mut self.words, name);
        let treatment = self.redact.treatment_of(&self.path, &self.words);
        treatment.cloned()
    }
}

/// Room for most paths.
const BYTES: usize = 64;
