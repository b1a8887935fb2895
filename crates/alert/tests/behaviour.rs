//! Holds the layer from outside: events in, alerts out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use dogwatch_alert::{
    Alert, AlertGuard, AlertLayer, Builder, Deliveries, NotifyError, Playbook, Rules, Severity,
    Shed, State,
};
use tracing::{Level, error, info, info_span, warn};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;

/// A bound, not a wait: what is awaited comes at once or the test fails.
const BOUND: Duration = Duration::from_secs(20);

fn rules(yaml: &str) -> Builder {
    // The log of most tests ends before its alerts are told: no news.
    AlertLayer::builder(Rules::parse(yaml).unwrap()).on_error(|_| {})
}

fn within<T>(layer: AlertLayer, run: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run)
}

fn matched(guard: &AlertGuard) -> Vec<u64> {
    guard
        .alerts()
        .counts()
        .iter()
        .map(|counts| counts.matched)
        .collect()
}

/// The rule counts everything it matches and never fires.
fn count(condition: &str, run: impl FnOnce()) -> u64 {
    let yaml = format!("- {{name: r, {condition}, threshold: 100000}}");
    let (layer, guard) = rules(&yaml).spawn().unwrap();
    within(layer, run);
    matched(&guard)[0]
}

#[test]
fn a_rule_as_people_write_it_loads_exactly_so_and_fires() {
    let yaml = r#"
name: "HighErrorRate"
pattern: "ERROR.*\\[5xx\\]"
threshold: 10
level: "critical"
action: "send_alert_to_pagerduty"
"#;
    let list = format!("- {}", yaml.trim().replace('\n', "\n  "));
    let document = format!("rules:\n{list}");
    for yaml in [yaml, &list, &document] {
        let (sender, paged) = std::sync::mpsc::channel();
        let page = move |alert: &Alert| sender.send(alert.clone()).map_err(NotifyError::permanent);
        let (layer, guard) = rules(yaml)
            .notifier("send_alert_to_pagerduty", page)
            .field("service", "shop")
            .spawn()
            .unwrap();
        let before = SystemTime::now();
        within(layer, || {
            let _request =
                info_span!("request", trace_id = "0af7651916cd43dd8448eb211c80319c").entered();
            for order in 1..=10 {
                info!("all is well [5xx]");
                error!(order, "upstream says [5xx]");
            }
        });
        let alert = paged.recv_timeout(BOUND).unwrap();
        let target = module_path!();
        let sample = |order| {
            format!(
                "ERROR {target}: upstream says [5xx] order={order} trace_id=0af7651916cd43dd8448eb211c80319c"
            )
        };
        assert_eq!(&*alert.rule, "HighErrorRate");
        assert_eq!(alert.level, Severity::Critical);
        assert_eq!(alert.state, State::Firing);
        assert_eq!((alert.count, alert.threshold), (10, 10));
        assert_eq!(alert.window, Duration::from_secs(60));
        assert_eq!(alert.samples, [sample(8), sample(9), sample(10)]);
        assert_eq!(
            alert.trace_id.as_deref(),
            Some("0af7651916cd43dd8448eb211c80319c")
        );
        assert_eq!(
            alert.labels,
            BTreeMap::from([("service".into(), "shop".into())])
        );
        assert!(before <= alert.first_bad && alert.first_bad <= alert.fired_at);
        assert_eq!(alert.resolved_at, None);
        assert_eq!(
            alert.summary(),
            "HighErrorRate fires: 10 matching events within 1m (threshold 10)"
        );
        guard.close(BOUND).unwrap();
    }
}

