//! Kills the tests' process at a chosen step: from then on nothing that it does has an effect.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

thread_local! {
    /// Called before each step: a model checker lets another thread run here.
    static SWITCH: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
    /// Steps until the end.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static BURNT: Cell<u64> = const { Cell::new(0) };
    /// Stores into the file of a ring until all fail.
    static STORES: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// A new life of this thread's process, for so many steps.
pub(crate) fn light(steps: u64) {
    LEFT.set(steps);
    BURNT.set(0);
}

/// One step; `None` in a process that is killed before it.
pub(crate) fn burn<T>(step: impl FnOnce() -> T) -> Option<T> {
    // Another thread of the model may run in the middle of the call, and come here.
    let switch = SWITCH.with_borrow(Clone::clone);
    switch.iter().for_each(|switch| switch());
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

pub(crate) fn switch_by(switch: Option<Rc<dyn Fn()>>) {
    SWITCH.set(switch);
}

pub(crate) fn is_dead() -> bool {
    LEFT.get() == 0
}

/// From now on so many stores into the file of a ring are good; those after it fail.
pub(crate) fn fail_stores_after(stores: u64) {
    STORES.set(stores);
}

/// One such store.
pub(crate) fn stores() -> std::io::Result<()> {
    let left = STORES.get();
    STORES.set(left.saturating_sub(u64::from(left != u64::MAX)));
    match left {
        0 => Err(std::io::Error::other("the ring's disk fails")),
        _ => Ok(()),
    }
}

/// How many steps this life had.
pub(crate) fn burnt() -> u64 {
    BURNT.get()
}

/// A directory for thousands of short lives: in memory where that can be had.
pub(crate) fn directory() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).unwrap()
}
