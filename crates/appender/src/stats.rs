//! Counts what an appender does, and tells it to those who ask.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::household::Household;

/// What an appender did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Files closed and given their final name.
    pub rolls: u64,
    /// Old files deleted, for whatever bound.
    pub deleted: u64,
    /// Of these, files that [`held`](crate::AppenderBuilder::held) claimed, over the hard bound.
    pub deleted_unread: u64,
    /// Closed files compressed.
    pub compressed: u64,
    /// Lines that a crash or a full disk left half written.
    pub torn: u64,
    /// How often the file was opened anew, because it had been moved, deleted or replaced, or by
    /// [`reopen`](crate::Appender::reopen).
    pub reopened: u64,
    /// Lines that a tracing layer gave to a bare appender and the disk did not take.
    pub lost: u64,
    /// Lines that went to the [fallback](crate::AppenderBuilder::fallback), because the file took
    /// none.
    pub elsewhere: u64,
    /// Syncs that failed: what was written before them may not survive a power cut.
    pub unsynced: u64,
}

/// Tells the [`Stats`] of an [`Appender`](crate::Appender) and keeps no file open. Once the last handle is gone it
/// says what was done till then.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// use dogwatch_appender::Appender;
///
/// let appender = Appender::builder(dir.path().join("api.log")).open()?;
/// let watch = appender.watch();
/// drop(appender);
/// assert_eq!(watch.stats().rolls, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Watch {
    pub(crate) counts: Arc<Counts>,
    pub(crate) household: Arc<Household>,
}

impl Watch {
    /// What was done so far.
    pub fn stats(&self) -> Stats {
        self.counts.read(&self.household)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.stats()).finish()
    }
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) rolls: AtomicU64,
    pub(crate) torn: AtomicU64,
    pub(crate) reopened: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) elsewhere: AtomicU64,
    pub(crate) unsynced: AtomicU64,
}

impl Counts {
    pub(crate) fn read(&self, household: &Household) -> Stats {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Stats {
            rolls: of(&self.rolls),
            deleted: of(&household.deleted),
            compressed: of(&household.compressed),
            torn: of(&self.torn),
            reopened: of(&self.reopened),
            lost: of(&self.lost),
            elsewhere: of(&self.elsewhere),
            unsynced: of(&self.unsynced),
            deleted_unread: of(&household.deleted_unread),
        }
    }
}
