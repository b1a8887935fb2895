//! What a gap line tells: how many lines are missing at this place, and since when.

use std::time::SystemTime;

use crate::Lines;

/// Lines that are missing at one place of the log, because they were refused or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    lines: Lines,
    since: SystemTime,
    until: SystemTime,
}

impl Gap {
    pub(crate) fn at(now: SystemTime) -> Self {
        Self {
            lines: Lines::default(),
            since: now,
            until: now,
        }
    }

    pub(crate) fn add(&mut self, slot: usize, lines: u64, now: SystemTime) {
        self.lines.add(slot, lines);
        self.until = now;
    }

    /// How many, by level.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// When the first of them went missing.
    pub fn since(&self) -> SystemTime {
        self.since
    }

    /// When the last of them went missing.
    pub fn until(&self) -> SystemTime {
        self.until
    }
}
