//! The thread that puts the directory in order, off the write path.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Error, error::Kind, guarded::guarded, household::Household, process::give_way};

/// The thread and the list of what it has yet to do.
///
/// It also tells the failures of the write path: `on_error` may end the process, and a writer that
/// stands in the middle of a write could not be drained then.
pub(crate) struct Housekeeper {
    shared: Arc<Shared>,
}

struct Shared {
    household: Arc<Household>,
    list: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    failures: Vec<Error>,
    /// A pass is wanted.
    due: bool,
    /// The disk is full.
    full: bool,
    busy: bool,
    stopped: bool,
}

impl List {
    fn is_empty(&self) -> bool {
        !self.due && !self.full && self.failures.is_empty()
    }
}

impl Housekeeper {
    /// Starts the thread, and with it a first pass over what an earlier process left.
    pub(crate) fn spawn(household: Arc<Household>) -> io::Result<Self> {
        let list = Mutex::new(List {
            due: household.is_needed(),
            ..List::default()
        });
        let shared = Arc::new(Shared {
            household,
            list,
            changed: Condvar::new(),
        });
        let thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("log-housekeeping".into())
            .spawn(move || {
                give_way();
                thread.run();
            })?;
        Ok(Self { shared })
    }

    /// Adds failures to be told.
    pub(crate) fn tell(&self, failures: Vec<Error>) {
        if failures.is_empty() {
            return;
        }
        let mut list = self.shared.lock();
        // A handful a second at most: only an `on_error` that hangs lets the list grow. Then the last
        // one stands for those that came before it.
        for failure in failures {
            let last = list.failures.len() >= FAILURES;
            let last = last.then(|| list.failures.pop()).flatten();
            let more = last.map_or(0, |last| last.more() + 1);
            list.failures.push(failure.and_more(more));
        }
        self.shared.changed.notify_all();
    }

    /// Asks for a pass, and for room if the disk is full.
    pub(crate) fn ask(&self, tidy: bool, full: bool) {
        if tidy || full {
            self.shared.household.full.fetch_or(full, Ordering::AcqRel);
            let mut list = self.shared.lock();
            list.due |= tidy && self.shared.household.is_needed();
            list.full |= full;
            self.shared.changed.notify_all();
        }
    }

    /// Waits until nothing is left to do; false if the time did not suffice.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let busy = |list: &mut List| list.busy || !list.is_empty();
        let list = self.shared.lock();
        let waited = self.shared.changed.wait_timeout_while(list, timeout, busy);
        let (list, _) = waited.unwrap_or_else(PoisonError::into_inner);
        list.is_empty() && !list.busy
    }

    /// Finishes, or after `timeout` stops at the next frame; the next start does the rest.
    pub(crate) fn stop(&self, timeout: Duration) -> bool {
        let done = self.wait(timeout);
        self.shared
            .household
            .cancelled
            .store(true, Ordering::Relaxed);
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        // A frame takes milliseconds; a callback that hangs is left behind.
        done || self.wait(FRAME_TIME)
    }
}

impl Shared {
    fn run(&self) {
        let reporter = &self.household.reporter;
        let mut again = None;
        while let Some(list) = self.next(again) {
            for failure in list.failures {
                reporter.report(failure);
            }
            if list.due {
                again = None;
            }
            let work = || {
                self.household.make_room();
                list.due.then(|| self.household.tidy()).flatten()
            };
            match guarded(work) {
                Some(Some(more)) => again = Instant::now().checked_add(more),
                Some(None) => {}
                None => reporter.report(Error::new(
                    Kind::Panic,
                    "the housekeeping of log files panicked",
                )),
            }
        }
    }

    // With `again` at least a pass then.
    fn next(&self, again: Option<Instant>) -> Option<List> {
        let mut list = self.lock();
        list.busy = false;
        self.changed.notify_all();
        let idle = |list: &mut List| list.is_empty() && !list.stopped;
        list = match again {
            None => {
                let woken = self.changed.wait_while(list, idle);
                woken.unwrap_or_else(PoisonError::into_inner)
            }
            Some(again) => {
                let left = again.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout_while(list, left, idle);
                let (mut list, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                list.due |= waited.timed_out();
                list
            }
        };
        let stopped = list.stopped;
        let taken = std::mem::replace(
            &mut *list,
            List {
                busy: !stopped,
                ..List::default()
            },
        );
        list.stopped = stopped;
        self.changed.notify_all();
        (!stopped).then_some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The final wait after a cancel.
const FRAME_TIME: Duration = Duration::from_millis(500);

/// So many failures of the write path wait to be told while `on_error` runs.
const FAILURES: usize = 64;
