//! Writes how all rules stand as JSON, for a page of the service such as `/alerts`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::alert::{Alert, AlertState, RuleCounts};
use crate::reload::ReloadCounts;
use crate::seen::rfc3339;

/// One object: what fires, each rule with its state and its counts, and how the file fared.
pub(crate) fn standing(
    rules: &[(AlertState, RuleCounts)],
    active: &[Alert],
    reloads: &ReloadCounts,
) -> String {
    let rules = rules.iter().map(|(state, counts)| rule(state, counts));
    let rules: Vec<Value> = rules.collect();
    let active: Vec<Value> = active.iter().map(alert).collect();
    let reloads = json!({
        "done": reloads.done,
        "failed": reloads.failed,
        "error": reloads.error,
    });
    json!({"alerts": active, "rules": rules, "reloads": reloads}).to_string()
}

fn rule(state: &AlertState, counts: &RuleCounts) -> Value {
    json!({
        "rule": &*state.rule,
        "level": state.level.as_str(),
        "state": state.state.as_str(),
        "count": state.count,
        "threshold": state.threshold,
        "window_s": state.window.as_secs_f64(),
        "since": time(state.since),
        "groups": state.groups,
        "firing": state.firing,
        "latest": state.alert.as_ref().map(alert),
        "matched": counts.matched,
        "fired": counts.fired,
        "resolved": counts.resolved,
        "suppressed": BTreeMap::from(counts.suppressed()),
    })
}

fn alert(alert: &Alert) -> Value {
    json!({
        "rule": &*alert.rule,
        "type": alert.kind,
        "level": alert.level.as_str(),
        "state": alert.state.as_str(),
        "fingerprint": alert.fingerprint(),
        "summary": alert.summary(),
        "count": alert.count,
        "total": alert.total,
        "value": alert.value,
        "threshold": alert.threshold,
        "window_s": alert.window.as_secs_f64(),
        "limit": alert.limit,
        "first_bad": time(Some(alert.first_bad)),
        "fired_at": time(Some(alert.fired_at)),
        "resolved_at": time(alert.resolved_at),
        "samples": alert.samples,
        "top_fingerprint": alert.top.as_ref().map(|top| top.get(..16)),
        "top": alert.top.as_ref().map(|top| top.get(17..)),
        "trace_id": alert.trace_id,
        "query": alert.query,
        "command": alert.command(),
        "labels": alert.labels,
        "annotations": alert.annotations,
    })
}

fn time(at: Option<SystemTime>) -> Value {
    at.map_or(Value::Null, |at| rfc3339(at).into())
}
