//! A rule judges the event as the line shows it, and its playbook works the shed switch.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use dogwatch::Config;
use dogwatch::alert::{Alert, State};
use tracing_core::dispatcher;

use crate::{LONG, start};

/// Word for word as people write one.
const AS_WRITTEN: &str = r#"
- name: "HighErrorRate"
  pattern: "ERROR.*\\[5xx\\]"
  threshold: 10
  level: "critical"
  action: "send_alert_to_pagerduty"
"#;

#[tokio::test]
async fn a_rule_as_people_write_it_fires_on_failed_requests() {
    use axum::http::{Request, StatusCode};
    use tower::util::ServiceExt;

    let dir = tempfile::tempdir().unwrap();
    let sent: Arc<Mutex<Vec<Alert>>> = Arc::default();
    let keep = Arc::clone(&sent);
    let config = Config::prod().rules_text(AS_WRITTEN).notifier(
        "send_alert_to_pagerduty",
        move |alert: &Alert| {
            keep.lock().unwrap().push(alert.clone());
            Ok(())
        },
    );
    let (dispatch, log) = start(config, dir.path());
    let _default = dispatcher::set_default(&dispatch);
    let app = axum::Router::new()
        .route(
            "/",
            axum::routing::get(async || StatusCode::INTERNAL_SERVER_ERROR),
        )
        .layer(log.request_layer());
    for _ in 0..10 {
        let request = Request::get("/").body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    let alerts = log.alerts().unwrap().clone();
    assert!(alerts.wait(LONG, |states| states[0].state == State::Firing));
    log.close(LONG).unwrap();

    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 1);
    assert_eq!((&*sent[0].rule, sent[0].threshold), ("HighErrorRate", 10));
    assert_eq!(sent[0].trace_id.as_ref().map(|id| id.len()), Some(32));
    assert!(
        sent[0].samples[0].contains("[5xx]"),
        "{:?}",
        sent[0].samples
    );
}

#[test]
fn no_password_reaches_a_notifier() {
    let dir = tempfile::tempdir().unwrap();
    let sent: Arc<Mutex<Vec<Alert>>> = Arc::default();
    let keep = Arc::clone(&sent);
    let rules = "- {name: logins, match: {event: login_failed}, threshold: 1, action: keep}";
    let config = Config::prod()
        .rules_text(rules)
        .notifier("keep", move |alert: &Alert| {
            keep.lock().unwrap().push(alert.clone());
            Ok(())
        });
    let (dispatch, log) = start(config, dir.path());
    dispatcher::with_default(&dispatch, || {
        let span = tracing::info_span!("login", phone = "13800138000");
        span.in_scope(|| {
            tracing::warn!(
                event = "login_failed",
                password = "hunter2",
                user_id = 7,
                "密码错误"
            );
        });
    });
    log.close(LONG).unwrap();
    let told = format!("{:?}", sent.lock().unwrap());
    assert!(
        told.contains("密码错误") && told.contains("user_id"),
        "{told}"
    );
    let lines = crate::lines(dir.path()).concat();
    for secret in ["hunter2", "13800138000"] {
        assert!(!told.contains(secret), "{told}");
        assert!(!lines.contains(secret), "{lines}");
    }
}

#[test]
fn the_playbook_shed_works_the_guards_switch() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "
- name: pool
  match: {event: pool_timeout}
  threshold: 1
  action: log
  playbook: {run: degrade_route, lease: 60s, dry_run: false}
";
    let (dispatch, log) = start(Config::prod().rules_text(rules), dir.path());
    let switch = log.shed_switch();
    assert!(!switch.load(Ordering::Relaxed));
    dispatcher::with_default(&dispatch, || {
        tracing::error!(event = "pool_timeout", "池满了")
    });
    let alerts = log.alerts().unwrap().clone();
    assert!(alerts.wait(LONG, |states| states[0].state == State::Firing
        && switch.load(Ordering::Relaxed)));
    log.close(LONG).unwrap();
    assert!(
        !switch.load(Ordering::Relaxed),
        "the end of the process takes it back"
    );
}

#[test]
fn the_earlier_name_of_the_playbook_works_the_same_switch() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "
playbooks:
  shed: {lease: 60s, dry_run: false}
  degrade_route: {lease: 60s, dry_run: false}