#[test]
fn a_rule_fires_resolves_and_turns_the_switch_on_and_off() {
    let switch = Arc::new(AtomicBool::new(false));
    let (layer, guard) = rules(
        "- {name: r, match: {event: pay_failed}, threshold: 2/50ms, resolve_after: 10ms, playbook: {run: shed, lease: 60s, dry_run: false}}",
    )
    .playbook("shed", Shed::new(switch.clone()))
    .spawn()
    .unwrap();
    let changes = guard.alerts().subscribe();
    within(layer, || {
        error!(event = "pay_failed", "first");
        error!(event = "pay_failed", "second");
    });
    let fired = changes.recv_timeout(BOUND).unwrap();
    let resolved = changes.recv_timeout(BOUND).unwrap();
    assert_eq!(
        (fired.state, resolved.state),
        (State::Firing, State::Resolved)
    );
    assert_eq!(resolved.count, 2);
    assert_eq!(resolved.samples, fired.samples);
    assert_eq!(resolved.fingerprint(), fired.fingerprint());
    let lasted = resolved
        .resolved_at
        .unwrap()
        .duration_since(resolved.first_bad)
        .unwrap();
    // Both clocks are read apart, hence the tolerance.
    assert!(lasted >= Duration::from_millis(59), "{lasted:?}");
    let state = &guard.alerts().states()[0];
    assert_eq!(
        (state.state, state.count, state.threshold),
        (State::Resolved, 0, 2)
    );
    assert_eq!(guard.alerts().counts()[0].fired, 1);
    assert_eq!(guard.alerts().counts()[0].resolved, 1);
    guard.close(BOUND).unwrap();
    assert!(!switch.load(Ordering::Relaxed));
}

/// Tells of each call.
struct Told(std::sync::mpsc::Sender<&'static str>);

impl Playbook for Told {
    fn apply(&self, lease: Duration) {
        assert!(lease <= Duration::from_millis(100));
        self.0.send("apply").unwrap();
    }

    fn revert(&self) {
        self.0.send("revert").unwrap();
    }
}

#[test]
fn a_lease_is_renewed_while_the_rule_fires_and_given_back_at_the_end() {
    let (sender, told) = std::sync::mpsc::channel();
    let yaml = "- {name: r, pattern: x, threshold: 1/1h, playbook: {run: p, lease: 100ms, dry_run: false}}";
    let (layer, guard) = rules(yaml).playbook("p", Told(sender)).spawn().unwrap();
    within(layer, || error!("x"));
    for _ in 0..3 {
        assert_eq!(told.recv_timeout(BOUND), Ok("apply"));
    }
    guard.close(BOUND).unwrap();
    assert_eq!(told.iter().last(), Some("revert"));
}

#[test]
fn a_playbook_that_panics_is_counted_and_taken_back_all_the_same() {
    struct Fails(Arc<AtomicBool>);
    impl Playbook for Fails {
        fn apply(&self, _: Duration) {
            panic!("a playbook that fails");
        }
        fn revert(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let reverted = Arc::new(AtomicBool::new(false));
    let (sender, told) = std::sync::mpsc::channel();
    let (layer, guard) =
        rules("- {name: r, pattern: x, threshold: 1/1h, playbook: {run: p, dry_run: false}}")
            .playbook("p", Fails(reverted.clone()))
            .notifier("log", |_: &Alert| Ok(()))
            .on_error(move |error| sender.send(error.to_string()).unwrap())
            .spawn()
            .unwrap();
    within(layer, || error!("x"));
    let what = "1 panics were caught in values, judges, playbooks or callbacks that alerts ran";
    assert_eq!(told.recv_timeout(BOUND).unwrap(), what);
    guard.close(BOUND).unwrap();
    assert!(reverted.load(Ordering::SeqCst));
}

#[test]
fn dropping_the_guard_ends_the_alerts() {
    let (layer, guard) = rules("- {name: r, pattern: x, threshold: 1}")
        .spawn()
        .unwrap();
    let alerts = guard.alerts().clone();
    drop(guard);
    within(layer, || error!("x"));
    assert_eq!(alerts.counts()[0].matched, 0);
}

#[test]
fn match_and_pattern_count_what_they_say() {
    let table: [(&str, u64); 22] = [
        ("pattern: pool", 1),
        ("pattern: '^WARN '", 1),
        ("pattern: '^ERROR shop::pay: 支付失败 order_id=7 '", 1),
        ("pattern: 'amount=12.5 paid=false'", 1),
        ("pattern: 'tenant=红'", 2),
        ("match: {level: error}", 1),
        ("match: {level: '>=warn'}", 2),
        ("match: {level: ERROR, pattern: x}", 0),
        ("match: {level: error}, pattern: 支付", 1),
        ("match: {level: error}, pattern: pool", 0),
        ("match: {target: 'shop::pay'}", 1),
        ("match: {target: shop}", 0),
        ("match: {message: 支付失败}", 1),
        ("match: {message: 支付}", 0),
        ("match: {order_id: 7}", 1),
        ("match: {order_id: 7.0}", 1),
        ("match: {order_id: '7'}", 0),
        ("match: {amount: 12.5, paid: false}", 1),
        ("match: {paid: true}", 0),
        ("match: {tenant: 红}", 2),
        // The nearest name wins: the event's, then the inner span's.
        ("match: {who: inner}", 1),
        ("match: {who: outer}", 0),
    ];
    for (condition, expected) in table {
        let got = count(condition, || {
            let _outer = info_span!("outer", tenant = "红", who = "outer").entered();
            let _inner = info_span!("inner", who = "inner").entered();
            error!(target: "shop::pay", order_id = 7, amount = 12.5, paid = false, "支付失败");
            warn!(who = "event", "pool timed out");
        });
        assert_eq!(got, expected, "{condition}");
    }
}

#[test]
fn a_field_recorded_later_and_an_explicit_parent_are_seen() {
    let run = || {
        let span = info_span!("s", user = tracing::field::Empty, step = 1);
        error!(parent: &span, "before");
        span.record("user", "花");
        span.record("step", 2);
        error!(parent: &span, "after");
        error!(parent: None, "apart");
    };
    assert_eq!(count("match: {user: 花}", run), 1);
    assert_eq!(count("match: {step: 1}", run), 1);
    assert_eq!(count("match: {step: 2}", run), 1);
}

#[derive(Debug)]
struct Failed(Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "cannot pay"
        } else {
            "timed out"
        })
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.as_deref().map(|source| source as _)
    }
}

