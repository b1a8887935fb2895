//! Drains the log when the process exits. Holds the crate's one unsafe call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use dogwatch_appender::Drain;

/// How long all drains together may hold up an exit.
const AT_MOST: Duration = Duration::from_secs(2);

/// What one log has to do at the end: say its last lines, then write all that wait.
struct End {
    last: Box<dyn FnOnce() + Send>,
    drains: Vec<Drain>,
}

/// Calls `last` and drains these when the process calls `exit` or returns from `main`, while its
/// other threads still run.
pub(crate) fn drain_at_exit(
    last: impl FnOnce() + Send + 'static,
    outputs: impl IntoIterator<Item = Drain>,
) {
    static REGISTERED: Once = Once::new();
    ends().push(End {
        last: Box::new(last),
        drains: outputs.into_iter().collect(),
    });
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
    let ends = std::mem::take(&mut *ends());
    for drain in ends.into_iter().flat_map(|end| {
        // A writer of the service's that panics has nobody left to tell.
        let _ = catch_unwind(AssertUnwindSafe(end.last));
        end.drains
    }) {
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

fn ends() -> MutexGuard<'static, Vec<End>> {
    static ENDS: Mutex<Vec<End>> = Mutex::new(Vec::new());
    ENDS.lock().unwrap_or_else(PoisonError::into_inner)
}
