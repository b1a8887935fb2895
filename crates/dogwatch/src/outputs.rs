//! Opens the outputs, each behind its own non-blocking writer, and ends them side by side.

use std::io;
use std::time::{Duration, Instant};

use dogwatch_appender::{Accounts, Guard, NonBlocking, NonBlockingBuilder};

#[cfg(feature = "metrics")]
use dogwatch_appender::{Stats, Watch};

use crate::config::Config;
use crate::gap::GapLines;
use crate::settings::Settings;
use crate::sinks::Sinks;
use crate::unwritten::Unwritten;
use crate::{Error, exit, log_file};

/// The open outputs of one log.
#[derive(Default)]
pub(crate) struct Outputs {
    file: Option<Output>,
    stdout: Option<Output>,
}

/// One output: where lines enter, and what ends it.
struct Output {
    name: String,
    writer: NonBlocking,
    guard: Guard,
    /// Lines that a killed process left for this one to write.
    replayed: u64,
    /// Tells what a file did; stdout only takes lines.
    #[cfg(feature = "metrics")]
    watch: Option<Watch>,
}

impl Outputs {
    pub(crate) fn open(config: &Config, settings: &Settings) -> Result<Self, Error> {
        let mut outputs = Self::default();
        if let Some(path) = &settings.file {
            let appender = log_file::open(config, settings, path)?;
            let replayed = appender.stats().replayed;
            #[cfg(feature = "metrics")]
            let watch = Some(appender.watch());
            let (name, sync) = (appender.path().display().to_string(), appender.clone());
            let mut writer = NonBlocking::builder(appender);
            if let Some(level) = config.log_file.fsync_at {
                writer = writer.sync_at(level.into(), move || sync.sync());
            }
            if let Some(ring) = &config.crash_ring {
                writer = writer.crash_ring(ring.clone());
            }
            outputs.file = Some(Output {
                replayed,
                #[cfg(feature = "metrics")]
                watch,
                ..spawn(config, settings, name, writer)?
            });
        } else if config.crash_ring.is_some() {
            let what = "a crash ring is set (`crash_ring`) and there is no log file to keep lines \
                        for; set `file` or DOGWATCH_FILE";
            return Err(Error::start(what));
        }
        if settings.stdout {
            let writer = NonBlocking::builder(io::stdout());
            outputs.stdout = Some(spawn(config, settings, STDOUT.to_owned(), writer)?);
        }
        Ok(outputs)
    }

    pub(crate) fn sinks(&self) -> Sinks {
        let writer = |output: &Output| output.writer.clone();
        Sinks {
            file: self.file.as_ref().map(writer),
            stdout: self.stdout.as_ref().map(writer),
        }
    }

    pub(crate) fn accounts(&self) -> Vec<(String, Accounts)> {
        self.all()
            .map(|output| (output.name.clone(), output.writer.accounts()))
            .collect()
    }

    /// Lines that were dropped so far, by reason, read anew at each call.
    #[cfg(feature = "metrics")]
    pub(crate) fn losses(&self) -> impl Fn() -> Vec<(String, u64)> + Send + Sync + 'static {
        let writers: Vec<_> = self.all().map(|output| output.writer.clone()).collect();
        move || {
            let by_reason = |writer: &NonBlocking| writer.accounts().dropped_by_reason();
            let told = writers.iter().flat_map(by_reason);
            told.map(|(reason, lines)| (reason.to_owned(), lines.total()))
                .collect()
        }
    }

    /// A count of each output's accounts, read anew at each call.
    #[cfg(feature = "metrics")]
    pub(crate) fn by_output(
        &self,
        count: fn(&Accounts) -> u64,
    ) -> impl Fn() -> Vec<([String; 1], u64)> + Send + Sync + 'static {
        let writers: Vec<_> = self
            .all()
            .map(|output| (output.name.clone(), output.writer.clone()))
            .collect();
        move || {
            let row = |(name, writer): &(String, NonBlocking)| {
                ([name.clone()], count(&writer.accounts()))
            };
            writers.iter().map(row).collect()
        }
    }

    /// A count of what the log file did, read anew at each call.
    #[cfg(feature = "metrics")]
    pub(crate) fn by_file(
        &self,
        count: fn(&Stats) -> u64,
    ) -> impl Fn() -> Vec<([String; 1], u64)> + Send + Sync + 'static {
        let files: Vec<_> = self
            .all()
            .filter_map(|output| Some((output.name.clone(), output.watch.clone()?)))
            .collect();
        move || {
            let row = |(name, watch): &(String, Watch)| ([name.clone()], count(&watch.stats()));
            files.iter().map(row).collect()
        }
    }

    /// `last` writes what is left to say.
    pub(crate) fn replayed(&self) -> u64 {
        self.all().map(|output| output.replayed).sum()
    }

    pub(crate) fn drain_at_exit(&self, last: impl FnOnce() + Send + 'static) {
        exit::drain_at_exit(last, self.all().map(|output| output.guard.drain()));
    }

    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), Unwritten> {
        let until = Instant::now() + timeout;
        let flush = |output: &Output| {
            let left = until.saturating_duration_since(Instant::now());
            let unwritten = output.guard.flush(left).err();
            (
                output.name.clone(),
                unwritten.map_or(0, |unwritten| unwritten.lines()),
            )
        };
        Unwritten::of(self.all().map(flush).collect())
    }

    /// Side by side: a stdout that nobody reads must not take the file's time.
    pub(crate) fn close(&mut self, timeout: Duration) -> Result<(), Unwritten> {
        let outputs = [self.file.take(), self.stdout.take()];
        let outputs: Vec<Output> = outputs.into_iter().flatten().collect();
        let counts: Vec<_> = outputs
            .iter()
            .map(|output| (output.name.clone(), output.writer.clone()))
            .collect();
        std::thread::scope(|scope| {
            for Output { guard, .. } in outputs {
                // What each could not write stands in its accounts, read below. Where no thread can
                // be had, the dropped closure closes the guard here.
                let close = move || drop(guard.close(timeout));
                let _ = std::thread::Builder::new().spawn_scoped(scope, close);
            }
        });
        let dropped =
            |(name, writer): (String, NonBlocking)| (name, writer.accounts().dropped().total());
        Unwritten::of(counts.into_iter().map(dropped).collect())
    }

    fn all(&self) -> impl Iterator<Item = &Output> {
        self.file.iter().chain(&self.stdout)
    }
}

fn spawn<W: io::Write + Send + 'static>(
    config: &Config,
    settings: &Settings,
    name: String,
    writer: NonBlockingBuilder<W>,
) -> Result<Output, Error> {
    let tell = config.on_error.clone();
    let output = name.clone();
    let gaps = GapLines::new(config, settings, name == STDOUT);
    let mut builder = writer
        .gap(move |gap| gaps.line(gap))
        .on_error(move |error| tell.of(&output, error));
    if let Some(bytes) = config.buffer_bytes {
        builder = builder.max_bytes(bytes);
    }
    if let Some(when_full) = config.when_full {
        builder = builder.when_full(when_full);
    }
    let (writer, guard) = builder.spawn().map_err(|error| {
        Error::start(format!("cannot start writing to `{name}`")).because(error)
    })?;
    Ok(Output {
        name,
        writer,
        guard,
        replayed: 0,
        #[cfg(feature = "metrics")]
        watch: None,
    })
}

/// The name of the output that is no file.
const STDOUT: &str = "stdout";
