//! What a gap line tells: how many lines are missing at this place, why, and since when.

use std::time::SystemTime;

use crate::{Lines, account::Reason};

/// Lines that are missing at one place of the log, because they were refused or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    lines: Lines,
    reasons: [u64; REASONS],
    since: SystemTime,
    until: SystemTime,
}

impl Gap {
    pub(crate) fn at(now: SystemTime) -> Self {
        Self {
            lines: Lines::default(),
            reasons: [0; REASONS],
            since: now,
            until: now,
        }
    }

    pub(crate) fn add(&mut self, reason: Reason, slot: usize, lines: u64, now: SystemTime) {
        self.lines.add(slot, lines);
        self.reasons[reason as usize] += lines;
        self.until = now;
    }

    /// Lines that an appender's fallback has.
    pub(crate) fn add_fallback(&mut self, slot: usize, lines: u64, now: SystemTime) {
        self.lines.add(slot, lines);
        self.reasons[REASONS - 1] += lines;
        self.until = now;
    }

    /// Both, one after the other.
    pub(crate) fn and(mut self, later: Self) -> Self {
        for (slot, lines) in later.lines.slots() {
            self.lines.add(slot, lines);
        }
        for (sum, more) in self.reasons.iter_mut().zip(later.reasons) {
            *sum += more;
        }
        self.until = later.until;
        self
    }

    /// How many, by level.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Why, and how many for each reason; only reasons that occurred. Together as many as
    /// [`lines`](Self::lines).
    ///
    /// The reasons are called as by [`Accounts::dropped_by_reason`](crate::Accounts::dropped_by_reason).
    /// What a gap can tell of: `full`, `too_long`, `io`, `panic`, `oldest`; after the end of the log
    /// nothing tells of `closed` and `unwritten`. `fallback` is none of the accounts: such lines are
    /// written, to the [fallback](crate::AppenderBuilder::fallback).
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let names = Reason::ALL.map(Reason::name).into_iter();
        names
            .chain(["fallback"])
            .zip(self.reasons)
            .filter(|&(_, lines)| lines > 0)
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

/// Those of the accounts, and one more.
const REASONS: usize = Reason::ALL.len() + 1;
