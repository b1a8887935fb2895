//! The ring of a running process: what is stored when, so that a kill at any moment loses nothing.
//!
//! A kill stops a process between two stores; what was stored stays. So each step below ends in the
//! one store that makes it true, and whatever an unfinished step leaves is made good by the reader:
//!
//! - a line is accepted by the count of its area;
//! - areas change their roles by one word; one that has no role may be prepared at leisure;
//! - before a write a mark says where in which file it begins: a write whose end was not noted is
//!   found by comparing the file with the area. There are two marks, and one word says which counts.

use std::{
    io,
    sync::{Mutex, PoisonError},
};

use super::layout::{Roles, at, pack, unpack};
use crate::ring::Mark;

/// The words of a ring's header, wherever they are.
pub(crate) trait Words: Send + Sync {
    fn load(&self, at: usize) -> u64;
    /// In place before anything that is stored later.
    fn store(&self, at: usize, value: u64);
    /// Whether all that was stored is in place. After a failure nothing more is stored.
    fn sound(&self) -> io::Result<()>;
}

impl Words for super::map::Mapped {
    fn load(&self, at: usize) -> u64 {
        self.load(at)
    }

    fn store(&self, at: usize, value: u64) {
        #[cfg(test)]
        let Some(()) = super::fuse::burn(|| ()) else {
            return;
        };
        self.store(at, value);
    }

    // To store is no call that could fail.
    fn sound(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The mark in a ring's words, for the area that is being written; without one for what is not from
/// the ring, such as a gap line: it tells where the log ends.
pub(crate) struct Marker<'w> {
    pub(crate) words: &'w dyn Words,
    pub(crate) area: Option<usize>,
}

impl Mark for Marker<'_> {
    fn begin(&self, (device, inode): (u64, u64), offset: u64) -> io::Result<()> {
        let Self { words, area } = *self;
        // Until the new mark is complete the old one counts: it knows of the half line that this
        // write may have to complete.
        let nth = if words.load(at::MARK) == 1 { 2 } else { 1 };
        let epoch = area.map_or(NO_AREA, |area| words.load(at::epoch(area)));
        for (at, word) in [
            (at::EPOCH, epoch),
            (at::DEVICE, device),
            (at::INODE, inode),
            (at::OFFSET, offset),
            (at::FROM, area.map_or(0, |area| done(words, area)).into()),
            (at::WROTE, 0),
        ] {
            words.store(at::mark(nth) + at, word);
        }
        words.store(at::MARK, nth);
        words.sound()
    }

    fn wrote(&self, bytes: usize) {
        self.passed(bytes);
        let words = self.words;
        let wrote = at::mark(words.load(at::MARK)) + at::WROTE;
        words.store(wrote, words.load(wrote) + bytes as u64);
    }

    fn passed(&self, bytes: usize) {
        let Self { words, area } = *self;
        if let Some(area) = area {
            words.store(at::done(area), pack(done(words, area) + bytes as u32));
        }
    }
}

fn done(words: &dyn Words, area: usize) -> u32 {
    unpack(words.load(at::done(area))).unwrap_or(0)
}

/// The epoch of no area: they count from 1.
const NO_AREA: u64 = 0;

/// The part of the protocol that is about roles. All under the queue's lock.
pub(crate) struct Stage<'w> {
    pub(crate) words: &'w dyn Words,
    /// What was stored last. Not asked of the file: somebody may have spoilt it, and a thread that
    /// logs shall not be the one to find out.
    pub(crate) roles: &'w Mutex<Roles>,
}

impl Stage<'_> {
    pub(crate) fn roles(&self) -> Roles {
        *self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties an area that has no role, under a new epoch: records of an older one are not taken
    /// for its own.
    pub(crate) fn prepare(&self, area: usize, epoch: u64) {
        self.words.store(at::count(area), pack(0));
        self.words.store(at::done(area), pack(0));
        self.words.store(at::epoch(area), epoch);
    }

    pub(crate) fn play(&self, roles: Roles) {
        *self.roles.lock().unwrap_or_else(PoisonError::into_inner) = roles;
        self.words.store(at::ROLES, roles.pack());
    }
}
