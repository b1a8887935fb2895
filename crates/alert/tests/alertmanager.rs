//! The real Alertmanager, where it is installed: an alert stays active past its resolve time while it is re-sent, and
//! resolves exactly once; with two members, and with one of them down.
#![cfg(feature = "webhook")]

mod support;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use dogwatch_alert::{AlertGuard, AlertLayer};
use serde_json::Value;
use support::{BOUND, Request, fail, serve, start};

/// One member of a cluster.
struct Member {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Member {
    /// A member that tells `desk`, and knows the member at `peer`.
    fn start(desk: u16, cluster: u16, peer: Option<u16>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.yml");
        // A member that waits for the one before it must not wait longer than a group does: it would tell what was.
        let told = format!(
            "route: {{receiver: desk, group_by: [alertname], group_wait: 1ms, group_interval: 4s, repeat_interval: 1h}}\n\
             receivers: [{{name: desk, webhook_configs: [{{url: 'http://127.0.0.1:{desk}/', send_resolved: true}}]}}]\n"
        );
        std::fs::write(&config, told).unwrap();
        let port = free_port();
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", dir.path().display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--cluster.listen-address=127.0.0.1:{cluster}"))
            .arg(format!("--cluster.advertise-address=127.0.0.1:{cluster}"))
            .args([
                "--cluster.peer-timeout=1s",
                "--cluster.gossip-interval=50ms",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(peer) = peer {
            command.arg(format!("--cluster.peer=127.0.0.1:{peer}"));
        }
        let child = command.spawn().unwrap();
        let member = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _dir: dir,
        };
        member.until(|status| status["cluster"]["status"] == "ready");
        member
    }

    /// Asks until the answer is as wished: there is no other way to hear of it.
    fn until(&self, done: impl Fn(&Value) -> bool) {
        let end = Instant::now() + BOUND * 3;
        while !self.ask("status").is_some_and(|status| done(&status)) {
            assert!(Instant::now() < end, "{} is not ready", self.url);
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn ask(&self, what: &str) -> Option<Value> {
        let url = format!("{}/api/v2/{what}", self.url);
        let mut answer = ureq::get(url).call().ok()?;
        serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()
    }

    /// The names of the alerts that are active.
    fn active(&self) -> Vec<String> {
        let alerts = self.ask("alerts?active=true").unwrap();
        let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap().to_owned();
        alerts.as_array().unwrap().iter().map(name).collect()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[expect(clippy::print_stdout, reason = "a test that did not run says so")]
fn installed() -> bool {
    let started = Command::new(PROGRAM).arg("--version").output();
    let missing = matches!(started, Err(error) if error.kind() == ErrorKind::NotFound);
    if missing {
        println!("skipped: {PROGRAM} is not installed");
    }
    !missing
}

/// A rule whose alert is told again each second, so that Alertmanager's resolve time is four, and which resolves
/// after seven.
fn watch(rule: &str, urls: &[&str]) -> (AlertLayer, AlertGuard, Receiver<String>) {
    start(&format!(
        "notifiers: {{am: {{type: alertmanager, urls: {urls:?}, resend: 1s}}}}\n\
         rules: [{{name: {rule}, pattern: 支付, threshold: 1/100ms, resolve_after: 7s, action: am}}]"
    ))
}

/// The status and the rule of the next message at the desk.
fn next(desk: &Receiver<Request>, within: Duration) -> Result<(String, String), RecvTimeoutError> {
    let body = desk.recv_timeout(within)?.json();
    let alerts = body["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{body}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Ok((
        text(&body["status"]),
        text(&alerts[0]["labels"]["alertname"]),
    ))
}

/// Fires, is active longer than without re-sending it could be, resolves, and is told twice in all.
fn lives_and_ends_once(rule: &str, members: &[&Member], desk: &Receiver<Request>, urls: &[&str]) {
    let (layer, guard, told) = watch(rule, urls);
    fail(layer, 1);
    let message = |state: &str| Ok((state.to_owned(), rule.to_owned()));
    assert_eq!(next(desk, BOUND), message("firing"));
    // Its first `endsAt` goes by, and nobody says that it is over.
    let silence = next(desk, Duration::from_secs(5));
    assert_eq!(silence, Err(RecvTimeoutError::Timeout));
    for member in members {
        assert_eq!(member.active(), [rule]);
    }
    assert_eq!(next(desk, BOUND), message("resolved"));
    // It is told of again and again; the desk is not, an interval of its group later.
    let silence = next(desk, Duration::from_secs(6));
    assert_eq!(silence, Err(RecvTimeoutError::Timeout));
    for member in members {
        assert_eq!(member.active(), [""; 0]);
    }
    guard.alerts().close(BOUND).unwrap();
    assert_eq!(guard.alerts().deliveries().sent, 2);
    // One that is down is told of, and costs the others nothing.
    let told: Vec<String> = told.try_iter().collect();
    let down = urls.len() > members.len();
    let why = "it is not told again: the alert was not handed over everywhere";
    assert_eq!(
        told.first().is_some_and(|told| told.contains(why)),
        down,
        "{told:?}"
    );
}

#[test]
fn an_alert_lives_while_it_is_told_and_ends_once_with_two_members_and_with_one_down() {
    if !installed() {
        return;
    }
    let (desk, messages) = serve(|_, _| Some("200 OK|"));
    let clusters = (free_port(), free_port());
    let first = Member::start(desk, clusters.0, None);
    let second = Member::start(desk, clusters.1, Some(clusters.0));
    first.until(|status| status["cluster"]["peers"].as_array().map(Vec::len) == Some(2));
    let urls = [first.url.clone(), second.url.clone()];
    let urls = [urls[0].as_str(), urls[1].as_str()];
    lives_and_ends_once("支付失败", &[&first, &second], &messages, &urls);
    drop(second);
    lives_and_ends_once("one_is_down", &[&first], &messages, &urls);
}

const PROGRAM: &str = "prometheus-alertmanager";
