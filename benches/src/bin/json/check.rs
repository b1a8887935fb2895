//! Reads a formatter's lines back: every field of the event and of its spans is there, once, as it was.

use crate::cases::{self, ESCAPES, TRACE, USER};
use crate::subjects::{By, Format, Subject};
use crate::unique::Unique;
use dogwatch_benches::sink;
use serde_json::{Value, json};
use tracing::dispatcher;

pub(crate) fn lines(subject: &Subject) {
    let events = sink::kept(|| {
        let sample = match subject.by {
            By::Tracing(build) => {
                dispatcher::with_default(&build(), || Some(cases::events_in_open_spans(2)))
            }
            By::Loop(run) => run("event", 2),
        };
        let lines = sample.map(|sample| sample.lines);
        assert_eq!(lines, Some(2), "{}: one event, one line", subject.name);
    });
    // Not the last of all: some write a line when a span is closed.
    let mut of_events = events.lines().filter(|line| line.contains("pay_settled"));
    let last = of_events.next_back().expect("a line of an event");
    match subject.format {
        Format::Json => json(subject, last),
        Format::Logfmt => logfmt(subject, last),
    }
    if subject.format == Format::Json {
        let mut events = 1;
        let escaped = sink::kept(|| match subject.by {
            By::Tracing(build) => dispatcher::with_default(&build(), || {
                tracing::warn!(target: "shop::pay", text = ESCAPES, "said");
            }),
            // The floor does not escape.
            By::Loop(run) => events = run("escapes", 1).map_or(0, |_| cases::WARM_UP + 1),
        });
        let count = escaped.lines().count() as u64;
        assert_eq!(count, events, "{}: one event, one line", subject.name);
        for line in escaped.lines() {
            assert_holds(subject, &parsed(subject, line), "text", &json!(ESCAPES));
        }
    }
}

fn json(subject: &Subject, line: &str) {
    let line = parsed(subject, line);
    for (key, value) in expected() {
        assert_holds(subject, &line, key, &value);
    }
    let text = line.to_string();
    for part in ["order settled by the channel", "shop::pay"] {
        assert!(
            text.contains(part),
            "{} lost {part:?}: {text}",
            subject.name
        );
    }
}

fn logfmt(subject: &Subject, line: &str) {
    for (key, value) in expected() {
        let (plain, quoted) = match value {
            Value::String(text) => (format!("{key}={text}"), format!("{key}=\"{text}\"")),
            other => (format!("{key}={other}"), format!("{key}=\"{other}\"")),
        };
        let found = line.contains(&plain) || line.contains(&quoted);
        assert!(found, "{} lost {plain}: {line}", subject.name);
    }
}

fn expected() -> [(&'static str, Value); 12] {
    [
        ("channel", json!("wechat")),
        ("currency", json!("CNY")),
        ("event", json!("pay_settled")),
        ("amount_cents", json!(129_951)),
        ("latency_ms", json!(12.625)),
        ("first", json!(true)),
        ("trace_id", json!(TRACE)),
        ("method", json!("POST")),
        ("route", json!("/api/orders/{id}/pay")),
        ("order_id", json!(88_123)),
        ("user_id", json!(USER)),
        ("attempt", json!(2)),
    ]
}

fn parsed(subject: &Subject, line: &str) -> Value {
    match serde_json::from_str(line) {
        Ok(Unique(value)) => value,
        Err(error) => panic!("{}: {error}: {line}", subject.name),
    }
}

fn assert_holds(subject: &Subject, line: &Value, key: &str, value: &Value) {
    assert!(
        holds(line, key, value),
        "{} lost {key}={value}: {line}",
        subject.name
    );
}

/// Flattened or nested, each formatter as it likes: the pair is what must be there.
fn holds(within: &Value, key: &str, value: &Value) -> bool {
    match within {
        Value::Object(object) => {
            object.get(key) == Some(value) || object.values().any(|inner| holds(inner, key, value))
        }
        Value::Array(array) => array.iter().any(|inner| holds(inner, key, value)),
        _ => false,
    }
}
