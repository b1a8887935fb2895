//! A few things that a thread keeps instead of freeing them, each to be taken again whole.

use std::cell::RefCell;

/// For a `thread_local`: no more than `most` things.
pub(crate) struct Kept<T> {
    things: RefCell<Vec<T>>,
    most: usize,
}

impl<T> Kept<T> {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            things: RefCell::new(Vec::new()),
            most,
        }
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.things.borrow_mut().pop()
    }

    /// What is one too many is dropped.
    pub(crate) fn give(&self, thing: T) {
        let mut things = self.things.borrow_mut();
        if things.len() < self.most {
            things.push(thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_and_the_last_is_taken_first() {
        let kept = Kept::new(2);
        (1..=3).for_each(|thing| kept.give(thing));
        assert_eq!(
            [kept.take(), kept.take(), kept.take()],
            [Some(2), Some(1), None]
        );
    }
}
