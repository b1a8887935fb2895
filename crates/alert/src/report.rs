//! What a rule did over a stretch of old lines.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use crate::Severity;
use crate::alert::{Alert, State};
use crate::mute;
use crate::rule::Rule;
use crate::slot::Slot;

/// What a rule did; made by [`Replay::rules`](crate::Replay::rules).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RuleReport {
    /// The rule's name.
    pub rule: String,
    /// Its `level`.
    pub level: Severity,
    /// Its `type`.
    pub kind: &'static str,
    /// What makes it fire: `10 within 1m`.
    pub limit: String,
    /// Lines that matched.
    pub matched: u64,
    /// Times that it fired, all groups together.
    pub fired: u64,
    /// Times that it resolved.
    pub resolved: u64,
    /// How long it fired, the groups added up; up to the latest line for what still fires.
    pub firing: Duration,
    /// The longest firing.
    pub longest: Duration,
    /// When it fired first.
    pub first: Option<SystemTime>,
    /// When it fired last.
    pub last: Option<SystemTime>,
    /// The most groups that fired at once.
    pub most_groups: usize,
    /// Messages that each of its notifiers would have had: fired, resolved, told again.
    pub messages: u64,
    /// Who would have had them: the rule's notifiers, `log` among them if it is one.
    pub notifiers: Vec<String>,
    /// Messages kept back in a mute window.
    pub muted: u64,
    /// New values that were learned, not told.
    pub learning: u64,
    /// Lines of groups beyond the bound.
    pub overflowed: u64,
    /// The samples of its first alert.
    pub samples: Vec<String>,
    /// Other thresholds, and how often the rule would have fired with them.
    pub sweep: Vec<(usize, u64)>,
}

/// What is counted while lines are judged.
#[derive(Default)]
pub(crate) struct Tallied {
    firing: Duration,
    longest: Duration,
    first: Option<SystemTime>,
    last: Option<SystemTime>,
    now: usize,
    most: usize,
    messages: u64,
    samples: Vec<String>,
    /// Until when what fired in a mute window is kept back, by fingerprint.
    muted: HashMap<String, SystemTime>,
}

impl Tallied {
    /// Counts a change, or what is told again now; whether its message is kept back.
    pub(crate) fn tell(&mut self, rule: &Rule, alert: &Alert, again: Option<SystemTime>) -> bool {
        let mute = |at: SystemTime| mute::until(&rule.mute, at);
        let muted = match (alert.state, alert.resolved_at) {
            (State::Resolved, Some(at)) => {
                self.now = self.now.saturating_sub(1);
                let lasted = at.duration_since(alert.fired_at).unwrap_or_default();
                self.firing += lasted;
                self.longest = self.longest.max(lasted);
                let kept = self.muted.remove(&alert.fingerprint());
                // What still fired at the end of the window was told then.
                self.messages += u64::from(kept.is_some_and(|until| until <= at));
                kept.is_some_and(|until| until > at)
            }
            (_, _) if again.is_some() => again.and_then(mute).is_some(),
            _ => {
                self.now += 1;
                self.most = self.most.max(self.now);
                if self.first.is_none() {
                    self.first = Some(alert.fired_at);
                    self.samples = alert.samples.clone();
                }
                self.last = Some(alert.fired_at);
                let until = mute(alert.fired_at);
                if let Some(until) = until {
                    self.muted.insert(alert.fingerprint(), until);
                }
                until.is_some()
            }
        };
        self.messages += u64::from(!muted);
        muted
    }

    pub(crate) fn report(
        &self,
        rule: &Rule,
        slot: &Slot,
        active: &[Alert],
        now: SystemTime,
        sweep: Vec<(usize, u64)>,
    ) -> RuleReport {
        let still = active
            .iter()
            .map(|alert| now.duration_since(alert.fired_at).unwrap_or_default());
        RuleReport {
            rule: rule.name.to_string(),
            level: rule.severity,
            kind: rule.kind_name(),
            limit: rule.limit(),
            matched: slot.tally.matched,
            fired: slot.tally.fired,
            resolved: slot.tally.resolved,
            firing: self.firing + still.clone().sum::<Duration>(),
            longest: still.max().unwrap_or_default().max(self.longest),
            first: self.first,
            last: self.last,
            most_groups: self.most,
            messages: self.messages,
            notifiers: rule
                .actions
                .iter()
                .map(|one| one.name.to_string())
                .collect(),
            muted: slot.tally.muted,
            learning: slot.tally.learning,
            overflowed: slot.tally.overflowed,
            samples: self.samples.clone(),
            sweep,
        }
    }
}
