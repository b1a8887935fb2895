//! Lets the real Prometheus watch one run of the shop, and asks it everything that the dashboard asks.
//!
//! It needs Debian's `prometheus` and `prometheus-node-exporter` on the `PATH`, and no service of
//! theirs: both are started here, on ports that they choose themselves. Not part of `cargo test`:
//! `cargo test -p mini-program --test prometheus -- --nocapture`.
#![expect(
    clippy::print_stdout,
    reason = "it reports what it found, query by query"
)]

mod api;
mod log;
mod server;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use api::Api;
use server::{Server, installed};

#[test]
fn every_panel_shows_something_and_every_exemplar_leads_to_its_line() {
    for program in ["prometheus", "promtool", "prometheus-node-exporter"] {
        if !installed(program) {
            println!("skipped: {program} not installed");
            return;
        }
    }
    let dir = tempfile::tempdir().unwrap();
    promtool(&["check", "config", "prometheus.yml"]);
    promtool(&["check", "rules", "rules.yml"]);
    promtool(&["test", "rules", "rules_test.yml"]);

    let mut shop = Shop::start();
    let host = Server::start("prometheus-node-exporter", &[], "Listening on");
    let prometheus = watch(&dir, &shop.address, &host.address);
    let api = Api::new(&prometheus.address);
    let from = api.now();
    check_metrics(&shop.address);
    shop.finish();
    let seen = Seen { api, from };

    seen.both_targets_were_up();
    seen.every_query_of_the_dashboard_finds_something();
    seen.every_rule_is_evaluated();
    let closing = log::closing_lines(shop.logs.path());
    seen.no_request_is_counted_that_has_no_line(closing.len());
    seen.every_exemplar_leads_to_its_line(&closing);
}

/// What Prometheus saw of the run.
struct Seen {
    api: Api,
    /// When it began, in Unix seconds.
    from: f64,
}

impl Seen {
    fn both_targets_were_up(&self) {
        for job in ["shop", "node"] {
            let up = self.most(&format!(r#"sum_over_time(up{{job="{job}"}}[2m])"#));
            println!("{job}: {up} scrapes");
            assert!(up >= 10.0, "{job} was scraped {up} times");
        }
    }

    fn every_query_of_the_dashboard_finds_something(&self) {
        let dashboard = dashboard();
        let panels = dashboard["panels"].as_array().unwrap();
        let queries = panels
            .iter()
            .filter_map(|panel| Some((&panel["title"], panel["targets"].as_array()?)))
            .flat_map(|(title, targets)| targets.iter().map(move |target| (title, target)));
        let notes = dashboard["annotations"]["list"].as_array().unwrap();
        let queries = queries.chain(notes.iter().map(|note| (&note["name"], note)));
        let (mut asked, mut empty) = (0, Vec::new());
        for (title, target) in queries {
            let promql = chosen(target["expr"].as_str().unwrap());
            let series = self.api.range(&promql, self.from);
            println!("{:>3} series  {}", series.len(), title.as_str().unwrap());
            asked += 1;
            if series.is_empty() {
                empty.push(promql);
            }
        }
        assert!(asked > 40, "only {asked} queries found in the dashboard");
        assert!(empty.is_empty(), "no series for\n{}", empty.join("\n"));
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let Some(query) = variable["query"]["query"].as_str() else {
                continue;
            };
            let values = query.strip_prefix("label_values(").unwrap();
            let (metric, label) = values.trim_end_matches(')').rsplit_once(", ").unwrap();
            let promql = format!("count by ({label}) ({})", chosen(metric));
            let values = self.api.range(&promql, self.from);
            let named = values
                .iter()
                .filter(|series| series.labels[label].is_string());
            assert_ne!(named.count(), 0, "nothing to choose from in {query}");
        }
    }

    fn every_rule_is_evaluated(&self) {
        let rules = self.api.get("/api/v1/rules");
        let groups = rules["groups"].as_array().unwrap();
        let rules: Vec<_> = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap())
            .collect();
        assert!(rules.len() >= 20, "{} rules", rules.len());
        for rule in &rules {
            assert_eq!(rule["health"], "ok", "{rule}");
            if rule["type"] == "recording" {
                let recorded = rule["name"].as_str().unwrap();
                let series = self.api.range(recorded, self.from);
                assert!(!series.is_empty(), "{recorded} recorded nothing");
            }
        }
        // The storm sets off the shop's own rule, and Prometheus alerts on that one.
        let fired = r#"ALERTS{alertname="RuleFiring",alertstate="firing",rule="HighErrorRate"}"#;
        assert_eq!(self.most(fired), 1.0);
    }

