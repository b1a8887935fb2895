//! Holds the judging of old lines, and the tests of rules.

use std::time::{Duration, SystemTime};

use dogwatch_alert::{Alert, Replay, RuleTests, Rules, State};
use proptest::prelude::*;

fn line(second: u64, rest: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(r#"{{"timestamp":"2026-11-24T10:{minute:02}:{second:02}.000000Z",{rest}}}"#)
}

/// Each change as `rule state at`, the second counted from ten o'clock.
fn changes(rules: &str, lines: &[String]) -> (Replay, Vec<String>) {
    let mut replay = Replay::new(&Rules::parse(rules).unwrap()).sweep();
    let mut told = Vec::new();
    let mut tell = |alert: &Alert| {
        let at = alert.resolved_at.unwrap_or(alert.fired_at);
        let second = at.duration_since(ten()).unwrap().as_secs();
        told.push(format!("{} {} {second}", alert.rule, alert.state));
    };
    for line in lines {
        replay.line(line, &mut tell);
    }
    replay.turn(ten() + Duration::from_secs(3600), &mut tell);
    (replay, told)
}

fn ten() -> SystemTime {
    // 2026-11-24T10:00:00Z
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_514_400)
}

#[test]
fn lines_are_judged_at_their_own_time_and_in_order_whatever_the_rule() {
    let rules = "
- {name: many, match: 'level=error', threshold: 3/10s, resolve_after: 5s}
- {name: silent, type: absence, match: 'target=db', window: 20s}
- {name: short, pattern: 'ERROR shop: timed out .*status=503', threshold: 1/5s, resolve_after: 0s}";
    let error = r#""level":"ERROR","target":"shop","message":"timed out","status":503"#;
    let db = r#""level":"INFO","target":"db","message":"ok""#;
    let lines =
        [(0, db), (1, error), (2, error), (3, error), (30, db)].map(|(at, rest)| line(at, rest));
    let (replay, told) = changes(rules, &lines);
    assert_eq!(
        told,
        [
            "short firing 1",
            "many firing 3",
            "short resolved 8",
            "many resolved 16",
            "silent firing 20",
            "silent resolved 30",
            "silent firing 50",
        ]
    );
    let reports = replay.rules();
    let many = &reports[0];
    assert_eq!((many.matched, many.fired, many.resolved), (3, 1, 1));
    assert_eq!(
        (many.firing, many.longest),
        (Duration::from_secs(13), Duration::from_secs(13))
    );
    assert_eq!((many.messages, many.most_groups), (2, 1));
    assert_eq!(many.sweep, [(1, 1), (6, 0), (15, 0)]);
    assert_eq!(many.samples.len(), 3);
    assert_eq!(
        reports[1].firing,
        Duration::from_secs(10 + 3550),
        "it still fires"
    );
    assert_eq!(replay.states()[1].state, State::Firing);
}

