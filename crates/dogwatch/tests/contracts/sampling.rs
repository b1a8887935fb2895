//! Sampling leaves out lines and nothing else: rules and metrics see every event.

use std::sync::{Arc, Mutex};

use dogwatch::alert::{Alert, State};
use dogwatch::{Config, Sample};
use dogwatch_line::{Line, Value};
use tracing_core::dispatcher;

use crate::{LONG, lines, start};

#[test]
fn a_line_that_is_left_out_is_judged_and_measured_and_told() {
    const RULE: &str = "- {name: paid, match: {event: paid}, threshold: 500, action: keep}";
    let dir = tempfile::tempdir().unwrap();
    let sent: Arc<Mutex<Vec<Alert>>> = Arc::default();
    let keep = Arc::clone(&sent);
    let config = Config::prod()
        .sample(Sample::first(3).then_one_in(100))
        .rules_text(RULE)
        .notifier("keep", move |alert: &Alert| {
            keep.lock().unwrap().push(alert.clone());
            Ok(())
        });
    let (dispatch, log) = start(config, dir.path());
    dispatcher::with_default(&dispatch, || {
        for n in 0..500 {
            tracing::info!(target: "shop::pay", event = "paid", n);
            tracing::info!(target: "dogwatch::request", "the closing line of a request");
            tracing::error!(target: "shop::pay", "failed");
        }
    });
    let alerts = log.alerts().unwrap().clone();
    assert!(alerts.wait(LONG, |states| states[0].state == State::Firing));
    let page = log.metrics().render(None).1;
    for counted in [
        r#"dogwatch_lines_total{level="INFO",target="shop::pay"} 500"#,
        r#"dogwatch_lines_total{level="ERROR",target="shop::pay"} 500"#,
    ] {
        assert!(page.contains(counted), "{counted}: {page}");
    }
    log.close(LONG).unwrap();
    assert_eq!(sent.lock().unwrap().len(), 1);

    let lines = lines(dir.path());
    let lines: Vec<Line<'_>> = lines
        .iter()
        .map(|text| Line::parse(text).unwrap())
        .collect();
    let count = |key: &str, value: &str| {
        let value = Value::from(value);
        let of = |line: &&Line<'_>| line.field(key).is_some_and(|held| held.equals(&value));
        lines.iter().filter(of).count() as u64
    };
    let missing = lines
        .iter()
        .filter_map(|line| match line.field("gap.lines") {
            Some(Value::I64(lines)) => u64::try_from(lines).ok(),
            _ => None,
        });
    let (written, missing) = (count("event", "paid"), missing.sum::<u64>());
    assert_eq!(written + missing, 500);
    assert!((3..400).contains(&written), "{written}");
    assert_eq!(count("message", "the closing line of a request"), 500);
    assert_eq!(count("message", "failed"), 500);
}
