//! Holds `test` and `backtest`: alert rules tried before they page anybody.

use std::fmt::Write as _;

use serde_json::json;

use crate::{folder, run};

const RULES: &str = "\
notifiers: {duty: {type: webhook, url: '${DUTY}'}}
rules:
  - {name: errors, match: 'level=error', threshold: 3/1m, group_by: tenant, action: [duty, log]}
  - {name: 从不, match: 'event=never', threshold: 1}
  - {name: slow, match: 'latency_ms>1s', threshold: 1, mute: [{}], annotations: {summary: '{{count}}'}}
tests:
  - name: three errors of one tenant
    events: [{at: 0s, repeat: 3, every: 1s, line: {level: ERROR, tenant: a}}]
    expect: [{at: 2s, rule: errors, firing: [{tenant: a}]}]
";

/// Tenant `a` fails three times from 10:05 on, `b` four times; all of it in two files, one rolled.
fn logs() -> (String, String) {
    let (mut old, mut new) = (String::new(), String::new());
    for second in 0..20 {
        let tenant = if second % 2 == 0 { "a" } else { "b" };
        let level = if (10..17).contains(&second) {
            "ERROR"
        } else {
            "INFO"
        };
        let out = if second < 12 { &mut old } else { &mut new };
        let _ = writeln!(
            out,
            r#"{{"timestamp":"2026-11-24T10:05:{second:02}.000000Z","level":"{level}","target":"shop","message":"order {second}","tenant":"{tenant}","latency_ms":{}}}"#,
            second * 100
        );
    }
    new.push_str("torn {\n");
    (old, new)
}

#[test]
fn a_backtest_tells_what_would_have_fired() {
    let (old, new) = logs();
    let folder = folder(&[
        ("rules.yaml", RULES),
        ("logs/a.log.1", &old),
        ("logs/a.log", &new),
    ]);
    let (code, page, error) = run(
        folder.path(),
        &["backtest", "--rules", "rules.yaml", "--utc", "logs"],
    );
    assert_eq!((code, &*error), (0, ""));
    let (head, rest) = page.split_once("; ").unwrap();
    assert_eq!(
        head,
        "21 lines from 2026-11-24 10:05:00 to 2026-11-24 10:05:19, 19s"
    );
    let (speed, rest) = rest.split_once('\n').unwrap();
    assert!(
        speed.starts_with("0.0 MB at ") && speed.ends_with(" MB/s"),
        "{speed}"
    );
    assert_eq!(
        rest,
        "\
of them 1 no JSON

rule    type       matched  fired  resolved  a day  minutes  longest  groups  messages
errors  threshold        7      2         0    2.0      0.1       5s       2         2
从不    threshold        0      0         0    0.0      0.0       0s       0         0
slow    threshold        9      1         0    1.0      0.1       8s       1         0

messages to each notifier: duty 2, log 2

never matched: 从不

slow: 1 messages muted

alerts a day with other thresholds
  errors  1: 2.0  3*: 2.0  6: 0.0  15: 0.0
  slow  1*: 1.0  2: 1.0  5: 1.0

first alert of errors
  ERROR shop: order 10 tenant=a latency_ms=1000
  ERROR shop: order 12 tenant=a latency_ms=1200
  ERROR shop: order 14 tenant=a latency_ms=1400

first alert of slow
  ERROR shop: order 11 tenant=b latency_ms=1100
"
    );
}

