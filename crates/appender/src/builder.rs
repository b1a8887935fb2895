//! The options of an appender.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    Compress, Error, Fsync, Gap, Keep, Roll, WhenLocked,
    appender::Header,
    clock::{Clock, SystemClock},
    disk::Disk,
    fallback::Fallback,
    report::Callback,
    retention::IsHeld,
    told::OnClose,
    worker::GapLine,
};

/// The options of an [`Appender`](crate::Appender): [`Appender::builder`](crate::Appender::builder).
#[must_use = "nothing is written before `open`"]
pub struct AppenderBuilder {
    pub(crate) path: PathBuf,
    pub(crate) roll: Roll,
    pub(crate) keep: Keep,
    pub(crate) compress: Compress,
    pub(crate) compress_after: Duration,
    pub(crate) zone: Option<String>,
    pub(crate) mode: Option<u32>,
    pub(crate) roll_at_start: bool,
    pub(crate) header: Option<Header>,
    pub(crate) when_locked: WhenLocked,
    pub(crate) degraded: bool,
    pub(crate) fallback: Option<Fallback>,
    pub(crate) gap: Option<GapLine>,
    pub(crate) link: Option<PathBuf>,
    pub(crate) on_roll: Option<OnClose>,
    pub(crate) on_close: Option<OnClose>,
    pub(crate) held: Option<IsHeld>,
    pub(crate) fsync: Fsync,
    pub(crate) on_error: Callback,
    pub(crate) disk: Option<Arc<dyn Disk>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl AppenderBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            roll: Roll::never(),
            keep: Keep::all(),
            compress: Compress::None,
            compress_after: Duration::ZERO,
            zone: None,
            mode: None,
            roll_at_start: false,
            header: None,
            fsync: Fsync::Never,
            when_locked: WhenLocked::Refuse,
            degraded: false,
            fallback: None,
            gap: None,
            link: None,
            on_roll: None,
            on_close: None,
            held: None,
            on_error: Callback::to_stderr(),
            disk: None,
            clock: Arc::new(SystemClock::start()),
        }
    }

    /// When the file is closed and a new one begun. Default: never.
    pub fn roll(mut self, roll: Roll) -> Self {
        self.roll = roll;
        self
    }

    /// Which closed files stay. Default: all.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// How closed files are stored. Default: as written.
    pub fn compress(mut self, compress: Compress) -> Self {
        self.compress = compress;
        self
    }

    /// How long a closed file stays as written before it is compressed: the time that a tailer of the
    /// plain files has to read it to its end. [`Keep`] does not wait for it. Default: none.
    ///
    /// What is too young when the appender is closed is compressed after the next start.
    pub fn compress_after(mut self, age: Duration) -> Self {
        self.compress_after = age;
        self
    }

    /// The IANA zone whose midnights and hours count and whose time is in the names, such as
    /// `Asia/Shanghai`. Default: UTC. An unknown one is an error of [`open`](Self::open).
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.zone = Some(name.into());
        self
    }

    /// The permissions of new files on unix, such as `0o640`, less the umask; one that is there keeps
    /// its own. Default: `0o666`.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Begins with a new file at each start. Default: goes on in the one that is there.
    pub fn roll_at_start(mut self, roll: bool) -> Self {
        self.roll_at_start = roll;
        self
    }

    /// Makes the first lines of each new file, in the log's format, newline included. A file that
    /// holds no more than them is empty.
    pub fn header(mut self, header: impl Fn() -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.header = Some(Header(Box::new(header)));
        self
    }

    /// When files are synced to the disk. Default: never.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    /// What happens when another appender writes to the path. Default: [`open`](Self::open) returns
    /// an error.
    pub fn when_locked(mut self, when_locked: WhenLocked) -> Self {
        self.when_locked = when_locked;
        self
    }

    /// Starts though the file cannot be opened or is locked: it is told to `on_error`, lines go to
    /// the [fallback](Self::fallback), or to stderr if there is none, and the file is tried again
    /// after 1 s, then at longest every 5 s, when there is something to write. Default: an error of
    /// [`open`](Self::open).
    pub fn degraded(mut self, degraded: bool) -> Self {
        self.degraded = degraded;
        self
    }

    /// Takes the lines while the file has taken none for a second: any writer, such as stderr or an
    /// appender on another disk. The file is tried again after 1 s, then at longest every 5 s.
    /// Default: none, and the lines wait with the caller.
    ///
    /// A line that the file took by half is closed there, counted as torn, and goes to the fallback
    /// whole. Lines that it takes count as written, and in [`Stats::fallback`].
    ///
    /// [`Stats::fallback`]: crate::Stats::fallback
    pub fn fallback(mut self, writer: impl io::Write + Send + 'static) -> Self {
        self.fallback = Some(Fallback::new(Box::new(writer)));
        self
    }

    /// Makes the line, in the log's format and with its newline, that stands in the file where lines
    /// went to the fallback: before the next line, or at the close. Default: none.
    pub fn gap(mut self, gap: impl Fn(&Gap) -> Vec<u8> + Send + Sync + 'static) -> Self {
        self.gap = Some(GapLine(Arc::new(gap)));
        self
    }

    /// A symbolic link to the current file, relative, made and mended by the housekeeping thread. It
    /// replaces another link, never a file. Default: none.
    pub fn symlink(mut self, link: impl AsRef<Path>) -> Self {
        self.link = Some(link.as_ref().to_owned());
        self
    }

    /// Called on the housekeeping thread with the new name of each file that is rolled, before it is
    /// compressed. At least once for each, as [`on_close`](Self::on_close) is.
    pub fn on_roll(mut self, on_roll: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.on_roll = Some(OnClose(Box::new(on_roll)));
        self
    }

    /// Asked on the housekeeping thread whether somebody still reads a file that is to be deleted:
    /// then it stays until the hard bound, [`Keep::unread`]. Default: nobody does.
    pub fn held(mut self, held: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        self.held = Some(IsHeld(Box::new(held)));
        self
    }

    /// Called on the housekeeping thread with each file that was closed, in its final form, before
    /// old files are deleted. What takes long keeps the next pass waiting, no line.
    ///
    /// At least once for each, before [`keep`](Self::keep) deletes it, in the form that it has then;
    /// only a full disk or a hand may take a file first. What a failure, a
    /// timeout or a kill prevented is done at the next pass or start, and a kill within the call makes
    /// it a second one. Up to which file it was called stands in the name of an empty file,
    /// `.app.log.000123.closed`; where there is none, as at the first start with a callback, it is
    /// called with every closed file that is there. A call that panics was one. A file that is
    /// compressed later than it was called with is called with again.
    ///
    /// To store files elsewhere, copy them under another name first, so that no half of one is ever
    /// taken for it; and let [`held`](Self::held) keep what could not be stored:
    ///
    /// ```
    /// use std::{fs, io::Write as _, path::Path, time::Duration};
    ///
    /// use dogwatch_appender::Appender;
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let (path, archive) = (directory.path().join("app.log"), directory.path().join("archive"));
    /// # fs::create_dir(&archive)?;
    /// let name = |closed: &Path| closed.file_name().expect("a file has a name").to_owned();
    /// let (bucket, asked) = (archive.clone(), archive.clone());
    /// let mut file = Appender::builder(&path)
    ///     .on_close(move |closed| {
    ///         let unfinished = bucket.join("unfinished");
    ///         let stored = fs::copy(closed, &unfinished)
    ///             .and_then(|_| fs::rename(&unfinished, bucket.join(name(closed))));
    ///         // It stays, until a later run has stored it.
    ///         if let Err(error) = stored {
    ///             eprintln!("cannot store {}: {error}", closed.display());
    ///         }
    ///     })
    ///     .held(move |closed| !asked.join(name(closed)).exists())
    ///     .open()?;
    /// writeln!(file, "a line")?;
    /// file.roll()?;
    /// assert!(file.close(Duration::from_secs(5)));
    /// assert_eq!(fs::read_dir(&archive)?.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_close(mut self, on_close: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.on_close = Some(OnClose(Box::new(on_close)));
        self
    }

    /// Told what fails behind the caller's back: rolls, syncs, compression, deletion. The first failure at
    /// once, then one summary each 10 s. Default: one line on stderr. A failed write is returned to
    /// who wrote.
    pub fn on_error(mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.on_error = Callback::new(on_error);
        self
    }

    #[cfg(test)]
    pub(crate) fn on(mut self, disk: Arc<dyn Disk>, clock: Arc<dyn Clock>) -> Self {
        (self.disk, self.clock) = (Some(disk), clock);
        self
    }
}

impl fmt::Debug for AppenderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppenderBuilder")
            .field("path", &self.path)
            .field("roll", &self.roll)
            .field("keep", &self.keep)
            .field("compress", &self.compress)
            .finish_non_exhaustive()
    }
}
