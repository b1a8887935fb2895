//! Posts to a real server on loopback: what arrives, what is tried again, what is given up.
#![cfg(feature = "webhook")]

mod support;

use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dogwatch_alert::{AlertGuard, AlertLayer, Rules, State};
use serde_json::Value;
use support::{BOUND, Request, fail, server};
use tracing::error;
use tracing_subscriber::prelude::*;

fn start(url: &str, rule: &str) -> (AlertLayer, AlertGuard, Receiver<String>) {
    support::start(&format!(
        "notifiers: {{am: {{type: webhook, url: '{url}', timeout: 2s}}}}\nrules: [{{name: 支付失败, {rule}, action: am}}]"
    ))
}

#[test]
fn firing_is_tried_until_it_arrives_and_resolved_follows_it() {
    let (port, requests) = server(&[
        "503 Service Unavailable\r\nretry-after: 0",
        "429 Too Many Requests\r\nretry-after: 0",
        "200 OK",
        "202 Accepted",
    ]);
    let url = format!("http://127.0.0.1:{port}/hook/t0ken?k=t0ken");
    let (layer, guard, told) = start(
        &url,
        "pattern: '\\[5xx\\]', threshold: 3/200ms, resolve_after: 1ms, level: critical",
    );
    fail(layer, 3);
    let requests: Vec<Request> = (0..4)
        .map(|_| requests.recv_timeout(BOUND).unwrap())
        .collect();
    for request in &requests {
        assert!(
            request
                .head
                .starts_with("POST /hook/t0ken?k=t0ken HTTP/1.1\r\n"),
            "{}",
            request.head
        );
        assert!(
            request
                .head
                .to_lowercase()
                .contains("content-type: application/json")
        );
    }
    assert_eq!(requests[0].body, requests[2].body, "tried again as it was");
    let firing: Value = serde_json::from_str(&requests[2].body).unwrap();
    let resolved: Value = serde_json::from_str(&requests[3].body).unwrap();
    assert_eq!(firing["status"], "firing");
    assert_eq!(firing["receiver"], "am");
    assert_eq!(firing["commonLabels"]["service"], "shop");
    assert_eq!(firing["alerts"][0]["labels"]["alertname"], "支付失败");
    let samples: Vec<String> = (0..3)
        .map(|n| format!("ERROR {}::support: 支付失败 [5xx] n={n}", module_path!()))
        .collect();
    assert_eq!(
        firing["alerts"][0]["annotations"]["samples"],
        samples.join("\n")
    );
    assert_eq!(resolved["status"], "resolved");
    assert_eq!(
        resolved["alerts"][0]["startsAt"],
        firing["alerts"][0]["startsAt"]
    );
    assert_eq!(
        resolved["alerts"][0]["fingerprint"],
        firing["alerts"][0]["fingerprint"]
    );
    guard.alerts().close(BOUND).unwrap();
    assert_eq!(guard.alerts().deliveries().sent, 2);
    let told = told.recv_timeout(BOUND).unwrap();
    assert_eq!(
        told,
        "cannot send an alert of `支付失败` to `am`, it is tried again: the alert could not be \
         handed over for now: `127.0.0.1` answered 503"
    );
}

#[test]
fn a_refusal_and_a_redirect_are_given_up_at_once() {
    for (answer, status) in [
        (&["400 Bad Request"], 400),
        (
            &["302 Found\r\nlocation: http://127.0.0.1:1/elsewhere"],
            302,
        ),
    ] as [(&'static [&'static str; 1], u16); 2]
    {
        let (port, requests) = server(answer);
        let (layer, guard, told) = start(
            &format!("http://127.0.0.1:{port}/"),
            "pattern: 支付, threshold: 1",
        );
        fail(layer, 1);
        requests.recv_timeout(BOUND).unwrap();
        let what = format!(
            "cannot send an alert of `支付失败` to `am`, it is given up: the alert was refused: \
             `127.0.0.1` answered {status}"
        );
        assert_eq!(told.recv_timeout(BOUND).unwrap(), what);
        guard.alerts().close(BOUND).unwrap();
        assert_eq!(guard.alerts().deliveries().failed, 1);
    }
}

