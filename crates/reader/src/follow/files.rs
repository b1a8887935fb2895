//! Which files of a followed log are to be read, and in which order.

use std::collections::VecDeque;

use super::Follow;
use crate::Family;
use crate::identity::{Present, beginning_of};
use crate::known::Unread;
use crate::place::{Beginning, Place, Reach};
use crate::tail::Tail;
use crate::trouble::{Kind, Trouble};

impl Follow<'_> {
    /// Opens the oldest file that is not known. What was read until now is looked into a while longer.
    pub(super) fn open_next(&mut self) -> Result<bool, Trouble> {
        let listed = self.unread.is_empty();
        if listed {
            self.unread = self.list(&self.open_places());
        }
        while let Some(unread) = self.unread.pop_front() {
            if let Some(tail) = self.open(&unread)? {
                self.late.extend(self.current.replace(tail));
                return Ok(true);
            }
        }
        // What stood in an older list may be there under another name.
        Ok(!listed)
    }

    /// Opens a file that is to be read; `None` if it is gone, or was told before.
    fn open(&mut self, unread: &Unread) -> Result<Option<Tail>, Trouble> {
        let (id, path) = (self.id(), &unread.file.path);
        let opened = match &unread.from {
            Some(place) => Tail::open_behind(id, path, place),
            None => Tail::open(id, path).map(Some),
        };
        let tail = match opened {
            Ok(tail) => tail,
            Err(trouble) if !trouble.is_vanished() && self.told.insert(path.clone()) => {
                return Err(trouble);
            }
            Err(_) => return Ok(None),
        };
        // Opened by its name: it may be another file by now, which a later list finds.
        let Some(tail) = tail.filter(|tail| tail.node() == unread.file.stamp.node) else {
            self.unread.clear();
            return Ok(None);
        };
        if let Some(place) = &unread.from {
            self.known.forget(place);
        }
        self.report.files += 1;
        Ok(Some(tail))
    }

    /// Opens files that appeared beside the current one: they are copies of what was in it and was
    /// emptied before it was looked at, or were restored.
    pub(super) fn open_beside(&mut self) -> bool {
        self.unread = self.list(&self.open_places());
        let mut any = false;
        while let Some(unread) = self.unread.pop_front() {
            match self.open(&unread) {
                Ok(Some(tail)) => {
                    self.late.push(tail);
                    any = true;
                }
                Ok(None) => {}
                Err(trouble) => self.troubles.push_back(trouble),
            }
        }
        any
    }

    /// The current file was emptied. What was in it behind our place is in a copy, if there is one;
    /// what is in it now is news.
    pub(super) fn follow_truncated(&mut self) {
        let Some(mut old) = self.current.take() else {
            return;
        };
        let open: Vec<Place> = self.late.iter().map(|tail| tail.place(None)).collect();
        let place = old.place(None);
        let files = self.list(&open);
        let copy = files
            .iter()
            .filter(|unread| unread.file.path != self.log)
            .find(|unread| unread.file.has(&place).is_some());
        match copy {
            Some(copy) if old.go_on_in(&copy.file.path) => self.late.push(old),
            _ => old.end(self.search, &mut self.lines, &mut self.report),
        }
        self.unread.clear();
    }

    /// The files that are to be read, the oldest first.
    pub(super) fn list(&mut self, open: &[Place]) -> VecDeque<Unread> {
        let files = self.files();
        let mut unread = self.known.unread(files, &self.log, open);
        let at_log = |tail: &&Tail| tail.is_at(&self.log);
        let is_current = self.current.as_ref().filter(at_log).is_some();
        for tail in self.late.iter().chain(&self.current) {
            unread.retain(|unread| {
                let is_copy = unread.from.is_none()
                    && unread.file.path != self.log
                    && tail.has_copy(&unread.file);
                // Of the current file there may be a copy because it is about to be emptied.
                if is_copy && !is_current {
                    self.known.add(whole(&unread.file), Some(unread.file.stamp));
                }
                !is_copy
            });
        }
        self.tell_lost();
        unread.into()
    }

    /// Tells of places in files that are gone.
    fn tell_lost(&mut self) {
        for place in self.known.take_lost() {
            let path = self.log.with_file_name(&place.name);
            if let Reach::At { at, .. } = place.reach {
                self.troubles
                    .push_back(Trouble::new(&path, Kind::Unfinished { at }, None));
            }
        }
    }

    fn open_places(&self) -> Vec<Place> {
        let open = self.late.iter().chain(&self.current);
        open.map(|tail| tail.place(None)).collect()
    }

    pub(super) fn files(&self) -> Vec<Present> {
        // There may be none yet; a folder that cannot be listed is tried again.
        let families = Family::find(&[&self.log]).unwrap_or_default();
        families
            .iter()
            .flat_map(Family::files)
            // A pipe gives what it has once: it cannot be looked at and then read.
            .filter(|path| path.is_file())
            .filter_map(|path| Present::at(path))
            .collect()
    }

    pub(super) fn id(&mut self) -> u64 {
        self.opened += 1;
        self.opened
    }
}

/// A file that is passed over, all of it.
pub(super) fn whole(file: &Present) -> Place {
    Place {
        node: file.stamp.node,
        name: file.name(),
        begins: Beginning::of(&beginning_of(&file.path)),
        reach: Reach::Whole,
        done: true,
    }
}
