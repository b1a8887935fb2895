//! What the file of states holds. Times are the wall's, in nanoseconds since 1970.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, State};
use crate::clock::{nanos, since_epoch};
use crate::read::type_name;
use crate::samples::Evidence;
use crate::severity::Severity;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) saved_at: u64,
    pub(crate) rules: Vec<KeptRule>,
    pub(crate) on_way: Vec<OnWay>,
}

/// An alert that a notifier has not taken yet.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OnWay {
    pub(crate) to: String,
    pub(crate) alert: KeptAlert,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptRule {
    pub(crate) name: String,
    /// Tells whether the rule is still the same.
    pub(crate) definition: u64,
    /// Who was told.
    pub(crate) actions: Vec<String>,
    pub(crate) groups: Vec<KeptGroup>,
    pub(crate) overflow: Option<KeptGroup>,
    /// When the first event came.
    pub(crate) born: Option<u64>,
    /// The values' hashes, and when each last came.
    pub(crate) known: Vec<(u64, u64)>,
    /// What fires and was kept back by a mute window.
    pub(crate) muted: Vec<KeptAlert>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptGroup {
    pub(crate) key: String,
    pub(crate) stage: KeptStage,
    /// What is counted: when, how many count, among how many.
    pub(crate) counts: Vec<(u64, u32, u32)>,
    /// When notifiers were told last.
    pub(crate) told_at: Option<u64>,
    /// As it was told, while it fires.
    pub(crate) alert: Option<KeptAlert>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeptStage {
    /// Something was heard, and silence has lasted for so long.
    Silent(u64),
    Pending {
        since: u64,
        firing: KeptFiring,
    },
    Firing(KeptFiring),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptFiring {
    pub(crate) first_bad: u64,
    pub(crate) fired_at: u64,
    pub(crate) count: u64,
    pub(crate) total: Option<u64>,
    pub(crate) value: Option<f64>,
    pub(crate) good_since: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptAlert {
    rule: String,
    kind: String,
    level: String,
    resolved_at: Option<u64>,
    count: u64,
    total: Option<u64>,
    value: Option<f64>,
    threshold: u64,
    window: u64,
    limit: String,
    first_bad: u64,
    fired_at: u64,
    samples: Vec<String>,
    trace_id: Option<String>,
    top: Option<String>,
    query: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl KeptRule {
    /// All that fires, as it was told.
    pub(crate) fn alerts(&self) -> impl Iterator<Item = &KeptAlert> {
        let groups = self.groups.iter().chain(&self.overflow);
        groups.filter_map(|group| group.alert.as_ref())
    }
}

impl KeptAlert {
    pub(crate) fn new(alert: &Alert) -> Self {
        Self {
            rule: alert.rule.to_string(),
            kind: alert.kind.to_owned(),
            level: alert.level.as_str().to_owned(),
            resolved_at: alert.resolved_at.map(since_epoch),
            count: alert.count,
            total: alert.total,
            value: alert.value,
            threshold: alert.threshold,
            window: nanos(alert.window),
            limit: alert.limit.clone(),
            first_bad: since_epoch(alert.first_bad),
            fired_at: since_epoch(alert.fired_at),
            samples: alert.samples.clone(),
            trace_id: alert.trace_id.clone(),
            top: alert.top.clone(),
            query: alert.query.clone(),
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
        }
    }

    pub(crate) fn alert(&self) -> Alert {
        Alert {
            rule: self.rule.as_str().into(),
            // A type that a later version had: only a summary's words hang on it.
            kind: match &*self.kind {
                "overflow" => "overflow",
                kind => type_name(kind).unwrap_or("any"),
            },
            level: Severity::parse(&self.level).unwrap_or(Severity::Critical),
            state: match self.resolved_at {
                Some(_) => State::Resolved,
                None => State::Firing,
            },
            count: self.count,
            total: self.total,
            value: self.value,
            threshold: self.threshold,
            window: Duration::from_nanos(self.window),
            limit: self.limit.clone(),
            first_bad: wall(self.first_bad),
            fired_at: wall(self.fired_at),
            resolved_at: self.resolved_at.map(wall),
            samples: self.samples.clone(),
            trace_id: self.trace_id.clone(),
            top: self.top.clone(),
            query: self.query.clone(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
        }
    }

    /// As it is when its rule is gone.
    pub(crate) fn over(&self, at: u64) -> Alert {
        let resolved_at = Some(at.max(self.fired_at));
        Self {
            resolved_at,
            ..self.clone()
        }
        .alert()
    }

    pub(crate) fn evidence(&self) -> Evidence {
        Evidence {
            samples: self.samples.clone(),
            trace_id: self.trace_id.clone(),
            top: self.top.clone(),
            told_as: Some(self.labels.clone()),
        }
    }
}

fn wall(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}