#[test]
fn a_server_that_is_not_there_costs_the_application_nothing_and_the_end_its_timeout() {
    // Bound and closed again: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (layer, guard, told) = start(
        &format!("http://user:s3cret@127.0.0.1:{port}/s3cret"),
        "pattern: 支付, threshold: 1",
    );
    fail(layer, 1);
    let told = told.recv_timeout(BOUND).unwrap();
    assert!(told.contains("it is tried again"), "{told}");
    assert!(told.contains("cannot post to `127.0.0.1`"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
    assert_eq!(guard.alerts().states()[0].state, State::Firing);
    assert!(guard.alerts().close(Duration::from_millis(100)).is_err());
    assert_eq!(guard.alerts().deliveries().pending, 1);
}

#[test]
fn a_server_that_never_answers_is_left_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let yaml = format!(
        "notifiers: {{am: {{type: webhook, url: 'http://127.0.0.1:{port}/', timeout: 50ms}}}}\nrules: [{{name: r, pattern: x, threshold: 1, action: am}}]"
    );
    let (sender, told) = channel();
    let (layer, guard) = AlertLayer::builder(Rules::parse(&yaml).unwrap())
        .on_error(move |error| {
            let cause = std::error::Error::source(error).and_then(|cause| cause.source());
            let _ = sender.send(cause.map(ToString::to_string));
        })
        .spawn()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || error!("x"));
    let why = told.recv_timeout(BOUND).unwrap();
    assert_eq!(
        why.as_deref(),
        Some("cannot post to `127.0.0.1`: the time-out ran out")
    );
    assert!(guard.alerts().close(Duration::from_millis(100)).is_err());
}

#[test]
fn https_works_with_its_feature_and_says_so_without() {
    let webhook = dogwatch_alert::Webhook::new("https://s3cret@hooks.example/s3cret");
    if cfg!(feature = "tls") {
        assert_eq!(
            format!("{:?}", webhook.unwrap()),
            "Webhook { host: \"hooks.example\", receiver: \"webhook\" }"
        );
    } else {
        let what = "cannot use the webhook at `hooks.example`: https needs the feature `tls` of dogwatch-alert";
        assert_eq!(webhook.unwrap_err().to_string(), what);
    }
}

#[test]
fn any_text_names_a_notifier() {
    let yaml = "- {name: r, pattern: x, threshold: 1, action: \"a\\0支\"}";
    let (layer, guard) = AlertLayer::builder(Rules::parse(yaml).unwrap())
        .notifier("a\0支", |_: &dogwatch_alert::Alert| Ok(()))
        .spawn()
        .unwrap();
    fail(layer, 0);
    guard.close(BOUND).unwrap();
}

#[test]
fn a_signed_request_keeps_its_id_over_tries_and_its_secret_to_itself() {
    let (port, requests) = server(&["500 No\r\nretry-after: 0", "200 OK", "200 OK"]);
    let yaml = format!(
        "notifiers: {{am: {{type: webhook, url: 'http://127.0.0.1:{port}/', secret: 'whsec_c2VjcmV0', headers: {{authorization: Bearer t0ken}}}}}}\n\
         rules: [{{name: r, pattern: 支付, threshold: 1/100ms, resolve_after: 1ms, action: am}}]"
    );
    let rules = Rules::parse(&yaml).unwrap();
    let shown = format!("{rules:?}");
    assert!(
        !shown.contains("t0ken") && !shown.contains("c2VjcmV0"),
        "{shown}"
    );
    let (layer, guard, _told) = support::start(&yaml);
    fail(layer, 1);
    let sent: Vec<Request> = (0..3)
        .map(|_| requests.recv_timeout(BOUND).unwrap())
        .collect();
    let id = |at: usize| sent[at].header("webhook-id").unwrap();
    assert_eq!(id(0), id(1));
    assert_ne!(id(1), id(2), "resolved is another message");
    for request in &sent {
        let signature = request.header("webhook-signature").unwrap();
        assert!(
            signature.starts_with("v1,") && signature.len() == 47,
            "{signature}"
        );
        assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
        assert!(
            request
                .header("webhook-timestamp")
                .unwrap()
                .parse::<u64>()
                .unwrap()
                > 1_700_000_000
        );
    }
    guard.close(BOUND).unwrap();
}

#[test]
fn what_nobody_takes_is_a_line_in_the_file_of_dead_letters() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("dead.jsonl");
    let (port, requests) = server(&["410 Gone"]);
    let secret = dir.path().join("url");
    std::fs::write(&secret, format!("http://127.0.0.1:{port}/s3cret\n")).unwrap();
    let yaml = format!(
        "notifiers: {{am: {{type: webhook, url: '${{file:{}}}'}}}}\nrules: [{{name: r, pattern: 支付, threshold: 1, action: am}}]",
        secret.display()
    );
    let (layer, guard) = AlertLayer::builder(Rules::parse(&yaml).unwrap())
        .on_error(|_| {})
        .dead_letters(&path)
        .spawn()
        .unwrap();
    fail(layer, 1);
    assert!(
        requests
            .recv_timeout(BOUND)
            .unwrap()
            .head
            .starts_with("POST /s3cret ")
    );
    guard.close(BOUND).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let letter: Value = serde_json::from_str(text.trim_end()).unwrap();
    assert_eq!(
        letter["why"],
        "cannot send an alert of `r` to `am`, it is given up"
    );
    assert_eq!(letter["alert"]["labels"]["alertname"], "r");
    assert!(!text.contains("s3cret"), "{text}");
}
