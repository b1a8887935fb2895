//! Runs other people's code so that its panic stops here.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// `None`: it panicked.
pub(crate) fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // Not dropped: the drop of a payload may panic as well.
            std::mem::forget(payload);
            None
        }
    }
}
