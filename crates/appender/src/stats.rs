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
    /// How often somebody else cut the file short, as logrotate's `copytruncate` does. Lines that were
    /// written between its copy and its cut are in neither; how many, nobody can know.
    pub cut: u64,
    /// Lines that a tracing layer gave to a bare appender and the disk did not take.
    pub lost: u64,
    /// Lines that went to the [fallback](crate::AppenderBuilder::fallback), because the file took
    /// none.
    pub fallback: u64,
    /// Syncs that failed: what was written before them may not survive a power cut.
    pub unsynced: u64,
    /// Lines of a killed process that stood in its [`CrashRing`](crate::CrashRing) and were written
    /// at the start.
    pub replayed: u64,
    /// Of these, lines that may be in the log twice: the file that they went to was gone.
    pub doubtful: u64,
    /// Records in such a ring that fail their check: they are not written.
    pub torn_records: u64,
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
    pub(crate) cut: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) fallback: AtomicU64,
    pub(crate) unsynced: AtomicU64,
    pub(crate) replayed: AtomicU64,
    pub(crate) doubtful: AtomicU64,
    pub(crate) torn_records: AtomicU64,
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
            cut: of(&self.cut),
            lost: of(&self.lost),
            fallback: of(&self.fallback),
            unsynced: of(&self.unsynced),
            deleted_unread: of(&household.deleted_unread),
            replayed: of(&self.replayed),
            doubtful: of(&self.doubtful),
            torn_records: of(&self.torn_records),
        }
    }

    /// Adds what a replay did: lines written, lines that may be there twice, torn records.
    #[cfg(target_os = "linux")]
    pub(crate) fn replay(&self, lines: u64, doubtful: u64, torn: u64) {
        self.replayed.fetch_add(lines, Ordering::Relaxed);
        self.doubtful.fetch_add(doubtful, Ordering::Relaxed);
        self.torn_records.fetch_add(torn, Ordering::Relaxed);
    }
}
