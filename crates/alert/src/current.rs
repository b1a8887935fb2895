//! The rules that are at work now: found without a lock by every event, replaced as one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::set::{Roster, Set};

/// The newest rules, and on their way to the ticker each that followed those it knows.
pub(crate) struct Current {
    /// The number of the newest set: all that an event reads while nothing changes.
    generation: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    newest: Arc<Roster>,
    /// Not yet taken up by the ticker, oldest first: what each left out is still to be resolved.
    coming: VecDeque<Arc<Roster>>,
}

impl Current {
    pub(crate) fn new(roster: Arc<Roster>) -> Self {
        Self {
            generation: AtomicUsize::new(roster.set.callsites.id()),
            state: Mutex::new(State {
                newest: roster,
                coming: VecDeque::new(),
            }),
        }
    }

    /// The number of the rules at work, by which callsites know them.
    #[inline]
    pub(crate) fn generation(&self) -> usize {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn roster(&self) -> Arc<Roster> {
        self.with(|state| state.newest.clone())
    }

    /// The rules at work, by way of those that a thread kept: it asks for others only when they
    /// were replaced. Neither a lock nor a count of references is touched before.
    pub(crate) fn kept<'k>(&self, kept: &'k mut Option<Arc<Set>>) -> &'k Set {
        let newest = self.generation();
        let same = kept.take().filter(|set| set.callsites.id() == newest);
        kept.insert(same.unwrap_or_else(|| self.roster().set.clone()))
    }

    pub(crate) fn replace(&self, roster: &Arc<Roster>) {
        self.with(|state| {
            state.newest = roster.clone();
            state.coming.push_back(roster.clone());
            let newest = roster.set.callsites.id();
            self.generation.store(newest, Ordering::Release);
        });
    }

    /// What the ticker takes up next.
    pub(crate) fn next(&self) -> Option<Arc<Roster>> {
        self.with(|state| state.coming.pop_front())
    }

    fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
