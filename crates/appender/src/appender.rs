//! A log file that rolls: whole lines in, files out.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    AppenderBuilder,
    active::{Active, Notes, failure},
    fallback::Fallback,
    fsync::{Synced, Syncer},
    household::Household,
    housekeeping::Housekeeper,
    report::Reporter,
    stats::{Counts, Stats, Watch},
    worker::GapLine,
};

/// A log file that rolls by size and time. A cheap handle: clones write to the same file.
///
/// It writes at once, on the caller's thread, one write(2) a call: put a
/// [`NonBlocking`](crate::NonBlocking) before it where a slow disk must not slow the caller.
///
/// Each write is one or more whole lines, and is cut at line borders when it has to go into two
/// files. A short count means that the disk took no more; the rest is continued by the next write,
/// if it is what that write begins with. The error is that next write's.
///
/// The last handle to go closes the file, and waits up to 2 s for closed files to be compressed.
#[derive(Clone)]
pub struct Appender {
    pub(crate) inner: Arc<Inner>,
}

/// Makes the first lines of a file.
pub(crate) struct Header(pub(crate) Box<dyn Fn() -> Vec<u8> + Send + Sync>);

pub(crate) struct Inner {
    pub(crate) active: Mutex<Active>,
    pub(crate) header: Option<Header>,
    pub(crate) gap: Option<GapLine>,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) household: Arc<Household>,
    pub(crate) housekeeper: Housekeeper,
    pub(crate) syncer: Option<Syncer>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) closed: AtomicBool,
}

impl Appender {
    /// An appender to this path. Its directory is made if there is none.
    pub fn builder(path: impl AsRef<Path>) -> AppenderBuilder {
        AppenderBuilder::new(path.as_ref())
    }

    pub(crate) fn new(inner: Inner) -> Self {
        let appender = Self {
            inner: Arc::new(inner),
        };
        appender
            .inner
            .tell(std::mem::take(&mut appender.lock().notes));
        appender
    }

    /// Rolls now, whatever the size and time. An empty file stays.
    pub fn roll(&self) -> io::Result<()> {
        self.locked(Active::roll, "cannot roll log file")
    }

    /// Closes the file and opens whatever has its name now: for logrotate's `postrotate`, or on
    /// SIGHUP. Without it a moved file is noticed within 250 ms by a write.
    pub fn reopen(&self) -> io::Result<()> {
        self.locked(Active::reopen, "cannot reopen log file")
    }

    #[cfg(all(unix, feature = "signals"))]
    pub(crate) fn reopen_or_tell(&self) {
        if self.inner.closed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = self.reopen() {
            let error = crate::Error::io("cannot reopen at SIGHUP", error);
            self.inner.housekeeper.tell(vec![error]);
        }
    }

    /// Waits until what was written would survive a power cut. No write waits for it. An error is
    /// final for what was written before: see [`Fsync`](crate::Fsync).
    pub fn sync(&self) -> io::Result<()> {
        let what = "cannot sync log file";
        let Some(Synced { path, file }) = self.locked(|active| Ok(active.synced()), what)? else {
            return Ok(());
        };
        file.sync().map_err(|error| {
            self.inner.counts.unsynced.fetch_add(1, Ordering::Relaxed);
            io::Error::new(error.kind(), failure(what, &path, error))
        })
    }

    /// The file that is written to: the path that was asked for, unless
    /// [`WhenLocked::Suffix`](crate::WhenLocked::Suffix) chose another.
    pub fn path(&self) -> PathBuf {
        self.inner.household.family.current()
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        self.inner.counts.read(&self.inner.household)
    }

    /// Something to read [`stats`](Self::stats) from that is no handle to the file. For metrics,
    /// which outlive the log.
    pub fn watch(&self) -> Watch {
        Watch {
            counts: Arc::clone(&self.inner.counts),
            household: Arc::clone(&self.inner.household),
        }
    }

    /// Waits until closed files are synced and compressed and old ones deleted; false if `timeout`
    /// did not suffice.
    pub fn settle(&self, timeout: Duration) -> bool {
        let left = self.inner.household.time_left(timeout);
        let synced = |syncer: &Syncer| syncer.wait(left());
        self.inner.syncer.as_ref().is_none_or(synced) && self.inner.housekeeper.wait(left())
    }

    /// Ends all handles to this file. False if `timeout` did not suffice for the last sync, if one is
    /// due, or for the compression of closed files; the next start finishes that.
    pub fn close(self, timeout: Duration) -> bool {
        self.inner.close(timeout)
    }

    pub(crate) fn locked<T>(
        &self,
        act: impl FnOnce(&mut Active) -> io::Result<T>,
        what: &str,
    ) -> io::Result<T> {
        let (result, notes) = {
            let mut active = self.lock();
            if self.inner.closed.load(Ordering::Acquire) {
                return Err(io::Error::new(
                    io::ErrorKind::NotConnected,
                    "the log file is closed",
                ));
            }
            let result = act(&mut active).map_err(|error| {
                io::Error::new(error.kind(), failure(what, &active.path(), error))
            });
            (result, std::mem::take(&mut active.notes))
        };
        self.inner.tell(notes);
        result
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Active> {
        self.inner.lock()
    }
}

impl Inner {
    fn close(&self, timeout: Duration) -> bool {
        self.tell_last_gap();
        self.closed.store(true, Ordering::Release);
        let left = self.household.time_left(timeout);
        let synced = |syncer: &Syncer| syncer.stop(left());
        let synced = self.syncer.as_ref().is_none_or(synced);
        let done = self.housekeeper.stop(left());
        self.reporter.finish();
        synced && done
    }

    pub(crate) fn tell(&self, mut notes: Notes) {
        let counts = &self.counts;
        counts.torn.fetch_add(notes.torn, Ordering::Relaxed);
        counts.reopened.fetch_add(notes.reopened, Ordering::Relaxed);
        counts.cut.fetch_add(notes.cut, Ordering::Relaxed);
        counts.rolls.fetch_add(notes.rolled, Ordering::Relaxed);
        if let Some(syncer) = &self.syncer {
            notes.failures.extend(syncer.parted(notes.parted));
        }
        let tidy = notes.tidy || notes.rolled > 0;
        self.housekeeper.ask(tidy, notes.full);
        self.housekeeper.tell(notes.failures);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if !self.closed.load(Ordering::Acquire) {
            self.close(CLOSE);
        }
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

/// How long the last handle to go waits for the compression of closed files.
const CLOSE: Duration = Duration::from_secs(2);
