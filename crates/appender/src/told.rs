//! Calls a callback with each closed file at least once, whatever fails and whenever a process ends.

use std::{
    collections::BTreeSet,
    io,
    ops::Bound,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{Error, error::Kind, guarded::guarded, household::Household, name::Member};

/// Called with each closed file.
pub(crate) struct OnClose(pub(crate) Box<dyn Fn(&Path) + Send + Sync>);

/// A callback, and which files it was called with.
///
/// The disk says it too, in the name of an empty file, because a rename is one step, of which no
/// crash leaves a half: `.app.log.000123.closed` says that it was called with every file up to that
/// number. Whatever is there and has a greater one is called again after a crash.
pub(crate) struct Told {
    name: &'static str,
    mark: &'static str,
    callback: OnClose,
    state: Mutex<State>,
}

/// By the numbers of files.
#[derive(Default)]
struct State {
    /// The marks were looked for.
    known: bool,
    /// What the mark on the disk says; 0 if there is none.
    marked: u64,
    /// It was called with all files up to this one that are still there.
    up_to: u64,
    /// And with these beyond.
    beyond: BTreeSet<u64>,
    there: BTreeSet<u64>,
    owed: BTreeSet<u64>,
}

impl Told {
    pub(crate) fn new(name: &'static str, mark: &'static str, callback: OnClose) -> Self {
        Self {
            name,
            mark,
            callback,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn see(&mut self, there: impl Iterator<Item = u64>) {
        self.there = there.collect();
        self.beyond.retain(|number| self.there.contains(number));
        let owed = self.there.range(self.up_to + 1..);
        let owed = owed.filter(|number| !self.beyond.contains(number));
        self.owed = owed.copied().collect();
    }

    fn called(&mut self, number: u64) {
        self.owed.remove(&number);
        self.beyond.insert(number);
        let last = self.beyond.last().copied().unwrap_or(0).max(self.up_to);
        self.up_to = self.owed.first().map_or(last, |first| first - 1);
        self.beyond.retain(|&number| number > self.up_to);
    }

    fn owe(&mut self, number: u64) {
        if number <= self.up_to {
            let after = (Bound::Excluded(number), Bound::Included(self.up_to));
            self.beyond.extend(self.there.range(after));
            self.up_to = number.saturating_sub(1);
        }
        self.beyond.remove(&number);
        self.owed.insert(number);
    }
}

impl Household {
    /// Finds what is owed to the callback, at the beginning of a pass.
    pub(crate) fn look_up(&self, told: Option<&Told>, names: &[String], members: &[Member]) {
        let Some(told) = told else { return };
        let mut state = told.state();
        if !state.known {
            state.known = true;
            let marks = names.iter();
            let marks = marks.filter_map(|name| self.family.aside_number(name, told.mark));
            let mut marks: Vec<_> = marks.collect();
            marks.sort_unstable();
            // Of several, which somebody else put there, the one that promises least.
            let mut marks = marks.into_iter();
            state.marked = marks.next().unwrap_or(0);
            state.up_to = state.marked;
            for other in marks {
                self.remove(&self.family.aside(other, told.mark));
            }
        }
        state.see(members.iter().map(|member| member.sequence));
    }

    /// Finds what is owed besides, within a pass.
    pub(crate) fn look_again(&self, told: Option<&Told>, members: &[Member]) {
        if let Some(told) = told {
            let mut state = told.state();
            // Without a first look nobody knows yet what was called.
            if state.known {
                state.see(members.iter().map(|member| member.sequence));
            }
        }
    }

    /// Calls it with this file, if that is owed.
    pub(crate) fn pay(&self, told: Option<&Told>, member: &Member) {
        let Some(told) = told else { return };
        let number = member.sequence;
        if !told.state().owed.contains(&number) {
            return;
        }
        let path = self.family.path(member);
        if guarded(|| (told.callback.0)(&path)).is_none() {
            let (name, path) = (told.name, path.display());
            let what = format!("the `{name}` callback panicked on `{path}`");
            self.reporter.report(Error::new(Kind::Panic, what));
        }
        told.state().called(number);
        self.mark(told);
    }

    /// From now on it is owed, even if it was called with another form of this file.
    pub(crate) fn owe(&self, told: Option<&Told>, member: &Member) {
        let Some(told) = told else { return };
        told.state().owe(member.sequence);
        self.mark(told);
    }

    // Not synced: a mark that a power cut takes back promises less.
    fn mark(&self, told: &Told) {
        let (from, to) = {
            let state = told.state();
            (state.marked, state.up_to)
        };
        if from == to {
            return;
        }
        let path = self.family.aside(to, told.mark);
        let renamed = match from {
            0 => Err(io::ErrorKind::NotFound.into()),
            _ => self.disk.rename(&self.family.aside(from, told.mark), &path),
        };
        let marked = match renamed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.disk.create(&path).map(drop)
            }
            result => result,
        };
        match marked {
            Ok(()) => told.state().marked = to,
            // It is tried again with the next file; until then a crash makes it call some again.
            Err(error) => {
                let what = format!("note for which files `{}` was called, in", told.name);
                self.failed(&what, &path, error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(up_to: u64, there: &[u64]) -> State {
        let mut state = State {
            up_to,
            ..State::default()
        };
        state.see(there.iter().copied());
        state
    }

    #[test]
    fn the_mark_passes_a_file_that_is_called_or_gone_and_stops_before_one_that_is_owed() {
        let mut state = seen(2, &[1, 2, 4, 5, 8]);
        assert_eq!(state.owed, [4, 5, 8].into());
        let mut step = |number| {
            state.called(number);
            state.up_to
        };
        assert_eq!([step(5), step(4), step(8)], [3, 7, 8]);
        assert_eq!(state.beyond, [].into());
    }

    #[test]
    fn a_file_that_is_owed_anew_takes_the_mark_back_and_no_other_file_with_it() {
        let mut state = seen(8, &[3, 5, 8, 9]);
        state.owe(5);
        assert_eq!((state.up_to, &state.owed), (4, &[5, 9].into()));
        state.see([3, 5, 8, 9].into_iter());
        assert_eq!((state.up_to, &state.owed), (4, &[5, 9].into()));
        state.called(5);
        assert_eq!((state.up_to, &state.owed), (8, &[9].into()));
    }

    proptest! {
        #[test]
        fn what_a_mark_promises_was_called(
            steps in prop::collection::vec((0u8..4, 1u64..12), 1..60),
        ) {
            let (mut state, mut last) = (State::default(), 0);
            let (mut there, mut called) = (BTreeSet::new(), BTreeSet::new());
            for (step, number) in steps {
                match step {
                    0 => {
                        last += 1;
                        there.insert(last);
                        state.see(there.iter().copied());
                    }
                    1 if there.remove(&number) => state.see(there.iter().copied()),
                    2 if state.owed.contains(&number) => {
                        state.called(number);
                        called.insert(number);
                    }
                    3 if there.contains(&number) => {
                        state.owe(number);
                        called.remove(&number);
                    }
                    _ => {}
                }
                let uncalled: BTreeSet<_> = there.difference(&called).copied().collect();
                prop_assert_eq!(uncalled.range(..=state.up_to).next(), None);
                prop_assert_eq!(&uncalled, &state.owed);
            }
        }
    }
}