#[test]
fn an_error_is_matched_with_its_causes() {
    let run = || {
        let failed = Failed(Some(Box::new(Failed(None))));
        error!(error = &failed as &dyn std::error::Error, "no");
    };
    assert_eq!(count("match: {error.message: cannot pay}", run), 1);
    assert_eq!(count("match: {error.message: timed out}", run), 0);
    assert_eq!(count("pattern: 'error=cannot pay: timed out$'", run), 1);
}

#[test]
fn a_field_called_error_is_an_error_whatever_it_holds() {
    let run = || {
        error!(error = %Failed(None), "no");
        error!(error = 7, "no");
    };
    assert_eq!(count("match: {error.message: timed out}", run), 1);
    assert_eq!(count("match: {error.message: '7'}", run), 1);
    assert_eq!(count("match: {error: timed out}", run), 0);
}

#[test]
fn no_field_of_the_application_passes_for_what_the_line_says_of_itself() {
    let run = || {
        let _span = info_span!("s", message = "from the span", service = "pose").entered();
        info!(level = "ERROR", target = "shop", r#type = "t", user_id = 7);
    };
    let table = [
        ("match: {level: error}", 0),
        ("match: {level: info, level_: ERROR}", 1),
        ("match: {target: shop}", 0),
        ("match: {target_: shop}", 1),
        ("match: {message: from the span}", 0),
        ("match: {message: ''}", 1),
        ("match: {message_: from the span}", 1),
        ("match: {type: t}", 1),
        ("match: {user_id: '7'}", 1),
        ("match: {user_id: 7}", 0),
        ("match: {service: shop}", 1),
        ("match: {service: pose}", 0),
        ("match: {service_: pose}", 1),
        (
            "pattern: 'level_=ERROR target_=shop type=t user_id=7 message_=from the span'",
            1,
        ),
    ];
    for (condition, expected) in table {
        let yaml = format!("- {{name: r, {condition}, threshold: 9}}");
        let (layer, guard) = rules(&yaml).field("service", "shop").spawn().unwrap();
        within(layer, run);
        assert_eq!(matched(&guard), [expected], "{condition}");
    }
}

#[test]
fn a_record_of_the_log_crate_has_its_own_target_and_no_foreign_fields() {
    use tracing_log::log;
    let run = || {
        for target in ["shop::pay", "dogwatch::alert"] {
            let mut record = log::Record::builder();
            let record = record
                .level(log::Level::Error)
                .target(target)
                .file(Some("pay.rs"));
            tracing_log::format_trace(&record.args(format_args!("支付失败")).build()).unwrap();
        }
    };
    assert_eq!(count("match: {target: 'shop::pay'}", run), 1);
    assert_eq!(count("match: {target: log}", run), 0);
    assert_eq!(count("pattern: '^ERROR shop::pay: 支付失败$'", run), 1);
    assert_eq!(count("pattern: 支付失败", run), 1);
}

#[test]
fn a_secret_is_hidden_before_anything_sees_it() {
    let yaml = "
- {name: all, pattern: x, threshold: 1}
- {name: secret, pattern: 'hunter2|13800138000|broken|worse', threshold: 1}
- {name: by_value, match: {password: hunter2}, threshold: 1}
- {name: as_shown, match: {phone: '***00'}, threshold: 1}
";
    let (layer, guard) = rules(yaml)
        .redact(Arc::new(|key| match key {
            "password" => Some(Arc::new(|_: &str| None)),
            "phone" => Some(Arc::new(|phone: &str| Some(format!("***{}", &phone[9..])))),
            "broken" => Some(Arc::new(|_: &str| panic!("a mask that fails"))),
            "worse" => panic!("a judge that fails"),
            _ => None,
        }))
        .on_error(|_| {})
        .spawn()
        .unwrap();
    within(layer, || {
        let span = info_span!(
            "s",
            phone = 13_800_138_000_u64,
            password = tracing::field::Empty
        );
        span.record("password", "hunter2");
        error!(parent: &span, password = ?"hunter2", broken = "hunter2", worse = "hunter2", "x");
    });
    assert_eq!(matched(&guard), [1, 0, 0, 1]);
    let sample = guard.alerts().states()[0]
        .alert
        .clone()
        .unwrap()
        .samples
        .remove(0);
    assert_eq!(sample, format!("ERROR {}: x phone=***00", module_path!()));
    assert_eq!(guard.alerts().deliveries().panics, 2);
    guard.close(BOUND).unwrap();
}

struct Panics;

impl fmt::Display for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(dogwatch_alert::catching_panic());
        f.write_str("half")?;
        panic!("a Display that fails")
    }
}

