//! Makes the index of a log file when it is closed.

use std::path::Path;

use dogwatch_reader::Index;

use crate::tell::Tell;

/// Whom a failure is told.
pub(crate) struct Indexing {
    name: String,
    tell: Tell,
}

impl Indexing {
    pub(crate) fn of(log: &Path, tell: Tell) -> Self {
        Self {
            name: log.display().to_string(),
            tell,
        }
    }

    /// Writes the index of a closed file. Without it the file is only slower to search.
    pub(crate) fn index(&self, closed: &Path) {
        match Index::write(closed) {
            // It was deleted before its turn came.
            Err(error) if error.is_not_found() => {}
            Err(error) => self.tell.of(&self.name, &error),
            Ok(_) => {}
        }
    }
}
