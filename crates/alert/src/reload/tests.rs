//! Rules files that change while they are at work.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tracing_subscriber::prelude::*;

use super::ReloadCounts;
use crate::alerts::{AlertGuard, Alerts};
use crate::clock::tests::HandClock;
use crate::{Alert, AlertLayer, Builder, Playbook, Rules, State};

const BOUND: Duration = Duration::from_secs(20);

/// Rules of a file, on a clock that stands still.
struct Rig {
    _dir: TempDir,
    file: PathBuf,
    layer: AlertLayer,
    guard: AlertGuard,
    told: Receiver<(String, State)>,
    played: Receiver<bool>,
    errors: Receiver<String>,
}

struct Played(Sender<bool>);

impl Playbook for Played {
    fn apply(&self, _: Duration) {
        let _ = self.0.send(true);
    }

    fn revert(&self) {
        let _ = self.0.send(false);
    }
}

impl Rig {
    fn new(yaml: &str) -> Self {
        Self::with(yaml, |mut builder| {
            builder.clock = Arc::new(HandClock::default());
            builder
        })
    }

    fn with(yaml: &str, built: impl FnOnce(Builder) -> Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("规则.yaml");
        fs::write(&file, yaml).unwrap();
        let ((tell, told), (play, played), (fail, errors)) = (channel(), channel(), channel());
        let builder = AlertLayer::builder(Rules::load(&file).unwrap())
            .notifier("n", move |alert: &Alert| {
                let _ = tell.send((alert.rule.to_string(), alert.state));
                Ok(())
            })
            .playbook("p", Played(play))
            .on_error(move |error| drop(fail.send(error.with_causes())));
        let (layer, guard) = built(builder).spawn().unwrap();
        Self {
            _dir: dir,
            file,
            layer,
            guard,
            told,
            played,
            errors,
        }
    }

    fn alerts(&self) -> &Alerts {
        self.guard.alerts()
    }

    fn hit(&self, times: usize) {
        hit(&self.layer, times);
    }

    fn write(&self, yaml: &str) {
        fs::write(&self.file, yaml).unwrap();
    }

    /// As the ticker does when it is time.
    fn look(&self) {
        let shared = &self.alerts().shared;
        shared.reloads.as_ref().unwrap().look(shared);
    }

    fn next(&self) -> (String, State) {
        self.told.recv_timeout(BOUND).unwrap()
    }

    /// Each rule with what it matched.
    fn matched(&self) -> Vec<(String, u64)> {
        let counts = self.alerts().counts();
        counts
            .iter()
            .map(|rule| (rule.rule.to_string(), rule.matched))
            .collect()
    }
}

fn hit(layer: &AlertLayer, times: usize) {
    let subscriber = tracing_subscriber::registry().with(layer.clone());
    tracing::subscriber::with_default(subscriber, || {
        (0..times).for_each(|_| tracing::error!("x"));
    });
}

fn rule(name: &str, keys: &str) -> String {
    format!("- {{name: {name}, pattern: x, action: n, {keys}}}\n")
}

#[test]
fn a_rule_that_says_the_same_goes_on_where_it_was() {
    let a = rule("支付失败", "threshold: 3/1h");
    let rig = Rig::new(&a);
    rig.hit(2);
    rig.write(&format!(
        "# A line more.\n{}{a}",
        rule("b", "threshold: 9/1h")
    ));
    rig.alerts().reload().unwrap();
    rig.hit(1);
    assert_eq!(rig.matched(), [("b".into(), 1), ("支付失败".into(), 3)]);
    assert_eq!(rig.next(), ("支付失败".into(), State::Firing));
    // Twice the same changes nothing.
    rig.alerts().reload().unwrap();
    rig.alerts().reload().unwrap();
    let active = rig.alerts().active();
    assert_eq!((active.len(), active[0].count), (1, 3));
    rig.alerts().close(BOUND).unwrap();
    assert_eq!(rig.told.try_iter().count(), 0);
    assert_eq!(rig.alerts().reloads().done, 3);
}

