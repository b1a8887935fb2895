//! The writer thread: takes batches, writes them, retries, and tells what went wrong.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

use crate::{
    Accounts, Error, Gap,
    error::Kind,
    guarded::guarded,
    queue::{Pace, Phase, Queue},
    report::{INTERVAL, Reporter},
    sink::{Attempt, Sink},
};

/// Makes the line that tells of a gap.
#[expect(
    clippy::type_complexity,
    reason = "this is the one place that spells it"
)]
#[derive(Clone)]
pub(crate) struct GapLine(pub(crate) Arc<dyn Fn(&Gap) -> Vec<u8> + Send + Sync>);

/// What the writer thread, the guard and all handles share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) sink: Mutex<Sink>,
    pub(crate) reporter: Reporter,
    pub(crate) gap: Option<GapLine>,
}

impl Shared {
    /// The life of the writer thread.
    pub(crate) fn run(&self) {
        self.queue.writer_is_here();
        let mut pace = Pace::new(self.queue.flush_interval);
        while !self.queue.is_over() {
            let at_most = self.reporter.holds().then_some(INTERVAL);
            let waited = self.queue.wait(&mut pace, at_most);
            self.complete();
            pace.found(self.sink().taken(), waited);
            self.tell_missing();
            self.reporter.summary();
        }
        self.end_ring();
        self.reporter.finish();
        self.queue.enter(Phase::Done);
        let writer = self.sink().take_writer();
        // Closing a file may take long, and dropping other people's writers may panic.
        guarded(|| drop(writer));
        self.queue.enter(Phase::Ended);
    }

    // What was given up stays in it for the next start.
    pub(crate) fn end_ring(&self) {
        if let Some(ring) = self.queue.ring() {
            if let Err(error) = ring.end() {
                let what = format!("cannot remove crash ring `{}`", ring.path().display());
                self.tell(&what, error);
            }
        }
    }

    // Tries, for as long as it takes, until what was taken is dealt with.
    fn complete(&self) {
        let (mut pause, mut left) = (FIRST_PAUSE, 0);
        loop {
            let seen = self.queue.seen();
            if seen.is_given_up() {
                return;
            }
            let (attempt, now_left) = self.attempt();
            // It took some: this failure is a new one.
            if now_left != std::mem::replace(&mut left, now_left) {
                pause = FIRST_PAUSE;
            }
            match attempt {
                Attempt::Complete => return,
                Attempt::Unsynced(error) => {
                    return self.tell(
                        "cannot sync log lines, they may not survive a power cut",
                        error,
                    );
                }
                Attempt::Gap(gap) => {
                    let line = self.gap_line(&gap);
                    self.sink().tell(line);
                    continue;
                }
                Attempt::Broken(error) => {
                    self.tell("the log's reader is gone and lines are lost", error);
                    continue;
                }
                // A pipe whose reader is slow and does not let us wait: nothing to tell.
                Attempt::Failed(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Attempt::Failed(error) => self.tell("cannot write log lines, will retry", error),
                Attempt::Panicked => self.tell_panic("the log's writer panicked"),
            }
            self.tell_missing();
            self.queue.pause(pause, seen);
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    // Also tells how many bytes are left then.
    fn attempt(&self) -> (Attempt, usize) {
        let mut sink = self.sink();
        (sink.attempt(&self.queue), sink.left())
    }

    /// On the writer thread itself, inside `on_error` or another callback: writes what is there, as
    /// long as it goes well. Not possible inside the writer's own `write`.
    pub(crate) fn drain_here(&self, timeout: Duration) {
        let start = Instant::now();
        while !self.queue.is_drained() && start.elapsed() < timeout {
            let attempt = match self.sink.try_lock() {
                Ok(mut sink) => sink.attempt(&self.queue),
                Err(TryLockError::Poisoned(sink)) => sink.into_inner().attempt(&self.queue),
                Err(TryLockError::WouldBlock) => return,
            };
            match attempt {
                Attempt::Complete
                | Attempt::Unsynced(_)
                | Attempt::Broken(_)
                | Attempt::Panicked => {}
                Attempt::Gap(gap) => {
                    let line = self.gap_line(&gap);
                    self.sink().tell(line);
                }
                Attempt::Failed(_) => return,
            }
        }
    }

    /// Every line so far.
    pub(crate) fn accounts(&self) -> Accounts {
        let mut accounts = self.queue.counters.read();
        accounts.panics += self.reporter.panics();
        accounts
    }

    fn gap_line(&self, gap: &Gap) -> Vec<u8> {
        let Some(line) = &self.gap else {
            return Vec::new();
        };
        guarded(|| (line.0)(gap)).unwrap_or_else(|| {
            self.queue.counters.panic();
            self.tell_panic("the `gap` callback panicked");
            Vec::new()
        })
    }

    pub(crate) fn tell_missing(&self) {
        let lines = self.queue.untold();
        if lines > 0 {
            let dropped = self.queue.counters.read().dropped().total();
            let what = format!("log lines dropped: {lines}, since the start: {dropped}");
            self.reporter.report(Error::new(Kind::Loss, what));
        }
    }

    fn tell(&self, what: &str, error: io::Error) {
        self.reporter.report(Error::io(what, error));
    }

    fn tell_panic(&self, what: &str) {
        self.reporter.report(Error::new(Kind::Panic, what));
    }

    fn sink(&self) -> MutexGuard<'_, Sink> {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pause after a first failure; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause between two attempts.
const LAST_PAUSE: Duration = Duration::from_secs(5);