#[test]
fn json_incidents_and_limits_are_for_machines() {
    let (old, new) = logs();
    let incidents = "- {start: 2026-11-24T10:05:12Z, end: 2026-11-24T10:05:14Z, rule: errors}\n";
    let folder = folder(&[
        ("rules.yaml", RULES),
        ("incidents.yaml", incidents),
        ("logs/a.log.1", &old),
        ("logs/a.log", &new),
    ]);
    let arguments = |limit| {
        [
            "backtest",
            "--rules",
            "rules.yaml",
            "--incidents",
            "incidents.yaml",
            "--json",
            "--fail-on",
            limit,
            "logs",
        ]
    };
    let (code, page, error) = run(folder.path(), &arguments("alerts_per_day>2"));
    assert_eq!((code, &*error), (0, ""));
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["rules"][0]["fired"], 2);
    assert_eq!(page["rules"][0]["first"], "2026-11-24T10:05:14Z");
    assert_eq!(page["rules"][0]["sweep"][0]["threshold"], 1);
    let time = |second| format!("2026-11-24T10:05:{second}Z");
    // None of them is over when the log ends.
    let firings = [
        json!({"rule": "slow", "labels": {}, "from": time(11), "to": null}),
        json!({"rule": "errors", "labels": {"tenant": "a"}, "from": time(14), "to": null}),
        json!({"rule": "errors", "labels": {"tenant": "b"}, "from": time(15), "to": null}),
    ];
    assert_eq!(page["firings"], json!(firings));
    assert_eq!(page["notifiers"], json!({"duty": 2, "log": 2}));
    assert_eq!(page["rules"][2]["notifiers"], json!(["log"]));
    let score = &page["incidents"];
    assert_eq!(
        (&score["caught"], &score["right"], &score["firings"]),
        (&1.into(), &1.into(), &3.into())
    );
    assert_eq!(score["median_delay_s"], 2.0);
    let (code, _, error) = run(folder.path(), &arguments("alerts_per_day>1, matched<1"));
    assert_eq!(code, 1);
    assert_eq!(
        error,
        "dogwatch: rule `errors`: alerts_per_day is 2, > 1\ndogwatch: rule `从不`: matched is 0, < 1\n"
    );
}

#[test]
fn what_a_backtest_cannot_do_is_told() {
    let folder = folder(&[("bad.yaml", "- {name: r}\n"), ("logs/a.log", "")]);
    for (arguments, told) in [
        (
            &["backtest", "logs"][..],
            "which rules? `dogwatch backtest --rules rules.yaml logs/`",
        ),
        (
            &["backtest", "--rules", "bad.yaml", "logs"],
            "cannot load the rules of `bad.yaml`, line 1 column 3: rule `r`: says neither `pattern` nor `match`; it would count every event",
        ),
        (
            &["test"],
            "name a file of tests: `dogwatch test rules.yaml`",
        ),
        (
            &["test", "bad.yaml"],
            "cannot load the rules of `bad.yaml`, line 1 column 1: expected a map, found a list",
        ),
    ] {
        let (code, _, error) = run(folder.path(), arguments);
        assert_eq!(
            (code, error),
            (2, format!("dogwatch: {told}\n")),
            "{arguments:?}"
        );
    }
}

#[test]
fn tests_pass_or_say_what_came_instead() {
    let wrong = RULES.replace("at: 2s, rule", "at: 1s, rule");
    let other = "\
rule_files: [rules.yaml]
tests:
  - {name: 静, events: [], expect: [{at: 1h, rule: slow, firing: []}]}
";
    let folder = folder(&[
        ("rules.yaml", RULES),
        ("wrong.yaml", &wrong),
        ("t/other.yaml", &other.replace("[rules", "[../rules")),
    ]);
    assert_eq!(
        run(folder.path(), &["test", "rules.yaml", "t/other.yaml"]),
        (
            0,
            "rules.yaml\n  ok      three errors of one tenant\nt/other.yaml\n  ok      静\n2 passed, 0 failed\n".to_owned(),
            String::new()
        )
    );
    let (code, page, _) = run(folder.path(), &["test", "wrong.yaml"]);
    assert_eq!(code, 1);
    assert_eq!(
        page,
        "wrong.yaml\n  FAILED  three errors of one tenant\n          line 9: at 1s rule `errors`: expected {tenant=\"a\"}, got nothing\n0 passed, 1 failed\n"
    );
}
