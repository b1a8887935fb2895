//! What a service asks of its log file, and the file opened so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dogwatch_appender::{Appender, AppenderBuilder, Compress, Fsync, Keep, Roll, WhenLocked};
use tracing_core::Level;

use crate::Error;
use crate::config::Config;
use crate::gap::GapLines;
use crate::settings::Settings;

/// The options that only a file has.
#[derive(Clone, Default)]
pub(crate) struct LogFile {
    zone: Option<String>,
    mode: Option<u32>,
    fsync: Option<Fsync>,
    pub(crate) fsync_at: Option<Level>,
    fallback: Option<Fallback>,
    degraded: bool,
    when_locked: WhenLocked,
    compress_after: Duration,
    symlink: Option<PathBuf>,
    pub(crate) reopen_on_sighup: Option<bool>,
    held: Option<Arc<Held>>,
    on_close: Option<Arc<OnClose>>,
    #[cfg(feature = "cursors")]
    hold_for_cursors: bool,
    #[cfg(feature = "index")]
    index: bool,
}

struct Held(Box<dyn Fn(&Path) -> bool + Send + Sync>);
struct OnClose(Box<dyn Fn(&Path) + Send + Sync>);

#[derive(Clone)]
enum Fallback {
    Stderr,
    File(PathBuf),
}

impl Config {
    /// The IANA zone whose midnights roll the file and whose time is in the names of rolled files,
    /// such as `Asia/Shanghai`. Times in lines stay UTC. Default: UTC.
    pub fn file_zone(mut self, name: impl Into<String>) -> Self {
        self.log_file.zone = Some(name.into());
        self
    }

    /// The permissions of new log files on unix, such as `0o640`, less the umask; one that is there
    /// keeps its own. Default: `0o666`.
    pub fn file_mode(mut self, mode: u32) -> Self {
        self.log_file.mode = Some(mode);
        self
    }

    /// When the log file is synced, so that it survives a power cut. Default: when the kernel sees
    /// fit.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.log_file.fsync = Some(fsync);
        self
    }

    /// Also syncs the log file after lines of this level or above, before a flush returns. Default:
    /// no level.
    pub fn fsync_at(mut self, level: Level) -> Self {
        self.log_file.fsync_at = Some(level);
        self
    }

    /// Another file, best on another disk, that takes the lines while the log file has taken none
    /// for a second. It rolls and keeps as the log file does. When that works again, a gap line says
    /// how many lines are there. Default: none, and the lines wait in the buffer.
    pub fn fallback(mut self, path: impl AsRef<Path>) -> Self {
        self.log_file.fallback = Some(Fallback::File(path.as_ref().to_owned()));
        self
    }

    /// As [`fallback`](Self::fallback), to stderr.
    pub fn fallback_to_stderr(mut self) -> Self {
        self.log_file.fallback = Some(Fallback::Stderr);
        self
    }

    /// Starts though the log file cannot be opened: lines go to the fallback, or to stderr if there
    /// is none, until it can. Default: [`init`](Self::init) returns an error.
    pub fn degraded(mut self, degraded: bool) -> Self {
        self.log_file.degraded = degraded;
        self
    }

    /// What happens when another process logs to the file. Default: an error.
    pub fn when_locked(mut self, when_locked: WhenLocked) -> Self {
        self.log_file.when_locked = when_locked;
        self
    }

    /// How long a rolled file stays plain before it is compressed: the time that a shipper of the
    /// plain files has to read it to its end. Default: none.
    pub fn compress_after(mut self, age: Duration) -> Self {
        self.log_file.compress_after = age;
        self
    }

    /// A relative symbolic link to the log file. Default: none.
    pub fn symlink(mut self, link: impl AsRef<Path>) -> Self {
        self.log_file.symlink = Some(link.as_ref().to_owned());
        self
    }

    /// At SIGHUP closes the log file and its fallback and opens what has their names then: what the
    /// `postrotate` of a logrotate asks for. It installs a handler, for the life of the process, so
    /// that SIGHUP no longer ends it; other handlers run, too. On unix; elsewhere
    /// [`init`](Self::init) returns an error. Default: `DOGWATCH_REOPEN_ON_SIGHUP`, else no handler:
    /// a moved file is noticed within 250 ms all the same.
    pub fn reopen_on_sighup(mut self, on: bool) -> Self {
        self.log_file.reopen_on_sighup = Some(on);
        self
    }

    /// Asked whether somebody still reads a rolled file that is to be deleted: then it stays until
    /// [`Keep::unread`]. Default: nobody does.
    pub fn held(mut self, held: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        self.log_file.held = Some(Arc::new(Held(Box::new(held))));
        self
    }

    /// Keeps a rolled file that is to be deleted until every reader that has a cursor beside the log,
    /// `shop.log.READER.cursor`, has finished it, or until [`Keep::unread`]. It stands beside
    /// [`held`](Self::held): either keeps a file. A cursor that cannot be read keeps all, and is told.
    /// Default: nobody is asked. Needs the feature `cursors`.
    #[cfg(feature = "cursors")]
    pub fn hold_for_cursors(mut self) -> Self {
        self.log_file.hold_for_cursors = true;
        self
    }

    /// Makes an index beside each rolled file when it is closed, off every path that logs, so that
    /// `dogwatch trace` and searches by time and level read only the parts that may match. It takes
    /// at most three hundredths of the compressed file, and is deleted with it. Default: none is
    /// made; `dogwatch index` does it at any time. Needs the feature `index`.
    #[cfg(feature = "index")]
    pub fn index(mut self) -> Self {
        self.log_file.index = true;
        self
    }

    /// Called with each rolled file in its final form, off every path that logs: to ship it, or to
    /// index it. At least once for each: after a kill the next start makes the calls that are missing,
    /// as [`AppenderBuilder::on_close`](dogwatch_appender::AppenderBuilder::on_close) says. Default:
    /// nothing.
    pub fn on_close(mut self, on_close: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.log_file.on_close = Some(Arc::new(OnClose(Box::new(on_close))));
        self
    }
}

