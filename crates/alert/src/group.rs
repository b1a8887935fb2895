//! One group of a rule's events: its state, and the evidence of its firing.

use std::fmt::Write as _;
use std::sync::Arc;

use dogwatch_line::Value;

use crate::clock::nanos;
use crate::rule::Rule;
use crate::samples::{Evidence, clean, shape_of};
use crate::seen::Judged;
use crate::watch::{Change, Firing, Watch};

/// One group at work. Most are at rest and keep no evidence.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) watch: Watch,
    pub(crate) evidence: Option<Box<Evidence>>,
    /// When to tell again that it fires.
    pub(crate) repeat_at: Option<u64>,
}

/// One firing of a group, over or not, in times of the steady clock.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    pub(crate) group: Arc<str>,
    /// It stands for the groups beyond the bound.
    pub(crate) overflow: bool,
    pub(crate) firing: Firing,
    pub(crate) resolved_at: Option<u64>,
    /// It was told before, and goes on.
    pub(crate) again: bool,
    pub(crate) evidence: Evidence,
}

impl Group {
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            watch: Watch::new(rule),
            evidence: None,
            repeat_at: None,
        }
    }

    pub(crate) fn due(&self) -> Option<u64> {
        self.watch.due().into_iter().chain(self.repeat_at).min()
    }

    /// Takes note of a change, and makes the occurrence of it.
    pub(crate) fn note(
        &mut self,
        rule: &Rule,
        key: &Arc<str>,
        change: Change,
        evidence: impl FnOnce(u64) -> Evidence,
    ) -> Occurrence {
        let (firing, resolved_at, evidence) = match change {
            Change::Fired(firing) => {
                let evidence = evidence(firing.count);
                self.evidence = Some(Box::new(evidence.clone()));
                let interval = rule.repeat_interval.map(nanos);
                self.repeat_at = interval.map(|every| firing.fired_at.saturating_add(every));
                (firing, None, evidence)
            }
            Change::Resolved { firing, at } => {
                self.repeat_at = None;
                let evidence = self.evidence.take().unwrap_or_default();
                (firing, Some(at), *evidence)
            }
        };
        Occurrence {
            group: key.clone(),
            overflow: false,
            firing,
            resolved_at,
            again: false,
            evidence,
        }
    }

    /// The firing as it stands, if it is to be told again by now.
    pub(crate) fn repeat(&mut self, rule: &Rule, key: &Arc<str>, now: u64) -> Option<Occurrence> {
        let due = self.repeat_at.filter(|&due| due <= now)?;
        let every = rule.repeat_interval.map(nanos).unwrap_or(u64::MAX).max(1);
        // In step with the firing, however late anybody looked.
        let missed = (now - due) / every + 1;
        self.repeat_at = Some(due.saturating_add(every.saturating_mul(missed)));
        self.current(key, true)
    }

    /// The firing as it stands.
    pub(crate) fn current(&self, key: &Arc<str>, again: bool) -> Option<Occurrence> {
        Some(Occurrence {
            group: key.clone(),
            overflow: false,
            firing: self.watch.firing()?,
            resolved_at: None,
            again,
            evidence: self.evidence.as_deref().cloned().unwrap_or_default(),
        })
    }
}

impl Occurrence {
    /// When it came about.
    pub(crate) fn at(&self) -> u64 {
        self.resolved_at.unwrap_or(self.firing.fired_at)
    }
}

/// Writes the values by which events are grouped, each cut and without control characters.
pub(crate) fn write_key(rule: &Rule, event: &impl Judged, out: &mut String) {
    for (at, name) in rule.group_by.iter().enumerate() {
        if at > 0 {
            out.push(BETWEEN);
        }
        write_value(event.field(name), out);
    }
    if rule.kind.by_template() {
        if !rule.group_by.is_empty() {
            out.push(BETWEEN);
        }
        shape_of(event, out);
    }
}

/// A missing value is an empty one, as a label of Prometheus is.
fn write_value(value: Option<Value<'_>>, out: &mut String) {
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Str(text)) => clean(&text, MAX_VALUE, out),
        // Writing to a `String` never fails.
        Some(plain @ (Value::Bool(_) | Value::I64(_) | Value::U64(_) | Value::F64(_))) => {
            let _ = write!(out, "{plain}");
        }
        Some(other) => clean(&other.to_string(), MAX_VALUE, out),
    }
}

/// The values of a key.
pub(crate) fn values(key: &str) -> impl Iterator<Item = &str> {
    key.split(BETWEEN)
}

/// A control character, of which no value has one.
const BETWEEN: char = '\u{1f}';

/// Of a value in bytes: two that differ behind it are one group.
const MAX_VALUE: usize = 128;
