//! The writer's side: it waits for lines, takes them all, and settles what it wrote.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use super::{Pace, Phase, Queue, State, Writer};
use crate::{
    Gap,
    account::Reason,
    batch::{Batch, Spare},
};

/// What the writer was given with its batch.
pub(crate) struct Order {
    /// Serves all flushes up to this one.
    pub(crate) flush: u64,
    /// Told after the batch: lines are refused when the queue is full of what comes before.
    pub(crate) gap: Option<Gap>,
}

/// What the writer has seen; a pause ends when there is something new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    flush: u64,
    phase: Phase,
}

impl Seen {
    pub(crate) fn is_given_up(self) -> bool {
        self.phase >= Phase::Done
    }
}

impl Queue {
    /// Waits until there is something to write, a flush, or the end; for `at_most` when nothing
    /// comes. True: it waited for the whole time of the pace, and nobody woke it.
    pub(crate) fn wait(&self, pace: &mut Pace, at_most: Option<Duration>) -> bool {
        let mut state = self.lock();
        if pace.is_fast() {
            state.enough = PLENTY.min(self.max_bytes / 4);
            state = self.make_ahead(state);
        } else {
            state.enough = self.enough();
            if pace.is_calm() {
                state = self.free(state);
            }
        }
        while !self.is_due(&state) {
            // A line waits for others to join it, for an interval at most.
            let (woken, waited) = self.sleep(state, Writer::Waits, Some(pace.wait()));
            state = woken;
            if !state.front.is_empty() || self.is_due(&state) {
                return waited;
            }
            pace.found(0, waited);
            state.enough = self.enough();
            state = self.free(state);
            if !state.front.is_empty() || self.is_due(&state) {
                return false;
            }
            let (woken, timed_out) = self.sleep(state, Writer::Parks, at_most);
            if timed_out {
                return false;
            }
            state = woken;
        }
        false
    }

    // Memory is kept while lines come fast; what is too much is given back while nobody waits for it.
    fn free<'q>(&'q self, mut state: MutexGuard<'q, State>) -> MutexGuard<'q, State> {
        let surplus = state.spare.surplus();
        if surplus.is_empty() {
            return state;
        }
        drop(state);
        drop(surplus);
        self.lock()
    }

    // No caller shall pay for fresh memory while lines come fast.
    fn make_ahead<'q>(&'q self, state: MutexGuard<'q, State>) -> MutexGuard<'q, State> {
        let wanted = state.spare.wanted(self.max_bytes);
        if wanted == 0 || state.front.is_in_ring() {
            return state;
        }
        drop(state);
        let made = Spare::make(wanted);
        let mut state = self.lock();
        state.spare.add(made);
        state
    }

    // Until somebody wakes the writer, or the time is over: then the flag is true.
    fn sleep<'q>(
        &'q self,
        mut state: MutexGuard<'q, State>,
        how: Writer,
        time: Option<Duration>,
    ) -> (MutexGuard<'q, State>, bool) {
        state.writer = how;
        let asleep = |state: &mut State| state.writer == how;
        let (mut state, timed_out) = match time {
            Some(time) => {
                let woken = self.work.wait_timeout_while(state, time, asleep);
                let (state, result) = woken.unwrap_or_else(PoisonError::into_inner);
                (state, result.timed_out())
            }
            None => {
                let woken = self.work.wait_while(state, asleep);
                (woken.unwrap_or_else(PoisonError::into_inner), false)
            }
        };
        state.writer = Writer::Busy;
        (state, timed_out)
    }

    fn is_due(&self, state: &State) -> bool {
        state.phase != Phase::Open
            || state.flush_wanted > state.flush_done
            || state.urgent
            || state.gap.is_some()
            // They found the queue too full for a large line before the writer found it full.
            || (state.callers > 0 && !state.front.is_empty())
            || state.front.cost() >= self.enough()
    }

    /// Swaps the filled buffer for the empty `batch`.
    pub(crate) fn take(&self, batch: &mut Batch) -> Order {
        let mut state = self.lock();
        state.front.hand_over(batch);
        state.in_flight = batch.cost();
        state.urgent = false;
        Order {
            flush: state.flush_wanted,
            gap: state.gap.take(),
        }
    }

    /// Counts the next `lines` of the batch, `bytes` long, as written or lost. False: the whole
    /// batch was given up and counted meanwhile.
    pub(crate) fn settle(
        &self,
        batch: &mut Batch,
        (lines, bytes): (u64, usize),
        loss: Option<Reason>,
    ) -> bool {
        let mut state = self.lock();
        if state.phase >= Phase::Done {
            return false;
        }
        state.in_flight = state.in_flight.saturating_sub(bytes);
        batch.pass(bytes, &mut state.spare);
        // Not for each little room: a caller that is woken shall find enough to go on.
        if state.front.cost() + state.in_flight <= self.max_bytes / 4 * 3 {
            self.make_room(&mut state);
        }
        batch.settle(lines, |slot, lines| match loss {
            None => self.counters.write(slot, lines),
            Some(reason) => {
                self.counters.drop(reason, slot, lines);
                self.miss(&mut state, reason, slot, lines);
            }
        });
        true
    }

    /// The batch is dealt with: there is room again.
    pub(crate) fn release(&self, batch: &mut Batch) {
        let mut state = self.lock();
        batch.clear(&mut state.spare);
        state.in_flight = 0;
        self.make_room(&mut state);
    }

    /// All that was taken with this order is written.
    pub(crate) fn served(&self, flush: u64) {
        let mut state = self.lock();
        if flush > state.flush_done {
            state.flush_done = flush;
            self.progress.notify_all();
        }
    }

    /// How many lines went missing since the last call.
    pub(crate) fn untold(&self) -> u64 {
        let mut state = self.lock();
        state.tellings += 1;
        std::mem::take(&mut state.untold)
    }

    pub(crate) fn seen(&self) -> Seen {
        let state = self.lock();
        Seen {
            flush: state.flush_wanted,
            phase: state.phase,
        }
    }

    /// Waits, unless a flush or the end came after `seen`.
    pub(crate) fn pause(&self, time: Duration, seen: Seen) {
        let same = |state: &mut State| {
            Seen {
                flush: state.flush_wanted,
                phase: state.phase,
            } == seen
        };
        drop(self.work.wait_timeout_while(self.lock(), time, same));
    }

    /// Closed, and nothing is left to take.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.lock();
        let empty = state.front.is_empty() && state.gap.is_none();
        state.phase >= Phase::Done || (state.phase == Phase::Closed && empty)
    }
}

/// What wakes a writer that looks by itself.
const PLENTY: usize = 1024 * 1024;
