//! Runs a user's code so that its panic cannot leave the layer, and tells a panic hook that it runs.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    // No destructor: it answers even while the thread's other locals are being dropped.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// True while this thread runs a value's `Display` or `Debug`, a writer or a callback whose panic
/// the JSON layer catches.
///
/// A panic hook asks this to tell such a panic, which harms one field of one line, from a panic of
/// the application.
///
/// ```
/// assert!(!dogwatch_json::catching_panic());
/// ```
pub fn catching_panic() -> bool {
    depth() > 0
}

/// How many shielded calls are under way on this thread.
pub(crate) fn depth() -> u32 {
    DEPTH.get()
}

/// What `f` returns, or `None` if it panicked.
pub(crate) fn shielded<R>(f: impl FnOnce() -> R) -> Option<R> {
    let before = DEPTH.get();
    DEPTH.set(before + 1);
    // The state behind `f` is ours, append-only, and put right by the caller.
    let result = catch_unwind(AssertUnwindSafe(f));
    let result = result.map_err(|payload| {
        // A payload whose own drop panics is let go: twice is enough.
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
    });
    DEPTH.set(before);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_whose_payload_panics_when_dropped_is_caught() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                if !std::thread::panicking() {
                    panic!("dropped");
                }
            }
        }
        assert_eq!(shielded(|| std::panic::panic_any(Bomb)), None::<()>);
        assert!(!catching_panic());
        assert_eq!(shielded(catching_panic), Some(true));
    }
}
