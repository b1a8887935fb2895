//! Keeps a test's own log lines, so that a service can test what it logs.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use dogwatch_json::{JsonLayer, Redact};
use tracing_core::dispatcher::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Records what this thread logs, from TRACE on, as JSON lines, until the value is dropped.
///
/// It sets nothing for other threads: each test may call it, side by side, with or without
/// [`init`](crate::init). Lines look as `Config::prod()` writes them, secrets masked. On a runtime
/// of several threads, only what runs on the calling thread is seen: `#[tokio::test]` is fine.
///
/// ```
/// fn log_in(user: u64) {
///     tracing::info!(event = "login_ok", user, "welcome");
/// }
///
/// let log = dogwatch::capture();
/// log_in(42);
/// assert_eq!(log.lines().len(), 1);
/// assert!(log.text().contains(r#""event":"login_ok""#));
/// ```
pub fn capture() -> Capture {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = JsonLayer::new(move || writer.clone()).redact(Redact::secrets());
    let subscriber = tracing_subscriber::registry().with(layer);
    Capture {
        lines,
        _default: subscriber.set_default(),
    }
}

/// The lines of one thread since [`capture`] was called.
#[must_use = "lines are captured until this value is dropped"]
pub struct Capture {
    lines: Lines,
    _default: DefaultGuard,
}

impl Capture {
    /// The lines so far, without their newlines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// All the text so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.bytes()).into_owned()
    }

    /// Forgets the lines so far.
    pub fn clear(&self) {
        self.lines.bytes().clear();
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn bytes(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
