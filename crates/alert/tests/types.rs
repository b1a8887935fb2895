//! Holds the types of rules and what belongs to them: how they load, and how they look from outside.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dogwatch_alert::{Alert, AlertGuard, AlertLayer, NotifyError, Rules, State};
use tracing::{error, info};
use tracing_subscriber::prelude::*;

/// A bound, not a wait.
const BOUND: Duration = Duration::from_secs(20);

fn refused(keys: &str) -> String {
    let yaml = format!("- name: a\n  match: 'level=error'\n  {keys}");
    let error = Rules::parse(&yaml).expect_err(&yaml);
    assert!(error.is_rules() && error.column().is_some(), "{error}");
    error.to_string()
}

#[test]
fn each_mistake_in_a_type_is_told_with_its_place() {
    for (keys, line, what) in [
        (
            "type: thresold",
            3,
            "expected a type of rule: any, threshold, ratio, absence, spike, change, field_stat, cardinality, new_value, new_template, anomaly, found `thresold`",
        ),
        (
            "threshold: 3\n  factor: 2",
            4,
            "`factor` belongs to the type spike; this rule is of the type threshold",
        ),
        (
            "type: any\n  threshold: 3",
            4,
            "`threshold` belongs to the type threshold or ratio or change or field_stat or cardinality; this rule is of the type any",
        ),
        (
            "threshold: 3\n  clear: {below: 4}",
            4,
            "expected a number from 1 to the threshold, 3, found `4`",
        ),
        (
            "threshold: 3\n  clear: {beneath: 4}",
            4,
            "unknown key `beneath`; known are below, above, match, keep_firing_for",
        ),
        (
            "type: any\n  clear: {below: 1}",
            4,
            "the type `any` has no number to fall below",
        ),
        (
            "threshold: 3\n  resolve_after: 1m\n  keep_firing_for: 1m",
            5,
            "how long it must be good before it resolves is said twice: `keep_firing_for` is another word for `resolve_after`",
        ),
        (
            "type: ratio\n  threshold: 5%",
            1,
            "`of` is missing: among which events, such as `event=request` or `*`",
        ),
        (
            "type: ratio\n  of: '*'\n  threshold: 5",
            5,
            "expected a share of more than 0% and at most 100%, such as 5%, found `5`",
        ),
        (
            "type: ratio\n  of: '*'\n  threshold: 5%\n  clear: {below: 6%}",
            6,
            "is above the threshold: it would resolve while it fires",
        ),
        (
            "type: spike\n  factor: 1",
            4,
            "expected how many times the usual, more than 1, such as 3, found `1`",
        ),
        (
            "type: spike\n  factor: 3\n  reference: 30s",
            5,
            "the reference must be from one window to 24 windows long",
        ),
        (
            "type: spike\n  factor: 3\n  window: 100ms",
            5,
            "a spike needs a window of a second at least",
        ),
        (
            "type: any\n  clear: {above: 1}",
            4,
            "`above` is for a `field_stat` that fires below its threshold",
        ),
        (
            "type: change\n  threshold: 50%",
            4,
            "expected a rise such as +50% or a fall up to -100%, with its sign, found `50%`",
        ),
        (
            "type: change\n  threshold: -101%",
            4,
            "expected a rise such as +50% or a fall up to -100%, with its sign, found `-101%`",
        ),
        (
            "type: change\n  threshold: -50%\n  clear: {below: 60%}",
            5,
            "expected a share without a sign, up to 50%, such as 20%, found `60%`",
        ),
        (
            "type: change\n  threshold: +50%\n  window: 1h\n  offset: 25h",
            6,
            "the offset must be from one window to 24 windows",
        ),
        (
            "type: change\n  threshold: +50%\n  window: 10ms",
            5,
            "a change needs a window of a second at least",
        ),
        ("type: field_stat", 1, "`field` is missing"),
        (
            "type: field_stat\n  field: latency_ms\n  threshold: 5",
            1,
            "`stat` is missing: avg, sum, min, max, or a percentile: p99",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: p100",
            5,
            "expected avg, sum, min, max, or a percentile such as p99.9, found `p100`",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: median",
            5,
            "expected avg, sum, min, max, or a percentile such as p99.9, found `median`",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: p99",
            1,
            "`threshold` is missing",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: p99\n  threshold: 800ms",
            6,
            "expected a number from which on it fires, such as 800, or '<5', found `800ms`",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: avg\n  threshold: .nan",
            6,
            "expected a number from which on it fires, such as 800, or '<5', found `.nan`",
        ),
        (
            "type: field_stat\n  field: latency_ms\n  stat: p50\n  threshold: '<-3'",
            6,
            "expected for a percentile a number above 0, found `<-3`",
        ),
        (
            "type: field_stat\n  field: free\n  stat: min\n  threshold: '<3'\n  clear: {below: 2}",
            7,
            "where it is good again is `above`: it fires below its threshold",
        ),
        (
            "type: field_stat\n  field: free\n  stat: min\n  threshold: '<3'\n  clear: {above: 2}",
            7,
            "expected a number from the threshold, 3, found `2`",
        ),
        (
            "type: field_stat\n  field: free\n  stat: max\n  threshold: 3\n  clear: {below: 4}",
            7,
            "expected a number up to the threshold, 3, found `4`",
        ),
        (
            "type: field_stat\n  field: free\n  stat: max\n  threshold: 3\n  min_count: 0",
            7,
            "expected a number from 1 on, found `0`",
        ),
        ("type: cardinality\n  threshold: 5", 1, "`field` is missing"),
        (
            "type: cardinality\n  field: ip\n  threshold: 5\n  clear: {below: 6}",
            6,
            "expected a number from 1 to the threshold, 5, found `6`",
        ),
        (
            "type: cardinality\n  field: ip\n  threshold: 5\n  group_by: ip",
            4,
            "a group has one value of `ip`: take it away from `group_by`",
        ),
        (
            "type: cardinality\n  field: ip\n  threshold: 500\n  group_by: user_id",
            5,
            "1000 groups of 500 values are more than 200000: lower `threshold` or `max_groups`",
        ),
        ("type: new_value", 1, "`field` is missing"),
        (
            "type: new_template\n  for: 1m",
            4,
            "what is new is so for a moment: `for` would keep it from firing",
        ),
        (
            "type: new_value\n  field: ip\n  max_values: 1000000",
            5,
            "expected a bound from 1 to 100000 values, found `1000000`",
        ),
        (
            "type: absence\n  expect_from_start: 1",
            4,
            "expected true or false, found `1`",
        ),
        (
            "type: absence\n  group_by: host\n  expect_from_start: true",
            5,
            "no group is known from the start; take away `group_by`",
        ),
        (
            "threshold: 3\n  group_by: [tenant, trace_id]",
            4,
            "`trace_id` differs from event to event: such groups have no bound; group by what many events have in common",
        ),
        (
            "threshold: 3\n  group_by: tenant\n  max_groups: 0",
            5,
            "expected a bound from 1 to 10000 groups, found `0`",
        ),
        (
            "threshold: 3\n  max_groups: 10",
            4,
            "there are no groups: say `group_by` too",
        ),
        (
            "threshold: 3\n  repeat_interval: 10ms",
            4,
            "expected a span from 1s to 30d, found `10ms`",
        ),
        (
            "threshold: 3\n  samples: 11",
            4,
            "expected a number of sample lines from 0 to 10, found `11`",
        ),
        (
            "threshold: 3\n  group_by: tenant\n  annotations: {text: '{{tenent}}'}",
            5,
            "unknown name `{{tenent}}`; known are rule, level, state, count, total, ratio, value, threshold, limit, window, first_bad, fired_at, trace_id, top, sample, tenant",
        ),
        (
            "threshold: 3\n  labels: {text: '{{count}}'}",
            4,
            "unknown name `{{count}}`; known are rule, level",
        ),
        (
            "threshold: 3\n  group_by: tenant\n  labels: {tenant: x}",
            5,
            "the label `tenant` is taken by `group_by`",
        ),
        (
            "threshold: 3\n  level: error\n  severity: error",
            5,
            "`severity` is another word for `level`; say one of them",
        ),
        (
            "threshold: 3\n  mute: [{days: [someday]}]",
            4,
            "expected a day: mon, tue, wed, thu, fri, sat or sun, found `someday`",
        ),
        (
            "threshold: 3\n  mute: [{from: '2am'}]",
            4,
            "expected a time of day in quotes, such as \"02:00\", found `2am`",
        ),
        (
            "threshold: 3\n  mute: [{from: '02:00', to: '02:00'}]",
            4,
            "it ends when it begins; leave both out for the whole day",
        ),
        (
            "threshold: 3\n  mute: [{tz: Mars/Olympus}]",
            4,
            "expected a zone that this machine knows, such as Asia/Shanghai, or +08:00, found `Mars/Olympus`",
        ),
    ] {
        let error = refused(keys);
        let (place, told) = error.split_once(": rule `a`: ").expect(&error);
        assert_eq!(told, what, "{keys}");
        assert!(place.contains(&format!("line {line} column")), "{error}");
    }
}

