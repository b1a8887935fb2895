//! Writes what a backtest found as one JSON object. Pure.

use std::time::SystemTime;

use dogwatch_alert::RuleReport;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Found;

pub(crate) fn page(found: &Found) -> String {
    let lines = &found.lines;
    let (from, to) = match found.span {
        Some((from, to)) => (time(Some(from)), time(Some(to))),
        None => (Value::Null, Value::Null),
    };
    let score = found.score.as_ref().map(|score| {
        json!({
            "incidents": score.incidents,
            "caught": score.caught,
            "firings": score.firings,
            "right": score.right,
            "precision": score.precision(),
            "recall": score.recall(),
            "median_delay_s": score.delay.map(|delay| delay.as_secs_f64()),
            "false_per_day": score.false_per_day,
        })
    });
    let rules: Vec<Value> = found.rules.iter().map(|rule| one(rule, found)).collect();
    let firings = found.firings.iter().map(|firing| {
        json!({
            "rule": firing.rule,
            "labels": firing.labels,
            "from": time(Some(firing.from)),
            "to": time(firing.to),
        })
    });
    let firings: Vec<Value> = firings.collect();
    let whole = json!({
        "lines": lines.lines,
        "no_json": lines.no_json,
        "no_time": lines.no_time,
        "out_of_order": lines.out_of_order,
        "late": lines.late,
        "bytes": found.bytes,
        "seconds": found.took.as_secs_f64(),
        "from": from,
        "to": to,
        "days": found.days(),
        "rules": rules,
        "notifiers": found.notified(),
        "firings": firings,
        "incidents": score,
    });
    format!("{whole}\n")
}

fn one(rule: &RuleReport, found: &Found) -> Value {
    let sweep = rule.sweep.iter().map(|(threshold, fired)| {
        json!({"threshold": threshold, "fired": fired, "alerts_per_day": *fired as f64 / found.days()})
    });
    json!({
        "rule": rule.rule,
        "type": rule.kind,
        "level": rule.level.as_str(),
        "limit": rule.limit,
        "matched": rule.matched,
        "fired": rule.fired,
        "resolved": rule.resolved,
        "alerts_per_day": found.alerts_per_day(rule),
        "firing_minutes": rule.firing.as_secs_f64() / 60.0,
        "longest_minutes": rule.longest.as_secs_f64() / 60.0,
        "first": time(rule.first),
        "last": time(rule.last),
        "most_groups": rule.most_groups,
        "messages": rule.messages,
        "notifiers": rule.notifiers,
        "muted": rule.muted,
        "learning": rule.learning,
        "overflowed": rule.overflowed,
        "samples": rule.samples,
        "sweep": sweep.collect::<Vec<_>>(),
    })
}

fn time(at: Option<SystemTime>) -> Value {
    let at = at.and_then(|at| Timestamp::try_from(at).ok());
    at.map_or(Value::Null, |at| at.to_string().into())
}
