//! The places that were reached in a log's files, and which of its files are there still to be read.

use std::path::Path;

use crate::identity::{Present, Stamp};
use crate::place::Place;

/// The files that were read, or passed over. Each is one file at most, whatever is done to it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    files: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    /// The file at whose end the place was found when it was last looked for.
    stamp: Option<Stamp>,
    /// How many times in a row it was found in no file.
    missed: u32,
}

/// A file that is to be read.
#[derive(Debug)]
pub(crate) struct Unread {
    pub(crate) file: Present,
    /// The place behind which it is new, if it was read before.
    pub(crate) from: Option<Place>,
}

impl Known {
    pub(crate) fn new(places: Vec<Place>) -> Self {
        let entry = |place| Entry {
            place,
            stamp: None,
            missed: 0,
        };
        Self {
            files: places.into_iter().map(entry).collect(),
        }
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &Place> {
        self.files.iter().map(|entry| &entry.place)
    }

    /// Of a file in which nothing was, nothing needs to be known: should it be met again, all of it
    /// is new.
    pub(crate) fn add(&mut self, place: Place, stamp: Option<Stamp>) {
        if place.begins.length == 0 {
            return;
        }
        if self.files.len() == MOST {
            self.files.remove(0);
        }
        self.files.push(Entry {
            place,
            stamp,
            missed: 0,
        });
    }

    /// Forgets the place that a file is read on from.
    pub(crate) fn forget(&mut self, place: &Place) {
        self.files.retain(|entry| entry.place != *place);
    }

    /// The files that are not known, or were written to since; in their order. `open` are the places
    /// of files that are being read: theirs are no news.
    ///
    /// First a file is what has its place in the file system, then, of what is left over, what has its
    /// content: it was compressed, or copied and emptied.
    pub(crate) fn unread(
        &mut self,
        files: Vec<Present>,
        log: &Path,
        open: &[Place],
    ) -> Vec<Unread> {
        let mut search = Matching {
            open: open.iter().map(|place| (place, false)).collect(),
            found: vec![false; self.files.len()],
            known: self,
            log,
        };
        let mut unread = Vec::new();
        let mut left = Vec::new();
        for (index, file) in files.into_iter().enumerate() {
            match search.by_node(&file) {
                Some(None) => {}
                Some(Some(from)) => unread.push((index, file, Some(from))),
                None => left.push((index, file)),
            }
        }
        for (index, file) in left {
            match search.by_content(&file) {
                Some(None) => {}
                Some(from) => unread.push((index, file, from)),
                // In an empty one there is nothing to read, and nothing to know it again by.
                None if file.stamp.size == 0 && file.path != *log => {}
                None => unread.push((index, file, None)),
            }
        }
        let found = search.found;
        for (entry, found) in self.files.iter_mut().zip(found) {
            entry.missed = if found { 0 } else { entry.missed + 1 };
        }
        // A file may be between two names while the folder is listed. One that stays away was deleted.
        self.files
            .retain(|entry| entry.missed < MISSED || !entry.place.done);
        unread.sort_by_key(|(index, ..)| *index);
        unread
            .into_iter()
            .map(|(_, file, from)| Unread { file, from })
            .collect()
    }

    /// The places in files that were not let go and are in no file that is there.
    pub(crate) fn take_lost(&mut self) -> Vec<Place> {
        let lost = |entry: &Entry| entry.missed >= LOST && !entry.place.done;
        let places = self.files.iter().filter(|entry| lost(entry));
        let places = places.map(|entry| entry.place.clone()).collect();
        self.files.retain(|entry| !lost(entry));
        places
    }
}

/// Finds to each file its place. `Some(None)` is a file in which nothing is new.
struct Matching<'a> {
    known: &'a mut Known,
    /// The file that is written to, which is opened even though nothing is new in it.
    log: &'a Path,
    /// Which places were found.
    found: Vec<bool>,
    open: Vec<(&'a Place, bool)>,
}

impl Matching<'_> {
    fn by_node(&mut self, file: &Present) -> Option<Option<Place>> {
        let is_same = |place: &Place| match (place.node, file.stamp.node) {
            (Some(one), Some(other)) => one == other,
            _ => place.name == file.name(),
        };
        // What is open keeps its place in the file system.
        if let Some(open) = self.open.iter_mut().find(|(place, _)| is_same(place)) {
            open.1 = true;
            return Some(None);
        }
        for index in 0..self.known.files.len() {
            let entry = &mut self.known.files[index];
            if self.found[index] || !is_same(&entry.place) {
                continue;
            }
            if entry.stamp == Some(file.stamp) {
                return Some(self.found_at(index, file, false));
            }
            if let Some(more) = file.has(&entry.place) {
                return Some(self.found_at(index, file, more));
            }
        }
        None
    }

    fn by_content(&mut self, file: &Present) -> Option<Option<Place>> {
        let name = file.name();
        for (place, found) in &mut self.open {
            if !*found && !place.is_named_otherwise(&name) && file.has(place).is_some() {
                *found = true;
                return Some(None);
            }
        }
        for index in 0..self.known.files.len() {
            let place = &self.known.files[index].place;
            if self.found[index] || place.is_named_otherwise(&name) {
                continue;
            }
            match file.has(place) {
                // What was let go has not grown: this is another that begins alike.
                Some(true) if place.done => {}
                Some(more) => return Some(self.found_at(index, file, more)),
                None => {}
            }
        }
        None
    }

    fn found_at(&mut self, index: usize, file: &Present, more: bool) -> Option<Place> {
        self.found[index] = true;
        let entry = &mut self.known.files[index];
        entry.place.name = file.name();
        entry.place.node = file.stamp.node;
        entry.stamp = (!more).then_some(file.stamp);
        (more || file.path == self.log).then(|| entry.place.clone())
    }
}

/// More files than a log has; the oldest are forgotten first.
const MOST: usize = 10_000;

/// After so many lists without it a file is gone.
const MISSED: u32 = 16;

/// After so many, a file that is not finished is lost.
const LOST: u32 = 3;
