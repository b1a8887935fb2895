//! Counts every line from the offer to the file, by level and reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// The level of a line, where it is known. Exhaustive, as tracing has these five and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Very fine detail.
    Trace,
    /// Detail for developers.
    Debug,
    /// What happened.
    Info,
    /// What may need attention.
    Warn,
    /// What failed. It wakes the writer at once.
    Error,
}

#[cfg(feature = "tracing")]
impl From<tracing_core::Level> for Level {
    fn from(level: tracing_core::Level) -> Self {
        match level {
            tracing_core::Level::TRACE => Self::Trace,
            tracing_core::Level::DEBUG => Self::Debug,
            tracing_core::Level::INFO => Self::Info,
            tracing_core::Level::WARN => Self::Warn,
            tracing_core::Level::ERROR => Self::Error,
        }
    }
}

/// Numbers of lines, by level. The level of a line that came through a plain `io::Write` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines([u64; SLOTS]);

impl Lines {
    /// Of all levels, known or not.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Of this level.
    pub fn of(&self, level: Level) -> u64 {
        self.0[slot(Some(level))]
    }

    /// Of unknown level.
    pub fn unknown(&self) -> u64 {
        self.0[slot(None)]
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.into_iter().enumerate()
    }

    pub(crate) fn add(&mut self, slot: usize, lines: u64) {
        self.0[slot] += lines;
    }

    fn map(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|slot| f(self.0[slot], other.0[slot])))
    }

    fn plus(self, other: Self) -> Self {
        self.map(other, |a, b| a + b)
    }

    // A reader that overtakes the writer sees a little too much, never less than nothing.
    fn minus(self, other: Self) -> Self {
        self.map(other, u64::saturating_sub)
    }
}

/// The accounts of a [`NonBlocking`](crate::NonBlocking) writer.
///
/// offered = accepted + refused; accepted = written + lost + pending; after `close`, pending = 0. A
/// snapshot taken while lines flow is a little blurred, one taken after `flush` or `close` is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accounts {
    /// Taken into the queue: the call returned.
    pub accepted: Lines,
    /// Not taken, by reason.
    pub refused: Refused,
    /// The writer returned them as written.
    pub written: Lines,
    /// Accepted but not written, by reason.
    pub lost: Lost,
    /// Gap lines written in place of refused and lost ones. They are part of no other count.
    pub gap_lines: u64,
    /// Panics of the writer and of callbacks that were survived.
    pub panics: u64,
}

/// Lines that were not accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The queue was full, and stayed so for as long as `WhenFull` allows.
    pub full: Lines,
    /// The line alone is larger than the queue.
    pub too_long: Lines,
    /// The guard had closed.
    pub closed: Lines,
}

/// Lines that were accepted and not written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// The writer failed in a way that does not heal: a closed pipe.
    pub io: Lines,
    /// The writer panicked on them.
    pub panic: Lines,
    /// They made room for newer ones, under `WhenFull::DropOldest`.
    pub oldest: Lines,
    /// Still pending when the guard's time was over. With a [crash ring](crate::CrashRing) they stay in
    /// it, and the next start writes them.
    pub unwritten: Lines,
}

impl Accounts {
    /// All lines that were handed in.
    pub fn offered(&self) -> Lines {
        self.accepted.plus(self.refused.total())
    }

    /// Accepted, and neither written nor lost yet.
    pub fn pending(&self) -> Lines {
        self.accepted.minus(self.written).minus(self.lost.total())
    }

    /// Refused or lost: what the file lacks.
    pub fn dropped(&self) -> Lines {
        self.refused.total().plus(self.lost.total())
    }

    /// What [`dropped`](Self::dropped) sums up, reason by reason, those without a line included.
    ///
    /// The reasons are called as the fields of [`Refused`] and [`Lost`]: `full`, `too_long`,
    /// `closed`, `io`, `panic`, `oldest`, `unwritten`.
    pub fn dropped_by_reason(&self) -> impl Iterator<Item = (&'static str, Lines)> + use<> {
        let accounts = *self;
        Reason::ALL
            .into_iter()
            .map(move |reason| (reason.name(), accounts.dropped_for(reason)))
    }

    fn dropped_for(&self, reason: Reason) -> Lines {
        match reason {
            Reason::Full => self.refused.full,
            Reason::TooLong => self.refused.too_long,
            Reason::Closed => self.refused.closed,
            Reason::Io => self.lost.io,
            Reason::Panic => self.lost.panic,
            Reason::Oldest => self.lost.oldest,
            Reason::Unwritten => self.lost.unwritten,
        }
    }
}

impl Refused {
    /// For whatever reason.
    pub fn total(&self) -> Lines {
        self.full.plus(self.too_long).plus(self.closed)
    }
}

