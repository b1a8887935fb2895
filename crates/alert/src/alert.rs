//! What a rule tells when its state changes: the evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::{Severity, span_of_time};

/// Whether a rule is at rest, fires, or fired before and is over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It has not fired since the start.
    Inactive,
    /// The threshold was reached, and the rule has not resolved since.
    Firing,
    /// It fired before, and the count stayed below the threshold for long enough.
    Resolved,
}

impl State {
    /// `inactive`, `firing` or `resolved`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule that fired or resolved, with its evidence. Secrets are hidden in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The rule's `level`.
    pub level: Severity,
    /// [`State::Firing`] or [`State::Resolved`].
    pub state: State,
    /// Matching events since the first bad one, it included: on firing the threshold, on resolving
    /// all of the episode.
    pub count: u64,
    /// How many are too many.
    pub threshold: u64,
    /// Within which span they are too many.
    pub window: Duration,
    /// When the first of the events that reached the threshold happened.
    pub first_bad: SystemTime,
    /// When the last of them did.
    pub fired_at: SystemTime,
    /// When the rule resolved.
    pub resolved_at: Option<SystemTime>,
    /// The latest events before it fired, three at most and of 512 bytes at most each, as
    /// `LEVEL target: message key=value …`, control characters escaped.
    pub samples: Vec<String>,
    /// The `trace_id` of the latest of them that has one.
    pub trace_id: Option<String>,
    /// The rule's `labels` and the service's fields.
    pub labels: BTreeMap<String, String>,
}

impl Alert {
    /// One sentence for a subject line.
    pub fn summary(&self) -> String {
        let Self {
            rule,
            count,
            threshold,
            ..
        } = self;
        let window = span_of_time::show(self.window);
        match self
            .resolved_at
            .and_then(|at| at.duration_since(self.fired_at).ok())
        {
            Some(lasted) => {
                // Whole seconds: nobody reads the rest in a subject.
                let lasted = span_of_time::show(Duration::from_secs(lasted.as_secs()));
                format!("{rule} resolved after {lasted}: {count} matching events in all")
            }
            None => format!(
                "{rule} fires: {count} matching events within {window} (threshold {threshold})"
            ),
        }
    }

    /// Sixteen hex digits that name this rule with these labels: the same for firing and resolved,
    /// over restarts and on every machine.
    pub fn fingerprint(&self) -> String {
        let name = [
            ("alertname", &*self.rule),
            ("severity", self.level.as_str()),
        ];
        let labels = self
            .labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        // FNV-1a: fixed for ever, unlike std's hasher.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for (key, value) in name.into_iter().chain(labels) {
            for byte in key.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        format!("{hash:016x}")
    }
}

/// How a rule stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlertState {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The rule's `level`.
    pub level: Severity,
    /// How it stands.
    pub state: State,
    /// Matching events in the window that ends now; counted up to the threshold.
    pub count: u64,
    /// How many are too many.
    pub threshold: u64,
    /// Within which span they are too many.
    pub window: Duration,
    /// Since when it stands so; `None` while it has never fired.
    pub since: Option<SystemTime>,
    /// Its latest firing, with the evidence.
    pub alert: Option<Alert>,
}

/// What a rule has done since the start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleCounts {
    /// The rule's name.
    pub rule: Arc<str>,
    /// Events that matched.
    pub matched: u64,
    /// Times that it fired.
    pub fired: u64,
    /// Times that it resolved.
    pub resolved: u64,
}

/// What became of the notifications since the start, and what went wrong besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deliveries {
    /// Handed over.
    pub sent: u64,
    /// Waiting, or being sent.
    pub pending: u64,
    /// Given up: refused for good, or tried for an hour.
    pub failed: u64,
    /// Not taken, since a queue was full.
    pub dropped: u64,
    /// Resolved alerts kept back, since their firing never arrived.
    pub suppressed: u64,
    /// Panics caught: in a value's formatting, a judge, a notifier, a playbook or a callback.
    pub panics: u64,
}
