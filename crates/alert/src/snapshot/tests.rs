//! What a second process makes of what the first left, on clocks turned by hand.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tracing_subscriber::prelude::*;

use crate::alerts::AlertGuard;
use crate::clock::tests::HandClock;
use crate::{Alert, AlertLayer, Notify, NotifyError, Playbook, Rules, State};

const BOUND: Duration = Duration::from_secs(20);

/// Where the steady clock of a later process stands at its start.
const LATER: u64 = 1_000_000_000_000_000;

struct Process {
    clock: Arc<HandClock>,
    layer: AlertLayer,
    guard: AlertGuard,
    /// Who was told of what.
    told: Receiver<(&'static str, Alert)>,
    errors: Receiver<String>,
    played: Receiver<Option<Duration>>,
}

/// A notifier that hands over, or fails for now.
struct Teller {
    name: &'static str,
    told: Sender<(&'static str, Alert)>,
    down: bool,
    resend: Option<Duration>,
}

impl Notify for Teller {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        if self.down {
            return Err(NotifyError::retry("it is down"));
        }
        self.told.send((self.name, alert.clone())).unwrap();
        Ok(())
    }

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        alerts.iter().try_for_each(|alert| self.notify(alert))
    }

    fn resend(&self) -> Option<Duration> {
        self.resend
    }
}

struct Played(Mutex<Sender<Option<Duration>>>);

impl Playbook for Played {
    fn apply(&self, lease: Duration) {
        let _ = self.0.lock().unwrap().send(Some(lease));
    }

    fn revert(&self) {
        let _ = self.0.lock().unwrap().send(None);
    }
}

impl Process {
    /// So many seconds after the first began.
    fn start(path: &Path, yaml: &str, after: u64) -> Self {
        Self::with(path, yaml, after, false, "1.0")
    }

    fn with(path: &Path, yaml: &str, after: u64, down: bool, version: &str) -> Self {
        let clock = match after {
            0 => HandClock::default(),
            after => HandClock::later(LATER, Duration::from_secs(after)),
        };
        let clock = Arc::new(clock);
        let ((sender, told), (fail, errors)) = (channel(), channel());
        let (play, played) = channel();
        let teller = |name, resend| Teller {
            name,
            told: sender.clone(),
            down,
            resend,
        };
        let mut builder = AlertLayer::builder(Rules::parse(yaml).unwrap())
            .notifier("n", teller("n", None))
            .notifier("am", teller("am", Some(Duration::from_secs(60))))
            .playbook("p", Played(Mutex::new(play)))
            .dry_run(false)
            .field("version", version)
            .redact(Arc::new(|key| match key {
                "password" => Some(Arc::new(|_| Some("***".into()))),
                _ => None,
            }))
            .on_error(move |error| drop(fail.send(error.to_string())))
            .state_file(path);
        builder.clock = clock.clone();
        let (layer, guard) = builder.spawn().unwrap();
        Self {
            clock,
            layer,
            guard,
            told,
            errors,
            played,
        }
    }

    fn hit(&self, key: &str) {
        let subscriber = tracing_subscriber::registry().with(self.layer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(key, password = "geheim", "x");
        });
    }

    /// Who was told, the state, and in seconds when it began and was over.
    fn next(&self) -> (&'static str, State, u64, Option<u64>) {
        let (name, alert) = self.told.recv_timeout(BOUND).unwrap();
        let resolved_at = alert.resolved_at.map(seconds);
        (name, alert.state, seconds(alert.first_bad), resolved_at)
    }

    fn turn(&self, seconds: u64) {
        self.clock.turn(Duration::from_secs(seconds));
    }

    /// Ends it, and returns what was told and is not read yet.
    fn close(self) -> Vec<(&'static str, State)> {
        self.guard.alerts().close(BOUND).unwrap();
        assert_eq!(self.errors.try_iter().collect::<Vec<_>>(), [""; 0]);
        let told = self.told.try_iter();
        told.map(|(name, alert)| (name, alert.state)).collect()
    }
}

fn seconds(at: SystemTime) -> u64 {
    let epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    epoch.as_secs() - 1_800_000_000
}

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("alerts.state");
    (dir, path)
}

/// Good again ten seconds after the second event, over a minute later.
const TWICE: &str = "{name: r, pattern: x, threshold: 2/10s, resolve_after: 60s, action: n}";

