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
    lock::Owner,
    name::{Family, Form, Member},
    report::Reporter,
    retention::{IsHeld, companion},
    told::Told,
};

/// All forms of all rolled files, in order.
pub(crate) fn members(disk: &dyn Disk, family: &Family) -> io::Result<Vec<Member>> {
    Ok(family.members(&disk.list(family.directory())?))
}

/// What housekeeping works on and by which rules.
pub(crate) struct Household {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) zone: TimeZone,
    pub(crate) family: Family,
    pub(crate) keep: Keep,
    pub(crate) compress: Compress,
    pub(crate) compress_after: Duration,
    pub(crate) on_roll: Option<Told>,
    pub(crate) on_close: Option<Told>,
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
    /// was left by a crash is done now. Returns after which time there is more to do, if nothing
    /// happens till then.
    pub(crate) fn tidy(&self) -> Option<Duration> {
        if !self.is_ours() {
            return None;
        }
        let names = match self.disk.list(self.family.directory()) {
            Ok(names) => names,
            Err(error) => {
                self.failed("list log directory", self.family.directory(), error);
                return Some(LIST_AGAIN);
            }
        };
        let members = self.family.members(&names);
        let (on_roll, on_close) = (self.on_roll.as_ref(), self.on_close.as_ref());
        self.look_up(on_roll, &names, &members);
        self.look_up(on_close, &names, &members);
        self.link();
        let is_over = || self.cancelled.load(Ordering::Relaxed) || !self.is_ours();
        // For all of them first: compression may take long.
        for member in members.iter().filter(|member| member.form == Form::Plain) {
            if is_over() {
                return None;
            }
            self.pay(on_roll, member);
        }
        let mut again: Option<Duration> = None;
        for member in &members {
            if is_over() {
                return None;
            }
            // A pass may take long, and somebody waits for room.
            self.make_room();
            match self.ripens_in(member) {
                Duration::ZERO => self.finish(member),
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

    fn finish(&self, member: &Member) {
        match member.form {
            Form::Unfinished => self.remove(&self.family.path(member)),
            Form::Plain if self.compress != Compress::None => self.compress(member),
            Form::Plain | Form::Gzip | Form::Zstd => self.pay(self.on_close.as_ref(), member),
        }
    }

    fn compress(&self, plain: &Member) {
        let from = self.family.path(plain);
        let finished = as_form(plain, self.compress.form());
        let done = self.pack(plain, &finished).and_then(|made| {
            self.disk.sync_directory(self.family.directory())?;
            Ok(made)
        });
        match done {
            Ok(made) => {
                // The index first: without its file nobody would ever find it.
                self.remove(&companion(&from));
                self.remove(&from);
                // One that was there before is further down the list.
                if made {
                    self.compressed.fetch_add(1, Ordering::Relaxed);
                    self.pay(self.on_close.as_ref(), &finished);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => self.failed("compress log file", &from, error),
        }
    }

    /// False: somebody made the compressed file before.
    fn pack(&self, plain: &Member, finished: &Member) -> io::Result<bool> {
        let path = |form| self.family.path(&as_form(plain, form));
        let (from, unfinished) = (path(Form::Plain), path(Form::Unfinished));
        // One of ours has its final name because it is whole: the deletion was missed, and perhaps the
        // sync that it has to wait for. But somebody may be at work with gzip(1).
        let mut there = [Form::Gzip, Form::Zstd].into_iter();
        if let Some(form) = there.find(|&form| self.disk.facts(&path(form)).is_ok()) {
            let packed = path(form);
            let packed = (packed.as_path(), form);
            let checked = Compress::check(&*self.disk, packed, &from, &self.cancelled);
            if checked.is_err() && !self.cancelled.load(Ordering::Relaxed) {
                // Its final form, then: the other one is not ours to tell.
                self.pay(self.on_close.as_ref(), plain);
            }
            return checked.map(|()| false);
        }
        // Of this form. If we do not get as far as the call, the next start does.
        self.owe(self.on_close.as_ref(), finished);
        let files = (from.as_path(), unfinished.as_path());
        let run = self.compress.run(&*self.disk, files, &self.cancelled);
        if !self.is_ours() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let made = run.and_then(|()| self.disk.rename(&unfinished, &self.family.path(finished)));
        if made.is_err() {
            self.remove(&unfinished);
        }
        made.map(|()| true)
    }

    pub(crate) fn remove(&self, path: &Path) {
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.failed("delete log file", path, error);
            }
            _ => {}
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

fn as_form(member: &Member, form: Form) -> Member {
    Member {
        form,
        ..member.clone()
    }
}

/// When a directory that could not be listed is looked at again, though nothing is rolled.
const LIST_AGAIN: Duration = Duration::from_secs(60);
