//! Drains the log when the process exits. Holds the crate's one unsafe call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use dogwatch_appender::Drain;

/// How long all drains together may hold up an exit.
const AT_MOST: Duration = Duration::from_secs(2);

/// Drains these when the process calls `exit` or returns from `main`, while its other threads
/// still run.
pub(crate) fn drain_at_exit(outputs: impl IntoIterator<Item = Drain>) {
    static REGISTERED: Once = Once::new();
    drains().extend(outputs);
    REGISTERED.call_once(|| {
        // SAFETY: `run` is a plain `extern "C" fn()` that lives as long as the program, touches
        // only a static, and never unwinds into C.
        let refused = unsafe { libc::atexit(run) };
        // C17 7.22.4.2 promises room for 32 functions; glibc, musl and macOS grow the list.
        debug_assert_eq!(refused, 0, "the C library takes the function");
    });
}

extern "C" fn run() {
    let until = Instant::now() + AT_MOST;
    // Taken out first: no lock is held while a drain runs.
    let drains = std::mem::take(&mut *drains());
    for drain in drains {
        let left = until.saturating_duration_since(Instant::now());
        let drained = catch_unwind(AssertUnwindSafe(|| drain.drain(left)));
        if let Ok(Err(unwritten)) = drained {
            say(unwritten.lines());
        }
    }
}

/// On stderr, whatever `on_error` is: a callback that calls `exit` has no place inside an exit.
#[expect(
    clippy::print_stderr,
    reason = "the logger's own failures go to stderr"
)]
fn say(lines: u64) {
    // A stderr that is gone must not panic here.
    let _ = catch_unwind(|| eprintln!("dogwatch: {lines} log lines were not written at exit"));
}

fn drains() -> MutexGuard<'static, Vec<Drain>> {
    static DRAINS: Mutex<Vec<Drain>> = Mutex::new(Vec::new());
    DRAINS.lock().unwrap_or_else(PoisonError::into_inner)
}
