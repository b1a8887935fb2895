//! Lets the real Alertmanager hear of one storm of the shop: each alert stands there while it fires, and ends once.
//!
//! It needs Debian's `prometheus-alertmanager` on the `PATH`, started here on a port of its own. Not part of
//! `cargo test`: `cargo test -p mini-program --test alertmanager -- --nocapture`.
#![expect(clippy::print_stdout, reason = "it reports what it found")]

#[path = "prometheus/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use server::{Server, installed};

#[test]
fn each_alert_of_the_storm_stands_at_alertmanager_and_ends_there() {
    if !installed(PROGRAM) {
        println!("skipped: {PROGRAM} not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (desk, messages) = desk();
    let config = dir.path().join("config.yml");
    // Each alert is a group of its own and told at once, its end within a second.
    let text = format!(
        "route: {{receiver: desk, group_by: ['...'], group_wait: 1ms, group_interval: 1s, repeat_interval: 1h}}\n\
         receivers: [{{name: desk, webhook_configs: [{{url: 'http://127.0.0.1:{desk}/', send_resolved: true}}]}}]\n"
    );
    fs::write(&config, text).unwrap();
    let options = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", dir.path().display()),
        "--cluster.listen-address=".to_owned(),
    ];
    let alertmanager = Server::start(PROGRAM, &options, "Listening on");
    let logs = dir.path().join("logs");
    let shop = Command::new(env!("CARGO_BIN_EXE_mini-program"))
        .env_clear()
        .args(["--seconds", "12", "--port", "0", "--alertmanager"])
        .arg(format!("http://{}", alertmanager.address))
        .arg("--logs")
        .arg(&logs)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let hear = |told: &mut BTreeMap<String, Vec<Value>>| {
        let body = messages.recv_timeout(PATIENCE).expect("a message in time");
        for alert in body["alerts"].as_array().unwrap() {
            told.entry(name(alert)).or_default().push(alert.clone());
        }
    };
    let is_rule = |told: &Vec<Value>| told[0]["labels"]["alertname"] == RULE;
    while !told.values().any(is_rule) {
        hear(&mut told);
    }
    stands(&alertmanager.address);
    let output = shop.wait_with_output().unwrap();
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{screen}{output:?}");

    let pages = fs::read_to_string(logs.join("alerts.jsonl")).unwrap();
    let mut own: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for body in pages.lines() {
        let body: Value = serde_json::from_str(body).unwrap();
        for alert in body["alerts"].as_array().unwrap() {
            own.entry(name(alert)).or_default().push(alert.clone());
        }
    }
    let whole = |told: &BTreeMap<String, Vec<Value>>| {
        let over = |told: &Vec<Value>| told.last().is_some_and(|last| last["status"] == "resolved");
        own.keys().all(|name| told.get(name).is_some_and(over))
    };
    while !whole(&told) {
        hear(&mut told);
    }
    assert!(own.len() >= 4, "{own:#?}");
    assert_eq!(
        told.keys().collect::<Vec<_>>(),
        own.keys().collect::<Vec<_>>()
    );
    for (name, told) in &told {
        let states: Vec<_> = told.iter().map(|alert| &alert["status"]).collect();
        assert_eq!(
            states,
            ["firing", "resolved"].repeat(states.len() / 2),
            "{name}"
        );
        let (at_desk, at_am) = (own[name].last().unwrap(), told.last().unwrap());
        assert_eq!(at_am["annotations"], at_desk["annotations"], "{name}");
        println!("{name}: {} messages, the last says resolved", told.len());
    }
    let left = get(&alertmanager.address, "/api/v2/alerts?active=true");
    assert_eq!(left, Value::Array(Vec::new()));
}

/// The rule is an active alert there, with what it is and on which evidence.
fn stands(address: &str) {
    let active = get(address, "/api/v2/alerts?active=true");
    let alerts = active.as_array().unwrap();
    let ours = alerts
        .iter()
        .find(|alert| alert["labels"]["alertname"] == RULE);
    let ours = ours.unwrap_or_else(|| panic!("no {RULE} in {active:#}"));
    assert_eq!(ours["status"]["state"], "active");
    let labels = &ours["labels"];
    assert_eq!(
        (&labels["severity"], &labels["service"]),
        (&"critical".into(), &"shop".into())
    );
    let note = |name: &str| ours["annotations"][name].as_str().unwrap_or_default();
    assert_eq!(
        (note("threshold"), note("window")),
        ("10", "5s"),
        "{ours:#}"
    );
    assert!(note("samples").contains("[5xx]"), "{ours:#}");
    assert_eq!(note("trace_id").len(), 32, "{ours:#}");
}

/// What names an alert: all its labels.
fn name(alert: &Value) -> String {
    let labels = alert["labels"].as_object().unwrap().iter();
    let labels: BTreeMap<_, _> = labels.map(|(key, value)| (key, value.as_str())).collect();
    format!("{labels:?}")
}

/// A receiver of webhooks on a free port; each body that it is told, in order.
fn desk() -> (u16, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, bodies) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            // Alertmanager keeps its connections.
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(body) = body(&mut stream) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                    if sender.send(body).is_err() || stream.get_mut().write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (port, bodies)
}

/// The body of the next request on a connection; none at its end.
fn body(stream: &mut BufReader<TcpStream>) -> Option<Value> {
    let (mut length, mut line) = (0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

fn get(address: &str, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    // Of version 1.0, so that the body comes in one piece and ends with the connection.
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

const PROGRAM: &str = "prometheus-alertmanager";
/// The rule that the storm sets off.
const RULE: &str = "HighErrorRate";
/// A bound, not a wait.
const PATIENCE: Duration = Duration::from_secs(60);
