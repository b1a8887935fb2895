//! Holds the reading of rules: what loads, and what each mistake is told as.

use dogwatch_alert::{AlertLayer, Error, Rules};
use proptest::prelude::*;

fn refused(yaml: &str) -> Error {
    Rules::parse(yaml)
        .map(|rules| AlertLayer::builder(rules).spawn().map(drop))
        .map_or_else(|error| error, |spawned| spawned.expect_err(yaml))
}

#[test]
fn each_mistake_is_told_with_its_place_and_what_to_do() {
    let table = [
        (
            "- {name: a, pattern: x, treshold: 1}",
            "line 1 column 25: rule `a`: unknown key `treshold`; known are name, type, pattern, match, of, field, stat, threshold, min_total, factor, min_count, reference, offset, min_reference, expect_from_start, forget_after, learn, max_values, window, group_by, max_groups, for, clear, resolve_after, keep_firing_for, repeat_interval, level, severity, action, notify, playbook, labels, annotations, samples, mute",
        ),
        (
            "- pattern: x\n  threshold: 1",
            "line 1 column 3: `name` is missing",
        ),
        (
            "- {name: '', pattern: x, threshold: 1}",
            "line 1 column 10: a rule needs a name",
        ),
        (
            "- name: a\n  threshold: 1",
            "line 1 column 3: rule `a`: says neither `pattern` nor `match`; it would count every event",
        ),
        (
            "- {name: a, threshold: 1, pattern: ''}",
            "line 1 column 36: rule `a`: an empty pattern matches every event; say what to count",
        ),
        (
            "- name: a\n  pattern: '('\n  threshold: 1",
            "line 2 column 12: rule `a`: `pattern` is no regular expression",
        ),
        (
            "- {name: a, pattern: x}",
            "line 1 column 3: rule `a`: `threshold` is missing: how many events are too many, such as 10",
        ),
        (
            "- name: a\n  pattern: x\n  threshold: 0",
            "line 3 column 14: rule `a`: expected a count from 1 to 100000, or one per span: 10/1m, found `0`",
        ),
        (
            "- {name: a, pattern: x, threshold: -1}",
            "line 1 column 36: rule `a`: expected a count from 1 to 100000, or one per span: 10/1m, found `-1`",
        ),
        (
            "- {name: a, pattern: x, threshold: 100001}",
            "line 1 column 36: rule `a`: expected a count from 1 to 100000, or one per span: 10/1m, found `100001`",
        ),
        (
            "- {name: a, pattern: x, threshold: 10/1}",
            "line 1 column 36: rule `a`: expected a count from 1 to 100000, or one per span: 10/1m, found `10/1`",
        ),
        (
            "- {name: a, pattern: x, threshold: 10/0s}",
            "line 1 column 36: rule `a`: expected a count from 1 to 100000, or one per span: 10/1m, found `10/0s`",
        ),
        (
            "- {name: a, pattern: x, threshold: 10/1m, window: 2m}",
            "line 1 column 36: rule `a`: the window is said twice: in `threshold` and in `window`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, window: 30}",
            "line 1 column 47: rule `a`: expected a span of time with its unit, such as 30s or 1m30s, found `30`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, window: 31d}",
            "line 1 column 47: rule `a`: expected a span from 1ms to 30d, found `31d`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, level: loud}",
            "line 1 column 46: rule `a`: expected critical, error, warning or info (the level of events is `match: {level: …}`), found `loud`",
        ),
        (
            "- {name: a, match: {level: loud}, threshold: 1}",
            "line 1 column 28: rule `a`: expected a level: trace, debug, info, warn or error, or `>=` and one of them, found `loud`",
        ),
        (
            "- {name: a, match: {x: [1]}, threshold: 1}",
            "line 1 column 24: rule `a`: expected text, a number, true or false to compare the field with, found a list",
        ),
        (
            "- {name: a, match: 3, threshold: 1}",
            "line 1 column 20: rule `a`: expected a query, or a map of fields and what they must equal, found `3`",
        ),
        (
            "- name: a\n  match: 'level>=warm'\n  threshold: 1",
            "line 2 column 10: rule `a`: cannot read the query at column 8: unknown level `warm`, did you mean `warn`?",
        ),
        (
            "- {name: a, match: 'level=error | count', threshold: 1}",
            "line 1 column 20: rule `a`: a rule counts by itself: take away the pipe and what stands behind it",
        ),
        (
            "- {name: a, match: '*', threshold: 1}",
            "line 1 column 3: rule `a`: says neither `pattern` nor `match`; it would count every event",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, action: log, notify: log}",
            "line 1 column 60: rule `a`: `notify` is another word for `action`; say one of them",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, action: []}",
            "line 1 column 47: rule `a`: an empty list tells nobody; name a notifier, such as `log`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, action: [log, log]}",
            "line 1 column 53: rule `a`: `log` is named twice",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, lease: 1ms}}",
            "line 1 column 65: rule `a`: expected a lease from 100ms to 1d, found `1ms`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, cooldown: 2d}}",
            "line 1 column 68: rule `a`: expected a cooldown from 0s to 1d, found `2d`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, max_per_hour: 0}}",
            "line 1 column 72: rule `a`: expected a number of times an hour from 1 to 1000, found `0`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, dry_run: no}}",
            "line 1 column 67: rule `a`: expected true, or false to arm the playbook, found `no`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, dryrun: false}}",
            "line 1 column 58: rule `a`: unknown key `dryrun`; known are run, lease, cooldown, max_per_hour, dry_run, ttl, with",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, ttl: 50ms}}",
            "line 1 column 63: rule `a`: expected a time to live from 100ms to 1d, found `50ms`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, playbook: {run: p, with: {filter: 7}}}",
            "line 1 column 73: rule `a`: expected text, found `7`",
        ),
        (
            "playbooks:\n  p: {lease: 1m, max_per_hour: 1001}\nrules: []",
            "line 2 column 32: expected a number of times an hour from 1 to 1000, found `1001`",
        ),
        (
            "- {name: a, pattern: x, threshold: 1, labels: {severity: x}}",
            "line 1 column 58: rule `a`: the label `severity` is taken by the rule itself",
        ),
        (
            "- {name: a, pattern: x, threshold: 1}\n- {name: b, pattern: x, threshold: 1}\n- {name: a, pattern: y, threshold: 1}",
            "line 3 column 10: a rule named `a` stands above",
        ),
        (
            "rules: []\nrule: 1",
            "line 2 column 1: unknown key `rule`; known are version, defaults, notifiers, playbooks, rules, tests",
        ),
        (
            "version: 2\nrules: []",
            "line 1 column 10: expected version 1, found `2`",
        ),
        ("version: 1", "line 1 column 1: `rules` is missing"),
        ("rules: 3", "line 1 column 8: expected a list, found `3`"),
        ("text", "line 1 column 1: expected a map, found `text`"),
        (
            "notifiers: {log: {type: webhook}}\nrules: []",
            "line 1 column 18: notifier `log`: the name `log` is taken by the notifier that is always there",
        ),
        (
            "notifiers: {am: {type: pager}}\nrules: []",
            "line 1 column 24: notifier `am`: expected one of alertmanager, dingtalk, email, feishu, pagerduty, slack, teams, telegram, webhook, wecom, found `pager`",
        ),
        (
            "notifiers: {am: {type: webhook, url: 'http://${SECRET}'}}\nrules: []",
            "line 1 column 38: notifier `am`: the variable `SECRET` is not set, or variables were not passed in",
        ),
        (
            "- name: a\n  pattern: x\n  threshold: 1\n  action: pager",
            "line 4 column 11: rule `a`: its action `pager` is no notifier; known are `log`; register it with `.notifier(\"pager\", …)`, or declare it under `notifiers:`",
        ),
        (
            "- name: a\n  pattern: x\n  threshold: 1\n  playbook: {run: shed}",
            "line 4 column 19: rule `a`: its playbook `shed` is no playbook; known are none; register it with `.playbook(\"shed\", …)`",
        ),
        (
            "- {name: 支付, pattern: 失败, threshold: 0}",
            "line 1 column 38: rule `支付`: expected a count from 1 to 100000, or one per span: 10/1m, found `0`",
        ),
    ];
    for (yaml, what) in table {
        let error = refused(yaml);
        assert_eq!(
            error.to_string(),
            format!("cannot load the rules, {what}"),
            "{yaml}"
        );
        assert!(error.is_rules());
    }
}

