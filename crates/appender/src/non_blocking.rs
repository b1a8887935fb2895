//! The writer that does not wait for the disk: lines go into a bounded queue, a thread writes them.

use std::{
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use crate::{
    Accounts, Appender, Error, Gap, Guard, Level,
    account::Reason,
    clock::{Clock, SystemClock},
    error::Kind,
    queue::{Phase, Queue},
    report::{Callback, Reporter},
    ring::{self, CrashRing, Ringed},
    sink::{Sink, SyncAt},
    worker::{GapLine, Shared},
};

/// A handle to the queue; clones feed the same queue.
///
/// Each write is one or more whole lines. It takes them or counts them as refused, and returns their
/// full length in either case: a logger never fails its caller. Lines are written in the order in
/// which they were accepted.
#[derive(Clone)]
pub struct NonBlocking {
    shared: Arc<Shared>,
}

/// What happens to a line when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Waits so long for room, then refuses it. After one wait that was in vain no line waits until
    /// there is room again, so that a dead disk costs a service this time once, not per line.
    Wait(Duration),
    /// Refuses it at once.
    DropNew,
    /// Drops the oldest lines that wait, an eighth of the queue at a time, so that the newest are
    /// kept. Those that the writer has in hand already cannot be dropped; if they fill the queue
    /// alone, the new line is refused.
    DropOldest,
    /// Refuses lines below this level at once when three quarters of the queue are taken. The last
    /// quarter is kept for the others, which then wait as with `Wait(100 ms)`. A line of unknown
    /// level is never dropped by level.
    DropBelow(Level),
}

/// The options of a [`NonBlocking`] writer: [`NonBlocking::builder`].
#[must_use = "nothing is written before `spawn`"]
pub struct NonBlockingBuilder<W> {
    writer: W,
    max_bytes: usize,
    when_full: WhenFull,
    flush_interval: Duration,
    gap: Option<GapLine>,
    sync_at: Option<SyncAt>,
    on_error: Callback,
    ring: Option<(CrashRing, Appender)>,
}

impl NonBlocking {
    /// A queue before any writer: stdout, a socket, an [`Appender`](crate::Appender); for that one
    /// [`AppenderBuilder::non_blocking`](crate::AppenderBuilder::non_blocking) is shorter.
    pub fn builder<W: Write + Send + 'static>(writer: W) -> NonBlockingBuilder<W> {
        NonBlockingBuilder {
            writer,
            max_bytes: 8 * 1024 * 1024,
            when_full: WhenFull::Wait(Duration::from_millis(100)),
            flush_interval: Duration::from_millis(100),
            gap: None,
            sync_at: None,
            on_error: Callback::to_stderr(),
            ring: None,
        }
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Hands in whole lines of one level. False: they were refused, and counted.
    ///
    /// A forked child has no writer thread. There lines are refused as closed from the first one on
    /// that would wake the writer or wait for room; with a crash ring, from the very first. Those that were taken before it are lost, and
    /// counted as `unwritten`, as the child's copy of its parent's lines is.
    pub fn offer(&self, level: Option<Level>, lines: &[u8]) -> bool {
        let offered = self.shared.queue.offer(level, lines);
        // A forked child tells nobody: its parent's `on_error` may hold what only the parent lets go.
        if offered == Err(Reason::Closed) && !self.shared.queue.is_forked() {
            let what = "log lines refused: the log is closed";
            self.shared.reporter.report(Error::new(Kind::Loss, what));
        }
        offered.is_ok()
    }

    /// Every line so far, by level and reason. Takes no lock.
    pub fn accounts(&self) -> Accounts {
        self.shared.accounts()
    }
}

