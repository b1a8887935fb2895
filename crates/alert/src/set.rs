//! The rules at work and who is told of them: replaced as one by a reload.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dogwatch_line::Level;

use crate::callsites::Callsites;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::prefilter::Prefilter;
use crate::read::Declared;
use crate::rule::Rule;
use crate::slot::Slot;

/// A set of rules with all that an event's thread needs of it. Each thread that judges keeps the one
/// that it last judged by, and so nobody to tell is in it.
pub(crate) struct Set {
    pub(crate) rules: Vec<Rule>,
    pub(crate) prefilter: Prefilter,
    /// That of a rule which a reload left as it was is shared with the set before.
    pub(crate) slots: Vec<Arc<Mutex<Slot>>>,
    /// Which rules a callsite's events may match.
    pub(crate) callsites: Callsites,
}

/// A set of rules and who is told of each.
pub(crate) struct Roster {
    pub(crate) set: Arc<Set>,
    pub(crate) routes: Vec<Route>,
    /// What the file says of notifiers.
    pub(crate) declared: Vec<Declared>,
}

/// Who is told about one rule.
#[derive(Default)]
pub(crate) struct Route {
    pub(crate) outboxes: Vec<Arc<Outbox>>,
    pub(crate) keeper: Option<Arc<Keeper>>,
}

impl Set {
    /// `now` is when the rules begin to watch; those that were at work before go on.
    pub(crate) fn new(rules: Vec<Rule>, before: Option<&Self>, now: u64) -> Self {
        let slot = |rule: &Rule| {
            let same = before.and_then(|before| before.slot_of(rule));
            same.unwrap_or_else(|| Arc::new(Slot::new(rule, now).into()))
        };
        Self {
            prefilter: Prefilter::new(&rules),
            slots: rules.iter().map(slot).collect(),
            rules,
            callsites: Callsites::new(),
        }
    }

    /// The slot of a rule that says the same, names included.
    fn slot_of(&self, rule: &Rule) -> Option<Arc<Mutex<Slot>>> {
        let at = self.rules.iter().position(|known| known == rule)?;
        Some(self.slots[at].clone())
    }

    pub(crate) fn slot(&self, rule: usize) -> MutexGuard<'_, Slot> {
        self.slots[rule]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a slot of another set is in this one.
    pub(crate) fn place_of(&self, slot: &Arc<Mutex<Slot>>) -> Option<usize> {
        self.slots.iter().position(|known| Arc::ptr_eq(known, slot))
    }

    /// The least level at which any rule can match; `None` without rules.
    pub(crate) fn least_level(&self) -> Option<Level> {
        self.rules.iter().map(Rule::least_level).min()
    }
}

impl Roster {
    /// Each outbox once.
    pub(crate) fn outboxes(&self) -> Vec<Arc<Outbox>> {
        let all = self.routes.iter().flat_map(|route| &route.outboxes);
        each_once(all)
    }

    /// Each keeper once.
    pub(crate) fn keepers(&self) -> Vec<Arc<Keeper>> {
        let all = self.routes.iter().filter_map(|route| route.keeper.as_ref());
        each_once(all)
    }
}

fn each_once<'a, T: 'a>(all: impl Iterator<Item = &'a Arc<T>>) -> Vec<Arc<T>> {
    let mut once = Vec::new();
    for one in all {
        if !is_among(&once, one) {
            once.push(one.clone());
        }
    }
    once
}

/// Whether it is that very one.
pub(crate) fn is_among<T>(list: &[Arc<T>], one: &Arc<T>) -> bool {
    list.iter().any(|known| Arc::ptr_eq(known, one))
}
