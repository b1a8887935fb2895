//! What becomes of groups when a rule has as many as it may.

use std::sync::Arc;
use std::time::Duration;

use crate::group::Group;
use crate::rule::{Kind, Rule};
use crate::samples::Samples;
use crate::seen::Judged;
use crate::slot::Slot;

impl Slot {
    /// Lets go of the groups at rest, if there are any.
    pub(crate) fn make_room(&mut self, now: u64) -> bool {
        if now < self.full_until {
            return false;
        }
        let before = self.groups.len();
        self.groups.retain(|_, group| !group.watch.is_idle(now));
        if self.groups.len() < before {
            return true;
        }
        // Not each event of a storm looks at all groups.
        let soonest = self
            .groups
            .values()
            .filter_map(|group| group.watch.meter.next(now))
            .min();
        let wait = now.saturating_add(MIN_SWEEP);
        self.full_until = soonest.map_or(wait, |soonest| soonest.max(wait));
        false
    }

    pub(crate) fn overflows(&mut self, rule: &Rule, now: u64, event: &mut impl Judged) -> bool {
        self.tally.overflowed += 1;
        let group = self
            .overflow
            .get_or_insert_with(|| Group::new(&beyond(rule)));
        let key: Arc<str> = "".into();
        let mut changes = Vec::new();
        group
            .watch
            .hit(now, true, &mut |change| changes.push(change));
        let news = !changes.is_empty();
        let mut told = Vec::new();
        for change in changes {
            let mut samples = Samples::new(rule.samples, false);
            samples.push("", event);
            let mut one = group.note(rule, &key, change, |count| samples.evidence("", count));
            one.overflow = true;
            told.push(one);
        }
        self.due = group.due().into_iter().chain(self.due).min();
        told.into_iter().for_each(|one| self.push(rule, one));
        news
    }
}

/// The rule that watches whether events come for groups beyond the bound.
pub(crate) fn beyond(rule: &Rule) -> Rule {
    Rule {
        kind: Kind::Any,
        threshold: 1,
        below: 1,
        hold_for: Duration::ZERO,
        resolve_after: rule.resolve_after.or(Some(rule.window)),
        ..rule.clone()
    }
}

/// A second: how often all groups are looked at for one at rest.
const MIN_SWEEP: u64 = 1_000_000_000;
