//! How a rule, or a notifier that no rule names any more, comes to its end while the service runs.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::nanos;
use crate::error::Error;
use crate::group::{Group, Occurrence};
use crate::outbox::{MAX_DIGEST, Outbox};
use crate::rule::Rule;
use crate::slot::Slot;
use crate::watch::Change;

impl Slot {
    /// The rule is taken away: what fires resolves now, and nothing is counted any more.
    pub(crate) fn retire(&mut self, rule: &Rule, now: u64) {
        self.turn(rule, now);
        self.gone = true;
        let resolved = |group: &mut Group, key: &Arc<str>| {
            let firing = group.watch.firing()?;
            let change = Change::Resolved { firing, at: now };
            Some(group.note(rule, key, change, |_| Default::default()))
        };
        let groups = std::mem::take(&mut self.groups);
        let mut told: Vec<Occurrence> = groups
            .into_iter()
            .filter_map(|(key, mut group)| resolved(&mut group, &key))
            .collect();
        told.sort_by(|a, b| a.group.cmp(&b.group));
        let beyond = self.overflow.take();
        let beyond = beyond.and_then(|mut group| resolved(&mut group, &"".into()));
        told.extend(beyond.map(|one| Occurrence {
            overflow: true,
            ..one
        }));
        told.into_iter().for_each(|one| self.push(rule, one));
        (self.known, self.due) = (None, None);
    }
}

impl Outbox {
    /// As [`end`](Self::end), while the process goes on: what is not sent by then is given up.
    pub(crate) fn retire(&self) {
        self.with(|state| state.retired = true);
        self.end(self.clock.now().saturating_add(nanos(DRAIN)));
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.with(|state| state.retired)
    }

    /// Gives up what is left, once the thread has ended.
    pub(crate) fn give_up(&self, tell: impl Fn(Error)) {
        loop {
            let (batch, _) = self.with(|state| state.due(MAX_DIGEST, self.clock.now()));
            if batch.is_empty() {
                return;
            }
            let lost = self.with(|state| state.give_up(&batch, true, self.clock.now()));
            let given_up = self.failure(&lost, "it is given up, for no rule names it any more");
            if let Err(error) = self.bury(&lost, &given_up.to_string()) {
                tell(error);
            }
            tell(given_up);
        }
    }
}

/// How long one that no rule names any more may go on sending.
const DRAIN: Duration = Duration::from_secs(60);