/// Opens the log file, and its fallback before it.
pub(crate) fn open(config: &Config, settings: &Settings, path: &Path) -> Result<Appender, Error> {
    let options = &config.log_file;
    let gaps = GapLines::new(config, settings, false);
    let mut reopened = Vec::new();
    let mut builder = builder(config, path)
        .degraded(options.degraded)
        .when_locked(options.when_locked)
        .gap(move |gap| gaps.line(gap));
    match &options.fallback {
        Some(Fallback::Stderr) => builder = builder.fallback(std::io::stderr()),
        Some(Fallback::File(path)) => {
            let fallback = self::builder(config, path).open();
            let what = "cannot start the fallback of the log file";
            let fallback = fallback.map_err(|error| Error::start(what).because(error))?;
            reopened.push(fallback.clone());
            builder = builder.fallback(fallback);
        }
        None => {}
    }
    if let Some(link) = &options.symlink {
        builder = builder.symlink(link);
    }
    let held = options.held.clone();
    #[cfg(feature = "cursors")]
    let asked = options
        .hold_for_cursors
        .then(|| crate::cursors::Asked::of(path, config.on_error.clone()));
    builder = builder.held(move |path| {
        #[cfg(feature = "cursors")]
        if asked.as_ref().is_some_and(|asked| asked.hold(path)) {
            return true;
        }
        held.as_ref().is_some_and(|held| (held.0)(path))
    });
    if let Some(on_close) = on_close(config, path) {
        builder = builder.on_close(on_close);
    }
    let appender = builder
        .open()
        .map_err(|error| Error::start("cannot start the log file").because(error))?;
    if appender.stats().torn > 0 {
        let torn = "the last line is torn: whoever wrote it was stopped in the middle of it";
        let name = appender.path().display().to_string();
        config.on_error.of(&name, &Error::start(torn));
    }
    reopened.push(appender.clone());
    if settings.reopen_on_sighup {
        reopen_on_sighup(&reopened)?;
    }
    Ok(appender)
}

/// What is done with a closed file, if anything: its index stands beside it before others are told.
fn on_close(config: &Config, log: &Path) -> Option<impl Fn(&Path) + Send + Sync + 'static> {
    let on_close = config.log_file.on_close.clone();
    #[cfg(feature = "index")]
    let indexing = config
        .log_file
        .index
        .then(|| crate::indexing::Indexing::of(log, config.on_error.clone()));
    #[cfg(not(feature = "index"))]
    let (indexing, _) = (None::<()>, log);
    (on_close.is_some() || indexing.is_some()).then_some(move |closed: &Path| {
        #[cfg(feature = "index")]
        if let Some(indexing) = &indexing {
            indexing.index(closed);
        }
        if let Some(on_close) = &on_close {
            (on_close.0)(closed);
        }
    })
}

#[cfg(unix)]
fn reopen_on_sighup(files: &[Appender]) -> Result<(), Error> {
    let signals = dogwatch_appender::Signals::new();
    let signals = files
        .iter()
        .fold(signals, |signals, file| signals.reopen(file));
    let what = "cannot reopen the log file at SIGHUP";
    let spawned = signals.spawn();
    spawned.map_err(|error| Error::start(what).because(error))
}

#[cfg(not(unix))]
fn reopen_on_sighup(_: &[Appender]) -> Result<(), Error> {
    Err(Error::setting(
        "the log file cannot be reopened at SIGHUP (DOGWATCH_REOPEN_ON_SIGHUP or \
         `reopen_on_sighup`): this system has no such signal; leave the setting away",
    ))
}

/// What the file and its fallback have in common.
fn builder(config: &Config, path: &Path) -> AppenderBuilder {
    let options = &config.log_file;
    let (tell, name) = (config.on_error.clone(), path.display().to_string());
    let roll = || Roll::daily().max_bytes(ROLL_BYTES);
    let mut builder = Appender::builder(path)
        .roll(config.roll.clone().unwrap_or_else(roll))
        .keep(config.keep.clone().unwrap_or(Keep::files(KEEP_FILES)))
        .compress(config.compress.unwrap_or(Compress::Zstd))
        .compress_after(options.compress_after)
        .fsync(options.fsync.unwrap_or_default())
        .on_error(move |error| tell.of(&name, error));
    if let Some(zone) = &options.zone {
        builder = builder.zone(zone);
    }
    if let Some(mode) = options.mode {
        builder = builder.mode(mode);
    }
    builder
}

/// A day of a busy service in a file that an editor still opens.
const ROLL_BYTES: u64 = 100 << 20;
const KEEP_FILES: usize = 7;
