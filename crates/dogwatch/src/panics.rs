//! Makes a panic a line of the log, in the request and the span where it happened.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

/// Chains a hook that logs, then calls the hook that was there. Once in a process.
pub(crate) fn log_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !caught_while_formatting() {
                log(info);
            }
            before(info);
        }));
    });
}

/// A `Display` that panics inside the JSON layer is caught there and marked on its line.
fn caught_while_formatting() -> bool {
    #[cfg(feature = "json")]
    let caught = dogwatch_json::catching_panic();
    #[cfg(not(feature = "json"))]
    let caught = false;
    caught
}

fn log(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let text = (payload.downcast_ref::<&str>().copied())
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a value that is no text");
    let location = info.location().map(ToString::to_string);
    let thread = std::thread::current();
    // Captured only where RUST_BACKTRACE asks for it.
    let backtrace = Backtrace::capture();
    let backtrace =
        (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(
        target: "dogwatch::panic",
        location,
        thread = thread.name(),
        backtrace,
        "panicked: {text}"
    );
}
