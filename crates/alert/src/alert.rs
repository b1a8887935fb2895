//! What a rule tells when its state changes: the evidence.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::known::hash;
use crate::seen::rfc3339;
use crate::{Severity, span_of_time};

/// Whether a rule is at rest, fires, or fired before and is over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// It has not fired since the start.
    Inactive,
    /// It is bad, and not yet for as long as its `for` asks.
    Pending,
    /// The threshold was reached, and the rule has not resolved since.
    Firing,
    /// It fired before, and the count stayed below the threshold for long enough.
    Resolved,
}

impl State {
    /// `inactive`, `pending`, `firing` or `resolved`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The rule's `type`; `overflow` if it tells of more groups than the rule may have.
    pub kind: &'static str,
    /// The rule's `level`.
    pub level: Severity,
    /// [`State::Firing`] or [`State::Resolved`].
    pub state: State,
    /// Matching events since the first bad one, it included: on firing the threshold, on resolving
    /// all of the episode.
    pub count: u64,
    /// Among how many events when it fired, for a ratio; how many before, for a spike or a
    /// change.
    pub total: Option<u64>,
    /// What a `field_stat` came to when it fired; of a percentile right to 4.4 %.
    pub value: Option<f64>,
    /// How many are too many; 1 for the types of rules that do not count to a number.
    pub threshold: u64,
    /// Within which span they are too many.
    pub window: Duration,
    /// What made it fire, in a few words: `10 within 1m`, `5% of at least 50 within 1m`.
    pub limit: String,
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
    /// The commonest kind of message among the events before it fired, 32 at most: sixteen hex
    /// digits that name it, then `LEVEL target: message` with `<*>` for what varies.
    pub top: Option<String>,
    /// What the rule counts, as a query of the command `dogwatch`; none if only a pattern says it.
    pub query: Option<String>,
    /// The service's fields, the rule's `labels`, and what the group has in common.
    pub labels: BTreeMap<String, String>,
    /// The rule's `annotations`, filled in.
    pub annotations: BTreeMap<String, String>,
}

impl Alert {
    /// One sentence for a subject line.
    pub fn summary(&self) -> String {
        let Self {
            rule,
            count,
            limit,
            value,
            ..
        } = self;
        let window = span_of_time::show(self.window);
        if let Some(lasted) = self
            .resolved_at
            .and_then(|at| at.duration_since(self.fired_at).ok())
        {
            // Whole seconds: nobody reads the rest in a subject.
            let lasted = span_of_time::show(Duration::from_secs(lasted.as_secs()));
            return format!("{rule} resolved after {lasted}: {count} matching events in all");
        }
        match (self.kind, self.total) {
            ("threshold", _) => format!(
                "{rule} fires: {count} matching events within {window} (threshold {})",
                self.threshold
            ),
            ("ratio", Some(total)) => {
                format!("{rule} fires: {count} of {total} events match (limit {limit})")
            }
            ("spike" | "change", Some(before)) => format!(
                "{rule} fires: {count} matching events within {window}, {before} before (limit {limit})"
            ),
            ("field_stat", _) => {
                let value = value.map(|value| shown(value).to_string());
                let value = value.unwrap_or_default();
                format!("{rule} fires: {value} over {count} events (limit {limit})")
            }
            _ => format!("{rule} fires: {limit}"),
        }
    }

    /// The command that shows the lines behind the alert, in the folder of the logs: those that
    /// the rule counts, from a minute before the first bad one. None if only a pattern says which.
    pub fn command(&self) -> Option<String> {
        let since = self.first_bad.checked_sub(Duration::from_secs(60))?;
        let query = self.query.as_ref()?;
        let since = rfc3339(since);
        let query = match query.contains(" or ") {
            true => format!("({query}) since={since}"),
            false => format!("{query} since={since}"),
        };
        // A quote in a quoted word of a shell: out, the quote alone, and in again.
        Some(format!("dogwatch '{}'", query.replace('\'', r"'\''")))
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
        let pairs = name.into_iter().chain(labels);
        let hash = hash(pairs.flat_map(|(key, value)| [key, value]));
        format!("{hash:016x}")
    }
}

/// A measured value with as many digits as anybody reads: four, if it has a fraction.
pub(crate) fn shown(value: f64) -> f64 {
    let digits = 3 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
    let scale = 10_f64.powi(digits.clamp(0, 9));
    (value * scale).round() / scale
}

