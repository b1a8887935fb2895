//! Runs the main job as its operator would, with and without the playbook, and holds it to its word.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use dogwatch::alert::{Alert, Replay, Rules};
use dogwatch_line::{Line, Value};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use tempfile::TempDir;

#[path = "../src/people.rs"]
#[expect(
    dead_code,
    reason = "the shop uses more of a person than this test does"
)]
mod people;

#[test]
fn the_summary_adds_up() {
    let run = &runs().0;
    let figure = |name: &str| run.figures[name];
    assert_eq!(figure("lines_dropped"), 0, "{run}");
    assert_eq!(figure("closing_lines"), figure("requests"), "{run}");
    assert_eq!(figure("lines_in_files"), figure("lines_written"), "{run}");
    assert_eq!(
        figure("traces_complete"),
        figure("payments_settled"),
        "{run}"
    );
    assert_eq!(figure("alerts_resolved"), figure("alerts_fired"), "{run}");
    assert!(figure("files") >= 3, "{run}");
    assert!(figure("payments_settled") >= 20, "{run}");
    assert!(figure("alerts_fired") >= 1, "{run}");
    assert!(figure("degraded_requests") >= 1, "{run}");
}

#[test]
fn the_summary_says_what_the_files_say() {
    for run in [&runs().0, &runs().1] {
        let closing = run.count(|line| text(line, "target") == "dogwatch::request");
        let shed = run.count(|line| text(line, "outcome") == "shed");
        assert_eq!(
            run.figures["lines_in_files"],
            run.lines.len() as u64,
            "{run}"
        );
        assert_eq!(run.figures["closing_lines"], closing, "{run}");
        assert_eq!(run.figures["degraded_requests"], shed, "{run}");
        assert_eq!(
            run.figures["traces_complete"],
            run.whole_payments().len() as u64,
            "{run}"
        );
        let files = fs::read_dir(run.dir.path()).unwrap();
        let names: BTreeSet<_> = files.map(|file| name(&file.unwrap())).collect();
        let logs: Vec<_> = names.iter().filter(|name| is_log(name)).collect();
        assert_eq!(run.figures["files"], logs.len() as u64, "{run}");
        // Each that was rolled has its index, for searches to skip it.
        for rolled in logs.into_iter().filter(|name| *name != "shop.log") {
            assert!(names.contains(&format!("{rolled}.idx")), "{names:#?}");
        }
    }
}

#[test]
fn degrading_saves_orders_and_without_it_the_alert_still_comes_and_goes() {
    let (with, without) = runs();
    assert!(
        with.figures["orders_ok_in_storm"] > without.figures["orders_ok_in_storm"],
        "{with}{without}"
    );
    assert_eq!(without.figures["degraded_requests"], 0, "{without}");
    assert!(without.figures["alerts_fired"] >= 1, "{without}");
    assert_eq!(
        without.figures["alerts_fired"], without.figures["alerts_resolved"],
        "{without}"
    );
    assert_eq!(
        without.figures["closing_lines"], without.figures["requests"],
        "{without}"
    );
}

#[test]
fn every_business_event_is_told_and_payments_carry_their_amount() {
    let run = &runs().0;
    let mut told = BTreeSet::new();
    for line in &run.lines {
        let line = Line::parse(line).unwrap();
        let event = text(&line, "event");
        if event.starts_with("pay_") || ["ledger_updated", "status_notified"].contains(&&*event) {
            for field in ["order_id", "amount"] {
                assert!(
                    matches!(line.field(field), Some(Value::I64(1..))),
                    "{}",
                    line.as_str()
                );
            }
            assert_eq!(text(&line, "currency"), "CNY", "{}", line.as_str());
        }
        told.insert(event);
    }
    let missing: Vec<_> = EVENTS
        .iter()
        .filter(|event| !told.contains(**event))
        .collect();
    assert!(
        missing.is_empty(),
        "nobody told {missing:?}; told were {told:?}"
    );
    let hashed = |line: &Line<'_>| {
        text(line, "event") == "password_checked"
            && matches!(line.field("hash_ms"), Some(Value::F64(ms)) if ms > 0.0)
    };
    assert!(run.count(hashed) > 0);
    assert!(run.count(|line| text(line, "price").starts_with('￥')) > 0);
}

