//! The rules at work: replaced as one by a reload.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dogwatch_line::Level;

use crate::callsites::Callsites;
use crate::keeper::Keeper;
use crate::outbox::Outbox;
use crate::prefilter::Prefilter;
use crate::rule::Rule;
use crate::slot::Slot;

/// A set of rules with all that belongs to it.
pub(crate) struct Set {
    pub(crate) rules: Vec<Rule>,
    pub(crate) prefilter: Prefilter,
    pub(crate) slots: Vec<Mutex<Slot>>,
    pub(crate) routes: Vec<Route>,
    /// Which rules a callsite's events may match.
    pub(crate) callsites: Callsites,
}

/// Who is told about one rule.
#[derive(Default)]
pub(crate) struct Route {
    pub(crate) outboxes: Vec<Arc<Outbox>>,
    pub(crate) keeper: Option<Arc<Keeper>>,
}

impl Set {
    /// `now` is when the rules begin to watch.
    pub(crate) fn new(rules: Vec<Rule>, routes: Vec<Route>, now: u64) -> Self {
        Self {
            prefilter: Prefilter::new(&rules),
            slots: rules
                .iter()
                .map(|rule| Slot::new(rule, now).into())
                .collect(),
            rules,
            routes,
            callsites: Callsites::new(),
        }
    }

    pub(crate) fn slot(&self, rule: usize) -> MutexGuard<'_, Slot> {
        self.slots[rule]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The least level at which any rule can match; `None` without rules.
    pub(crate) fn least_level(&self) -> Option<Level> {
        self.rules.iter().map(Rule::least_level).min()
    }
}
