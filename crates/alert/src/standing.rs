//! Tells how a rule stands, and what it has done.

use std::sync::Arc;

use crate::about::About;
use crate::alert::{Alert, AlertState, RuleCounts, State};
use crate::group::{Group, Occurrence};
use crate::known::Known;
use crate::rule::Rule;
use crate::slot::Slot;
use crate::watch::Stage;

impl Slot {
    pub(crate) fn state(&self, rule: &Rule, about: &About<'_>) -> AlertState {
        let now = about.clock.now();
        let groups = || self.groups.values().chain(&self.overflow);
        let pending = |group: &Group| matches!(group.watch.stage, Stage::Pending { .. });
        let state = match self.firing() {
            0 if groups().any(pending) => State::Pending,
            0 if self.last.is_some() => State::Resolved,
            0 => State::Inactive,
            _ => State::Firing,
        };
        let alert = self.last.as_ref().map(|last| {
            // What has matched since the firing was told counts too.
            let group = self.groups.get(&last.group).filter(|_| !last.overflow);
            let firing = group.and_then(|group| group.watch.firing());
            let firing = firing.unwrap_or(last.firing);
            about.alert(
                rule,
                &Occurrence {
                    firing,
                    ..last.clone()
                },
            )
        });
        let counts = self
            .groups
            .values()
            .map(|group| group.watch.meter.count(now).0);
        AlertState {
            rule: rule.name.clone(),
            level: rule.severity,
            state,
            count: counts.max().unwrap_or(0),
            threshold: rule.threshold as u64,
            window: rule.window,
            since: alert
                .as_ref()
                .map(|alert| alert.resolved_at.unwrap_or(alert.fired_at)),
            firing: self.firing(),
            groups: self.groups.len(),
            alert,
        }
    }

    /// What fires now, in the order of the groups.
    pub(crate) fn active(&self, rule: &Rule, about: &About<'_>) -> Vec<Alert> {
        let mut firing: Vec<Occurrence> = self
            .groups
            .iter()
            .filter_map(|(key, group)| group.current(key, false))
            .collect();
        firing.sort_by(|a, b| a.group.cmp(&b.group));
        let key: Arc<str> = "".into();
        let beyond = self
            .overflow
            .as_ref()
            .and_then(|group| group.current(&key, false));
        firing.extend(beyond.map(|one| Occurrence {
            overflow: true,
            ..one
        }));
        firing.iter().map(|one| about.alert(rule, one)).collect()
    }

    pub(crate) fn counts(&self, rule: &Rule) -> RuleCounts {
        RuleCounts {
            rule: rule.name.clone(),
            matched: self.tally.matched,
            fired: self.tally.fired,
            resolved: self.tally.resolved,
            muted: self.tally.muted,
            learning: self.tally.learning,
            overflowed: self.tally.overflowed,
            forgotten: self.known.as_ref().map_or(0, Known::forgotten),
        }
    }
}
