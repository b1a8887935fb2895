//! Writes how all rules stand as JSON, for a page of the service such as `/alerts`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::alert::{Alert, AlertState, RuleCounts};
use crate::seen::rfc3339;

/// One object: what fires, and each rule with its state and its counts.
pub(crate) fn standing(states: &[AlertState], counts: &[RuleCounts], active: &[Alert]) -> String {
    let rules = states.iter().zip(counts);
    let rules: Vec<Value> = rules.map(|(state, counts)| rule(state, counts)).collect();
    let active: Vec<Value> = active.iter().map(alert).collect();
    json!({"alerts": active, "rules": rules}).to_string()
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