rules:
- {name: old, match: {event: pool_timeout}, threshold: 1, playbook: shed, clear: {match: {event: old_is_well}}}
- {name: new, match: {event: pool_timeout}, threshold: 1/1h, playbook: degrade_route}
";
    let (dispatch, log) = start(Config::prod().rules_text(rules), dir.path());
    let switch = log.shed_switch();
    let alerts = log.alerts().unwrap().clone();
    dispatcher::with_default(&dispatch, || {
        tracing::error!(event = "pool_timeout", "池满了");
        assert!(alerts.wait(LONG, |states| switch.load(Ordering::Relaxed)
            && states.iter().all(|rule| rule.state == State::Firing)));
        tracing::info!(event = "old_is_well", "好了");
    });
    assert!(alerts.wait(LONG, |states| states[0].state == State::Resolved));
    assert!(
        switch.load(Ordering::Relaxed),
        "the other rule still holds it"
    );
    log.close(LONG).unwrap();
    let lines = crate::lines(dir.path()).concat();
    let told = |event: &str| lines.matches(event).count();
    assert_eq!(
        (told("playbook_applied"), told("playbook_reverted")),
        (1, 1)
    );
}

/// A notifier that never gets its alert away.
fn stuck() -> Config {
    let rules = "- {name: pool, match: {event: pool_timeout}, threshold: 1, action: stuck}";
    Config::prod()
        .rules_text(rules)
        .on_error(|_| ())
        .notifier("stuck", |_: &Alert| {
            Err(dogwatch::alert::NotifyError::retry("nobody answers"))
        })
}

#[test]
fn an_alert_that_cannot_be_sent_costs_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start(stuck(), dir.path());
    dispatcher::with_default(&dispatch, || {
        for n in 0..100 {
            tracing::error!(event = "pool_timeout", n, "池满了");
        }
    });
    log.close(std::time::Duration::from_secs(2))
        .expect("each line is written");
    assert_eq!(crate::lines(dir.path()).len(), 100);
}

#[test]
fn dropping_the_guard_ends_alerts_before_their_lines_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "
- name: pool
  match: {event: pool_timeout}
  threshold: 1
  action: log
  playbook: {run: degrade_route, lease: 60s, dry_run: false}
";
    let (dispatch, log) = start(Config::prod().rules_text(rules), dir.path());
    dispatcher::with_default(&dispatch, || {
        tracing::error!(event = "pool_timeout", "池满了")
    });
    let switch = log.shed_switch();
    let alerts = log.alerts().unwrap().clone();
    assert!(alerts.wait(LONG, |_| switch.load(Ordering::Relaxed)));
    drop(log);
    assert!(
        crate::lines(dir.path())
            .concat()
            .contains("playbook_reverted")
    );
}

/// Rules that raise `raised` while the pool is empty, with these keys of the playbook beside.
fn raising(keys: &str) -> Config {
    Config::prod().rules_text(format!(
        "
- name: pool
  match: {{event: pool_timeout}}
  threshold: 1/1h
  clear: {{match: {{event: pool_filled}}}}
  playbook: {{run: raise_log_level, with: {{filter: 'raised=debug'}}, cooldown: 0s, {keys}}}
"
    ))
}

/// Says what is written only while `raised` is raised.
fn say(when: &str) {
    tracing::debug!(target: "raised", "detail {when}");
    tracing::debug!(target: "elsewhere", "not asked for {when}");
}

