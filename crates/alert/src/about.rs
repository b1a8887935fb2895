//! Makes an alert of what a rule's group went through.

use std::collections::BTreeMap;
use std::time::Duration;

use dogwatch_line::Query;

use crate::alert::{Alert, State, shown};
use crate::anomaly::Odds;
use crate::clock::Clock;
use crate::group::{Occurrence, values};
use crate::rule::Rule;
use crate::seen::rfc3339;
use crate::span_of_time;

/// What an alert says besides its rule and its occurrence.
pub(crate) struct About<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) fields: &'a [(String, String)],
}

impl About<'_> {
    pub(crate) fn alert(&self, rule: &Rule, occurrence: &Occurrence) -> Alert {
        let Occurrence {
            firing,
            resolved_at,
            evidence,
            ..
        } = occurrence;
        let state = match resolved_at {
            Some(_) => State::Resolved,
            None => State::Firing,
        };
        let group = groups(rule, occurrence);
        let mut alert = Alert {
            rule: rule.name.clone(),
            kind: match occurrence.overflow {
                true => "overflow",
                false => rule.kind_name(),
            },
            level: rule.severity,
            state,
            count: firing.count,
            total: firing.total,
            value: firing.value,
            threshold: rule.threshold as u64,
            window: window(rule, occurrence),
            limit: limit(rule, occurrence),
            first_bad: self.clock.wall_at(firing.first_bad),
            fired_at: self.clock.wall_at(firing.fired_at),
            resolved_at: resolved_at.map(|at| self.clock.wall_at(at)),
            samples: evidence.samples.clone(),
            trace_id: evidence.trace_id.clone(),
            top: evidence.top.clone(),
            query: query(rule, occurrence),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        };
        let named = |name: &str| {
            let of_group = group.iter().find(|(group, _)| group == name);
            match of_group {
                Some((_, value)) => value.clone(),
                None => fact(&alert, name),
            }
        };
        let fill = |(key, template): &(String, crate::template::Template)| {
            (key.clone(), template.fill(named))
        };
        let own: Vec<_> = rule.labels.iter().map(fill).collect();
        let annotations = rule.annotations.iter().map(fill).collect();
        let fixed = self.fields.iter().cloned();
        let group = group
            .iter()
            .map(|(name, value)| (label(name), value.clone()));
        let labels = fixed.chain(own).chain(group).collect();
        alert.labels = evidence.told_as.clone().unwrap_or(labels);
        alert.annotations = annotations;
        alert
    }
}

/// What a group's events have in common, by name.
fn groups(rule: &Rule, occurrence: &Occurrence) -> Vec<(String, String)> {
    let names = rule.group_names();
    if occurrence.overflow {
        return names
            .map(|name| (name.to_owned(), OTHERS.to_owned()))
            .collect();
    }
    names
        .zip(values(&occurrence.group))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What the rule counts, of this group alone.
fn query(rule: &Rule, occurrence: &Occurrence) -> Option<String> {
    let mut query = rule.conditions.query()?;
    if rule.is_grouped() && query.contains(" or ") {
        query = format!("({query})");
    }
    if !occurrence.overflow {
        for (name, value) in rule.group_by.iter().zip(values(&occurrence.group)) {
            // An empty one may be missing, and of a long one the end is.
            if !value.is_empty() && value.len() < 100 {
                query.push_str(&format!(" {}={}", quoted(name), quoted(value)));
            }
        }
    }
    let read = Query::parse(&query).ok()?;
    Some(read.to_string())
}

/// A text as a query has it, whatever stands in it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

fn limit(rule: &Rule, occurrence: &Occurrence) -> String {
    match occurrence.overflow {
        true => format!("more than {} groups", rule.max_groups),
        false => match occurrence.firing.odds {
            // As many digits as an estimate has.
            Some(Odds {
                count,
                expected,
                tail,
                ..
            }) => format!(
                "{count} within {} where {expected:.1} are usual, a chance of {tail:.0e}",
                span_of_time::show(window(rule, occurrence))
            ),
            None => rule.limit(),
        },
    }
}

fn window(rule: &Rule, occurrence: &Occurrence) -> Duration {
    let odds = occurrence.firing.odds;
    odds.map_or(rule.window, |odds| Duration::from_secs(odds.minutes * 60))
}

/// What an annotation may say of an alert besides its group.
pub(crate) const FACTS: [&str; 15] = [
    "rule",
    "level",
    "state",
    "count",
    "total",
    "ratio",
    "value",
    "threshold",
    "limit",
    "window",
    "first_bad",
    "fired_at",
    "trace_id",
    "top",
    "sample",
];

fn fact(alert: &Alert, name: &str) -> String {
    let ratio = |total: u64| alert.count as f64 * 100.0 / total.max(1) as f64;
    match name {
        "rule" => alert.rule.to_string(),
        "level" => alert.level.to_string(),
        "state" => alert.state.to_string(),
        "count" => alert.count.to_string(),
        "total" => alert
            .total
            .map(|total| total.to_string())
            .unwrap_or_default(),
        "ratio" => alert
            .total
            .map(|total| format!("{:.1}%", ratio(total)))
            .unwrap_or_default(),
        "value" => alert
            .value
            .map(|value| shown(value).to_string())
            .unwrap_or_default(),
        "threshold" => alert.threshold.to_string(),
        "limit" => alert.limit.clone(),
        "window" => span_of_time::show(alert.window),
        "first_bad" => rfc3339(alert.first_bad),
        "fired_at" => rfc3339(alert.fired_at),
        "trace_id" => alert.trace_id.clone().unwrap_or_default(),
        "top" => alert.top.clone().unwrap_or_default(),
        "sample" => alert.samples.last().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// A field's name as Prometheus takes it for a label: no dots, no dashes.
pub(crate) fn label(field: &str) -> String {
    field.replace(['.', '-'], "_")
}

/// The value that stands for all groups beyond the bound.
const OTHERS: &str = "__other__";
