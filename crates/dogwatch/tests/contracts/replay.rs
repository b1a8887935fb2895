//! What rules make of events as they happen is what they make of their lines later.

use std::io;

use dogwatch::Config;
use dogwatch::alert::{Alert, Replay, Rules, State};
use tracing::{error, info, info_span, warn};
use tracing_core::dispatcher;

use crate::{LONG, lines, start};

/// One rule of each type that needs no waiting, in each way of saying what counts.
const RULES: &str = r#"
rules:
  - {name: pattern, pattern: 'ERROR shop::pay: 支付.* order=\d+ .*password=', threshold: 3/1h}
  - {name: map, match: {event: pay_failed, level: error, "order.kind": gold}, threshold: 2/1h}
  - {name: query, match: 'level>=warn status>=500 "failed"', threshold: 2/1h, group_by: [tenant, status]}
  - {name: text, pattern: 'upstream: refused by 10', threshold: 1/1h}
  - {name: ratio, type: ratio, match: 'status>=500', of: 'status exists', threshold: 40%, min_total: 5, window: 1h}
  - {name: slow, type: field_stat, match: 'status exists', field: latency_ms, stat: p95, threshold: 900, min_count: 3, window: 1h}
  - {name: orders, type: cardinality, match: 'event=pay_failed', field: order, threshold: 4/1h}
  - {name: field, type: new_value, match: 'tenant exists', field: tenant, learn: 0s, window: 1h}
  - {name: kinds, type: new_template, match: 'level=error', learn: 0s, window: 1h}
  - {name: cleared, match: 'event=down', threshold: 1/1h, group_by: tenant, clear: {match: 'event=up'}}
  - {name: silent, type: absence, match: 'event=job_done', window: 1h, expect_from_start: true}
  - {name: own, match: 'service=shop env=test level=error', threshold: 4/1h, group_by: [service]}
"#;

fn happen() {
    let _request = info_span!(
        "request",
        tenant = "甲",
        trace_id = "0af7651916cd43dd8448eb211c80319c"
    )
    .entered();
    for order in 0..4_u64 {
        error!(target: "shop::pay", event = "pay_failed", order, amount = 12.5, password = "hunter2", "支付失败 [5xx]");
        info!(target: "shop::pay", status = if order % 2 == 0 { 200 } else { 503 }, "request {order} done");
        warn!(target: "shop", status = 502, latency_ms = 1e3, "request failed\n\"{order}\"");
    }
    let refused = io::Error::other("refused by 10");
    error!(error = &refused as &dyn std::error::Error, "upstream");
    error!(
        error = &refused as &dyn std::error::Error,
        "cannot reach upstream: refused by 10.0.0.1"
    );
    error!(event = "down", flag = true, list = "x,y", "host is down");
    let _inner = info_span!(parent: None, "other", tenant = "b\u{1b}\"").entered();
    error!(event = "down", nan = f64::NAN, "host is down");
    info!(event = "up", tenant = "甲", "host is up");
    info!(event = "job_done", "a job");
}

/// What two tellings of one change have in common: all but the times and the service's own labels.
#[derive(Debug, PartialEq)]
struct Told {
    rule: String,
    state: State,
    counts: (u64, Option<u64>),
    value: Option<f64>,
    labels: Vec<String>,
    samples: Vec<String>,
    top: Option<String>,
}

fn told(alert: &Alert) -> Told {
    let own = ["service", "version", "env", "host"];
    let labels = alert.labels.iter();
    let labels = labels.filter(|(key, _)| !own.contains(&key.as_str()));
    Told {
        rule: alert.rule.to_string(),
        state: alert.state,
        counts: (alert.count, alert.total),
        value: alert.value,
        labels: labels
            .map(|(key, value)| format!("{key}={value}"))
            .collect(),
        samples: alert.samples.iter().map(|sample| words(sample)).collect(),
        top: alert.top.clone(),
    }
}

/// The words of a sample: a line has the ids of spans first, and those that it made itself.
fn words(sample: &str) -> String {
    let mut words: Vec<&str> = sample
        .split(' ')
        .filter(|word| !word.starts_with("span_id="))
        .collect();
    words.sort_unstable();
    words.join(" ")
}

#[test]
fn events_judged_live_and_their_lines_judged_later_make_the_same_changes() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::prod().service("shop").env("test").rules_text(RULES);
    let (dispatch, log) = start(config, dir.path());
    let changes = log.alerts().unwrap().subscribe();
    dispatcher::with_default(&dispatch, happen);
    log.close(LONG).unwrap();
    let mut live: Vec<_> = changes.try_iter().map(|alert| told(&alert)).collect();

    let mut replay = Replay::new(&Rules::parse(RULES).unwrap());
    let mut later = Vec::new();
    for line in lines(dir.path()) {
        replay.line(&line, &mut |alert| later.push(told(alert)));
    }
    // Live each rule is told by itself; of one rule the order is the same.
    live.sort_by(|a, b| a.rule.cmp(&b.rule));
    later.sort_by(|a, b| a.rule.cmp(&b.rule));
    let names: Vec<&str> = later.iter().map(|one| &*one.rule).collect();
    assert_eq!(
        names,
        [
            "cleared", "cleared", "cleared", "field", "field", "kinds", "kinds", "kinds", "kinds",
            "orders", "own", "pattern", "query", "ratio", "slow", "text",
        ]
    );
    assert_eq!(live, later);
    assert!(!format!("{live:?}").contains("hunter2"));
}
