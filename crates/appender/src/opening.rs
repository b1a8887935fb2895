//! Starts an appender: its lock, its file, its threads.

use std::{
    io,
    sync::{Arc, Mutex},
};

use jiff::tz::TimeZone;

use crate::{
    Appender, AppenderBuilder, Error, NonBlocking, NonBlockingBuilder,
    active::{Active, Notes, State},
    appender::Inner,
    detour::Detour,
    disk::RealDisk,
    error::Kind,
    fallback::Fallback,
    fsync::Syncer,
    household::Household,
    housekeeping::Housekeeper,
    lock::claim,
    name::{CLOSED, Family, ROLLED},
    report::Reporter,
    ring::{Found, write_out},
    told::Told,
};

impl AppenderBuilder {
    /// Opens the file as [`open`](Self::open) does, and goes on with the options of the queue before
    /// it: one chain for both. The queue has this builder's `gap` and `on_error` until it is given
    /// its own.
    ///
    /// ```
    /// use std::{io::Write as _, time::Duration};
    ///
    /// use dogwatch_appender::{Appender, Roll, WhenFull};
    ///
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("app.log");
    /// let (mut log, guard) = Appender::builder(&path)
    ///     .roll(Roll::daily())
    ///     .non_blocking()?
    ///     .when_full(WhenFull::DropNew)
    ///     .spawn()?;
    /// writeln!(log, "a line")?;
    /// guard.close(Duration::from_secs(5))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn non_blocking(self) -> Result<NonBlockingBuilder<Appender>, Error> {
        let (gap, on_error) = (self.gap.clone(), self.on_error.clone());
        Ok(NonBlocking::builder(self.open()?).told(gap, on_error))
    }

    /// Opens the file, making its directory if there is none, and takes its lock.
    ///
    /// An existing file is appended to; its age is that of its last change, so that the first line of
    /// today rolls yesterday's file. A half line at its end is closed by a newline and counted as torn. An
    /// error says what could not be done: the path cannot be written, another appender has it, the
    /// zone is unknown.
    ///
    /// What a killed process left in a [`CrashRing`](crate::CrashRing) is written now. What cannot be
    /// written is told to `on_error` and stays for the next start; so it does after a
    /// [degraded](Self::degraded) one.
    pub fn open(self) -> Result<Appender, Error> {
        let family = Family::of(&self.path).ok_or_else(|| {
            let path = self.path.display();
            Error::new(
                Kind::Option,
                format!("cannot log to `{path}`: it is no file name in UTF-8"),
            )
        })?;
        let zone = time_zone(self.zone.as_deref())?;
        self.roll.check()?;
        let disk = self
            .disk
            .unwrap_or_else(|| Arc::new(RealDisk { mode: self.mode }));
        let mut failed = None;
        let (family, lock) = match claim(&*disk, &family, self.when_locked) {
            Ok((family, lock)) => (family, Some(lock)),
            Err(error) if self.degraded => {
                failed = Some(error);
                (family, None)
            }
            Err(error) => return Err(error),
        };
        let fallback = self.fallback.or_else(|| {
            let stderr = || Fallback::new(Box::new(io::stderr()));
            self.degraded.then(stderr)
        });
        let mut active = Active {
            disk: Arc::clone(&disk),
            clock: Arc::clone(&self.clock),
            family: family.clone(),
            roll: self.roll,
            zone: zone.clone(),
            keep: self.keep.clone(),
            wants_header: self.header.is_some(),
            detour: Detour::new(fallback.is_some()),
            owner: Arc::default(),
            state: State {
                lock,
                ..State::default()
            },
            notes: Notes::default(),
        };
        let mut found = Found::default();
        if failed.is_none() {
            match active.start(self.roll_at_start) {
                Ok(left) => found = left,
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            if !self.degraded {
                return Err(error);
            }
            active.notes.failures.push(error);
            active.detour.begin(active.clock.uptime());
        }
        let reporter = Arc::new(Reporter::new(self.on_error, Arc::clone(&self.clock)));
        let counts = Arc::default();
        let syncer = Syncer::spawn(self.fsync, &disk, &reporter, &counts)
            .map_err(|error| Error::io("cannot start the thread `log-sync`", error))?;
        let household = Arc::new(Household {
            disk,
            clock: self.clock,
            zone,
            family,
            keep: self.keep,
            compress: self.compress,
            compress_after: self.compress_after,
            on_roll: self.on_roll.map(|call| Told::new("on_roll", ROLLED, call)),
            on_close: self
                .on_close
                .map(|call| Told::new("on_close", CLOSED, call)),
            held: self.held,
            link: self.link,
            reporter: Arc::clone(&reporter),
            deleted: Default::default(),
            deleted_unread: Default::default(),
            compressed: Default::default(),
            cancelled: Default::default(),
            full: Default::default(),
            owner: Arc::clone(&active.owner),
        });
        let housekeeper = Housekeeper::spawn(Arc::clone(&household))
            .map_err(|error| Error::io("cannot start the housekeeping thread", error))?;
        let appender = Appender::new(Inner {
            active: Mutex::new(active),
            header: self.header,
            gap: self.gap,
            fallback,
            household,
            housekeeper,
            reporter,
            syncer,
            counts,
            closed: Default::default(),
        });
        write_out(found, &appender);
        Ok(appender)
    }
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
