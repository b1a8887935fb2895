//! The watcher's side: it sleeps until lines go missing and the writer does not tell of them.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use super::{Phase, Queue, State};

/// What the watcher has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Lines are missing, and the writer did not tell of them for `grace`.
    Missing,
    /// Nothing new for `at_most`.
    Quiet,
    /// The writer is done.
    Over,
}

impl Queue {
    /// Waits until lines are missing and have been for `grace`, untold; without any, at most for
    /// `at_most`.
    pub(crate) fn watch(&self, grace: Duration, at_most: Option<Duration>) -> Watch {
        let mut state = self.lock();
        state.unwatched = true;
        let quiet = |state: &mut State| state.untold == 0 && state.phase < Phase::Done;
        let mut state = self.until(state, at_most, quiet);
        state.unwatched = false;
        let tellings = state.tellings;
        if state.untold > 0 {
            let open = |state: &mut State| state.phase < Phase::Done;
            state = self.until(state, Some(grace), open);
        }
        match state.phase {
            Phase::Done | Phase::Ended => Watch::Over,
            _ if state.untold > 0 && state.tellings == tellings => Watch::Missing,
            _ => Watch::Quiet,
        }
    }

    fn until<'q>(
        &self,
        state: MutexGuard<'q, State>,
        time: Option<Duration>,
        waits: impl FnMut(&mut State) -> bool,
    ) -> MutexGuard<'q, State> {
        match time {
            Some(time) => {
                let waited = self.watch.wait_timeout_while(state, time, waits);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.watch.wait_while(state, waits);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }
}