fn start(yaml: &str) -> (AlertLayer, AlertGuard, Receiver<Alert>) {
    let (sender, told) = channel();
    let page = move |alert: &Alert| sender.send(alert.clone()).map_err(NotifyError::permanent);
    let (layer, guard) = AlertLayer::builder(Rules::parse(yaml).unwrap())
        .notifier("page", page)
        .spawn()
        .unwrap();
    (layer, guard, told)
}

fn within(layer: &AlertLayer, run: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(layer.clone());
    tracing::subscriber::with_default(subscriber, run);
}

#[test]
fn each_group_fires_for_itself_with_its_labels_annotations_and_command() {
    let (layer, guard, told) = start(
        r#"
- name: pool
  match: 'level=error pool'
  threshold: 2/1h
  group_by: [tenant, db.name]
  level: critical
  action: page
  labels: {team: pay, what: "{{rule}} {{level}}"}
  annotations: {summary: "{{count}} in {{window}} for {{tenant}}: {{sample}}", runbook: "https://r/{{db.name}}"}
"#,
    );
    within(&layer, || {
        for tenant in ["a", "b", "c's"] {
            for try_ in 0..if tenant == "b" { 1 } else { 2 } {
                error!(tenant, db.name = 7, try_, "pool timed out");
            }
        }
    });
    let alerts = [0, 1].map(|_| told.recv_timeout(BOUND).unwrap());
    let [first, second] = &alerts;
    let label = |alert: &Alert, name: &str| alert.labels[name].clone();
    assert_eq!(label(first, "tenant"), "a");
    assert_eq!(label(first, "db_name"), "7");
    assert_eq!(label(first, "team"), "pay");
    assert_eq!(label(first, "what"), "pool critical");
    assert_eq!(label(second, "tenant"), "c's");
    assert_ne!(first.fingerprint(), second.fingerprint());
    let target = module_path!();
    assert_eq!(
        first.annotations["summary"],
        format!("2 in 1h for a: ERROR {target}: pool timed out tenant=a db.name=7 try_=1")
    );
    assert_eq!(first.annotations["runbook"], "https://r/7");
    let query = r#"level=error message~pool tenant="c's" db.name="7""#;
    assert_eq!(second.query.as_deref(), Some(query));
    let command = second.command().unwrap();
    let shell = query.replace('\'', r"'\''");
    assert!(
        command.starts_with(&format!("dogwatch '{shell} since=")),
        "{command}"
    );
    let state = &guard.alerts().states()[0];
    assert_eq!(
        (state.state, state.firing, state.groups),
        (State::Firing, 2, 3)
    );
    let active: Vec<_> = guard
        .alerts()
        .active()
        .iter()
        .map(|alert| label(alert, "tenant"))
        .collect();
    assert_eq!(active, ["a", "c's"]);
    let page: serde_json::Value = serde_json::from_str(&guard.alerts().json()).unwrap();
    let alert = &page["alerts"][1];
    assert_eq!(alert["labels"]["tenant"], "c's");
    assert_eq!(alert["fingerprint"], *second.fingerprint());
    assert_eq!(alert["command"], *command);
    assert_eq!(alert["samples"].as_array().unwrap().len(), 2);
    assert_eq!(alert["top"], format!("ERROR {target}: pool timed out"));
    assert_eq!(alert["top_fingerprint"].as_str().unwrap().len(), 16);
    let rule = &page["rules"][0];
    assert_eq!(
        (&rule["state"], &rule["firing"]),
        (&"firing".into(), &2.into())
    );
    assert_eq!((&rule["matched"], &rule["fired"]), (&5.into(), &2.into()));
    assert_eq!(rule["suppressed"]["overflowed"], 0);
    guard.close(BOUND).unwrap();
}