#[test]
fn a_display_that_panics_reaches_nobody_and_hides_no_other_field() {
    let (sender, told) = std::sync::mpsc::channel();
    let (layer, guard) =
        rules("- {name: r, pattern: 'bad=half<formatting panicked> good=1', threshold: 9}")
            .on_error(move |error| sender.send(error.to_string()).unwrap())
            .spawn()
            .unwrap();
    within(layer, || error!(bad = %Panics, good = 1, "x"));
    assert!(!dogwatch_alert::catching_panic());
    assert_eq!(matched(&guard), [1]);
    let what = "1 panics were caught in values, judges, playbooks or callbacks that alerts ran";
    assert_eq!(told.recv_timeout(BOUND).unwrap(), what);
    guard.close(BOUND).unwrap();
}

struct Logs;

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        error!("from within");
        f.write_str("logged")
    }
}

#[test]
fn an_event_logged_while_a_value_is_formatted_is_not_judged() {
    assert_eq!(
        count("pattern: 'within|logged'", || error!(value = %Logs, "x")),
        1
    );
}

#[test]
fn our_own_events_are_never_matched() {
    let run = || {
        error!(target: "dogwatch::alert", "x");
        error!(target: "dogwatch::alert::webhook", "x");
        error!(target: "dogwatch::alerts_of_others", "x");
    };
    assert_eq!(count("pattern: x", run), 1);
}

#[test]
fn a_rule_sees_the_beginning_of_a_huge_value() {
    let run = || {
        let long = format!("begin{}end", "支".repeat(4_000_000));
        error!(long, "x");
    };
    assert_eq!(count("pattern: begin支支", run), 1);
    assert_eq!(count("pattern: end", run), 0);
}

/// Keeps what passes under our target.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Shown>>>);

/// An event's level and fields.
struct Shown(Level, BTreeMap<String, String>);