#[test]
fn broken_yaml_and_repeated_keys_are_told_with_their_place() {
    for (yaml, line) in [
        ("rules:\n  - {name: a", 3),
        ("- {name: a}\n- name: b\n  name: c", 2),
        ("a: *b", 1),
        ("{name: a}\n---\n{name: b}", 1),
    ] {
        let error = refused(yaml);
        assert_eq!(error.line(), Some(line), "{yaml}: {error:?}");
        assert!(error.to_string().ends_with("the YAML is broken"), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reading_panic(text: String) {
        let _ = Rules::parse(&text);
    }

    #[test]
    fn a_damaged_file_loads_or_tells_where_it_is_broken(at: prop::sample::Index, with in "[-a-z0-9:{}\\[\\],'\"\n #&*!|>%@支]{0,3}") {
        let mut text: Vec<char> = WHOLE.chars().collect();
        let at = at.index(text.len());
        text.splice(at..=at, with.chars());
        let text: String = text.into_iter().collect();
        if let Err(error) = Rules::parse_with(&text, |_| Some("x".into())) {
            prop_assert!(error.is_rules());
            let lines = text.lines().count();
            // A file that ends too early is broken behind its last line.
            prop_assert!(error.line().is_some_and(|line| line <= lines + 2), "{error}");
        }
    }
}

const WHOLE: &str = "version: 1
defaults: {level: error, action: log, window: 1m}
notifiers:
  am: {type: webhook, url: 'http://${HOST}/hook', timeout: 5s}
playbooks:
  shed: {lease: 30s}
rules:
  - name: payments_fail
    match: {level: '>=warn', event: pay_failed, amount: 12.5}
    threshold: 5
    window: 30s
    resolve_after: 10s
    level: critical
    action: [am, log]
    playbook: shed
    labels: {team: 支付}
  - {name: HighErrorRate, pattern: 'ERROR.*\\[5xx\\]', threshold: 10/1m}
";

#[test]
fn a_file_is_named_in_its_errors() {
    let dir = std::env::temp_dir().join(format!("dogwatch-alert-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("rules.yaml");
    let missing = Rules::load(&path).unwrap_err();
    assert_eq!(
        missing.to_string(),
        format!(
            "cannot load the rules: cannot read the file `{}`",
            path.display()
        )
    );
    std::fs::write(&path, "- {name: a, pattern: x}").unwrap();
    let broken = Rules::load(&path).unwrap_err().to_string();
    assert!(
        broken.starts_with(&format!(
            "cannot load the rules of `{}`, line 1",
            path.display()
        )),
        "{broken}"
    );
    std::fs::write(
        &path,
        "- {name: a, pattern: x, threshold: 1, action: pager}",
    )
    .unwrap();
    let unknown = AlertLayer::builder(Rules::load(&path).unwrap())
        .spawn()
        .unwrap_err()
        .to_string();
    assert!(
        unknown.starts_with(&format!(
            "cannot load the rules of `{}`, line 1 column 47",
            path.display()
        )),
        "{unknown}"
    );
    std::fs::write(&path, "- {name: a, pattern: x, threshold: 1}").unwrap();
    assert_eq!(
        Rules::load(&path).unwrap().names().collect::<Vec<_>>(),
        ["a"]
    );
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_secret_in_a_url_is_shown_nowhere() {
    let yaml = "notifiers: {am: {type: webhook, url: 'http://user:${KEY}@127.0.0.1:9/${KEY}?t=${KEY}'}}\nrules: []";
    let rules = Rules::parse_with(yaml, |name| (name == "KEY").then(|| "hunter2".into())).unwrap();
    assert!(!format!("{rules:?}").contains("hunter2"));
    for url in [
        "hunter2",
        "ftp://hunter2@host/",
        "http://",
        "http://host:hunter2/",
    ] {
        let yaml = format!("notifiers: {{am: {{type: webhook, url: '{url}'}}}}\nrules: []");
        let error = AlertLayer::builder(Rules::parse(&yaml).unwrap())
            .spawn()
            .unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}
