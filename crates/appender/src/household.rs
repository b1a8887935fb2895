//! Puts a log directory in order: finishes, compresses and deletes closed files.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::tz::TimeZone;

use crate::{
    Compress, Error, Keep,
    clock::Clock,
    disk::Disk,
    error::Kind,
    guarded::guarded,
    keep::Kept,
    name::{Family, Form, Member},
    report::Reporter,
};

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
    pub(crate) on_close: Option<OnClose>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) deleted: AtomicU64,
    pub(crate) compressed: AtomicU64,
    pub(crate) cancelled: AtomicBool,
}

impl Household {
    /// Whether there can be anything to do.
    pub(crate) fn is_needed(&self) -> bool {
        self.keep != Keep::all() || self.compress != Compress::None || self.on_close.is_some()
    }

    /// One pass over the directory. It needs no memory of earlier ones, so that whatever failed or
    /// was left by a crash is done now. `rolled` are the files closed since the last pass.
    pub(crate) fn tidy(&self, rolled: &[Member]) {
        let members = match self.members() {
            Ok(members) => members,
            Err(error) => return self.failed("list log directory", self.family.directory(), error),
        };
        for member in members {
            if self.cancelled.load(Ordering::Relaxed) {
                return;
            }
            self.finish(member, rolled);
        }
        self.delete_surplus();
    }

    /// All forms of all rolled files, in order.
    pub(crate) fn members(&self) -> io::Result<Vec<Member>> {
        let names = self.disk.list(self.family.directory())?;
        let mut members: Vec<_> = names
            .iter()
            .filter_map(|name| self.family.parse(name))
            .collect();
        members.sort_unstable();
        Ok(members)
    }

    fn finish(&self, member: Member, rolled: &[Member]) {
        match member.form {
            Form::Unfinished => self.remove(&self.family.path(&member)),
            Form::Plain if self.compress != Compress::None => self.compress(&member),
            Form::Plain if rolled.contains(&member) => self.closed(&self.family.path(&member)),
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
            return self.remove(&from);
        }
        let (unfinished, to) = (form(Form::Unfinished), form(self.compress.form()));
        let done = self
            .compress
            .run(&*self.disk, (&from, &unfinished), &self.cancelled)
            .and_then(|()| self.disk.rename(&unfinished, &to))
            .and_then(|()| self.disk.sync_directory(self.family.directory()));
        match done {
            Ok(()) => {
                self.compressed.fetch_add(1, Ordering::Relaxed);
                self.remove(&from);
                self.closed(&to);
            }
            Err(error) => {
                self.remove(&unfinished);
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failed("compress log file", &from, error);
                }
            }
        }
    }

    fn delete_surplus(&self) {
        let members = match self.members() {
            Ok(members) => members,
            Err(error) => return self.failed("list log directory", self.family.directory(), error),
        };
        let mut files = BTreeMap::<(u64, _), (u64, Vec<Member>)>::new();
        for member in members {
            let facts = self.disk.facts(&self.family.path(&member));
            let (bytes, forms) = files.entry((member.sequence, member.begun)).or_default();
            *bytes += facts.map_or(0, |facts| facts.length);
            forms.push(member);
        }
        let kept: Vec<_> = files
            .iter()
            .map(|(&(_, begun), &(bytes, _))| Kept { begun, bytes })
            .collect();
        let now = self
            .clock
            .now()
            .to_zoned_datetime(self.zone.clone())
            .datetime();
        let surplus = self.keep.surplus(&kept, now);
        for (_, forms) in files.into_values().take(surplus) {
            for member in forms {
                self.delete(&self.family.path(&member));
            }
        }
    }

    fn delete(&self, path: &Path) {
        match self.disk.remove(path) {
            Ok(()) => {
                self.deleted.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return self.failed("delete old log file", path, error),
        }
        let mut companion = path.as_os_str().to_owned();
        companion.push(".idx");
        self.remove(Path::new(&companion));
    }

    fn remove(&self, path: &Path) {
        match self.disk.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.failed("delete log file", path, error);
            }
            _ => {}
        }
    }

    fn closed(&self, path: &Path) {
        let Some(on_close) = &self.on_close else {
            return;
        };
        if guarded(|| (on_close.0)(path)).is_none() {
            let what = format!("the `on_close` callback panicked on `{}`", path.display());
            self.reporter.report(Error::new(Kind::Panic, what));
        }
    }

    fn failed(&self, what: &str, path: &Path, error: io::Error) {
        self.reporter.report(Error::io(
            format!("cannot {what} `{}`", path.display()),
            error,
        ));
    }
}