impl Heard {
    fn events(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Visit<'a>(&'a mut BTreeMap<String, String>);
        impl tracing::field::Visit for Visit<'_> {
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                self.0.insert(field.name().into(), value.into());
            }
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
                self.0.insert(field.name().into(), format!("{value:?}"));
            }
        }
        if event.metadata().target() == "dogwatch::alert" {
            let mut fields = BTreeMap::new();
            event.record(&mut Visit(&mut fields));
            self.0
                .lock()
                .unwrap()
                .push(Shown(*event.metadata().level(), fields));
        }
    }
}

#[test]
fn each_alert_and_each_act_of_a_playbook_is_one_event_in_the_same_log() {
    let heard = Heard::default();
    let yaml = "
- {name: r, pattern: x, threshold: 1/10ms, resolve_after: 1ms, level: critical}
- {name: acts, pattern: x, threshold: 1/1h, action: nobody, playbook: {run: shed, dry_run: false}}
";
    let switch = Arc::new(AtomicBool::new(false));
    let (layer, guard) = rules(yaml)
        .playbook("shed", Shed::new(switch.clone()))
        .notifier("nobody", |_: &Alert| Ok(()))
        .spawn()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(layer)
        .with(heard.clone());
    tracing::subscriber::with_default(subscriber, || {
        error!(trace_id = "abc", "x");
        assert!(
            guard
                .alerts()
                .wait(BOUND, |rules| rules[0].state == State::Resolved)
        );
        assert!(
            guard
                .alerts()
                .wait(BOUND, |_| switch.load(Ordering::Relaxed))
        );
        guard.close(BOUND).unwrap();
    });
    let mut heard = std::mem::take(&mut *heard.0.lock().unwrap());
    // The alert and the playbook are told on threads of their own.
    heard.sort_by_key(|Shown(_, fields)| fields["event"].clone());
    let told: Vec<_> = heard
        .iter()
        .map(|Shown(level, fields)| (*level, &*fields["event"]))
        .collect();
    let expected = [
        (Level::ERROR, "alert_fired"),
        (Level::INFO, "alert_resolved"),
        (Level::WARN, "playbook_applied"),
        (Level::INFO, "playbook_reverted"),
    ];
    assert_eq!(told, expected);
    for Shown(_, fields) in &heard[..2] {
        assert_eq!((&*fields["rule"], &*fields["severity"]), ("r", "critical"));
        assert_eq!((&*fields["trace_id"], &*fields["count"]), ("abc", "1"));
    }
    for Shown(_, fields) in &heard[2..] {
        assert_eq!(fields["playbook"], "shed");
    }
}

#[test]
fn a_playbook_that_is_not_armed_says_what_it_would_have_done_and_does_nothing() {
    let heard = Heard::default();
    let switch = Arc::new(AtomicBool::new(false));
    let rule = "- {name: r, pattern: x, threshold: 1/1h, action: nobody, playbook: shed}";
    let (layer, guard) = rules(rule)
        .playbook("degrade_route", Shed::new(switch.clone()))
        .notifier("nobody", |_: &Alert| Ok(()))
        .spawn()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(layer)
        .with(heard.clone());
    tracing::subscriber::with_default(subscriber, || {
        error!("x");
        let would = |rules: &[dogwatch_alert::AlertState]| {
            rules[0].state == State::Firing && heard.events() == 1
        };
        assert!(guard.alerts().wait(BOUND, would));
        assert!(!switch.load(Ordering::SeqCst));
        guard.alerts().playbooks(false);
        guard.alerts().playbooks(false);
        assert!(guard.alerts().wait(BOUND, |_| heard.events() == 3));
        guard.close(BOUND).unwrap();
    });
    let told = heard.0.lock().unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|Shown(level, fields)| {
            let field = |name: &str| fields.get(name).map_or("", |value| value.as_str());
            (
                *level,
                field("event"),
                field("playbook"),
                field("would"),
                field("rule"),
                field("reason"),
            )
        })
        .collect();
    let line = |would, rule, reason| {
        let event = "playbook_dry_run";
        (Level::INFO, event, "degrade_route", would, rule, reason)
    };
    assert_eq!(
        told,
        [
            line("apply", "r", ""),
            line("revert", "", ""),
            line("refuse", "r", "off"),
        ]
    );
    assert!(!switch.load(Ordering::SeqCst));
}