impl<W: Write + Send + 'static> NonBlockingBuilder<W> {
    /// How many bytes of lines may wait, those being written included. Default: 8 MiB. A line that
    /// is larger is refused as too long. Memory is taken as needed, at most twice as much.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// What happens to a line when the queue is full. Default: `WhenFull::Wait(100 ms)`.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// How long a line waits at most before it is written, while the writer keeps up. Default:
    /// 100 ms. It is written earlier when 64 KiB have come together, or a line of level ERROR. While
    /// lines come faster than that the writer looks for them by itself, each millisecond at most, so
    /// that no line pays for waking it. Zero writes each batch at once.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.flush_interval = interval;
        self
    }

    /// Makes the line, in the log's format and with its newline, that is written in place of dropped
    /// lines when writing works again. Default: none.
    pub fn gap(mut self, gap: impl Fn(&Gap) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.gap = Some(GapLine(Arc::new(gap)));
        self
    }

    /// Calls `sync` on the writer thread after each batch with a line of this level or above, before
    /// a flush returns. Such lines then survive a power cut; one of level ERROR is written at once.
    /// Its error is told, and not tried again. Default: none.
    ///
    /// ```
    /// use dogwatch_appender::{Appender, Level, NonBlocking};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// let file = Appender::builder(directory.path().join("app.log")).open()?;
    /// let handle = file.clone();
    /// let (log, guard) = NonBlocking::builder(file)
    ///     .sync_at(Level::Error, move || handle.sync())
    ///     .spawn()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sync_at(
        mut self,
        level: Level,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> Self {
        let sync = Box::new(sync);
        self.sync_at = Some(SyncAt { level, sync });
        self
    }

    /// Told of failed writes, dropped lines and panics, on the writer thread: the first at once,
    /// then one summary each 10 s. While the writer hangs in a write, a watcher tells of the lines
    /// that are dropped, on a thread of its own, after a second. Default: one line on stderr.
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_error = Callback::new(on_error);
        self
    }

    /// Tells of losses as the file below does.
    pub(crate) fn told(mut self, gap: Option<GapLine>, on_error: Callback) -> Self {
        (self.gap, self.on_error) = (gap, on_error);
        self
    }

    /// Starts the writer thread. Lines are written for as long as the guard lives. An error says
    /// that there can be no thread, or no crash ring: the disk is full, or the directory cannot be
    /// written, or its file system is unfit.
    pub fn spawn(self) -> Result<(NonBlocking, Guard), Error> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let reporter = Reporter::new(self.on_error, Arc::clone(&clock));
        let queue = Queue::new(clock, self.max_bytes, self.when_full, self.flush_interval);
        let (queue, sink) = match self.ring {
            None => (queue, Sink::new(Box::new(self.writer))),
            Some((ring, appender)) => {
                // What stays is copied when the oldest go.
                let areas = if self.when_full == WhenFull::DropOldest {
                    3
                } else {
                    2
                };
                let family = &appender.inner.household.family;
                let (ring, front, back) = ring::create(&ring, family, (self.max_bytes, areas))?;
                let writer = Ringed::new(appender, Arc::clone(&ring));
                let sink = Sink::new(Box::new(writer)).out_of_ring(back);
                (queue.into_ring(ring, front), sink)
            }
        };
        let shared = Arc::new(Shared {
            queue,
            sink: Mutex::new(sink.sync_at(self.sync_at)),
            reporter,
            gap: self.gap,
        });
        let (writer, watcher) = (Arc::clone(&shared), Arc::clone(&shared));
        let started = start("log-watcher", move || watcher.watch())
            .and_then(|()| start("log-writer", move || writer.run()));
        if let Err(error) = started {
            shared.end_ring();
            shared.queue.enter(Phase::Ended);
            return Err(error);
        }
        Ok((NonBlocking::new(Arc::clone(&shared)), Guard::new(shared)))
    }
}

fn start(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let started = thread::Builder::new().name(name.into()).spawn(run);
    started
        .map(drop)
        .map_err(|error| Error::io(format!("cannot start the thread `{name}`"), error))
}

impl NonBlockingBuilder<Appender> {
    /// Keeps the lines that wait in a mapped file, so that `kill -9` loses none of them: see
    /// [`CrashRing`]. Default: they wait in memory. Each line then takes 16 bytes of
    /// [`max_bytes`](Self::max_bytes) besides its own.
    pub fn crash_ring(mut self, ring: CrashRing) -> Self {
        self.ring = Some((ring, self.writer.clone()));
        self
    }
}

impl Write for NonBlocking {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.offer(None, lines);
        Ok(lines.len())
    }

    // In one piece: `writeln!` would otherwise hand in a line in several pieces.
    fn write_fmt(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        self.write_all(fmt::format(line).as_bytes())
    }

    /// Does nothing: [`Guard::flush`] waits for the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for NonBlocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonBlocking")
            .field("accounts", &self.accounts())
            .finish()
    }
}

impl<W> fmt::Debug for NonBlockingBuilder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonBlockingBuilder")
            .field("max_bytes", &self.max_bytes)
            .field("when_full", &self.when_full)
            .field("flush_interval", &self.flush_interval)
            .finish_non_exhaustive()
    }
}

/// As a layer's writer it knows the level of each line.
#[cfg(feature = "tracing")]
impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for NonBlocking {
    type Writer = LevelWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LevelWriter {
            queue: self,
            level: None,
        }
    }

    fn make_writer_for(&'a self, metadata: &tracing_core::Metadata<'_>) -> Self::Writer {
        LevelWriter {
            queue: self,
            level: Some((*metadata.level()).into()),
        }
    }
}

/// What a layer writes a line of known level to.
#[cfg(feature = "tracing")]
#[derive(Debug)]
pub struct LevelWriter<'a> {
    queue: &'a NonBlocking,
    level: Option<Level>,
}

#[cfg(feature = "tracing")]
impl Write for LevelWriter<'_> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.queue.offer(self.level, lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