#[test]
fn a_settled_payment_is_one_tree_of_spans_from_the_shop_to_the_channel() {
    let run = &runs().0;
    let mut traces: BTreeMap<String, Vec<(String, String, bool)>> = BTreeMap::new();
    for line in &run.lines {
        let line = Line::parse(line).unwrap();
        let (trace, span) = (text(&line, "trace_id"), text(&line, "span_id"));
        let parent = text(&line, "parent_span_id");
        let channel = text(&line, "peer") == "channel";
        traces
            .entry(trace)
            .or_default()
            .push((span, parent, channel));
    }
    let mut seen = 0;
    for trace in run.whole_payments() {
        let lines = &traces[&trace];
        assert!(
            lines.iter().any(|(.., channel)| *channel),
            "no line of the channel in {trace}"
        );
        let spans: BTreeSet<_> = lines.iter().map(|(span, ..)| span).collect();
        let above: BTreeSet<_> = lines.iter().map(|(_, parent, _)| parent).collect();
        // All that the log does not know is the span of the visitor, who sent the trace.
        let outside: Vec<_> = above.difference(&spans).collect();
        assert_eq!(outside.len(), 1, "{trace} hangs on {outside:?}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn only_what_the_storm_broke_answers_500() {
    for run in [&runs().0, &runs().1] {
        let odd = |line: &Line<'_>| {
            line.field("status") == Some(Value::I64(500))
                && text(line, "target") == "dogwatch::request"
                && text(line, "route") != "/api/recommend"
        };
        assert_eq!(run.count(odd), 0, "{run}");
    }
}

#[test]
fn no_secret_stands_in_a_log_or_in_an_alert() {
    for run in [&runs().0, &runs().1] {
        let alerts = run.file("alerts.jsonl");
        let all = run.lines.iter().map(String::as_str).chain(alerts.lines());
        // What platform codes and JWTs begin with; no other text here has it.
        let mut secrets = vec!["js-".to_owned(), "eyJ".to_owned()];
        for person in (1..=people::PEOPLE).map(people::person) {
            secrets.extend([person.phone, person.password]);
        }
        for line in all {
            let leaked = secrets.iter().find(|secret| line.contains(secret.as_str()));
            assert_eq!(leaked, None, "{line}");
        }
        // The secrets were there to leak: each was logged, and masked.
        for field in ["phone", "js_code", "token"] {
            assert!(
                run.count(|line| text(line, field) == "***") > 0,
                "`{field}` was never logged"
            );
        }
        assert!(alerts.contains("phone=***"), "{alerts}");
    }
}

#[test]
fn a_backtest_of_the_files_fires_and_resolves_as_the_process_did() {
    let rules = include_str!("../rules.yaml");
    for (run, playbook) in [(&runs().0, true), (&runs().1, false)] {
        let mut replay = Replay::new(&Rules::parse(rules).unwrap());
        let mut later = Vec::new();
        for line in &run.lines {
            replay.line(line, &mut |alert| later.extend(Firing::replayed(alert)));
        }
        let mut live: Vec<_> = run.pages().iter().filter_map(Firing::told).collect();
        live.sort();
        later.sort();
        assert_eq!(run.pages().len(), 2 * live.len(), "{live:#?}{run}");
        assert_eq!(live.len() as u64, run.figures["alerts_fired"], "{run}");
        let names = |firings: &[Firing]| -> Vec<_> {
            let name = |one: &Firing| (one.rule.clone(), one.labels.clone());
            firings.iter().map(name).collect()
        };
        assert_eq!(names(&live), names(&later), "{live:#?}{later:#?}{run}");
        for (live, later) in live.iter().zip(&later) {
            assert!(live.is_near(later), "{live:#?}{later:#?}");
        }
        // Rules of every type here had their say.
        let fired: BTreeSet<_> = live.iter().map(|one| one.rule.as_str()).collect();
        for rule in ["HighErrorRate", "NewError", "PasswordGuessing"] {
            assert!(fired.contains(rule), "{fired:?}{run}");
        }
        assert!(
            !playbook || fired.contains("PaymentsFailing"),
            "{fired:?}{run}"
        );
        // Which events count is no question of time: to the last one.
        let page = run.file("metrics.txt");
        for report in replay.rules() {
            let row = format!("dogwatch_alert_matches_total{{rule=\"{}\"", report.rule);
            let row = page.lines().find(|line| line.starts_with(&row));
            let count = row.and_then(|row| row.rsplit(' ').next()?.parse().ok());
            assert_eq!(count, Some(report.matched), "{}: {page}", report.rule);
        }
    }
}

#[test]
fn the_histogram_counts_what_the_lines_count() {
    for run in [&runs().0, &runs().1] {
        let page = run.file("metrics.txt");
        let counts = page
            .lines()
            .filter(|line| line.starts_with("http_server_request_duration_seconds_count"));
        let counts: Vec<f64> = counts
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(counts.len() > 5, "{page}");
        assert_eq!(
            counts.iter().sum::<f64>(),
            run.figures["closing_lines"] as f64,
            "{page}"
        );
    }
}

#[test]
fn the_card_shows_the_incident_and_a_failed_payment_in_order() {
    let run = &runs().0;
    for row in [
        "rule ",
        "count ",
        "first bad ",
        "sample ",
        "time to alert ",
        "failed payment ",
    ] {
        assert!(
            run.screen.contains(&format!("\n  {row}")),
            "no `{row}`: {run}"
        );
    }
    let after = |label: &str| {
        let row = run
            .screen
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        row.and_then(|row| row.trim().split(' ').next()?.parse::<f64>().ok())
            .unwrap_or_else(|| panic!("no `{label}`: {run}"))
    };
    let (alert, degrade) = (after("time to alert"), after("time to degrade"));
    let resolve = after("time to resolve");
    assert!(alert < resolve && degrade < resolve, "{run}");
    let place = |what: &str| {
        run.screen
            .find(what)
            .unwrap_or_else(|| panic!("no {what}: {run}"))
    };
    assert!(place("order_created") < place("pay_started"), "{run}");
    assert!(place("pay_started") < place("pay_requested"), "{run}");
    assert!(place("pay_requested") < place("pay_failed"), "{run}");
}

#[test]
fn health_checks_and_scrapes_are_answered_and_not_logged() {
    let run = &runs().0;
    let [health, text_page, open_metrics, _] = &run.asked;
    assert!(
        health.starts_with("HTTP/1.1 200") && health.ends_with("ok"),
        "{health}"
    );
    assert!(
        text_page.contains("content-type: text/plain; version=0.0.4"),
        "{text_page}"
    );
    assert!(
        open_metrics.contains("content-type: application/openmetrics-text"),
        "{open_metrics}"
    );
    assert!(open_metrics.trim_end().ends_with("# EOF"), "{open_metrics}");
    for path in ["/healthz", "/metrics", "/alerts"] {
        assert_eq!(run.count(|line| text(line, "path") == path), 0, "{path}");
    }
}

#[test]
fn the_page_of_alerts_says_how_each_rule_stands() {
    let [.., alerts] = &runs().0.asked;
    for part in [
        "content-type: application/json",
        "cache-control: no-store",
        r#""alerts":[]"#,
        r#""rule":"HighErrorRate""#,
        r#""rule":"数据库变慢""#,
    ] {
        assert!(alerts.contains(part), "{part} in {alerts}");
    }
}

#[test]
fn a_word_that_it_does_not_know_ends_it_at_once() {
    let output = program().args(["--rate", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let want = "mini-program: --rate takes a whole number from 3 to 40, not `0`\n";
    assert_eq!(stderr, want);
}

#[cfg(unix)]
#[test]
fn without_traffic_it_serves_until_it_is_told_to_stop() {
    let running = Running::start(&["--no-traffic"]);
    let goods = get(&running.shop, "/api/products", "*/*");
    assert!(
        goods.starts_with("HTTP/1.1 200") && goods.contains("西湖龙井"),
        "{goods}"
    );
    running.tell_to_stop();
    let run = running.finish();
    assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run}");
    assert_eq!(run.figures["closing_lines"], 1, "{run}");
    assert_eq!(
        run.figures["lines_in_files"], run.figures["lines_written"],
        "{run}"
    );
}

#[cfg(unix)]
#[test]
fn stopped_in_the_storm_it_says_so_and_still_writes_every_line() {
    let mut running = Running::start(&["--seconds", "12"]);
    while !running.shown.contains("\nstorm: ") {
        assert_ne!(
            running.screen.read_line(&mut running.shown).unwrap(),
            0,
            "{}",
            running.shown
        );
    }
    running.tell_to_stop();
    let run = running.finish();
    let want = "mini-program: stopped before the end of the story\n";
    assert_eq!((run.code, &*run.stderr), (Some(1), want), "{run}");
    assert_eq!(
        run.figures["lines_in_files"], run.figures["lines_written"],
        "{run}"
    );
    assert_eq!(run.figures["lines_dropped"], 0, "{run}");
}

/// The same seed with and without the playbook, run once for all tests, side by side.
fn runs() -> &'static (Run, Run) {
    static RUNS: OnceLock<(Run, Run)> = OnceLock::new();
    RUNS.get_or_init(|| {
        let with = Running::start(&["--seconds", "16"]);
        let without = Running::start(&["--seconds", "16", "--no-playbook"]);
        let (with, without) = (with.finish(), without.finish());
        for run in [&with, &without] {
            assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{run}");
        }
        (with, without)
    })
}

/// A run under way.
struct Running {
    dir: TempDir,
    child: Child,
    screen: BufReader<ChildStdout>,
    shown: String,
    /// The shop's host and port.
    shop: String,
    asked: [String; 4],
}

impl Running {
    fn start(words: &[&str]) -> Running {
        let dir = tempfile::tempdir().unwrap();
        let mut child = program()
            .args(["--seed", "7", "--port", "0", "--logs"])
            .arg(dir.path())
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut screen = BufReader::new(child.stdout.take().unwrap());
        let mut shown = String::new();
        screen.read_line(&mut shown).unwrap();
        let url = shown
            .split("http://")
            .nth(1)
            .unwrap_or_else(|| panic!("no address: {shown}"));
        let shop = url.split('/').next().unwrap().to_owned();
        let open_metrics = "application/openmetrics-text; version=1.0.0";
        let asked = [
            ("/healthz", "*/*"),
            ("/metrics", "*/*"),
            ("/metrics", open_metrics),
            ("/alerts", "*/*"),
        ];
        let asked = asked.map(|(path, accept)| get(&shop, path, accept));
        Running {
            dir,
            child,
            screen,
            shown,
            shop,
            asked,
        }
    }

    #[cfg(unix)]
    fn tell_to_stop(&self) {
        let process = self.child.id().to_string();
        let told = Command::new("kill")
            .args(["-TERM", &process])
            .status()
            .unwrap();
        assert!(told.success());
    }

    fn finish(mut self) -> Run {
        self.screen.read_to_string(&mut self.shown).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let figure = |line: &str| {
            let (key, value) = line.split_once(": ")?;
            Some((key.to_owned(), value.parse().ok()?))
        };
        Run {
            code: output.status.code(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            figures: self.shown.lines().filter_map(figure).collect(),
            lines: lines(self.dir.path()),
            dir: self.dir,
            screen: self.shown,
            asked: self.asked,
        }
    }
}

/// A run that is over.
struct Run {
    code: Option<i32>,
    stderr: String,
    screen: String,
    figures: BTreeMap<String, u64>,
    /// What `/healthz`, `/metrics`, `/metrics` as OpenMetrics and `/alerts` answered meanwhile.
    asked: [String; 4],
    lines: Vec<String>,
    dir: TempDir,
}

impl Run {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// Every alert that the desk was told of, as it was told.
    fn pages(&self) -> Vec<Json> {
        let bodies = self.file("alerts.jsonl");
        let bodies = bodies
            .lines()
            .map(|body| -> Json { serde_json::from_str(body).unwrap() });
        bodies
            .flat_map(|body| body["alerts"].as_array().unwrap().clone())
            .collect()
    }

    fn count(&self, counts: impl Fn(&Line<'_>) -> bool) -> u64 {
        let lines = self.lines.iter().map(|line| Line::parse(line).expect(line));
        lines.filter(|line| counts(line)).count() as u64
    }

    /// Traces that hold every step of a payment, in order.
    fn whole_payments(&self) -> Vec<String> {
        let mut traces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in &self.lines {
            let line = Line::parse(line).unwrap();
            let (trace, event) = (text(&line, "trace_id"), text(&line, "event"));
            if PAYMENT.contains(&&*event) {
                traces.entry(trace).or_default().push(event);
            }
        }
        traces.retain(|_, steps| {
            let mut steps = steps.iter();
            PAYMENT.iter().all(|step| steps.any(|told| told == step))
        });
        traces.into_keys().collect()
    }
}

/// An alert from its first moment to its last.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Firing {
    rule: String,
    /// Without those of the service itself, which a log's reader knows nothing of.
    labels: BTreeMap<String, String>,
    from: Timestamp,
    to: Timestamp,
}

impl Firing {
    /// From the page that said it was over.
    fn told(alert: &Json) -> Option<Firing> {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let own = ["alertname", "severity", "service", "version", "host"];
        let labels = alert["labels"].as_object().unwrap().iter();
        let labels = labels.filter(|(key, _)| !own.contains(&key.as_str()));
        (alert["status"] == "resolved").then(|| Firing {
            rule: text(&alert["labels"]["alertname"]),
            labels: labels
                .map(|(key, value)| (key.clone(), text(value)))
                .collect(),
            from: text(&alert["startsAt"]).parse().unwrap(),
            to: text(&alert["endsAt"]).parse().unwrap(),
        })
    }

    fn replayed(alert: &Alert) -> Option<Firing> {
        Some(Firing {
            rule: alert.rule.to_string(),
            labels: alert.labels.clone().into_iter().collect(),
            from: alert.fired_at.try_into().unwrap(),
            to: alert.resolved_at?.try_into().unwrap(),
        })
    }

    /// An event is judged at a moment of its own, a little after the line's or before it: a process may be taken
    /// off its processor in between. A ratio, which counts by parts of its window, may then need one more event.
    fn is_near(&self, other: &Firing) -> bool {
        let near = |a: Timestamp, b: Timestamp| a.duration_since(b).abs() < NEAR;
        near(self.from, other.from) && near(self.to, other.to)
    }
}

const NEAR: SignedDuration = SignedDuration::from_secs(1);

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "\n{}{}", self.screen, self.stderr)
    }
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mini-program"));
    // Only what the test says counts.
    program.env_clear();
    program
}

