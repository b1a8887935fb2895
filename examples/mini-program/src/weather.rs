//! Makes the storm: a sick payment channel, and a rebuild that locks the recommendations.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::schema;

/// Whether the channel is sick; all clones see the same sky.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather(Arc<AtomicBool>);

impl Weather {
    pub(crate) fn stormy(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn turn(&self, stormy: bool) {
        self.0.store(stormy, Ordering::Relaxed);
    }
}

/// A rebuild of the recommendations, run at the wrong hour: it holds its file's exclusive lock
/// until it ends, and every recommendation that is asked for waits for it.
#[derive(Debug)]
pub(crate) struct Rebuild(Connection);

impl Rebuild {
    /// Takes the lock. Blocks while readers finish.
    pub(crate) fn begin(dir: &Path) -> rusqlite::Result<Rebuild> {
        let db = Connection::open(dir.join(schema::RECOMMEND))?;
        db.busy_timeout(std::time::Duration::from_secs(30))?;
        db.execute_batch("BEGIN EXCLUSIVE; UPDATE picks SET score = (score * 7 + 3) % 100;")?;
        Ok(Rebuild(db))
    }

    /// Commits, which lets the readers in again.
    pub(crate) fn end(self) -> rusqlite::Result<()> {
        self.0.execute_batch("COMMIT")
    }
}
