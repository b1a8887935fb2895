//! Keeps rolled files until every reader that has a cursor beside the log has finished them.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dogwatch_reader::Cursors;

use crate::tell::Tell;

/// Asks the cursors, and tells when they cannot be asked.
pub(crate) struct Asked {
    cursors: Cursors,
    name: String,
    tell: Tell,
    /// What was told last: a cursor that is garbled is asked for each file of each pass.
    told: Mutex<String>,
}

impl Asked {
    pub(crate) fn of(log: &Path, tell: Tell) -> Self {
        Self {
            cursors: Cursors::beside(log),
            name: log.display().to_string(),
            tell,
            told: Mutex::default(),
        }
    }

    /// Whether a reader has not finished a file. Where nobody knows, it stays, up to the hard bound.
    pub(crate) fn hold(&self, path: &Path) -> bool {
        match self.cursors.hold(path) {
            Ok(held) => held,
            Err(error) => {
                let text = error.to_string();
                let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                if *told != text {
                    *told = text;
                    // No lock is held while the service's own callback runs.
                    drop(told);
                    self.tell.of(&self.name, &error);
                }
                true
            }
        }
    }
}
