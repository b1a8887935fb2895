//! Holds rules of the type `anomaly` from outside: how they load, what they fire on, and their evidence.

use std::time::{Duration, SystemTime};

use dogwatch_alert::{Alert, Replay, RuleTests, Rules, State};

fn begin() -> SystemTime {
    // 2026-11-24T00:00:00Z
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_478_400)
}

/// The minute since the beginning of each change, and the alert.
fn judged(keys: &str, events: impl Iterator<Item = (u64, &'static str)>) -> Vec<(u64, Alert)> {
    let rules = format!("- {{name: unusual, type: anomaly, match: 'level=error', {keys}}}");
    let mut replay = Replay::new(&Rules::parse(&rules).unwrap());
    let mut told = Vec::new();
    let minute = |at: SystemTime| at.duration_since(begin()).unwrap().as_secs() / 60;
    let mut tell = |alert: &Alert| {
        let at = alert.resolved_at.unwrap_or(alert.fired_at);
        told.push((minute(at), alert.clone()));
    };
    let mut last = 0;
    for (at, message) in events {
        let line = format!(r#"{{"level":"ERROR","target":"shop","message":"{message}"}}"#);
        replay.line_at(begin() + Duration::from_secs(at * 60), &line, &mut tell);
        last = at;
    }
    replay.turn(begin() + Duration::from_secs((last + 120) * 60), &mut tell);
    told
}

/// Two days in which one kind of message comes twice a minute and another every ten minutes, and
/// forty of the first in one minute on the third day.
fn traffic() -> impl Iterator<Item = (u64, &'static str)> {
    (0..2 * 1_440 + 660).flat_map(|minute| {
        let many = if minute == 2 * 1_440 + 600 { 40 } else { 2 };
        let refused = (0..many).map(move |_| (minute, "order 79 refused"));
        refused.chain((minute % 10 == 0).then_some((minute, "pool timed out")))
    })
}

#[test]
fn a_burst_of_one_kind_of_message_fires_with_its_odds_and_resolves() {
    let told = judged("resolve_after: 5m", traffic());
    let states: Vec<_> = told.iter().map(|(at, alert)| (*at, alert.state)).collect();
    let at = 2 * 1_440 + 600;
    assert_eq!(states, [(at, State::Firing), (at + 20, State::Resolved)]);
    let fired = &told[0].1;
    assert_eq!(fired.kind, "anomaly");
    assert_eq!(fired.labels["template"], "ERROR shop: order <*> refused");
    assert_eq!(fired.window, Duration::from_secs(60));
    // At the event that is one too many, not at the minute's end.
    let count = fired.count;
    assert!((8..20).contains(&count), "{count}");
    let start = format!("{count} within 1m where 2.0 are usual, a chance of ");
    let chance: f64 = fired.limit.strip_prefix(&start).unwrap().parse().unwrap();
    assert!(chance > 0.0 && chance <= 1e-6, "{}", fired.limit);
    assert_eq!(fired.summary(), format!("unusual fires: {}", fired.limit));
    assert_eq!(told[1].1.limit, fired.limit, "the evidence of its firing");
    assert_eq!(told[1].1.count, 78, "of the twenty minutes");
}

#[test]
fn the_kinds_beyond_the_bound_are_counted_and_one_alert_says_so() {
    let told = judged("max_groups: 1", traffic());
    let kinds: Vec<_> = told.iter().map(|(_, alert)| alert.kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "anomaly").count(), 2);
    let overflow = told.iter().find(|(_, alert)| alert.kind == "overflow");
    assert_eq!(overflow.unwrap().1.labels["template"], "__other__");
    assert_eq!(overflow.unwrap().1.limit, "more than 1 groups");
}

#[test]
fn groups_are_judged_by_what_is_usual_for_them() {
    // What is usual for one tenant is an anomaly of the other.
    let rules = "- {name: r, type: anomaly, match: 'level=error', group_by: tenant}";
    let mut replay = Replay::new(&Rules::parse(rules).unwrap());
    let mut fired = Vec::new();
    for minute in 0..1_600_u64 {
        let small = if minute == 1_500 { 20 } else { 1 };
        for (tenant, events) in [("large", 20), ("small", small)] {
            let line = format!(r#"{{"level":"ERROR","message":"x","tenant":"{tenant}"}}"#);
            for _ in 0..events {
                let at = begin() + Duration::from_secs(minute * 60);
                replay.line_at(at, &line, &mut |alert| {
                    if alert.state == State::Firing {
                        fired.push((minute, alert.labels["tenant"].clone()));
                    }
                });
            }
        }
    }
    assert_eq!(fired, [(1_500, "small".to_owned())]);
}

#[test]
fn each_mistake_is_told_with_its_place() {
    for (keys, what) in [
        (
            "learn: 1h",
            "a day at least, all whose half hours are learned",
        ),
        (
            "window: 5m",
            "an anomaly has its own windows, of 1, 5 and 15 minutes",
        ),
        ("min_count: 0", "a number from 1 on"),
        ("factor: 3", "`factor` belongs to the type spike"),
        (
            "clear: {below: 3}",
            "the type `anomaly` has no number to fall below",
        ),
    ] {
        let yaml = format!("- name: a\n  match: 'level=error'\n  type: anomaly\n  {keys}");
        let error = Rules::parse(&yaml).expect_err(keys);
        assert_eq!(error.line(), Some(4), "{error}");
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn a_test_of_rules_tries_it_on_a_clock_of_its_own() {
    let tests = RuleTests::parse(
        "
rules:
  - {name: unusual, type: anomaly, match: 'level=error'}
tests:
  - name: forty in a minute where two are usual
    events:
      - {at: 0s, repeat: 3600, every: 30s, line: {level: ERROR, message: order 7 refused}}
      - {at: 1d6h, repeat: 40, every: 1s, line: {level: ERROR, message: order 7 refused}}
    expect:
      - {at: 1d5h, rule: unusual, firing: []}
      - {at: 1d6h1m, rule: unusual, firing: [{template: 'ERROR : order <*> refused'}]}
      - {at: 1d7h, rule: unusual, firing: []}",
    )
    .unwrap();
    assert_eq!(tests.run()[0].failures, Vec::<String>::new());
}