#[test]
fn the_builder_arms_rules_that_say_nothing_and_starts_with_playbooks_off() {
    let yaml = "
- {name: armed, pattern: x, threshold: 1/1h, action: nobody, playbook: shed}
- {name: dry, pattern: x, threshold: 1/1h, action: nobody, playbook: {run: other, dry_run: true}}
";
    let (armed, dry) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(false)),
    );
    let heard = Heard::default();
    let (layer, guard) = rules(yaml)
        .playbook("shed", Shed::new(armed.clone()))
        .playbook("other", Shed::new(dry.clone()))
        .notifier("nobody", |_: &Alert| Ok(()))
        .dry_run(false)
        .playbooks_on(false)
        .spawn()
        .unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(layer)
        .with(heard.clone());
    tracing::subscriber::with_default(subscriber, || {
        error!("x");
        assert!(guard.alerts().wait(BOUND, |_| heard.events() == 2));
        assert!(!armed.load(Ordering::SeqCst), "off from the start");
        guard.alerts().playbooks(true);
        assert!(guard.alerts().wait(BOUND, |_| armed.load(Ordering::SeqCst)
            && heard.events() == 4));
        guard.close(BOUND).unwrap();
    });
    assert!(!dry.load(Ordering::SeqCst));
    let told = heard.0.lock().unwrap();
    let refused = told
        .iter()
        .find(|Shown(_, fields)| fields["event"] == "playbook_refused")
        .map(|Shown(level, fields)| (*level, &*fields["rule"], &*fields["reason"]));
    assert_eq!(refused, Some((Level::WARN, "armed", "off")));
}

#[test]
fn a_panicking_notifier_fails_for_good_and_its_resolved_is_kept_back() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    let (sender, told) = std::sync::mpsc::channel();
    let (layer, guard) =
        rules("- {name: r, pattern: x, threshold: 1/10ms, resolve_after: 1ms, action: bad}")
            .notifier("bad", move |_: &Alert| -> Result<(), NotifyError> {
                counted.fetch_add(1, Ordering::SeqCst);
                panic!("no");
            })
            .on_error(move |error| {
                let cause = std::error::Error::source(error).and_then(|cause| cause.source());
                let cause = cause.map(ToString::to_string).unwrap_or_default();
                sender.send(format!("{error}: {cause}")).unwrap();
            })
            .spawn()
            .unwrap();
    within(layer, || error!("x"));
    let what = "cannot send an alert of `r` to `bad`, it is given up: the notifier panicked";
    assert_eq!(told.recv_timeout(BOUND).unwrap(), what);
    assert!(
        guard
            .alerts()
            .wait(BOUND, |rules| rules[0].state == State::Resolved)
    );
    guard.alerts().close(BOUND).unwrap();
    let mut expected = Deliveries::default();
    (expected.failed, expected.suppressed, expected.panics) = (1, 1, 1);
    assert_eq!(guard.alerts().deliveries(), expected);
    assert_eq!(tries.load(Ordering::SeqCst), 1);
}

#[test]
fn the_end_sends_what_waits_and_counts_what_it_could_not() {
    let (layer, guard) = rules("- {name: r, pattern: x, threshold: 1, action: [down, up]}")
        .notifier("down", |_: &Alert| -> Result<(), NotifyError> {
            Err(NotifyError::retry("no connection"))
        })
        .notifier("up", |_: &Alert| Ok(()))
        .on_error(|_| {})
        .spawn()
        .unwrap();
    within(layer.clone(), || error!("x"));
    let error = guard
        .alerts()
        .close(Duration::from_millis(300))
        .unwrap_err();
    assert_eq!(error.to_string(), "1 alerts were not sent before the end");
    assert!(error.is_delivery());
    assert_eq!(guard.alerts().deliveries().sent, 1);
    within(layer, || error!("x"));
    assert_eq!(matched(&guard), [1], "nothing is judged after the end");
}