#[test]
fn a_rule_that_is_taken_away_while_it_fires_resolves_and_its_playbook_is_taken_back() {
    let helped = rule(
        "支付失败",
        "threshold: 1/1h, playbook: {run: p, dry_run: false}",
    );
    let rig = Rig::new(&helped);
    rig.hit(1);
    assert_eq!(rig.next(), ("支付失败".into(), State::Firing));
    assert_eq!(rig.played.recv_timeout(BOUND), Ok(true));
    rig.write("[]");
    rig.alerts().reload().unwrap();
    assert_eq!(rig.next(), ("支付失败".into(), State::Resolved));
    assert_eq!(rig.played.recv_timeout(BOUND), Ok(false));
    assert_eq!(rig.alerts().active(), []);
    rig.hit(1);
    rig.write(&helped);
    rig.alerts().reload().unwrap();
    rig.hit(1);
    assert_eq!(rig.matched(), [("支付失败".into(), 1)], "it begins anew");
    assert_eq!(rig.next(), ("支付失败".into(), State::Firing));
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn a_rule_that_is_changed_while_it_fires_resolves_and_begins_anew() {
    let rig = Rig::new(&rule("r", "threshold: 2/1h, group_by: [nothing]"));
    rig.hit(2);
    assert_eq!(rig.next(), ("r".into(), State::Firing));
    rig.write(&rule("r", "threshold: 3/1h, group_by: [nothing]"));
    rig.alerts().reload().unwrap();
    assert_eq!(rig.next(), ("r".into(), State::Resolved));
    rig.hit(2);
    assert_eq!(rig.matched(), [("r".into(), 2)]);
    assert_eq!(rig.alerts().states()[0].state, State::Inactive);
    rig.hit(1);
    assert_eq!(rig.next(), ("r".into(), State::Firing));
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn a_bad_file_leaves_the_rules_as_they_are_and_is_told_once_for_each_change() {
    let good = rule("r", "threshold: 2/1h");
    let rig = Rig::new(&good);
    rig.hit(1);
    let file = rig.file.display().to_string();
    for (text, why) in [
        (Some("- {name: r, action: n, "), "the YAML is broken"),
        (
            Some("- {name: r, pattern: x, action: n, treshold: 2}"),
            "unknown key `treshold`",
        ),
        (
            Some("- {name: r, action: m, pattern: x, threshold: 2}"),
            "rule `r`: its action `m` is no notifier",
        ),
        (Some(""), ""),
        (None, "cannot read the file"),
    ] {
        match text {
            Some(text) => rig.write(text),
            None => fs::remove_file(&rig.file).unwrap(),
        }
        (0..4).for_each(|_| rig.look());
        let told: Vec<String> = rig.errors.try_iter().collect();
        assert_eq!(told.len(), 1, "{text:?}: {told:?}");
        assert!(told[0].contains(&file), "{told:?}");
        assert!(told[0].contains(why), "{told:?}");
        let counts = rig.alerts().reloads();
        assert_eq!(counts.error.as_ref(), told.first());
    }
    assert_eq!(rig.alerts().reloads().failed, 5);
    assert!(rig.alerts().json().contains(r#""failed":5"#));
    rig.alerts().reload().unwrap_err();
    rig.write(&good);
    (0..3).for_each(|_| rig.look());
    let counts = ReloadCounts {
        done: 1,
        failed: 6,
        error: None,
    };
    assert_eq!(rig.alerts().reloads(), counts);
    rig.hit(1);
    assert_eq!(rig.next(), ("r".into(), State::Firing), "nothing was lost");
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn a_file_that_is_being_written_waits_until_it_stays_as_it_is() {
    let (a, b) = (rule("a", "threshold: 1/1h"), rule("b", "threshold: 1/1h"));
    let rig = Rig::new(&format!("{a}{b}"));
    rig.hit(1);
    // Half a file may be a good one.
    rig.write(&a);
    rig.look();
    rig.write(&format!("{a}{b}# done\n"));
    rig.look();
    assert_eq!(rig.alerts().reloads().done, 0);
    rig.look();
    assert_eq!(rig.alerts().reloads().done, 1);
    assert_eq!(rig.matched(), [("a".into(), 1), ("b".into(), 1)]);
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn no_event_of_four_threads_is_lost_while_rules_come_and_go() {
    const EACH: usize = 4_000;
    let all = rule("all", "threshold: 100000/1h");
    let other = |threshold| rule("other", &format!("threshold: {threshold}/1h"));
    let rig = Rig::new(&all);
    let barrier = Barrier::new(5);
    thread::scope(|scope| {
        for _ in 0..4 {
            let (layer, barrier) = (rig.layer.clone(), &barrier);
            scope.spawn(move || {
                barrier.wait();
                hit(&layer, EACH);
            });
        }
        barrier.wait();
        for turn in 0..60 {
            match turn % 3 {
                0 => rig.write(&format!("{}{all}", other(90_000 + turn))),
                1 => rig.write(&format!("{all}{}", other(90_000 + turn))),
                _ => rig.write(&all),
            }
            rig.alerts().reload().unwrap();
        }
    });
    assert_eq!(rig.matched(), [("all".into(), 4 * EACH as u64)]);
    assert_eq!(rig.alerts().reloads().done, 60);
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn a_level_that_only_new_rules_want_is_let_through_from_then_on() {
    let rig = Rig::new("- {name: r, match: level=error, action: n, threshold: 5}");
    let filter = rig.layer.filter();
    let layer = rig.layer.clone().with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let log = || tracing::info!("paid");
        log();
        rig.write("- {name: r, match: level>=info, action: n, threshold: 5}");
        rig.alerts().reload().unwrap();
        log();
        assert_eq!(rig.matched(), [("r".into(), 1)]);
        rig.write("- {name: r, match: level=error, action: n, threshold: 5}");
        rig.alerts().reload().unwrap();
        log();
        assert_eq!(rig.matched(), [("r".into(), 0)]);
    });
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn the_file_is_looked_at_without_being_asked() {
    let every = Duration::from_millis(1);
    let rig = Rig::with(&rule("a", "threshold: 1/1h"), |builder| {
        builder.reload_every(every)
    });
    rig.write(&rule("b", "threshold: 1/1h"));
    let is_new = |rules: &[crate::AlertState]| *rules[0].rule == *"b";
    assert!(rig.alerts().wait(BOUND, is_new));
    rig.alerts().close(BOUND).unwrap();
}

#[test]
fn without_a_file_or_after_the_end_nothing_is_reloaded() {
    let (_layer, guard) = AlertLayer::builder(Rules::parse("[]").unwrap())
        .spawn()
        .unwrap();
    let error = guard.alerts().reload().unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot reload the rules: they came from a text; load them with `Rules::load`"
    );
    let rig = Rig::new("[]");
    rig.alerts().close(BOUND).unwrap();
    let error = rig.alerts().reload().unwrap_err().to_string();
    assert_eq!(error, "cannot reload the rules: the alerts were closed");
}

#[cfg(feature = "webhook")]
mod declared {
    use super::*;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;

    /// A server of one kind of answer, and the bodies that it gets.
    fn server() -> (u16, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, bodies) = channel();
        let sender = Mutex::new(sender);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    stream.read_line(&mut line).unwrap();
                    let line = line.trim_end().to_lowercase();
                    if line.is_empty() {
                        break;
                    }
                    if let Some(text) = line.strip_prefix("content-length:") {
                        length = text.trim().parse().unwrap();
                    }
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).unwrap();
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                stream.get_mut().write_all(answer).unwrap();
                let body = String::from_utf8(body).unwrap();
                if sender.lock().unwrap().send(body).is_err() {
                    return;
                }
            }
        });
        (port, bodies)
    }

    fn yaml(port: u16, rules: &str) -> String {
        let url = format!("http://127.0.0.1:{port}/");
        format!("notifiers:\n  hook: {{type: webhook, url: '{url}'}}\nrules: {rules}")
    }

    #[test]
    fn a_notifier_that_moved_hears_of_what_fires_and_the_old_one_of_nothing_more() {
        let ((old, at_old), (new, at_new)) = (server(), server());
        let rules = "[{name: r, pattern: x, threshold: 1/1h, action: hook}]";
        let rig = Rig::new(&yaml(old, rules));
        rig.hit(1);
        let is = |body: &str, status: &str| body.contains(&format!(r#""status":"{status}""#));
        assert!(is(&at_old.recv_timeout(BOUND).unwrap(), "firing"));
        rig.write(&yaml(new, rules));
        rig.alerts().reload().unwrap();
        assert!(is(&at_new.recv_timeout(BOUND).unwrap(), "firing"));
        rig.write(&yaml(new, "[]"));
        rig.alerts().reload().unwrap();
        assert!(is(&at_new.recv_timeout(BOUND).unwrap(), "resolved"));
        rig.alerts().close(BOUND).unwrap();
        assert_eq!(at_old.try_iter().count(), 0);
        let deliveries = rig.alerts().deliveries();
        let sums = (deliveries.sent, deliveries.pending, deliveries.failed);
        assert_eq!(sums, (3, 0, 0), "those that have ended count");
    }
}
