//! Kills the tests' process at a chosen step: from then on nothing that it does has an effect.

use std::cell::Cell;

thread_local! {
    /// Steps until the end.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static BURNT: Cell<u64> = const { Cell::new(0) };
}

/// A new life of this thread's process, for so many steps.
pub(crate) fn light(steps: u64) {
    LEFT.set(steps);
    BURNT.set(0);
}

/// One step; `None` in a process that is killed before it.
pub(crate) fn burn<T>(step: impl FnOnce() -> T) -> Option<T> {
    let left = LEFT.get();
    if left == 0 {
        return None;
    }
    if left != u64::MAX {
        LEFT.set(left - 1);
    }
    BURNT.set(BURNT.get() + 1);
    Some(step())
}

pub(crate) fn is_dead() -> bool {
    LEFT.get() == 0
}

/// How many steps this life had.
pub(crate) fn burnt() -> u64 {
    BURNT.get()
}
