//! The caller's side: lines are taken, wait for room, or are refused.

use std::{
    sync::{MutexGuard, PoisonError},
    thread,
};

use super::{Phase, Queue, State, Writer};
use crate::{
    Level, WhenFull,
    account::{Refusal, slot},
    batch::Batch,
};

impl Queue {
    /// Takes the lines, or refuses and counts them.
    pub(crate) fn offer(&self, level: Option<Level>, lines: &[u8]) -> Result<(), Refusal> {
        if lines.is_empty() {
            return Ok(());
        }
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        let slot = slot(level);
        let (mut state, admitted) = self.admit(self.lock(), Batch::cost_of(lines));
        let wake = match admitted {
            Ok(()) => {
                state.front.push(slot, count, lines, self.max_bytes);
                self.counters.accept(slot, count);
                state.urgent |= level == Some(Level::Error);
                match state.writer {
                    Writer::Busy => false,
                    Writer::Waits => state.urgent || state.front.cost() >= state.enough,
                    Writer::Parks => true,
                }
            }
            Err(refusal) => {
                // A piece without a newline is less than a line, but missing all the same.
                let count = count.max(1);
                self.counters.refuse(refusal, slot, count);
                if refusal != Refusal::Closed {
                    self.miss(&mut state, slot, count);
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
        cost: usize,
    ) -> (MutexGuard<'q, State>, Result<(), Refusal>) {
        if state.phase != Phase::Open {
            return (state, Err(Refusal::Closed));
        }
        if cost > self.max_bytes {
            return (state, Err(Refusal::TooLong));
        }
        let fits = |state: &State| state.front.cost() + state.in_flight + cost <= self.max_bytes;
        if fits(&state) {
            return (state, Ok(()));
        }
        // The writer waits for nobody: it would wait for itself.
        let is_writer = state.writer_id == Some(thread::current().id());
        let WhenFull::Wait(timeout) = self.when_full else {
            return (state, Err(Refusal::Full));
        };
        if state.stalled || is_writer || timeout.is_zero() {
            return (state, Err(Refusal::Full));
        }
        self.wake(&mut state);
        state.callers += 1;
        let waits = |state: &mut State| state.phase == Phase::Open && !fits(state);
        let waited = self.room.wait_timeout_while(state, timeout, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.callers -= 1;
        let admitted = match state.phase {
            Phase::Open if fits(&state) => Ok(()),
            Phase::Open => Err(Refusal::Full),
            _ => Err(Refusal::Closed),
        };
        state.stalled |= admitted == Err(Refusal::Full);
        (state, admitted)
    }
}
