//! Stdout without the appender: each line is written by the thread that logs.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

use crate::Error;
use crate::config::Config;
use crate::losing::Losing;
use crate::settings::Settings;
use crate::sinks::Sinks;
use crate::unwritten::Unwritten;

/// Only stdout; nothing waits, so nothing needs a drain.
pub(crate) struct Outputs {
    stdout: Sink,
}

/// Where a line enters. What stdout does not take is counted, and told to `on_error`.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Losing>);

/// Writes to stdout, and never fails its caller.
pub(crate) struct Stdout<'a>(&'a Losing);

impl Outputs {
    pub(crate) fn open(config: &Config, _: &Settings) -> Result<Self, Error> {
        let stdout = Sink(Arc::new(Losing::new(config.on_error.clone())));
        Ok(Self { stdout })
    }

    pub(crate) fn sinks(&self) -> Sinks {
        Sinks {
            file: None,
            stdout: Some(self.stdout.clone()),
        }
    }

    /// Lines that were lost so far, by reason, read anew at each call.
    #[cfg(feature = "metrics")]
    pub(crate) fn losses(&self) -> impl Fn() -> Vec<(String, u64)> + Send + Sync + 'static {
        let stdout = self.stdout.clone();
        // The one reason that there is without a buffer, called as the appender calls it.
        move || vec![("io".to_owned(), stdout.0.lines())]
    }

    #[expect(
        clippy::unused_self,
        reason = "the outputs with an appender have the same shape"
    )]
    pub(crate) fn replayed(&self) -> u64 {
        0
    }

    pub(crate) fn drain_at_exit(&self, _: impl FnOnce() + Send + 'static) {}

    /// Nothing waits: what was not written by now will never be.
    pub(crate) fn flush(&self, _: Duration) -> Result<(), Unwritten> {
        self.unwritten()
    }

    pub(crate) fn close(&mut self, _: Duration) -> Result<(), Unwritten> {
        self.unwritten()
    }

    fn unwritten(&self) -> Result<(), Unwritten> {
        Unwritten::of(vec![("stdout".to_owned(), self.stdout.0.lines())])
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Stdout<'a>;

    fn make_writer(&'a self) -> Stdout<'a> {
        Stdout(&self.0)
    }
}

impl Write for Stdout<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.note(io::stdout().write_all(line), Instant::now());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