#[test]
fn an_alert_that_fires_goes_on_after_a_restart_untold_and_is_over_in_its_time() {
    let (_dir, path) = folder();
    let first = Process::start(&path, TWICE, 0);
    first.turn(1);
    first.hit("a");
    first.turn(2);
    first.hit("a");
    assert_eq!(first.next(), ("n", State::Firing, 1, None));
    let before = first.guard.alerts().active();
    assert_eq!(first.close(), []);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("password=***") && !text.contains("geheim"),
        "{text}"
    );

    let second = Process::start(&path, TWICE, 20);
    assert_eq!(second.guard.alerts().active(), before);
    let state = &second.guard.alerts().states()[0];
    assert_eq!(
        (state.state, state.since.map(seconds)),
        (State::Firing, Some(3))
    );
    assert_eq!(
        second.guard.alerts().counts()[0].fired,
        0,
        "since the start"
    );
    // Below two from 11 on.
    second.turn(50);
    assert_eq!(second.close(), [], "a moment too early");
    let third = Process::start(&path, TWICE, 70);
    third.turn(1);
    assert_eq!(third.next(), ("n", State::Resolved, 1, Some(71)));
    assert_eq!(third.close(), []);
    let fourth = Process::start(&path, TWICE, 75);
    assert_eq!(fourth.guard.alerts().active(), []);
    assert_eq!(fourth.close(), []);
}

#[test]
fn one_that_was_over_while_nobody_ran_is_told_at_the_start_with_its_own_time() {
    let (_dir, path) = folder();
    let first = Process::start(&path, TWICE, 0);
    first.hit("a");
    first.hit("a");
    first.next();
    first.close();
    let second = Process::start(&path, TWICE, 3_600);
    assert_eq!(second.next(), ("n", State::Resolved, 0, Some(70)));
    assert_eq!(second.close(), []);
}

#[test]
fn a_receiver_that_forgets_is_told_again_at_once_under_the_name_that_it_knows() {
    let (_dir, path) = folder();
    let rule = TWICE.replace("action: n", "action: [n, am], labels: {v: one}");
    let first = Process::with(&path, &rule, 0, false, "1.0");
    first.hit("a");
    first.hit("a");
    let told = first.told.recv_timeout(BOUND).unwrap().1;
    first.told.recv_timeout(BOUND).unwrap();
    first.close();
    // A deployment: its own labels are others.
    let second = Process::with(&path, &rule.replace("v: one", "v: two"), 20, false, "2.0");
    let (name, again) = second.told.recv_timeout(BOUND).unwrap();
    assert_eq!((name, &again), ("am", &told));
    second.turn(50);
    let mut over = [
        second.told.recv_timeout(BOUND),
        second.told.recv_timeout(BOUND),
    ];
    over.sort_by_key(|one| one.as_ref().map_or("", |one| one.0));
    let over = over.map(|one| one.unwrap().1);
    assert_eq!(over.clone().map(|alert| alert.state), [State::Resolved; 2]);
    assert_eq!(
        over.map(|alert| alert.fingerprint()),
        [(); 2].map(|()| told.fingerprint())
    );
    second.close();
}

#[test]
fn an_alert_whose_rule_changed_or_went_is_told_as_resolved_and_counts_from_nothing() {
    for changed in [
        TWICE.replace("2/10s", "3/10s"),
        TWICE.replace("name: r", "name: other"),
        TWICE.replace("action: n", "action: [n, log]"),
    ] {
        let (_dir, path) = folder();
        let first = Process::start(&path, TWICE, 0);
        first.hit("a");
        first.hit("a");
        first.next();
        first.close();
        let second = Process::start(&path, &changed, 20);
        assert_eq!(
            second.next(),
            ("n", State::Resolved, 0, Some(20)),
            "{changed}"
        );
        assert_eq!(second.guard.alerts().states()[0].state, State::Inactive);
        assert_eq!(second.close(), []);
    }
}

#[test]
fn what_was_on_its_way_is_told_by_the_next_process() {
    let (_dir, path) = folder();
    let first = Process::with(&path, TWICE, 0, true, "1.0");
    first.hit("a");
    first.hit("a");
    first.errors.recv_timeout(BOUND).unwrap();
    let error = first.guard.alerts().close(Duration::ZERO).unwrap_err();
    assert_eq!(error.to_string(), "1 alerts were not sent before the end");
    first.guard.alerts().close(BOUND).unwrap_err();
    let second = Process::start(&path, TWICE, 20);
    assert_eq!(second.next(), ("n", State::Firing, 0, None));
    assert_eq!(second.close(), []);
    let third = Process::start(&path, TWICE, 30);
    assert_eq!(third.close(), [], "once");
}

#[test]
fn notifiers_are_told_again_in_step_with_the_first_process() {
    let (_dir, path) = folder();
    let rule = "{name: r, pattern: x, threshold: 1/1h, repeat_interval: 10m, action: n}";
    let first = Process::start(&path, rule, 0);
    first.hit("a");
    first.next();
    first.close();
    let second = Process::start(&path, rule, 300);
    second.turn(299);
    assert_eq!(second.close(), []);
    let third = Process::start(&path, rule, 599);
    third.turn(1);
    assert_eq!(third.next(), ("n", State::Firing, 0, None));
    assert_eq!(third.close(), []);
}