/// How a rule stands now.
#[derive(Clone, Debug, PartialEq)]
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
    /// How many of its groups fire; 1 at most for a rule without `group_by`.
    pub firing: usize,
    /// How many groups it keeps.
    pub groups: usize,
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
    /// Notifications kept back in a mute window.
    pub muted: u64,
    /// New values and messages that were learned, not told.
    pub learning: u64,
    /// Events of groups beyond `max_groups`, which count for the overflow alert alone.
    pub overflowed: u64,
    /// Values that were forgotten to make room for others, and would be new again.
    pub forgotten: u64,
}

impl RuleCounts {
    /// What was kept back, each reason with its name in `/alerts` and in metrics.
    pub fn suppressed(&self) -> [(&'static str, u64); 4] {
        // Each field by name: a new reason does not compile until it is told.
        let Self {
            rule: _,
            matched: _,
            fired: _,
            resolved: _,
            muted,
            learning,
            overflowed,
            forgotten,
        } = self;
        [
            ("muted", *muted),
            ("learning", *learning),
            ("overflowed", *overflowed),
            ("forgotten", *forgotten),
        ]
    }
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
    /// Not sent, since a later state of the same alert came while they waited.
    pub coalesced: u64,
    /// Resolved alerts kept back, since their firing never arrived.
    pub suppressed: u64,
    /// Of those handed over, how many went in one message with others.
    pub digested: u64,
    /// Of those given up or not taken, how many the file of dead letters has.
    pub dead_lettered: u64,
    /// Panics caught: in a value's formatting, a judge, a notifier, a playbook or a callback.
    pub panics: u64,
}

impl Deliveries {
    /// What became of each notification that waits no more: one of these, with its name in metrics.
    pub fn outcomes(&self) -> [(&'static str, u64); 5] {
        // Each field by name: a new outcome does not compile until it is told.
        let Self {
            sent,
            pending: _,
            failed,
            dropped,
            coalesced,
            suppressed,
            digested: _,
            dead_lettered: _,
            panics: _,
        } = self;
        [
            ("sent", *sent),
            ("failed", *failed),
            ("dropped", *dropped),
            ("coalesced", *coalesced),
            ("suppressed", *suppressed),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Alert, State};
    use crate::Severity;
    use std::time::{Duration, SystemTime};

    /// An alert of a rule that says nothing special.
    pub(crate) fn example() -> Alert {
        Alert {
            rule: "r".into(),
            kind: "threshold",
            level: Severity::Error,
            state: State::Firing,
            count: 1,
            total: None,
            value: None,
            threshold: 1,
            window: Duration::from_secs(60),
            limit: "1 within 1m".into(),
            first_bad: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            fired_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            resolved_at: None,
            samples: Vec::new(),
            trace_id: None,
            top: None,
            query: None,
            labels: Default::default(),
            annotations: Default::default(),
        }
    }

    #[test]
    fn the_command_shows_the_lines_whatever_the_query_holds() {
        let command = |query: &str| {
            let query = Some(query.to_owned());
            Alert { query, ..example() }.command().unwrap()
        };
        let since = "since=2023-11-14T22:12:20.000000Z'";
        assert_eq!(
            command("level=error"),
            format!("dogwatch 'level=error {since}")
        );
        assert_eq!(command("a or b"), format!("dogwatch '(a or b) {since}"));
        let quoted = r"message~it'\''s";
        assert_eq!(
            command("message~it's"),
            format!("dogwatch '{quoted} {since}")
        );
        assert_eq!(example().command(), None);
    }

    #[test]
    fn a_summary_says_what_the_type_is_about() {
        let summary = |kind, total, limit: &str| {
            let limit = limit.into();
            Alert {
                kind,
                total,
                limit,
                count: 12,
                ..example()
            }
            .summary()
        };
        for (kind, total, limit, expected) in [
            (
                "threshold",
                None,
                "",
                "r fires: 12 matching events within 1m (threshold 1)",
            ),
            (
                "ratio",
                Some(99),
                "5%",
                "r fires: 12 of 99 events match (limit 5%)",
            ),
            (
                "spike",
                Some(4),
                "3 times",
                "r fires: 12 matching events within 1m, 4 before (limit 3 times)",
            ),
            ("absence", None, "none for 5m", "r fires: none for 5m"),
            (
                "overflow",
                None,
                "more than 9 groups",
                "r fires: more than 9 groups",
            ),
        ] {
            assert_eq!(summary(kind, total, limit), expected);
        }
    }
}
