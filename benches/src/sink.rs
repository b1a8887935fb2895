//! A writer that counts lines and bytes, a thread for itself, and keeps them when asked to.

use std::cell::{Cell, RefCell};
use std::io;

/// Takes everything, stores nothing: what is measured is the formatting.
#[derive(Clone, Copy, Debug)]
pub struct Sink;

/// What this thread wrote since the last `reset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lines: u64,
    pub bytes: u64,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { lines: 0, bytes: 0 }) };
    static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// For `MakeWriter`, which a function that makes a writer is.
#[must_use]
pub fn make() -> Sink {
    Sink
}

pub fn reset() {
    COUNTS.set(Counts::default());
}

#[must_use]
pub fn counts() -> Counts {
    COUNTS.get()
}

/// The text that `run` writes on this thread.
pub fn kept(run: impl FnOnce()) -> String {
    KEPT.set(Some(Vec::new()));
    run();
    let kept = KEPT.take().unwrap_or_default();
    String::from_utf8(kept).expect("every formatter writes UTF-8")
}

impl io::Write for Sink {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let Counts { lines, bytes } = COUNTS.get();
        let ends_line = text.last() == Some(&b'\n');
        COUNTS.set(Counts {
            lines: lines + u64::from(ends_line),
            bytes: bytes + text.len() as u64,
        });
        KEPT.with_borrow_mut(|kept| {
            if let Some(kept) = kept {
                kept.extend_from_slice(text);
            }
        });
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