#[test]
fn groups_go_on_one_by_one_and_so_does_what_is_bad_but_not_for_long_enough() {
    let (_dir, path) = folder();
    let rule =
        "{name: r, pattern: x, threshold: 1/1m, for: 30s, group_by: key, max_groups: 2, action: n}";
    let first = Process::start(&path, rule, 0);
    first.hit("一");
    first.turn(20);
    first.hit("b");
    first.hit("beyond");
    assert_eq!(
        first.next(),
        ("n", State::Firing, 20, None),
        "the groups beyond"
    );
    first.turn(10);
    assert_eq!(first.next(), ("n", State::Firing, 0, None));
    assert_eq!(first.close(), []);
    let second = Process::start(&path, rule, 40);
    let state = &second.guard.alerts().states()[0];
    assert_eq!((state.firing, state.groups), (2, 2));
    second.turn(10);
    let (_, fired) = second.told.recv_timeout(BOUND).unwrap();
    assert_eq!((&*fired.labels["key"], seconds(fired.fired_at)), ("b", 50));
    second.close();
}

#[test]
fn values_stay_known_and_learning_goes_on() {
    let (_dir, path) = folder();
    let rule = "{name: r, type: new_value, pattern: x, field: key, learn: 60s, action: n}";
    let first = Process::start(&path, rule, 0);
    first.hit("a");
    first.close();
    let second = Process::start(&path, rule, 59);
    second.hit("b");
    second.turn(1);
    for known in ["a", "b"] {
        second.hit(known);
    }
    assert_eq!(second.guard.alerts().counts()[0].learning, 1);
    second.hit("c");
    assert_eq!(second.next(), ("n", State::Firing, 60, None));
    assert_eq!(second.close(), []);
}

#[test]
fn silence_goes_on_but_not_while_nobody_could_have_heard() {
    let (_dir, path) = folder();
    let rule = "{name: r, type: absence, pattern: x, window: 60s, action: n}";
    let first = Process::start(&path, rule, 0);
    first.hit("a");
    first.turn(40);
    first.close();
    let second = Process::start(&path, rule, 3_600);
    second.turn(19);
    assert_eq!(second.guard.alerts().active(), []);
    second.turn(1);
    assert_eq!(second.next(), ("n", State::Firing, 3_560, None));
    second.close();
    // It fires on until something is heard.
    let third = Process::start(&path, rule, 9_000);
    assert_eq!(third.guard.alerts().active().len(), 1);
    third.hit("a");
    assert_eq!(third.next(), ("n", State::Resolved, 3_560, Some(9_000)));
    assert_eq!(third.close(), []);
}

#[test]
fn a_playbook_of_an_alert_that_goes_on_acts_again_at_once() {
    let (_dir, path) = folder();
    let rule = "{name: r, pattern: x, threshold: 1/1h, action: n, playbook: {run: p, lease: 30s}}";
    let first = Process::start(&path, rule, 0);
    first.hit("a");
    let applied = Ok(Some(Duration::from_secs(30)));
    assert_eq!(first.played.recv_timeout(BOUND), applied);
    first.next();
    first.close();
    let second = Process::start(&path, rule, 20);
    assert_eq!(second.played.recv_timeout(BOUND), applied);
    second.close();
}

#[test]
fn what_a_mute_window_keeps_back_is_told_when_it_ends() {
    let (_dir, path) = folder();
    // The clocks begin at 08:00 on a Friday.
    let rule = "{name: r, pattern: x, threshold: 1/9h, action: n, mute: [{from: '07:00', to: '09:00', tz: UTC}]}";
    let first = Process::start(&path, rule, 0);
    first.hit("a");
    assert!(
        first
            .guard
            .alerts()
            .wait(BOUND, |_| first.guard.alerts().counts()[0].muted == 1)
    );
    assert_eq!(first.close(), []);
    let second = Process::start(&path, rule, 3_000);
    second.turn(599);
    assert_eq!(second.close(), []);
    let third = Process::start(&path, rule, 3_599);
    third.turn(1);
    assert_eq!(third.next(), ("n", State::Firing, 0, None));
    assert_eq!(third.close(), []);
}

#[test]
fn a_file_that_is_wrong_is_told_once_and_set_aside_and_all_begins_anew() {
    let (_dir, path) = folder();
    fs::write(&path, "ein Brief").unwrap();
    let first = Process::start(&path, TWICE, 0);
    let aside = format!("{}.aside1", path.display());
    let what = format!(
        "cannot take up the alerts' state of `{}`, it is set aside as `{aside}`",
        path.display()
    );
    assert_eq!(first.errors.try_iter().collect::<Vec<_>>(), [what]);
    assert_eq!(fs::read_to_string(aside).unwrap(), "ein Brief");
    first.hit("a");
    first.hit("a");
    first.next();
    first.close();
    let second = Process::start(&path, TWICE, 20);
    assert_eq!(second.guard.alerts().active().len(), 1);
    second.close();
}
