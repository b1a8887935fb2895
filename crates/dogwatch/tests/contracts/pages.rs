//! The pages of a log, read over a socket: how it is, and what fires.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use dogwatch::alert::{Alert, NotifyError, State};
use dogwatch::{Config, Guard};
use serde_json::{Value, json};
use tracing_core::dispatcher;

use crate::{LONG, start};

/// Serves the pages of this log on a port of their own while `look` looks at them.
fn serving<T>(log: &Guard, look: impl FnOnce(SocketAddr) -> T) -> T {
    let pages = axum::Router::new()
        .route_service("/metrics", log.metrics_page())
        .route_service("/alerts", log.alerts_page());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async { axum::serve(listener, pages).await });
    look(address)
}

/// Head and body of an answer.
fn ask(address: SocketAddr, line: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn the_page_of_alerts_tells_what_fires_while_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "
- name: 支付失败
  match: {event: pay_failed}
  threshold: 2
  group_by: [tenant]
  clear: {match: {event: pay_ok}}
- {name: quiet, match: {event: never}, threshold: 1}
";
    let (dispatch, log) = start(Config::prod().rules_text(rules), dir.path());
    let alerts = log.alerts().unwrap().clone();
    let fail = |tenant| tracing::error!(event = "pay_failed", tenant, "付不了");
    serving(&log, |address| {
        let page = || -> Value { serde_json::from_str(&ask(address, "GET /alerts").1).unwrap() };
        assert_eq!(page()["alerts"], json!([]));
        dispatcher::with_default(&dispatch, || ["a", "a", "b"].map(fail));
        assert!(alerts.wait(LONG, |rules| rules[0].state == State::Firing));
        let shown = page();
        let [alert] = shown["alerts"].as_array().unwrap().as_slice() else {
            panic!("{shown}");
        };
        let keys = ["rule", "state", "count", "threshold", "labels"];
        let told: Vec<_> = keys.iter().map(|key| alert[key].clone()).collect();
        let want = json!(["支付失败", "firing", 2, 2, {"tenant": "a"}]);
        assert_eq!(Value::from(told), want);
        assert_eq!(alert["samples"].as_array().map(Vec::len), Some(2));
        let states: Vec<_> = shown["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| &rule["state"])
            .collect();
        assert_eq!(states, ["firing", "inactive"]);

        dispatcher::with_default(&dispatch, || {
            tracing::info!(event = "pay_ok", tenant = "a", "付了");
        });
        assert!(alerts.wait(LONG, |rules| rules[0].state == State::Resolved));
        assert_eq!(page()["alerts"], json!([]));
    });
    log.close(LONG).unwrap();
}

#[test]
fn a_page_is_kept_by_nobody_and_head_tells_its_length() {
    let dir = tempfile::tempdir().unwrap();
    let (_dispatch, log) = start(Config::prod(), dir.path());
    serving(&log, |address| {
        let (get, body) = ask(address, "GET /alerts");
        assert_eq!(body, r#"{"alerts":[],"rules":[]}"#);
        let (head, nothing) = ask(address, "HEAD /alerts");
        assert_eq!(nothing, "");
        for answer in [&get, &head] {
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            for line in [
                "content-type: application/json",
                "cache-control: no-store",
                "content-length: 24",
            ] {
                assert_eq!(answer.matches(line).count(), 1, "{line} in {answer}");
            }
        }
        let (post, _) = ask(address, "POST /alerts");
        assert!(post.starts_with("HTTP/1.1 405 "), "{post}");
        assert!(post.contains("allow: GET, HEAD"), "{post}");
        let (head, page) = ask(address, "GET /metrics");
        assert!(
            head.contains("content-type: text/plain; version=0.0.4"),
            "{head}"
        );
        assert!(page.contains("dogwatch_lines_written_total{"), "{page}");
    });
    log.close(LONG).unwrap();
}

/// Never takes what rule `b` has to say, and nobody but the file of dead letters hears of it.
fn choosy(alert: &Alert) -> Result<(), NotifyError> {
    match &*alert.rule {
        "b" => Err(NotifyError::permanent("not this one")),
        _ => Ok(()),
    }
}

#[test]
fn the_page_of_metrics_counts_what_each_rule_and_each_notifier_did() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "
- {name: a, match: {event: bad}, threshold: 2, group_by: [tenant], max_groups: 1, clear: {match: {event: good}}, action: choosy}
- {name: b, match: {event: bad}, threshold: 1/1h, action: [choosy, log]}
- {name: c, type: new_value, field: tenant, match: {event: bad}, action: log}
";
    let config = Config::prod()
        .rules_text(rules)
        .notifier("choosy", choosy)
        .dead_letters(dir.path().join("dead.jsonl"))
        .on_error(|_| ());
    let (dispatch, log) = start(config, dir.path());
    let metrics = log.metrics().clone();
    let alerts = log.alerts().unwrap().clone();
    dispatcher::with_default(&dispatch, || {
        for tenant in ["x", "y", "x"] {
            tracing::error!(event = "bad", tenant, "坏了");
        }
        assert!(alerts.wait(LONG, |rules| rules[0].firing == 2));
        let page = metrics.render(None).1;
        let firing = |rule| format!("dogwatch_alerts_firing{{rule=\"{rule}\"}} ");
        assert!(page.contains(&(firing("a") + "2\n")), "{page}");
        assert!(page.contains(&(firing("b") + "1\n")), "{page}");
        tracing::info!(event = "good", tenant = "x", "好了");
        assert!(alerts.wait(LONG, |rules| rules[0].firing == 1));
    });
    log.close(LONG).unwrap();
    let page = metrics.render(None).1;
    for line in [
        r#"dogwatch_alert_matches_total{rule="a"} 3"#,
        r#"dogwatch_alerts_fired_total{rule="a"} 2"#,
        r#"dogwatch_alerts_resolved_total{rule="a"} 1"#,
        r#"dogwatch_alerts_resolved_total{rule="b"} 0"#,
        r#"dogwatch_alerts_suppressed_total{rule="a",reason="overflowed"} 1"#,
        r#"dogwatch_alerts_suppressed_total{rule="a",reason="muted"} 0"#,
        r#"dogwatch_alerts_suppressed_total{rule="c",reason="learning"} 2"#,
        r#"dogwatch_alerts_suppressed_total{rule="c",reason="forgotten"} 0"#,
        r#"dogwatch_notifications_total{notifier="choosy",outcome="sent"} 3"#,
        r#"dogwatch_notifications_total{notifier="choosy",outcome="failed"} 1"#,
        r#"dogwatch_notifications_total{notifier="choosy",outcome="dropped"} 0"#,
        r#"dogwatch_notifications_total{notifier="choosy",outcome="coalesced"} 0"#,
        r#"dogwatch_notifications_total{notifier="choosy",outcome="suppressed"} 0"#,
        r#"dogwatch_notifications_total{notifier="log",outcome="sent"} 1"#,
        r#"dogwatch_notifications_digested_total{notifier="choosy"} 0"#,
        r#"dogwatch_dead_letters_total{notifier="choosy"} 1"#,
        r#"dogwatch_dead_letters_total{notifier="log"} 0"#,
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} in {page}");
    }
}
