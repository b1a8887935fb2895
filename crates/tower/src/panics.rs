//! Catches a request's panic, and knows where it was when the panic hook has been chained.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

/// Chains a panic hook, once per process: closing lines of panicked requests then say where it was
/// (`panic_location`), and carry a `backtrace` if `RUST_BACKTRACE` asks for one.
///
/// The hook that was there before still runs. Without this a closing line has the panic's message only.
pub fn capture_panics() {
    static CHAINED: Once = Once::new();
    CHAINED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            notice(info);
            before(info);
        }));
    });
}

/// A panic that unwound out of a service, ready to go on.
pub(crate) struct Panic {
    pub(crate) payload: Box<dyn Any + Send>,
    pub(crate) seen: Option<Seen>,
}

/// What only the hook can know.
pub(crate) struct Seen {
    message: String,
    pub(crate) location: Option<String>,
    pub(crate) backtrace: Option<String>,
}

/// What `call` makes it puts into a place of its caller's: an answer is large, and a result would be moved
/// through each frame between.
pub(crate) fn catch(call: impl FnOnce()) -> Result<(), Panic> {
    let watching = Watching::begin();
    let caught = panic::catch_unwind(AssertUnwindSafe(call));
    drop(watching);
    caught.map_err(|payload| {
        // The last panic that the hook saw need not be this one: it may have been caught further in, and
        // this one resumed without the hook.
        let seen = LAST.try_with(RefCell::take).ok().flatten();
        let seen = seen.filter(|seen| seen.message == message(&*payload));
        Panic { payload, seen }
    })
}

/// Calls an observer. Its panic is its own: it has gone through the panic hook, and the request goes on. The
/// call may stand in a drop during an unwind, where a second panic would end the process.
pub(crate) fn survive<T>(call: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(call)).ok()
}

/// The text of a panic's payload.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message")
}

/// Makes the hook take note on this thread: elsewhere a panic costs what it did.
struct Watching {
    outer: bool,
}

impl Watching {
    fn begin() -> Self {
        let outer = WATCHED.try_with(|watched| watched.replace(true));
        Self {
            outer: outer.unwrap_or(false),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // The thread may be ending: then nobody reads it any more.
        let _ = WATCHED.try_with(|watched| watched.set(self.outer));
    }
}

fn notice(info: &PanicHookInfo<'_>) {
    if !WATCHED.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    let backtrace = Backtrace::capture();
    let captured = backtrace.status() == BacktraceStatus::Captured;
    let seen = Seen {
        message: message(info.payload()).to_owned(),
        location: info.location().map(ToString::to_string),
        backtrace: captured.then(|| backtrace.to_string()),
    };
    let _ = LAST.try_with(|last| last.replace(Some(seen)));
}

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Seen>> = const { RefCell::new(None) };
}