    /// The last scrape may come before the last request: it counts that many or fewer.
    fn no_request_is_counted_that_has_no_line(&self, closing: usize) {
        let counted = self.most(r#"sum(http_server_request_duration_seconds_count{job="shop"})"#);
        println!(
            "{counted} requests counted at the last scrape, {closing} closing lines in the log"
        );
        assert!(counted > 100.0 && counted <= closing as f64);
    }

    fn every_exemplar_leads_to_its_line(&self, closing: &[log::Closing]) {
        let dashboard = dashboard();
        let panels = dashboard["panels"].as_array().unwrap();
        let targets = panels
            .iter()
            .filter_map(|panel| panel["targets"].as_array());
        let with_exemplars = targets
            .flatten()
            .filter(|target| target["exemplar"] == true);
        let mut found = 0;
        for target in with_exemplars {
            let promql = chosen(target["expr"].as_str().unwrap());
            for (labels, trace_id, seconds) in self.api.exemplars(&promql, self.from) {
                let same = |line: &&log::Closing| {
                    line.trace_id == trace_id
                        && line.route == labels["http_route"]
                        && (line.latency_ms / 1e3 - seconds).abs() < 1e-3
                };
                assert!(
                    closing.iter().any(|line| same(&line)),
                    "no closing line of {labels} in trace {trace_id} took {seconds} s"
                );
                found += 1;
            }
        }
        println!("{found} exemplars, each with its closing line in the log");
        assert!(found >= 20, "{found} exemplars");
    }

    fn most(&self, promql: &str) -> f64 {
        let series = self.api.range(promql, self.from);
        let values = series.iter().flat_map(|series| &series.values);
        values.copied().fold(f64::NEG_INFINITY, f64::max)
    }
}

/// A query with the dashboard's variables filled in, as Grafana would for this run.
fn chosen(promql: &str) -> String {
    promql
        .replace("$__rate_interval", "5s")
        .replace("$__range", "1m")
        .replace("$host_job", "node")
        .replace("$host", ".*")
        .replace("$job", "shop")
        .replace("$instance", ".*")
        .replace("$route", ".*")
}

fn dashboard() -> Value {
    let text = fs::read_to_string(dashboards().join("dogwatch.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Starts Prometheus with the committed configuration, but for the addresses and the hurry.
fn watch(dir: &TempDir, shop: &str, host: &str) -> Server {
    let mut config = fs::read_to_string(dashboards().join("prometheus.yml")).unwrap();
    for (committed, here) in [
        ("127.0.0.1:3000", shop),
        ("127.0.0.1:9100", host),
        ("15s", "1s"),
    ] {
        assert!(config.contains(committed), "{config}");
        config = config.replace(committed, here);
    }
    fs::write(dir.path().join("prometheus.yml"), config).unwrap();
    fs::copy(dashboards().join("rules.yml"), dir.path().join("rules.yml")).unwrap();
    let option = |name: &str, file: &str| format!("--{name}={}", dir.path().join(file).display());
    let options = [
        option("config.file", "prometheus.yml"),
        option("storage.tsdb.path", "data"),
        "--enable-feature=exemplar-storage".to_owned(),
    ];
    Server::start(
        "prometheus",
        &options,
        "Server is ready to receive web requests",
    )
}

fn promtool(words: &[&str]) {
    let output = Command::new("promtool")
        .args(words)
        .current_dir(dashboards())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    println!("promtool {}\n{said}", words.join(" "));
    assert!(output.status.success(), "promtool {words:?}");
}

/// What Prometheus' own checker says about the page of a shop at work.
fn check_metrics(shop: &str) {
    let page = api::fetch(shop, "/metrics");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*said), (Some(0), ""), "{page}");
    println!(
        "promtool check metrics: {} lines, nothing to say",
        page.lines().count()
    );
}

fn dashboards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dashboards")
}

/// A run of the shop under way.
struct Shop {
    logs: TempDir,
    address: String,
    child: Child,
    screen: BufReader<ChildStdout>,
}

impl Shop {
    fn start() -> Self {
        let logs = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_mini-program"))
            .env_clear()
            .args(["--seconds", "24", "--rate", "12", "--port", "0", "--logs"])
            .arg(logs.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut screen = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        screen.read_line(&mut first).unwrap();
        let url = first.split("http://").nth(1).expect("the shop's address");
        let address = url.split('/').next().unwrap().to_owned();
        Self {
            logs,
            address,
            child,
            screen,
        }
    }

    /// Waits for the end of the story.
    fn finish(&mut self) {
        let mut shown = String::new();
        self.screen.read_to_string(&mut shown).unwrap();
        assert!(self.child.wait().unwrap().success(), "{shown}");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // After a failed check it may still run; after `finish` there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
