//! Puts a log directory in order: finishes, compresses and deletes closed files.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::tz::TimeZone;

use crate::{
    Compress, Error, Keep,
    clock::Clock,
    disk::Disk,
    error::Kind,
    guarded::guarded,
    lock::Owner,
    name::{Family, Form, Member},
    report::Reporter,
    retention::{IsHeld, companion},
};

/// All forms of all rolled files, in order.
pub(crate) fn members(disk: &dyn Disk, family: &Family) -> io::Result<Vec<Member>> {
    let names = disk.list(family.directory())?;
    let mut members: Vec<_> = names.iter().filter_map(|name| family.parse(name)).collect();
    members.sort_unstable();
    Ok(members)
}

/// Called with each closed file.
pub(crate) struct OnClose(pub(crate) Box<dyn Fn(&Path) + Send + Sync>);

/// What housekeeping works on and by which rules.
pub(crate) struct Household {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: TimeZone,
    pub(crate) family: Family,
    pub(crate) keep: Keep,
    pub(crate) compress: Compress,
    pub(crate) compress_after: Duration,
    pub(crate) on_roll: Option<OnClose>,
    pub(crate) on_close: Option<OnClose>,
    pub(crate) held: Option<IsHeld>,
    pub(crate) link: Option<PathBuf>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) deleted: AtomicU64,
    pub(crate) deleted_unread: AtomicU64,
    pub(crate) compressed: AtomicU64,
    pub(crate) cancelled: AtomicBool,
    /// A write found the disk full.
    pub(crate) full: AtomicBool,
    pub(crate) owner: Arc<Owner>,
}

impl Household {
    /// Whether there can be anything to do.
    pub(crate) fn is_needed(&self) -> bool {
        self.keep != Keep::all()
            || self.compress != Compress::None
            || self.on_roll.is_some()
            || self.on_close.is_some()
            || self.link.is_some()
    }

    /// Tells what is left of a time that begins now.
    pub(crate) fn time_left(&self, timeout: Duration) -> impl Fn() -> Duration {
        let until = self.clock.uptime().saturating_add(timeout);
        move || until.saturating_sub(self.clock.uptime())
    }

    /// One pass over the directory. It needs no memory of earlier ones, so that whatever failed or
    /// was left by a crash is done now. `rolled` are the files closed since the last pass. Returns
    /// after which time there is more to do, if nothing happens till then.
    pub(crate) fn tidy(&self, rolled: &[Member]) -> Option<Duration> {
        if !self.is_ours() {
            return None;
        }
        let members = match members(&*self.disk, &self.family) {
            Ok(members) => members,
            Err(error) => {
                self.failed("list log directory", self.family.directory(), error);
                return None;
            }
        };
        self.link();
        for member in rolled {
            self.call("on_roll", &self.on_roll, &self.family.path(member));
        }
        let mut again: Option<Duration> = None;
        for member in members {
            if self.cancelled.load(Ordering::Relaxed) || !self.is_ours() {
                return None;
            }
            // A pass may take long, and somebody waits for room.
            self.make_room();
            match self.ripens_in(&member) {
                Duration::ZERO => self.finish(member, rolled),
                more => again = Some(again.map_or(more, |again| again.min(more))),
            }
        }
        self.delete_surplus();
        again
    }

    /// We have the lock. Asked before each file, as a pass may take long: without it another appender
    /// tidies the directory, and nothing in it is touched.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner.owns(&*self.disk, &self.family)
    }

    // How long a plain file is still too young to be compressed.
    fn ripens_in(&self, member: &Member) -> Duration {
        let waits = self.compress != Compress::None && member.form == Form::Plain;
        if !waits || self.compress_after.is_zero() {
            return Duration::ZERO;
        }
        // What cannot be looked at is tried, and told.
        let Ok(facts) = self.disk.facts(&self.family.path(member)) else {
            return Duration::ZERO;
        };
        // A clock that was set back makes nobody wait longer than that.
        let age = self.clock.now().duration_since(facts.modified);
        let age = Duration::try_from(age).unwrap_or_default();
        self.compress_after.saturating_sub(age)
    }

    fn finish(&self, member: Member, rolled: &[Member]) {
        match member.form {
            Form::Unfinished => self.remove(&self.family.path(&member)),
            Form::Plain if self.compress != Compress::None => self.compress(&member),
            Form::Plain if rolled.contains(&member) => {
                self.call("on_close", &self.on_close, &self.family.path(&member));
            }
            _ => {}
        }
    }

    fn compress(&self, plain: &Member) {
        let form = |form| {
            self.family.path(&Member {
                form,
                ..plain.clone()
            })
        };
        let from = form(Form::Plain);
        // A complete compressed file has its final name: only the deletion was missed.
        if [Form::Gzip, Form::Zstd]
            .iter()
            .any(|&done| self.disk.facts(&form(done)).is_ok())
        {
            self.remove(&companion(&from));
            return self.remove(&from);
        }
        let (unfinished, to) = (form(Form::Unfinished), form(self.compress.form()));
        let run = self
            .compress
            .run(&*self.disk, (&from, &unfinished), &self.cancelled);
        if !self.is_ours() {
            return;
        }
        let done = run
            .and_then(|()| self.disk.rename(&unfinished, &to))
            .and_then(|()| self.disk.sync_directory(self.family.directory()));
        match done {
            Ok(()) => {
                self.compressed.fetch_add(1, Ordering::Relaxed);
                self.remove(&from);
                self.remove(&companion(&from));
                self.call("on_close", &self.on_close, &to);
            }
            Err(error) => {
                self.remove(&unfinished);
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failed("compress log file", &from, error);
                }
            }
        }
    }

    pub(crate) fn remove(&self, path: &Path) {
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.failed("delete log file", path, error);
            }
            _ => {}
        }
    }

    fn call(&self, name: &str, callback: &Option<OnClose>, path: &Path) {
        let Some(callback) = callback else {
            return;
        };
        if guarded(|| (callback.0)(path)).is_none() {
            let what = format!("the `{name}` callback panicked on `{}`", path.display());
            self.reporter.report(Error::new(Kind::Panic, what));
        }
    }

    fn link(&self) {
        let Some(link) = &self.link else {
            return;
        };
        if let Err(error) = self.disk.link(&self.family.current(), link) {
            self.failed("make symbolic link", link, error);
        }
    }

    pub(crate) fn failed(&self, what: &str, path: &Path, error: io::Error) {
        self.reporter.report(Error::io(
            format!("cannot {what} `{}`", path.display()),
            error,
        ));
    }
}
