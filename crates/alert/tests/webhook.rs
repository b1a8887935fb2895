//! Posts to a real server on loopback: what arrives, what is tried again, what is given up.
#![cfg(feature = "webhook")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dogwatch_alert::{AlertGuard, AlertLayer, Rules, State};
use serde_json::Value;
use tracing::error;
use tracing_subscriber::prelude::*;

const BOUND: Duration = Duration::from_secs(20);

/// What one request was.
struct Request {
    head: String,
    body: String,
}

/// Answers each request with the next of these, and hands the requests on. The port stays open
/// until the answers are used up.
fn server(answers: &'static [&'static str]) -> (u16, Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0);
            }
            let length = head.to_lowercase();
            let length = length
                .split("content-length: ")
                .nth(1)
                .unwrap()
                .lines()
                .next()
                .unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            sender
                .send(Request {
                    head,
                    body: String::from_utf8(body).unwrap(),
                })
                .unwrap();
            let answer =
                format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (port, requests)
}

fn start(url: &str, rule: &str) -> (AlertLayer, AlertGuard, Receiver<String>) {
    let yaml = format!(
        "notifiers: {{am: {{type: webhook, url: '{url}', timeout: 2s}}}}\nrules: [{{name: 支付失败, {rule}, action: am}}]"
    );
    let (sender, told) = channel();
    let (layer, guard) = AlertLayer::builder(Rules::parse(&yaml).unwrap())
        .field("service", "shop")
        .on_error(move |error| {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            // After the test nobody listens.
            let _ = sender.send(text);
        })
        .spawn()
        .unwrap();
    (layer, guard, told)
}

fn fail(layer: AlertLayer, times: usize) {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..times).for_each(|n| error!(n, "支付失败 [5xx]"));
    });
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
        .map(|n| format!("ERROR {}: 支付失败 [5xx] n={n}", module_path!()))
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