#[test]
fn a_ratio_counts_among_others_and_says_of_how_many() {
    let (layer, guard, told) = start(
        "- {name: r, type: ratio, match: 'status>=500', of: 'status exists', threshold: 40%, min_total: 5, window: 1h, action: page}",
    );
    within(&layer, || {
        for status in [500, 200, 200, 500, 200, 502] {
            info!(status, "done");
            info!("no request");
        }
    });
    let alert = told.recv_timeout(BOUND).unwrap();
    assert_eq!(
        (alert.kind, alert.count, alert.total),
        ("ratio", 2, Some(5))
    );
    assert_eq!(
        alert.summary(),
        "r fires: 2 of 5 events match (limit 40% of at least 5 within 1h)"
    );
    assert_eq!(guard.alerts().counts()[0].matched, 3);
    guard.close(BOUND).unwrap();
}

#[test]
fn a_percentile_fires_with_what_it_came_to_and_leaves_out_what_is_no_number() {
    let (layer, guard, told) = start(
        "- {name: slow, type: field_stat, match: 'event=pay', field: latency_ms, stat: p90, threshold: 800, min_count: 10, window: 1h, group_by: route, action: page, annotations: {text: '{{value}} ms'}}",
    );
    within(&layer, || {
        for at in 0..12_u64 {
            info!(
                event = "pay",
                route = "/pay",
                latency_ms = if at < 3 { 1000.0 } else { 12.5 },
                "done"
            );
            info!(
                event = "pay",
                route = "/pay",
                latency_ms = f64::NAN,
                "not told"
            );
            info!(event = "pay", route = "/pay", "no number");
            info!(event = "pay", route = "/b", latency_ms = "90", "fast");
        }
    });
    let alert = told.recv_timeout(BOUND).unwrap();
    assert_eq!(
        (alert.kind, alert.count, &*alert.labels["route"]),
        ("field_stat", 10, "/pay")
    );
    let value = alert.value.unwrap();
    assert!((value / 1000.0 - 1.0).abs() < 0.045, "{value}");
    let limit = "p90 of latency_ms at least 800 within 1h, of 10 or more";
    let shown = alert.annotations["text"].strip_suffix(" ms").unwrap();
    assert_eq!(
        alert.summary(),
        format!("slow fires: {shown} over 10 events (limit {limit})")
    );
    let page: serde_json::Value = serde_json::from_str(&guard.alerts().json()).unwrap();
    assert_eq!(page["alerts"][0]["value"], value);
    assert_eq!(guard.alerts().counts()[0].matched, 24);
    guard.close(BOUND).unwrap();
    assert_eq!(told.try_iter().count(), 0);
}