#[test]
fn what_alerts_wrote_of_themselves_is_judged_no_more_than_it_was_live() {
    let rules = "- {name: any, type: any, match: 'level=error', resolve_after: 1s, window: 1s}";
    let of = |target: &str| format!(r#""level":"ERROR","target":"{target}","message":"any fires""#);
    let own = [of("dogwatch::alert"), of("dogwatch::alert::log")];
    let own: Vec<String> = own.iter().map(|rest| line(1, rest)).collect();
    let (mut replay, told) = changes(rules, &own);
    assert_eq!(told, [""; 0]);
    for line in &own {
        replay.line_at(ten() + Duration::from_secs(9999), line, &mut |_| {});
    }
    assert_eq!((replay.lines().lines, replay.rules()[0].matched), (4, 0));
    let (_, told) = changes(rules, &[line(1, &of("dogwatch::alerted"))]);
    assert_eq!(told, ["any firing 1", "any resolved 3"]);
}

#[test]
fn what_cannot_be_judged_is_counted_by_reason() {
    let rules = "- {name: r, match: 'level=error', threshold: 1}";
    let error = r#""level":"ERROR""#;
    let lines = [
        line(40, error),
        line(15, error),
        line(5, error),
        "torn {".into(),
        r#"{"level":"ERROR"}"#.into(),
        r#"{"time":1795514441000,"level":50,"msg":"pino"}"#.into(),
    ];
    let (replay, told) = changes(rules, &lines);
    let counts = replay.lines();
    assert_eq!((counts.lines, counts.no_json, counts.no_time), (6, 1, 1));
    assert_eq!((counts.out_of_order, counts.late), (1, 1));
    assert_eq!(replay.rules()[0].matched, 3, "pino's error too");
    assert_eq!(told, ["r firing 40", "r resolved 161"]);
}

#[test]
fn messages_are_counted_as_notifiers_would_have_them() {
    let rules = "
- {name: again, match: 'x=1', threshold: 1/1m, repeat_interval: 30s}
- {name: mute, match: 'x=1', threshold: 1/1m, mute: [{from: '09:00', to: '11:00'}]}
- {name: ends, match: 'x=1', threshold: 1/1m, mute: [{from: '09:00', to: '10:01'}]}";
    let (replay, _) = changes(rules, &[line(0, r#""x":1"#)]);
    let messages: Vec<_> = replay
        .rules()
        .iter()
        .map(|one| (one.messages, one.muted))
        .collect();
    // Fired, told again at 30, 60 and 90, resolved at 120. Muted: none. Unmuted at 60: both.
    assert_eq!(messages, [(5, 0), (0, 2), (2, 1)]);
}

proptest! {
    #[test]
    fn no_line_that_a_rule_wants_is_screened_out(
        lines in prop::collection::vec((0..4_usize, 0..3_usize, 0..6_usize), 1..30),
    ) {
        let rules = r#"
- {name: a, match: 'level>=warn "timed out"', threshold: 100}
- {name: b, match: {event: pay_failed, level: error}, threshold: 100}
- {name: c, pattern: 'ERROR.*\[5xx\]', threshold: 100}
- {name: d, pattern: 'shop: 支付', threshold: 100}
- {name: e, pattern: 'status=50\d', threshold: 100}
- {name: f, match: 'status>=500 or target=db', threshold: 100}
- {name: g, type: ratio, match: 'status>=500', of: 'status exists', threshold: 50%}
- {name: h, match: '-timed', threshold: 100}
- {name: i, pattern: 'cause: refused', threshold: 100}
"#;
        let rest = [
            r#""message":"pool timed out""#,
            r#""message":"pool \u0074imed out","event":"pay_failed""#,
            r#""message":"request failed [5xx]","status":502"#,
            r#""message":"支付失败","status":5.03e2"#,
            r#""message":"\u652f付","error":{"message":"the cause","causes":["refused"]}"#,
            r#""status":200"#,
        ];
        let mut screened = Replay::new(&Rules::parse(rules).unwrap());
        let mut asked = Replay::new(&Rules::parse(rules).unwrap());
        for (second, (level, target, kind)) in lines.into_iter().enumerate() {
            let level = ["INFO", "WARN", "ERROR", "error"][level];
            let target = ["shop", "db", "shop::pay"][target];
            let rest = format!(r#""level":"{level}","target":"{target}",{}"#, rest[kind]);
            let line = line(second as u64, &rest);
            screened.line(&line, &mut |_| {});
            asked.line_at(ten() + Duration::from_secs(second as u64), &line, &mut |_| {});
        }
        let matched = |replay: &Replay| replay.rules().iter().map(|one| one.matched).collect::<Vec<_>>();
        prop_assert_eq!(matched(&screened), matched(&asked));
    }
}

const TESTED: &str = "
rules:
  - name: pool
    match: 'level=error \"timed out\"'
    threshold: 3/1m
    group_by: [tenant]
    level: critical
    annotations: {summary: '{{count}} for {{tenant}}'}
tests:
  - name: it pages
    events:
      - {at: 10s, repeat: 3, every: 5s, line: {level: ERROR, message: timed out, tenant: a}}
      - {at: 0s, line: '{\"level\":\"ERROR\",\"message\":\"timed out\",\"tenant\":\"b\"}'}
    alert_rule_test:
      - eval_time: 20s
        alertname: pool
        exp_alerts: [{exp_labels: {tenant: a, severity: critical}, exp_annotations: {summary: 3 for a}}]
    
  - name: it is wrong
    events: [{at: 0s, repeat: 3, line: {level: ERROR, message: timed out, tenant: a}}]
    expect:
      - {at: 0s, rule: pool, firing: [{tenant: b}]}
      - {at: 1m59s, rule: pool}
      - {at: 2m, rule: pool, firing: []}
      - {at: 3m, rule: pool, firing: [{tenant: a}]}
";

#[test]
fn tests_say_what_was_expected_and_what_came() {
    let outcomes = RuleTests::parse(TESTED).unwrap().run();
    let names: Vec<_> = outcomes.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["it pages", "it is wrong"]);
    assert_eq!(outcomes[0].failures, Vec::<String>::new());
    let got = r#"{alertname="pool", severity="critical", tenant="a"}"#;
    let got = got.replace(r#"alertname="pool", severity="critical", "#, "");
    assert_eq!(
        outcomes[1].failures,
        [
            format!("line 22: at 0s rule `pool`: expected {{tenant=\"b\"}}, got {got}"),
            format!("line 23: at 1m59s rule `pool`: expected nothing, got {got}"),
            "line 25: at 3m rule `pool`: expected {tenant=\"a\"}, got nothing".to_owned(),
        ]
    );
}

#[test]
fn each_mistake_in_a_test_is_told_with_its_place() {
    let good = "rules: [{name: r, match: 'x=1', threshold: 1}]\ntests:\n";
    for (tests, what) in [
        (
            "  - {events: [], expect: []}",
            "line 3 column 5: `name` is missing",
        ),
        (
            "  - {name: t, expect: []}",
            "line 3 column 5: test `t`: `events` is missing",
        ),
        (
            "  - {name: t, events: []}",
            "line 3 column 5: test `t`: `expect` is missing: what must fire, and when",
        ),
        (
            "  - {name: t, events: [{at: 0s, line: 3}], expect: []}",
            "line 3 column 39: test `t`: expected a line: a map of fields, or JSON as text, found `3`",
        ),
        (
            "  - {name: t, events: [{at: 0s, every: 1s, line: {}}], expect: []}",
            "line 3 column 40: test `t`: `every` without `repeat`: how often?",
        ),
        (
            "  - {name: t, events: [], expect: [{at: 0s, rule: q}]}",
            "line 3 column 36: no rule is named `q`; there are r",
        ),
        (
            "  - {name: t, events: [], expect: [{at: 0s, rule: r, fires: []}]}",
            "line 3 column 54: test `t`: unknown key `fires`; known are at, eval_time, rule, alertname, firing, exp_alerts",
        ),
    ] {
        let error = RuleTests::parse(&format!("{good}{tests}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot load the rules, {what}"),
            "{tests}"
        );
    }
    let error = RuleTests::parse("tests: []").unwrap_err().to_string();
    assert!(
        error.ends_with("says neither `rules` nor `rule_files`: what is tested"),
        "{error}"
    );
}

#[test]
fn the_ready_made_rules_load_and_pass_their_own_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    let mut packs = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        packs.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        let outcomes = RuleTests::load(&path).unwrap().run();
        let failures: Vec<_> = outcomes.iter().flat_map(|one| &one.failures).collect();
        assert_eq!(failures, Vec::<&String>::new(), "{}", path.display());
    }
    packs.sort();
    assert_eq!(
        packs,
        ["database.yaml", "http.yaml", "login.yaml", "payments.yaml"]
    );
}
