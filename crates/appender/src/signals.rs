//! Serves the log at signals: SIGHUP reopens files, SIGTERM and SIGINT write what was accepted.

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::Signals as Iterator,
    low_level::emulate_default_handler,
};

use crate::{Appender, Drain, Error, appender::Inner};

/// Handlers of signals, for a process that has none of its own.
///
/// Nothing is installed unless it is asked for. A service with a graceful shutdown needs only
/// [`reopen`](Self::reopen): it closes its guard at the end itself.
///
/// ```
/// use dogwatch_appender::{Appender, NonBlocking, Signals};
///
/// # let directory = tempfile::tempdir()?;
/// let file = Appender::builder(directory.path().join("app.log")).open()?;
/// let signals = Signals::new().reopen(&file);
/// let (log, guard) = NonBlocking::builder(file).spawn()?;
/// signals.drain(guard.drain()).spawn()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
#[must_use = "no signal is handled before `spawn`"]
pub struct Signals {
    appenders: Vec<Weak<Inner>>,
    drains: Vec<Drain>,
    timeout: Option<Duration>,
}

impl Signals {
    /// Handles none yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// At SIGHUP closes this file and opens what has its name then, as [`Appender::reopen`] does:
    /// what logrotate's `postrotate` asks for. It keeps no handle: a file that is closed is left
    /// alone. May be called for several.
    pub fn reopen(mut self, appender: &Appender) -> Self {
        self.appenders.push(Arc::downgrade(&appender.inner));
        self
    }

    /// At SIGTERM and SIGINT writes what was accepted, then ends the process as the signal would
    /// have. The second such signal ends it at once. May be called for several.
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drains.push(drain);
        self
    }

    /// How long all drains together may take. Default: 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Installs the handlers, for the life of the process, and starts the threads that serve them.
    /// Other handlers of the same signals run, too.
    pub fn spawn(self) -> Result<(), Error> {
        let timeout = self.timeout.unwrap_or(TIMEOUT);
        let (appenders, drains) = (self.appenders, self.drains);
        // A thread each: a file that hangs keeps no process from its end.
        if !appenders.is_empty() {
            serve("log-reopen", &[SIGHUP], move |_| {
                for inner in appenders.iter().filter_map(Weak::upgrade) {
                    Appender { inner }.reopen_or_tell();
                }
            })?;
        }
        if !drains.is_empty() {
            let ending = Arc::new(AtomicBool::new(false));
            for signal in [SIGTERM, SIGINT] {
                flag::register_conditional_default(signal, Arc::clone(&ending))
                    .map_err(|error| Error::io(WHAT, error))?;
            }
            serve("log-ending", &[SIGTERM, SIGINT], move |signal| {
                ending.store(true, Ordering::Relaxed);
                let until = Instant::now() + timeout;
                for drain in &drains {
                    drain.drain_or_tell(until.saturating_duration_since(Instant::now()));
                }
                // Of these two signals it ends the process, and fails only for one that there is not.
                let _ = emulate_default_handler(signal);
            })?;
        }
        Ok(())
    }
}

fn serve(name: &str, signals: &[i32], act: impl Fn(i32) + Send + 'static) -> Result<(), Error> {
    let mut signals = Iterator::new(signals).map_err(|error| Error::io(WHAT, error))?;
    let thread = thread::Builder::new().name(name.into());
    let run = move || signals.forever().for_each(act);
    let started = thread.spawn(run);
    started.map(drop).map_err(|error| Error::io(WHAT, error))
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals")
            .field("appenders", &self.appenders.len())
            .field("drains", &self.drains.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}

const WHAT: &str = "cannot handle signals for the log";

/// As a guard that is dropped.
const TIMEOUT: Duration = Duration::from_secs(2);