impl Lost {
    /// For whatever reason.
    pub fn total(&self) -> Lines {
        self.io
            .plus(self.panic)
            .plus(self.oldest)
            .plus(self.unwritten)
    }
}

/// Why a line is missing: refused for the first three, lost after it was accepted for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Full,
    TooLong,
    Closed,
    Io,
    Panic,
    Oldest,
    Unwritten,
}

impl Reason {
    pub(crate) const ALL: [Self; REASONS] = [
        Self::Full,
        Self::TooLong,
        Self::Closed,
        Self::Io,
        Self::Panic,
        Self::Oldest,
        Self::Unwritten,
    ];

    /// As the fields of [`Refused`] and [`Lost`] are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TooLong => "too_long",
            Self::Closed => "closed",
            Self::Io => "io",
            Self::Panic => "panic",
            Self::Oldest => "oldest",
            Self::Unwritten => "unwritten",
        }
    }
}

/// The counters behind the accounts: written under the queue's mutex, read without it.
#[derive(Default)]
pub(crate) struct Counters {
    accepted: Counter,
    written: Counter,
    dropped: [Counter; REASONS],
    gap_lines: AtomicU64,
    panics: AtomicU64,
}

#[derive(Default)]
struct Counter([AtomicU64; SLOTS]);

impl Counter {
    // One writer at a time, so no read-modify-write is needed.
    fn add(&self, slot: usize, lines: u64) {
        let count = self.0[slot].load(Ordering::Relaxed) + lines;
        self.0[slot].store(count, Ordering::Release);
    }

    fn read(&self) -> Lines {
        Lines(std::array::from_fn(|slot| {
            self.0[slot].load(Ordering::Acquire)
        }))
    }
}

impl Counters {
    pub(crate) fn accept(&self, slot: usize, lines: u64) {
        self.accepted.add(slot, lines);
    }

    pub(crate) fn write(&self, slot: usize, lines: u64) {
        self.written.add(slot, lines);
    }

    pub(crate) fn drop(&self, reason: Reason, slot: usize, lines: u64) {
        self.dropped[reason as usize].add(slot, lines);
    }

    pub(crate) fn gap_line(&self) {
        self.gap_lines.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Written before dropped before accepted: what is settled was accepted earlier, so that no
    /// snapshot settles more than it accepts.
    pub(crate) fn read(&self) -> Accounts {
        let written = self.written.read();
        let [full, too_long, closed, io, panic, oldest, unwritten] =
            Reason::ALL.map(|reason| self.dropped[reason as usize].read());
        let accepted = self.accepted.read();
        Accounts {
            accepted,
            refused: Refused {
                full,
                too_long,
                closed,
            },
            written,
            lost: Lost {
                io,
                panic,
                oldest,
                unwritten,
            },
            gap_lines: self.gap_lines.load(Ordering::Relaxed),
            panics: self.panics.load(Ordering::Relaxed),
        }
    }
}

/// The place of a level in an array of counts.
pub(crate) fn slot(level: Option<Level>) -> usize {
    level.map_or(SLOTS - 1, |level| level as usize)
}

/// The places of this level and those above.
pub(crate) fn slots_from(level: Level) -> std::ops::Range<usize> {
    slot(Some(level))..slot(None)
}

const SLOTS: usize = 6;

const REASONS: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_told_reason_by_reason_and_adds_up() {
        let counters = Counters::default();
        let warn = slot(Some(Level::Warn));
        for (nth, reason) in Reason::ALL.into_iter().enumerate() {
            counters.drop(reason, warn, 1 << nth);
            counters.drop(reason, slot(None), 1 << (nth + REASONS));
        }
        let accounts = counters.read();
        let told: Vec<_> = accounts.dropped_by_reason().collect();
        let Refused {
            full,
            too_long,
            closed,
        } = accounts.refused;
        let Lost {
            io,
            panic,
            oldest,
            unwritten,
        } = accounts.lost;
        assert_eq!(
            told,
            [
                ("full", full),
                ("too_long", too_long),
                ("closed", closed),
                ("io", io),
                ("panic", panic),
                ("oldest", oldest),
                ("unwritten", unwritten),
            ]
        );
        for (nth, (reason, lines)) in told.iter().enumerate() {
            assert_eq!(lines.of(Level::Warn), 1 << nth, "{reason}");
            assert_eq!(lines.unknown(), 1 << (nth + REASONS), "{reason}");
        }
        let sum = told
            .iter()
            .fold(Lines::default(), |sum, (_, lines)| sum.plus(*lines));
        assert_eq!(sum, accounts.dropped());
        assert_eq!(sum.total(), (1 << (2 * REASONS)) - 1);
    }
}
