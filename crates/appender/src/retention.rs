//! Deletes old files: those that are too many, and those whose room is wanted.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

use jiff::civil::DateTime;

use crate::{
    Error,
    error::Kind,
    guarded::guarded,
    household::{Household, members},
    keep::Kept,
    name::{Form, Member},
};

/// Whether somebody still reads this closed file.
pub(crate) struct IsHeld(pub(crate) Box<dyn Fn(&Path) -> bool + Send + Sync>);

/// A rolled file in all forms that it has on the disk.
struct Rolled {
    begun: DateTime,
    bytes: u64,
    forms: Vec<(Member, u64)>,
}

impl Household {
    /// Deletes what is too much by number, age, bytes, or for the room that shall be free.
    pub(crate) fn delete_surplus(&self) {
        let Some(files) = self.rolled() else { return };
        let kept: Vec<_> = files
            .iter()
            .map(|&Rolled { begun, bytes, .. }| Kept { begun, bytes })
            .collect();
        let now = self.clock.now().to_zoned_datetime(self.zone.clone());
        let surplus = self.keep.surplus(&kept, now.datetime());
        let hard = self.keep.hard().surplus(&kept, now.datetime());
        let mut freed = 0;
        let mut left = Vec::new();
        for (nth, file) in files.into_iter().enumerate() {
            if nth >= surplus {
                left.push(file);
                continue;
            }
            self.tell(&file);
            let held = self.is_held(&file);
            if !held || nth < hard {
                freed += self.delete(&file, held);
            } else {
                left.push(file);
            }
        }
        self.make_free(left, freed);
    }

    /// Deletes the oldest file that nobody reads, down to the floor, if the disk is full.
    pub(crate) fn make_room(&self) {
        if !self.full.swap(false, Ordering::AcqRel) || !self.is_ours() {
            return;
        }
        let Some(files) = self.rolled() else { return };
        let spare = files.len().saturating_sub(self.keep.floor_files());
        // One that cannot be deleted is told, and the next goes in its place.
        for file in files.into_iter().take(spare) {
            if !self.is_held(&file) && self.delete(&file, false) > 0 {
                return;
            }
        }
    }

    // What was freed a moment ago may be counted by the file system later.
    fn make_free(&self, files: Vec<Rolled>, mut freed: u64) {
        if !self.keep.wants_room() {
            return;
        }
        let missing = match self.disk.space(self.family.directory()) {
            Ok(space) => self.keep.missing(space),
            Err(error) => {
                let directory = self.family.directory();
                return self.failed("find the free space of log directory", directory, error);
            }
        };
        let spare = files.len().saturating_sub(self.keep.floor_files());
        for file in files.into_iter().take(spare) {
            if freed >= missing {
                return;
            }
            self.tell(&file);
            if !self.is_held(&file) {
                freed += self.delete(&file, false);
            }
        }
        if freed < missing {
            let directory = self.family.directory().display();
            let what = format!(
                "cannot keep the free space wanted in log directory `{directory}`: {missing} bytes \
                 are missing, and no further file may go"
            );
            self.reporter.report(Error::new(Kind::Space, what));
        }
    }

    /// All rolled files, the oldest first.
    fn rolled(&self) -> Option<Vec<Rolled>> {
        let members = match members(&*self.disk, &self.family) {
            Ok(members) => members,
            Err(error) => {
                self.failed("list log directory", self.family.directory(), error);
                return None;
            }
        };
        // Some were rolled since the pass began, and may go in this one.
        self.look_again(self.on_roll.as_ref(), &members);
        self.look_again(self.on_close.as_ref(), &members);
        let mut files = BTreeMap::new();
        for member in members {
            let facts = self.disk.facts(&self.family.path(&member));
            let length = facts.map_or(0, |facts| facts.length);
            let begun = member.begun;
            let file = files
                .entry((member.sequence, begun))
                .or_insert_with(|| Rolled {
                    begun,
                    bytes: 0,
                    forms: Vec::new(),
                });
            file.bytes += length;
            file.forms.push((member, length));
        }
        Some(files.into_values().collect())
    }

    /// A file that goes has its last form now, though it was too young to be compressed, or could not
    /// be.
    fn tell(&self, file: &Rolled) {
        for (form, _) in &file.forms {
            if form.form == Form::Plain {
                self.pay(self.on_roll.as_ref(), form);
            }
            if form.form != Form::Unfinished {
                self.pay(self.on_close.as_ref(), form);
            }
        }
    }

    fn is_held(&self, file: &Rolled) -> bool {
        let Some(held) = &self.held else {
            return false;
        };
        let mut paths = file.forms.iter().map(|(form, _)| self.family.path(form));
        paths.any(|path| {
            // Better too long than unread.
            guarded(|| (held.0)(&path)).unwrap_or_else(|| {
                let what = format!("the `held` callback panicked on `{}`", path.display());
                self.reporter.report(Error::new(Kind::Panic, what));
                true
            })
        })
    }

    /// Returns how many bytes that freed. It counts as deleted when no form of it is left.
    fn delete(&self, file: &Rolled, unread: bool) -> u64 {
        if !self.is_ours() {
            return 0;
        }
        let (mut removed, mut left, mut freed) = (false, false, 0);
        for (member, length) in &file.forms {
            let path = self.family.path(member);
            self.remove(&companion(&path));
            match self.disk.remove(&path) {
                Ok(()) => (removed, freed) = (true, freed + length),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    left = true;
                    self.failed("delete old log file", &path, error);
                }
            }
        }
        let deleted = removed && !left;
        self.deleted
            .fetch_add(u64::from(deleted), Ordering::Relaxed);
        if deleted && unread {
            self.deleted_unread.fetch_add(1, Ordering::Relaxed);
            let oldest = file.forms.first().map(|(form, _)| self.family.path(form));
            let path = oldest.unwrap_or_default();
            let what = format!("deleted log file `{}` unread", path.display());
            self.reporter.report(Error::new(Kind::Loss, what));
        }
        freed
    }
}

/// What a reader may keep beside a closed file; it goes with it.
pub(crate) fn companion(path: &Path) -> PathBuf {
    let mut companion = path.as_os_str().to_owned();
    companion.push(".idx");
    companion.into()
}