#[test]
fn one_user_from_many_places_fires_and_an_event_without_the_field_is_none_of_them() {
    let (layer, guard, told) = start(
        "- {name: places, type: cardinality, match: 'event=login_ok', field: ip, threshold: 3/1h, group_by: user_id, action: page}",
    );
    within(&layer, || {
        for ip in ["10.0.0.1", "10.0.0.2", "10.0.0.1", ""] {
            info!(event = "login_ok", user_id = "ann", ip, "login");
            info!(
                event = "login_ok",
                user_id = "bob",
                ip = "10.0.0.9",
                "login"
            );
        }
        info!(event = "login_ok", user_id = "ann", "login");
        info!(event = "login_ok", user_id = "ann", ip = ?"10.0.0.3", "login");
    });
    let alert = told.recv_timeout(BOUND).unwrap();
    assert_eq!(
        (
            alert.kind,
            alert.count,
            alert.threshold,
            &*alert.labels["user_id"]
        ),
        ("cardinality", 3, 3, "ann")
    );
    assert_eq!(
        alert.summary(),
        "places fires: 3 different values of ip within 1h"
    );
    assert_eq!(guard.alerts().counts()[0].matched, 8);
    guard.close(BOUND).unwrap();
    assert_eq!(told.try_iter().count(), 0);
}

#[test]
fn a_muted_rule_fires_and_tells_nobody_and_that_is_counted() {
    let (layer, guard, told) = start(
        "- {name: r, match: 'level=error', threshold: 1, window: 1ms, resolve_after: 0s, action: page, mute: [{}]}",
    );
    let changes = guard.alerts().subscribe();
    within(&layer, || error!("x"));
    let states = [0, 1].map(|_| changes.recv_timeout(BOUND).unwrap().state);
    assert_eq!(states, [State::Firing, State::Resolved]);
    assert_eq!(guard.alerts().counts()[0].muted, 2);
    guard.close(BOUND).unwrap();
    assert_eq!(told.try_iter().count(), 0);
}

#[test]
fn an_event_that_says_all_is_well_resolves_and_nothing_else_does() {
    let (layer, guard, told) = start(
        "- {name: r, match: 'event=down', threshold: 1, window: 1ms, group_by: host, clear: {match: 'event=up'}, action: page}",
    );
    within(&layer, || {
        error!(event = "down", host = "a");
        info!(event = "up", host = "b");
        info!(event = "up", host = "a");
    });
    let told: Vec<_> = [0, 1]
        .map(|_| told.recv_timeout(BOUND).unwrap())
        .iter()
        .map(|alert| (alert.labels["host"].clone(), alert.state))
        .collect();
    assert_eq!(
        told,
        [
            ("a".to_owned(), State::Firing),
            ("a".to_owned(), State::Resolved)
        ]
    );
    guard.close(BOUND).unwrap();
}
