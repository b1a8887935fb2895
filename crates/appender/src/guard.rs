//! The end of a log: flush, close, and the account of what was not written.

use std::{error, fmt, sync::Arc, time::Duration};

use crate::{Accounts, Error, error::Kind, queue::Phase, worker::Shared};

/// Keeps the writer thread. When it goes, all that was accepted is written, within 2 s.
///
/// Keep it in `main` until everything that logs has stopped; a line that comes after it is refused
/// and counted. [`close`](Guard::close) does the same with a time of your own and gives back the
/// accounts.
#[must_use = "dropping the guard closes the log; keep it in a variable until the end of main"]
pub struct Guard {
    drain: Drain,
    closed: bool,
}

/// Flushes from anywhere: another thread, a signal task, an `atexit` handler, `on_error` itself. A
/// cheap handle; clones flush the same queue.
#[derive(Clone)]
pub struct Drain {
    shared: Arc<Shared>,
}

impl Guard {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            drain: Drain { shared },
            closed: false,
        }
    }

    /// Waits until all that was accepted before is written, or `timeout` is over. Nothing is lost by
    /// a timeout; what is pending stays so.
    pub fn flush(&self, timeout: Duration) -> Result<(), Unwritten> {
        self.drain.drain(timeout)
    }

    /// A handle that flushes and outlives this borrow.
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// Every line so far, by level and reason.
    pub fn accounts(&self) -> Accounts {
        self.drain.shared.accounts()
    }

    /// Takes no more lines, writes those there are and ends the writer: an appender is closed, its
    /// files compressed. What is not written when `timeout` is over is lost and counted. In a forked
    /// child it does what [`Drain::drain`] does there.
    pub fn close(mut self, timeout: Duration) -> Result<Accounts, Unwritten> {
        self.end(timeout)
    }

    fn end(&mut self, timeout: Duration) -> Result<Accounts, Unwritten> {
        self.closed = true;
        let shared = &self.drain.shared;
        if shared.queue.is_forked() {
            return self.drain.abandon();
        }
        let before = shared.accounts();
        shared.queue.enter(Phase::Closed);
        if shared.queue.is_writer() {
            shared.drain_here(timeout);
        } else {
            shared.queue.reach(Phase::Ended, timeout);
        }
        let given_up = shared.queue.give_up();
        // A writer that hangs in its `write` has told nobody of what was refused meanwhile.
        let untold = shared.queue.untold();
        if given_up + untold > 0 {
            let what = format!(
                "log lines not written before the time was over: {given_up}; \
                 refused before, and not told yet: {untold}"
            );
            shared.reporter.report(Error::new(Kind::Loss, what));
            shared.reporter.finish();
        }
        let after = shared.accounts();
        Unwritten::check(Unwritten::between(&before, &after), after)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.closed {
            // Told to `on_error` already; a drop has nobody to return it to.
            let _ = self.end(CLOSE);
        }
    }
}

impl Drain {
    /// Waits until all that was accepted before is written, or `timeout` is over.
    ///
    /// On the writer thread, inside one of its callbacks, waiting would be for ever: it writes what
    /// is there itself, and stops at the first failure. Inside the writer's own `write` it returns
    /// at once.
    ///
    /// In a forked child there is no writer thread: it returns at once, drops the child's copy of
    /// what was pending, counts it as unwritten and touches no file. The parent writes its own.
    pub fn drain(&self, timeout: Duration) -> Result<(), Unwritten> {
        if self.shared.queue.is_forked() {
            return self.abandon().map(drop);
        }
        let before = self.shared.accounts();
        if self.shared.queue.is_writer() {
            self.shared.drain_here(timeout);
            return self.since(&before).map(drop);
        }
        let served = self.shared.queue.flush(timeout);
        let accounts = self.shared.accounts();
        let pending = if served {
            0
        } else {
            accounts.pending().total()
        };
        let lines = Unwritten::between(&before, &accounts) + pending;
        Unwritten::check(lines, accounts).map(drop)
    }

    #[cfg(all(unix, feature = "signals"))]
    pub(crate) fn drain_or_tell(&self, timeout: Duration) {
        if let Err(unwritten) = self.drain(timeout) {
            let what = format!("the process ends: {unwritten}");
            self.shared.reporter.report(Error::new(Kind::Loss, what));
            self.shared.reporter.finish();
        }
    }

    // In a forked child, where there is nobody to wait for.
    fn abandon(&self) -> Result<Accounts, Unwritten> {
        let before = self.shared.accounts();
        self.shared.queue.abandon();
        self.since(&before)
    }

    fn since(&self, before: &Accounts) -> Result<Accounts, Unwritten> {
        let accounts = self.shared.accounts();
        let lines = Unwritten::between(before, &accounts) + accounts.pending().total();
        Unwritten::check(lines, accounts)
    }
}

/// Lines that were accepted and are not in the file: pending at a flush, lost at a close.
#[derive(Clone, Debug)]
pub struct Unwritten {
    lines: u64,
    accounts: Box<Accounts>,
}

impl Unwritten {
    /// How many.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// All counts, as they were then.
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    fn check(lines: u64, accounts: Accounts) -> Result<Accounts, Self> {
        if lines == 0 {
            Ok(accounts)
        } else {
            Err(Self {
                lines,
                accounts: Box::new(accounts),
            })
        }
    }

    fn between(before: &Accounts, after: &Accounts) -> u64 {
        after.lost.total().total() - before.lost.total().total()
    }
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accepted log lines not written: {}", self.lines)
    }
}

impl error::Error for Unwritten {}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("accounts", &self.accounts())
            .finish()
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("accounts", &self.shared.accounts())
            .finish()
    }
}

/// How long a dropped guard waits.
const CLOSE: Duration = Duration::from_secs(2);
