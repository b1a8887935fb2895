//! Tells a key that stands twice in one object.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::text::Text;

/// The keys of one object: a short list, until it is long or a key is spelled with an escape.
#[derive(Default)]
pub(crate) struct Seen<'a> {
    few: [&'a str; 16],
    len: usize,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Seen<'a> {
    /// Whether the key is new.
    pub(crate) fn insert(&mut self, key: Text<'a>) -> bool {
        if let Some(many) = &mut self.many {
            return many.insert(key.decode());
        }
        if key.escaped || self.len == self.few.len() {
            let few = self.few[..self.len].iter().copied().map(Cow::Borrowed);
            return self.many.insert(few.collect()).insert(key.decode());
        }
        let new = !self.few[..self.len].contains(&key.raw);
        self.few[self.len] = key.raw;
        self.len += 1;
        new
    }
}
