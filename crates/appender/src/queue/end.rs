//! The end's side: flush, close, and giving up when the time is over.

use std::{sync::PoisonError, time::Duration};

use super::{Phase, Queue, State};
use crate::{account::Reason, batch::Batch};

impl Queue {
    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.front.is_empty() && state.in_flight == 0 && state.gap.is_none()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = state.phase.max(phase);
        self.wake(&mut state);
        self.room.notify_all();
        self.progress.notify_all();
        self.watch.notify_all();
    }

    /// Asks for a flush and waits until it is served; false if the time did not suffice.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let mut state = self.lock();
        state.flush_wanted += 1;
        let flush = state.flush_wanted;
        self.wake(&mut state);
        let open = |state: &mut State| state.flush_done < flush && state.phase < Phase::Done;
        let waited = self.progress.wait_timeout_while(state, timeout, open);
        waited.unwrap_or_else(PoisonError::into_inner).0.flush_done >= flush
    }

    /// Waits for a phase; false if the time did not suffice.
    pub(crate) fn reach(&self, phase: Phase, timeout: Duration) -> bool {
        let before = |state: &mut State| state.phase < phase;
        let waited = self
            .progress
            .wait_timeout_while(self.lock(), timeout, before);
        waited.unwrap_or_else(PoisonError::into_inner).0.phase >= phase
    }

    /// Gives up what is not written, and counts it as lost. Returns how much that is.
    pub(crate) fn give_up(&self) -> u64 {
        let mut state = self.lock();
        let given_up = self.drop_pending(&mut state);
        self.wake(&mut state);
        self.progress.notify_all();
        self.watch.notify_all();
        given_up
    }

    /// In a forked child: drops the copy that it has of what is pending. The parent writes it.
    pub(crate) fn abandon(&self) {
        if let Some(mut state) = self.lock_here() {
            self.drop_pending(&mut state);
        }
    }

    pub(super) fn drop_pending(&self, state: &mut State) -> u64 {
        if state.phase >= Phase::Done {
            return 0;
        }
        let pending = self.counters.read().pending();
        for (slot, lines) in pending.slots() {
            self.counters.drop(Reason::Unwritten, slot, lines);
        }
        state.phase = Phase::Done;
        state.front = Batch::default();
        pending.total()
    }
}