#[test]
fn closing_from_a_notifier_does_not_wait_for_itself() {
    let handle = Arc::new(Mutex::new(None::<dogwatch_alert::Alerts>));
    let inner = handle.clone();
    let (sender, closed) = std::sync::mpsc::channel();
    let (layer, guard) = rules("- {name: r, pattern: x, threshold: 1, action: ends}")
        .notifier("ends", move |_: &Alert| {
            let alerts = inner.lock().unwrap().clone().unwrap();
            let pending = alerts.close(Duration::from_secs(3600)).is_err();
            sender.send(pending).map_err(NotifyError::permanent)
        })
        .spawn()
        .unwrap();
    *handle.lock().unwrap() = Some(guard.alerts().clone());
    within(layer, || error!("x"));
    assert!(
        closed.recv_timeout(BOUND).unwrap(),
        "the alert in hand is pending still"
    );
    guard.close(BOUND).unwrap();
}

#[test]
fn the_layer_silences_nobody_and_its_filter_asks_for_what_the_rules_need() {
    use tracing_subscriber::filter::LevelFilter;
    for (condition, level) in [
        ("match: {level: error}", LevelFilter::INFO),
        ("pattern: '^DEBUG x'", LevelFilter::DEBUG),
        ("pattern: x", LevelFilter::TRACE),
    ] {
        let yaml = format!("- {{name: r, {condition}, threshold: 9}}");
        let (layer, guard) = rules(&yaml).spawn().unwrap();
        let filter = layer.filter();
        let hint =
            tracing_subscriber::layer::Filter::<tracing_subscriber::Registry>::max_level_hint(
                &filter,
            );
        assert_eq!(hint, Some(level), "{condition}");
        drop(guard);
    }
    let (layer, guard) = rules("- {name: r, match: {level: error, tenant: a}, threshold: 9}")
        .spawn()
        .unwrap();
    let filter = layer.filter();
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!("s", tenant = "a").entered();
        info!("x");
        error!("x");
    });
    assert_eq!(matched(&guard), [1]);
}

#[test]
fn two_layers_on_one_registry_keep_their_spans_apart() {
    let yaml = "- {name: r, match: {who: a}, threshold: 9}";
    let (open, open_guard) = rules(yaml).spawn().unwrap();
    let (hidden, hidden_guard) = rules(yaml)
        .redact(Arc::new(|key| {
            (key == "who").then(|| Arc::new(|_: &str| None) as _)
        }))
        .spawn()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(open).with(hidden);
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!("s", who = "a").entered();
        error!("x");
    });
    assert_eq!(
        (matched(&open_guard), matched(&hidden_guard)),
        (vec![1], vec![0])
    );
}

#[test]
fn one_callsite_is_idle_for_one_layer_and_not_for_the_next() {
    let log = || error!(target: "shop", "x");
    for _ in 0..3 {
        for (condition, expected) in [("match: {target: other}", 0), ("match: {target: shop}", 2)] {
            let got = count(condition, || {
                log();
                log();
            });
            assert_eq!(got, expected, "{condition}");
        }
    }
}

#[test]
fn among_many_rules_each_still_counts_its_own() {
    let texts = (0..40).map(|n| format!("- {{name: t{n}, pattern: 'n={n}$', threshold: 100}}\n"));
    let fields = (0..40).map(|n| format!("- {{name: f{n}, match: {{n: {n}}}, threshold: 100}}\n"));
    let yaml: String = texts.chain(fields).collect();
    let (layer, guard) = rules(&yaml).spawn().unwrap();
    within(layer, || {
        for n in 0..60 {
            (0..=n % 3).for_each(|_| error!(n, "x"));
            error!("none of them");
        }
    });
    let expected: Vec<u64> = (0..80).map(|rule| rule % 40 % 3 + 1).collect();
    assert_eq!(matched(&guard), expected);
}

#[test]
fn many_threads_lose_no_match() {
    let (layer, guard) = rules("- {name: r, pattern: x, threshold: 1000/1h}")
        .spawn()
        .unwrap();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || (0..500).for_each(|_| error!("x")));
            });
        }
    });
    assert_eq!(matched(&guard), [4000]);
    let state = &guard.alerts().states()[0];
    assert_eq!((state.state, state.count), (State::Firing, 1000));
    assert_eq!(state.alert.as_ref().map(|alert| alert.count), Some(4000));
}
