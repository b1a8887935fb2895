//! Fields whose memory goes back to the thread when their span is gone, for the next span.

use crate::fields::Fields;
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Fields in a place of their own, so that a span takes over what was encoded for it without a copy.
#[derive(Debug)]
pub(crate) struct Recycled {
    /// Empty only while it is dropped.
    fields: Option<Box<Fields>>,
}

impl Default for Recycled {
    fn default() -> Self {
        let kept = KEPT.try_with(|kept| kept.borrow_mut().pop());
        Recycled {
            fields: Some(kept.ok().flatten().unwrap_or_default()),
        }
    }
}

impl Deref for Recycled {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        self.fields.as_ref().expect(ALIVE)
    }
}

impl DerefMut for Recycled {
    fn deref_mut(&mut self) -> &mut Fields {
        self.fields.as_mut().expect(ALIVE)
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let Some(mut fields) = self.fields.take() else {
            return;
        };
        if fields.bytes.capacity() > MOST_BYTES {
            return;
        }
        fields.clear();
        // While the thread's locals are dropped there is no next span.
        let _ = KEPT.try_with(|kept| {
            let mut boxes = kept.borrow_mut();
            if boxes.len() < MOST_BOXES {
                boxes.push(fields);
            }
        });
    }
}

const ALIVE: &str = "only a drop empties it";

/// A span's fields that grew beyond this give their memory back.
const MOST_BYTES: usize = 2 * 1024;

/// What a thread keeps: 64 KiB and these boxes at most.
const MOST_BOXES: usize = 32;

thread_local! {
    #[expect(clippy::vec_box, reason = "each box goes to a span and comes back, whole")]
    static KEPT: RefCell<Vec<Box<Fields>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(fields: &Recycled) -> *const Fields {
        &raw const **fields
    }

    #[test]
    fn memory_comes_back_empty_and_large_memory_does_not() {
        let mut fields = Recycled::default();
        fields.bytes.extend_from_slice(b",\"a\":1");
        let (first, capacity) = (place(&fields), fields.bytes.capacity());
        drop(fields);

        let mut again = Recycled::default();
        assert_eq!(place(&again), first);
        assert_eq!((again.bytes.len(), again.bytes.capacity()), (0, capacity));
        again.bytes.reserve(MOST_BYTES + 1);
        drop(again);
        assert_eq!(KEPT.take().len(), 0);
    }

    #[test]
    fn a_thread_keeps_so_many_and_no_more() {
        let many: Vec<_> = (0..MOST_BOXES + 5).map(|_| Recycled::default()).collect();
        drop(many);
        assert_eq!(KEPT.take().len(), MOST_BOXES);
    }
}