fn get(host: &str, path: &str, accept: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: {accept}\r\n");
    write!(stream, "{head}connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn text(line: &Line<'_>, field: &str) -> String {
    match line.field(field) {
        Some(Value::Str(text)) => text.into_owned(),
        _ => String::new(),
    }
}

/// All lines of a run, the oldest file first.
fn lines(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap().map(|file| name(&file.unwrap()));
    let mut names: Vec<_> = files.filter(|name| is_log(name)).collect();
    names.sort_by_key(|name| (name == "shop.log", name.clone()));
    let mut all = String::new();
    for name in names {
        let mut file = File::open(dir.join(&name)).unwrap();
        let read = match name.rsplit('.').next() {
            Some("gz") => flate2::read::GzDecoder::new(file).read_to_string(&mut all),
            Some("zst") => zstd::Decoder::new(file).unwrap().read_to_string(&mut all),
            _ => file.read_to_string(&mut all),
        };
        read.unwrap();
    }
    all.lines().map(str::to_owned).collect()
}

/// Not its index.
fn is_log(name: &str) -> bool {
    name.starts_with("shop.") && !name.ends_with(".idx")
}

fn name(file: &fs::DirEntry) -> String {
    file.file_name().into_string().unwrap()
}

const EVENTS: [&str; 14] = [
    "credentials_received",
    "password_checked",
    "policy_decided",
    "login_ok",
    "login_failed",
    "token_issued",
    "order_created",
    "pay_started",
    "pay_requested",
    "pay_settled",
    "ledger_updated",
    "status_notified",
    "pay_failed",
    "slow_query",
];

const PAYMENT: [&str; 6] = [
    "order_created",
    "pay_started",
    "pay_requested",
    "pay_settled",
    "ledger_updated",
    "status_notified",
];