#[test]
fn a_debug_line_appears_only_while_its_target_is_raised() {
    const RAISED: &str = "info,raised=debug";
    let dir = tempfile::tempdir().unwrap();
    let config = raising("lease: 60s, dry_run: false");
    let (dispatch, log) = crate::start_with(config, dir.path(), "info");
    let filter = log.filter().clone();
    let alerts = log.alerts().unwrap().clone();
    let becomes = |directives| alerts.wait(LONG, |_| filter.directives() == directives);
    dispatcher::with_default(&dispatch, || {
        say("before");
        tracing::error!(event = "pool_timeout", "池满了");
        assert!(becomes(RAISED));
        say("while it fires");
        tracing::info!(event = "pool_filled", "好了");
        assert!(becomes("info"), "resolved");
        say("after");
        tracing::error!(event = "pool_timeout", "池满了");
        assert!(becomes(RAISED));
        say("while it fires again");
        alerts.playbooks(false);
        assert!(becomes("info"), "the kill switch");
        assert!(alerts.wait(LONG, |_| {
            log.flush(LONG).is_ok() && is_told(dir.path(), "playbook_refused")
        }));
        say("while it may not");
        alerts.playbooks(true);
        assert!(becomes(RAISED));
    });
    log.close(LONG).unwrap();
    assert_eq!(filter.directives(), "info", "the end takes it back");

    let lines = crate::lines(dir.path());
    let said: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once("\"message\":\"detail "))
        .filter_map(|(_, rest)| rest.split_once('"'))
        .map(|(when, _)| when)
        .collect();
    assert_eq!(said, ["while it fires", "while it fires again"]);
    let lines = lines.concat();
    assert!(!lines.contains("not asked for"), "{lines}");
    let told = |event: &str| lines.matches(event).count();
    assert_eq!(
        (told("playbook_applied"), told("playbook_reverted")),
        (3, 3)
    );
    let with = r#""with":"filter=raised=debug""#;
    assert_eq!(told(with), 7, "the refusal too: {lines}");
    assert_eq!(told(r#""filter_from":"playbook""#), 6, "{lines}");
}

#[test]
fn a_raised_level_falls_back_by_itself_though_the_rule_still_fires() {
    let dir = tempfile::tempdir().unwrap();
    let config = raising("ttl: 100ms, dry_run: false");
    let (dispatch, log) = crate::start_with(config, dir.path(), "info");
    let (filter, alerts) = (log.filter().clone(), log.alerts().unwrap().clone());
    let (told, hear) = std::sync::mpsc::channel();
    dispatcher::with_default(&dispatch, || {
        tracing::error!(event = "pool_timeout", "池满了");
        // It may be raised and lowered before anybody looks: the log says what happened.
        assert!(alerts.wait(LONG, |states| {
            let _ = told.send(states[0].state);
            log.flush(LONG).is_ok() && is_told(dir.path(), "playbook_reverted")
        }));
        say("after its time");
    });
    assert_eq!(hear.try_iter().last(), Some(State::Firing));
    assert_eq!(filter.directives(), "info");
    log.close(LONG).unwrap();
    let lines = crate::lines(dir.path()).concat();
    assert!(lines.contains(r#""event":"playbook_applied""#), "{lines}");
    assert!(!lines.contains("after its time"), "{lines}");
}

fn is_told(dir: &std::path::Path, event: &str) -> bool {
    crate::lines(dir).concat().contains(event)
}

#[test]
fn a_level_that_would_be_raised_is_told_and_not_raised() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = crate::start_with(raising("lease: 60s"), dir.path(), "info");
    let filter = log.filter().clone();
    dispatcher::with_default(&dispatch, || {
        tracing::error!(event = "pool_timeout", "池满了");
        let alerts = log.alerts().unwrap();
        assert!(alerts.wait(LONG, |_| {
            log.flush(LONG).is_ok() && is_told(dir.path(), "playbook_dry_run")
        }));
        say("in a dry run");
    });
    log.close(LONG).unwrap();
    assert_eq!(filter.directives(), "info");
    let lines = crate::lines(dir.path()).concat();
    assert!(lines.contains(r#""would":"apply""#), "{lines}");
    assert!(!lines.contains("in a dry run"), "{lines}");
}

#[test]
fn a_filter_that_raises_nothing_is_an_error_at_start() {
    for (with, why) in [
        ("", "say what to log: `with: {filter: \"shop::pay=debug\"}`"),
        (
            "with: {filter: 'shop=loud'}",
            "`shop=loud` raises nothing; write a level or `target=level`, several with commas",
        ),
        (
            "with: {filter: debug, for: 10m}",
            "it has no setting `for`; it has `filter`",
        ),
    ] {
        let rules = format!(
            "- {{name: r, pattern: x, threshold: 1, playbook: {{run: raise_log_level, {with}}}}}"
        );
        let dir = tempfile::tempdir().unwrap();
        let config = Config::prod()
            .rules_text(rules)
            .file(dir.path().join("a.log"));
        let Err(error) = config.layers::<tracing_subscriber::Registry>() else {
            panic!("`{with}` starts");
        };
        let rules = std::error::Error::source(&error).unwrap();
        let what = "cannot load the rules, line 1 column 55: rule `r`: its playbook `raise_log_level` cannot be set up";
        assert_eq!(rules.to_string(), what);
        assert_eq!(rules.source().unwrap().to_string(), why);
    }
}
