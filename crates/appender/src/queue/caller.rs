//! The caller's side: lines are taken, wait for room, or are refused.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use super::{Phase, Queue, State, Writer};
use crate::{
    Level, WhenFull,
    account::{Reason, slot},
};

impl Queue {
    /// Takes the lines, or refuses and counts them.
    pub(crate) fn offer(&self, level: Option<Level>, lines: &[u8]) -> Result<(), Reason> {
        if lines.is_empty() {
            return Ok(());
        }
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        let slot = slot(level);
        let cost = self.cost_of(lines);
        let Some(mut state) = self.lock_here() else {
            self.counters.drop(Reason::Closed, slot, count.max(1));
            return Err(Reason::Closed);
        };
        // To ask is a system call, and so is to wake: no other line pays for it.
        if (state.is_woken_by(level, cost) || self.shares_ring()) && self.is_forked() {
            self.drop_pending(&mut state);
        }
        let (mut state, admitted) = self.admit(state, level, cost);
        let wake = match admitted {
            Ok(()) => {
                let wake = state.is_woken_by(level, cost);
                let State { front, spare, .. } = &mut *state;
                front.push((slot, count), lines, spare, self.max_bytes);
                self.counters.accept(slot, count);
                state.urgent |= level == Some(Level::Error);
                wake
            }
            Err(reason) => {
                // A piece without a newline is less than a line, but missing all the same.
                let count = count.max(1);
                self.counters.drop(reason, slot, count);
                if reason != Reason::Closed {
                    self.miss(&mut state, reason, slot, count);
                }
                state.writer != Writer::Busy
            }
        };
        if wake {
            state.writer = Writer::Busy;
            drop(state);
            self.work.notify_one();
        }
        admitted
    }

    // Returns once the lines fit, or may not wait any longer.
    fn admit<'q>(
        &'q self,
        mut state: MutexGuard<'q, State>,
        level: Option<Level>,
        cost: usize,
    ) -> (MutexGuard<'q, State>, Result<(), Reason>) {
        if state.phase != Phase::Open {
            return (state, Err(Reason::Closed));
        }
        if cost > self.max_bytes {
            return (state, Err(Reason::TooLong));
        }
        let (limit, patience) = self.terms(level);
        let fits = |state: &State| state.front.cost() + state.in_flight + cost <= limit;
        if !fits(&state) && self.when_full == WhenFull::DropOldest {
            self.drop_oldest(&mut state, cost);
        }
        if fits(&state) {
            return (state, Ok(()));
        }
        // The writer waits for nobody: it would wait for itself.
        if state.stalled || self.is_writer() || patience.is_zero() {
            return (state, Err(Reason::Full));
        }
        if self.is_forked() {
            self.drop_pending(&mut state);
            return (state, Err(Reason::Closed));
        }
        self.wake(&mut state);
        state.callers += 1;
        let waits = |state: &mut State| state.phase == Phase::Open && !fits(state);
        let waited = self.room.wait_timeout_while(state, patience, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.callers -= 1;
        let admitted = match state.phase {
            Phase::Open if fits(&state) => Ok(()),
            Phase::Open => Err(Reason::Full),
            _ => Err(Reason::Closed),
        };
        state.stalled |= admitted == Err(Reason::Full);
        (state, admitted)
    }

    // How much of the queue such a line may fill, and how long it may wait for room.
    fn terms(&self, level: Option<Level>) -> (usize, Duration) {
        match self.when_full {
            WhenFull::Wait(timeout) => (self.max_bytes, timeout),
            WhenFull::DropNew | WhenFull::DropOldest => (self.max_bytes, Duration::ZERO),
            WhenFull::DropBelow(least) if level.is_some_and(|level| level < least) => {
                (self.max_bytes / 4 * 3, Duration::ZERO)
            }
            WhenFull::DropBelow(_) => (self.max_bytes, PATIENCE),
        }
    }

    // Many at once, so that it is not done for each line. What the writer has in hand stays.
    fn drop_oldest(&self, state: &mut MutexGuard<'_, State>, cost: usize) {
        let used = state.front.cost() + state.in_flight;
        let wanted = (used + cost - self.max_bytes).max(self.max_bytes / 8);
        let mut dropped = Vec::new();
        let State { front, spare, .. } = &mut **state;
        front.drop_first(wanted, spare, |slot, lines| dropped.push((slot, lines)));
        for (slot, lines) in dropped {
            self.counters.drop(Reason::Oldest, slot, lines);
            self.miss(state, Reason::Oldest, slot, lines);
        }
    }
}

impl State {
    fn is_woken_by(&self, level: Option<Level>, cost: usize) -> bool {
        match self.writer {
            Writer::Busy => false,
            Writer::Waits => level == Some(Level::Error) || self.front.cost() + cost >= self.enough,
            Writer::Parks => true,
        }
    }
}

/// How long a line waits for room that is important enough for `WhenFull::DropBelow`.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);
