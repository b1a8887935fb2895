//! Syncs files to the disk, on a thread of its own: no write waits for it.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use crate::{
    Error,
    active::failure,
    disk::{Disk, Syncs},
    report::Reporter,
    stats::Counts,
};

/// When what was written is synced to the disk, so that it survives a power cut. A killed process
/// loses nothing of it in either case.
///
/// The work is done by a thread of its own. A sync that fails is counted
/// ([`Stats::unsynced`](crate::Stats::unsynced)) and told, and never tried again: the kernel drops
/// what it could not write, so that a second sync of the same file succeeds without it
/// (fsyncgate, [PostgreSQL 2018](https://wiki.postgresql.org/wiki/Fsync_Errors)). The next one covers
/// what is written after it.
///
/// To sync at lines of a level, see [`sync_at`](crate::NonBlockingBuilder::sync_at).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fsync {
    /// When the kernel sees fit, on Linux within about 30 s: the default.
    #[default]
    Never,
    /// Each file when it is rolled, and its directory.
    OnRoll,
    /// So long after a write, at rolls and at the end.
    Every(Duration),
}

/// The thread and the list of what it has yet to sync.
pub(crate) struct Syncer {
    shared: Arc<Shared>,
}

struct Shared {
    disk: Arc<dyn Disk>,
    reporter: Arc<Reporter>,
    every: Option<Duration>,
    counts: Arc<Counts>,
    list: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    /// The current file, if it was written to since its last sync.
    written: Option<Synced>,
    parted: Vec<Synced>,
    busy: bool,
    stopped: bool,
}

/// A file to be synced, by the name that it is told under.
pub(crate) struct Synced {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn Syncs>,
}

impl Syncer {
    /// `None`: nothing is ever synced by itself, and no thread is started.
    pub(crate) fn spawn(
        fsync: Fsync,
        disk: &Arc<dyn Disk>,
        reporter: &Arc<Reporter>,
        counts: &Arc<Counts>,
    ) -> io::Result<Option<Self>> {
        let every = match fsync {
            Fsync::Never => return Ok(None),
            Fsync::OnRoll => None,
            Fsync::Every(time) => Some(time),
        };
        let shared = Arc::new(Shared {
            disk: Arc::clone(disk),
            reporter: Arc::clone(reporter),
            every,
            counts: Arc::clone(counts),
            list: Mutex::default(),
            changed: Condvar::new(),
        });
        let thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("log-sync".into())
            .spawn(move || thread.run())?;
        Ok(Some(Self { shared }))
    }

    /// The current file was written to.
    pub(crate) fn wrote(&self, file: impl FnOnce() -> Option<Synced>) {
        if self.shared.every.is_some() {
            let mut list = self.shared.lock();
            if list.written.is_none() {
                list.written = file();
                self.shared.changed.notify_all();
            }
        }
    }

    /// These files were left for others. Returns a failure for each that is not going to be synced:
    /// too many wait already, and each is held open.
    pub(crate) fn parted(&self, mut files: Vec<Synced>) -> Vec<Error> {
        if files.is_empty() {
            return Vec::new();
        }
        let mut list = self.shared.lock();
        list.written = None;
        let room = FILES.saturating_sub(list.parted.len());
        let surplus = files.split_off(room.min(files.len()));
        list.parted.extend(files);
        self.shared.changed.notify_all();
        drop(list);
        let unsynced = &self.shared.counts.unsynced;
        unsynced.fetch_add(surplus.len() as u64, Ordering::Relaxed);
        let failures = surplus.iter().map(|file| {
            let path = file.path.display();
            let what =
                format!("cannot sync log file `{path}`, as {FILES} others wait for the disk");
            Error::io(what, io::ErrorKind::TimedOut.into())
        });
        failures.collect()
    }

    /// Waits until all files that were left are synced; false if the time did not suffice.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let busy = |list: &mut List| list.busy || !list.parted.is_empty();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), timeout, busy);
        let (mut list, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !busy(&mut list)
    }

    /// Syncs what is left, and ends; false if the time did not suffice.
    pub(crate) fn stop(&self, timeout: Duration) -> bool {
        let mut list = self.shared.lock();
        list.stopped = true;
        let last = list.written.take();
        list.parted.extend(last);
        self.shared.changed.notify_all();
        drop(list);
        self.wait(timeout)
    }
}

impl Shared {
    fn run(&self) {
        let mut list = self.lock();
        loop {
            list = self.due(list);
            let mut files = std::mem::take(&mut list.parted);
            let rolled = !files.is_empty();
            if !rolled {
                files.extend(list.written.take());
            }
            if files.is_empty() {
                return;
            }
            list.busy = true;
            drop(list);
            for file in &files {
                self.sync(file, rolled);
            }
            list = self.lock();
            list.busy = false;
            self.changed.notify_all();
        }
    }

    // Rolled files at once, a written one after its time.
    fn due<'l>(&self, list: MutexGuard<'l, List>) -> MutexGuard<'l, List> {
        let idle =
            |list: &mut List| list.parted.is_empty() && list.written.is_none() && !list.stopped;
        let waited = self.changed.wait_while(list, idle);
        let list = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(every) = self.every.filter(|_| list.written.is_some()) else {
            return list;
        };
        let early =
            |list: &mut List| list.parted.is_empty() && list.written.is_some() && !list.stopped;
        let waited = self.changed.wait_timeout_while(list, every, early);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn sync(&self, file: &Synced, rolled: bool) {
        let synced = file.file.sync().and_then(|()| match file.path.parent() {
            // Its new name, too.
            Some(directory) if rolled => self.disk.sync_directory(directory),
            _ => Ok(()),
        });
        if let Err(error) = synced {
            self.counts.unsynced.fetch_add(1, Ordering::Relaxed);
            self.reporter
                .report(failure("cannot sync log file", &file.path, error));
        }
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many files that were left wait for their sync at most, all held open.
const FILES: usize = 64;
