//! The options of an appender, and its start.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::tz::TimeZone;

use crate::{
    Appender, Compress, Error, Keep, Roll,
    active::{Active, Notes, State, failure},
    appender::{Header, Inner},
    clock::{Clock, SystemClock},
    disk::{Disk, RealDisk},
    error::Kind,
    household::{Household, OnClose},
    housekeeping::Housekeeper,
    name::Family,
    report::{Callback, Reporter},
};

/// The options of an [`Appender`]: [`Appender::builder`].
#[must_use = "nothing is written before `open`"]
pub struct AppenderBuilder {
    path: PathBuf,
    roll: Roll,
    keep: Keep,
    compress: Compress,
    zone: Option<String>,
    mode: Option<u32>,
    roll_at_start: bool,
    header: Option<Header>,
    on_close: Option<OnClose>,
    on_error: Callback,
    disk: Option<Arc<dyn Disk>>,
    clock: Arc<dyn Clock>,
}

impl AppenderBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            roll: Roll::never(),
            keep: Keep::all(),
            compress: Compress::None,
            zone: None,
            mode: None,
            roll_at_start: false,
            header: None,
            on_close: None,
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

    /// The IANA zone whose midnights and hours count and whose time is in the names, such as
    /// `Asia/Shanghai`. Default: UTC. An unknown one is an error of [`open`](Self::open).
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.zone = Some(name.into());
        self
    }

    /// The permissions of new files on unix, such as `0o640`. Default: `0o666` less the umask.
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

    /// Called on the housekeeping thread with each file that was closed, in its final form, before
    /// old files are deleted.
    pub fn on_close(mut self, on_close: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.on_close = Some(OnClose(Box::new(on_close)));
        self
    }

    /// Told what fails behind the caller's back: rolls, compression, deletion. The first failure at
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

    /// Opens the file, making its directory if there is none, and takes its lock.
    ///
    /// An existing file is appended to; its age is that of its last change, so that the first line of
    /// today rolls yesterday's file. A half line at its end is closed by a newline and counted as torn. An
    /// error says what could not be done: the path cannot be written, another appender has it, the
    /// zone is unknown.
    pub fn open(self) -> Result<Appender, Error> {
        let family = Family::of(&self.path).ok_or_else(|| {
            let path = self.path.display();
            Error::new(
                Kind::Option,
                format!("cannot log to `{path}`: it is no file name in UTF-8"),
            )
        })?;
        let zone = time_zone(self.zone.as_deref())?;
        let disk = self
            .disk
            .unwrap_or_else(|| Arc::new(RealDisk { mode: self.mode }));
        let lock = lock(&*disk, &family)?;
        let reporter = Arc::new(Reporter::new(self.on_error, Arc::clone(&self.clock)));
        let household = Arc::new(Household {
            disk: Arc::clone(&disk),
            clock: Arc::clone(&self.clock),
            zone: zone.clone(),
            family: family.clone(),
            keep: self.keep,
            compress: self.compress,
            on_close: self.on_close,
            reporter: Arc::clone(&reporter),
            deleted: Default::default(),
            compressed: Default::default(),
            cancelled: Default::default(),
        });
        let members = household
            .members()
            .map_err(|error| failure("cannot list log directory", family.directory(), error))?;
        let mut active = Active {
            disk,
            clock: self.clock,
            family,
            roll: self.roll,
            zone,
            wants_header: self.header.is_some(),
            state: State::default(),
            notes: Notes::default(),
        };
        active.number_after(members.last().map_or(0, |member| member.sequence));
        start(&mut active, self.roll_at_start)
            .map_err(|error| failure("cannot open log file", &active.path(), error))?;
        let housekeeper = Housekeeper::spawn(Arc::clone(&household))
            .map_err(|error| Error::io("cannot start the housekeeping thread", error))?;
        Ok(Appender::new(Inner {
            active: Mutex::new(active),
            header: self.header,
            household,
            housekeeper,
            reporter,
            counts: Arc::default(),
            closed: Default::default(),
            _lock: lock,
        }))
    }
}

fn start(active: &mut Active, roll: bool) -> io::Result<()> {
    active.open()?;
    if roll {
        active.roll()?;
        active.open()?;
    }
    Ok(())
}

fn lock(disk: &dyn Disk, family: &Family) -> Result<Box<dyn std::any::Any + Send + Sync>, Error> {
    let directory = family.directory();
    disk.create_directory(directory)
        .map_err(|error| failure("cannot make log directory", directory, error))?;
    disk.lock(&family.lock()).map_err(|error| {
        let path = family.current();
        match error.kind() {
            io::ErrorKind::WouldBlock => {
                let path = path.display();
                let what = format!(
                    "cannot log to `{path}`: another appender writes to it; give each process a \
                     path of its own"
                );
                Error::new(Kind::Locked, what)
            }
            _ => failure("cannot lock log file", &path, error),
        }
    })
}

fn time_zone(name: Option<&str>) -> Result<TimeZone, Error> {
    let Some(name) = name else {
        return Ok(TimeZone::UTC);
    };
    TimeZone::get(name).map_err(|error| {
        let what = format!("cannot use time zone `{name}`");
        let source = io::Error::new(io::ErrorKind::InvalidInput, error);
        Error::io(what, source).of(Kind::Option)
    })
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
