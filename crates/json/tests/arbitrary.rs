//! Arbitrary events in arbitrary spans: each line is valid, in its budget, and says what a simple
//! model says.

mod support;

use dogwatch_json::{Clash, Redact, SpanStyle, Treatment};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::fmt;
use support::{Sink, callsite, layer};
use tracing::field::{DebugValue, DisplayValue, debug, display};
use tracing_subscriber::prelude::*;

/// A value as an application may give it.
#[derive(Clone, Debug)]
enum Given {
    Absent,
    Text(String),
    Number(u64),
    Float(f64),
    Truth(bool),
    Shown(Shown),
    Bytes(Vec<u8>),
    Wide(i128),
}

#[derive(Clone, Debug)]
struct Shown {
    parts: Vec<String>,
    end: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Fails,
    Panics,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| f.write_str(part))?;
        match self.end {
            End::Well => Ok(()),
            End::Fails => Err(fmt::Error),
            // Without the message and trace of a panic hook, of which there would be thousands.
            End::Panics => std::panic::resume_unwind(Box::new(())),
        }
    }
}

fn given() -> impl Strategy<Value = Given> {
    let end = prop_oneof![4 => Just(End::Well), 1 => Just(End::Fails), 1 => Just(End::Panics)];
    let shown = (vec(any::<String>(), 0..4), end).prop_map(|(parts, end)| Shown { parts, end });
    prop_oneof![
        Just(Given::Absent),
        any::<String>().prop_map(Given::Text),
        any::<u64>().prop_map(Given::Number),
        any::<f64>().prop_map(Given::Float),
        any::<bool>().prop_map(Given::Truth),
        shown.prop_map(Given::Shown),
        vec(any::<u8>(), 0..20).prop_map(Given::Bytes),
        any::<i128>().prop_map(Given::Wide),
    ]
}

fn key() -> impl Strategy<Value = String> {
    let clashing = prop::sample::select(vec![
        "a",
        "a_",
        "b",
        "level",
        "level_",
        "timestamp",
        "target",
        "message",
        "message_",
        "service",
        "truncated",
        "error",
        "trace_id",
        "span_id",
        "parent_span_id",
        "user_id",
        "x\"y",
    ]);
    prop_oneof![4 => clashing.prop_map(str::to_owned), 1 => any::<String>()]
}

fn fields() -> impl Strategy<Value = Vec<(String, Given)>> {
    vec((key(), given()), 0..8)
}

/// What the layer is told: its own types need values to borrow from.
enum Held<'a> {
    Plain(&'a dyn tracing::field::Value),
    Shown(DisplayValue<&'a Shown>),
    Bytes(&'a [u8]),
    Debug(DebugValue<&'a String>),
}

fn held(given: &Given) -> Option<Held<'_>> {
    Some(match given {
        Given::Absent => return None,
        Given::Text(text) if text.len() % 5 == 4 => Held::Debug(debug(text)),
        Given::Text(text) => Held::Plain(text),
        Given::Number(n) => Held::Plain(n),
        Given::Float(f) => Held::Plain(f),
        Given::Truth(b) => Held::Plain(b),
        Given::Shown(shown) => Held::Shown(display(shown)),
        Given::Bytes(bytes) => Held::Bytes(bytes),
        Given::Wide(n) => Held::Plain(n),
    })
}

fn with_fields(
    fields: &[(String, Given)],
    then: impl FnOnce(&[(String, Option<&dyn tracing::field::Value>)]),
) {
    let held: Vec<_> = fields.iter().map(|(_, given)| held(given)).collect();
    let slices: Vec<_> = held
        .iter()
        .map(|held| {
            if let Some(Held::Bytes(bytes)) = held {
                *bytes
            } else {
                &[]
            }
        })
        .collect();
    let values: Vec<(String, Option<&dyn tracing::field::Value>)> = fields
        .iter()
        .zip(&held)
        .zip(&slices)
        .map(|(((key, _), held), slice)| {
            let value: Option<&dyn tracing::field::Value> = match held {
                None => None,
                Some(Held::Plain(value)) => Some(*value),
                Some(Held::Shown(value)) => Some(value),
                Some(Held::Debug(value)) => Some(value),
                Some(Held::Bytes(_)) => Some(slice),
            };
            (key.clone(), value)
        })
        .collect();
    then(&values);
}

/// The model: what a field is written as.
fn expected(key: &str, given: &Given) -> Option<Value> {
    let plain = match given {
        Given::Absent => return None,
        Given::Text(text) if text.len() % 5 == 4 => json!(format!("{text:?}")),
        Given::Text(text) => json!(text),
        Given::Number(n) => json!(n),
        Given::Float(f) if f.is_finite() => json!(f),
        Given::Float(_) => Value::Null,
        Given::Truth(b) => json!(b),
        Given::Shown(Shown { parts, end }) => json!(match end {
            End::Well => parts.concat(),
            End::Fails => parts.concat() + "<formatting failed>",
            End::Panics => parts.concat() + "<formatting panicked>",
        }),
        Given::Bytes(bytes) => json!(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        Given::Wide(n) => json!(n.to_string()),
    };
    // How the number is spelled is the float printer's business: it is compared as a number.
    let text = || match (&plain, given) {
        (Value::String(text), _) => text.clone(),
        (_, Given::Float(f)) if f.is_finite() => format!("float {f:?}"),
        (other, _) => other.to_string(),
    };
    Some(match key {
        "error" => json!({"message": text(), "causes": []}),
        "message" | "trace_id" | "span_id" | "parent_span_id" | "user_id" => json!(text()),
        _ => plain,
    })
}

/// Writes a float that stands in a text as the model does.
fn same_floats(value: &mut Value, known: &Value) {
    let (Value::String(text), Value::String(known)) = (&mut *value, known) else {
        if let (Value::Object(map), Value::Object(known)) = (value, known) {
            map.iter_mut().for_each(|(key, value)| {
                if let Some(known) = known.get(key) {
                    same_floats(value, known);
                }
            });
        }
        return;
    };
    if let Some(float) = known.strip_prefix("float ") {
        if text.parse::<f64>().ok() == float.parse().ok() {
            *text = known.clone();
        }
    }
}

/// The keys of one callsite after clashes were resolved.
fn keys(fields: &[(String, Given)], event: bool) -> Vec<String> {
    let own = [
        "timestamp",
        "level",
        "target",
        "message",
        "truncated",
        "service",
    ];
    let mut keys: Vec<String> = Vec::new();
    for (name, _) in fields {
        let mut key = name.strip_prefix("r#").unwrap_or(name).to_owned();
        let message = event && key == "message" && !keys.contains(&key);
        while !message && (own.contains(&&*key) || keys.contains(&key)) {
            key.push('_');
        }
        keys.push(key);
    }
    keys
}

fn model(spans: &[Vec<(String, Given)>], event: &[(String, Given)]) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("timestamp".into(), json!(support::NOW));
    line.insert("level".into(), json!("INFO"));
    line.insert("service".into(), json!("shop"));
    line.insert("target".into(), json!("made"));
    for (key, (_, given)) in keys(event, true).into_iter().zip(event) {
        if let Some(value) = expected(&key, given) {
            line.insert(key, value);
        }
    }
    line.entry("message").or_insert_with(|| json!(""));
    for (depth, span) in spans.iter().enumerate().rev() {
        let mut given_ids = (false, false);
        for (key, (_, given)) in keys(span, false).into_iter().zip(span) {
            if let Some(value) = expected(&key, given) {
                given_ids.0 |= key == "span_id";
                given_ids.1 |= key == "parent_span_id";
                line.entry(key).or_insert(value);
            }
        }
        // What is made cannot be foretold.
        if !given_ids.0 {
            line.entry("span_id").or_insert(json!("made"));
        }
        if depth > 0 && !given_ids.1 {
            line.entry("parent_span_id").or_insert(json!("made"));
        }
    }
    line
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_says_what_the_model_says(
        spans in vec(fields(), 0..4),
        event in fields(),
        budget in prop_oneof![Just(1 << 20), 0_usize..6000],
        field_budget in prop_oneof![Just(1 << 20), 0_usize..200],
    ) {
        let sink = Sink::default();
        let layer =
            layer(&sink).service("shop").max_line_bytes(budget).max_field_bytes(field_budget);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let mut open = Vec::new();
            for span in &spans {
                with_fields(span, |fields| open.push(callsite::span(fields).entered()));
            }
            with_fields(&event, |fields| callsite::event("made", fields));
            while open.pop().is_some() {}
        });
        let mut line = sink.line();
        let bytes = sink.texts()[0].len();
        prop_assert!(bytes <= budget.max(2048 + 17), "{} of {}", bytes, budget);
        let model = model(&spans, &event);
        let truncated = line.remove("truncated").unwrap_or_else(|| json!([]));
        let gone: Vec<_> = truncated.as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        prop_assert!(gone.is_empty() || budget < 6000 || field_budget < 200, "{:?}", gone);
        for (key, value) in &mut line {
            let Some(known) = model.get(key) else {
                return Err(TestCaseError::fail(format!("{key:?} is not in {model:?}")));
            };
            if known == "made" {
                *value = known.clone();
            }
            same_floats(value, known);
        }
        // What was cut or left out is named, or counted where the names have no room.
        let counted = gone.last().is_some_and(|last| last.ends_with(" more"));
        for (key, value) in &model {
            let fits = line.get(key) == Some(value);
            prop_assert!(fits || counted || gone.contains(&&**key), "{} {:?} {:?}", key, line, model);
        }
    }

    #[test]
    fn every_layout_is_valid_and_in_its_budget(
        spans in vec(fields(), 0..5),
        event in fields(),
        late in fields(),
        style in prop::sample::select(vec![SpanStyle::Flat, SpanStyle::Object, SpanStyle::List]),
        clash in prop::sample::select(vec![Clash::Hide, Clash::Suffix, Clash::Nest]),
        close in any::<bool>(),
        budget in prop_oneof![Just(1 << 20), 0_usize..6000],
    ) {
        let sink = Sink::default();
        let layer = layer(&sink)
            .service("shop")
            .max_line_bytes(budget)
            .spans(style)
            .clash(clash)
            .span_close(close)
            .redact(Redact::secrets().key("b", Treatment::Drop));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let mut open = Vec::new();
            for span in &spans {
                with_fields(span, |fields| open.push(callsite::span(fields).entered()));
            }
            with_fields(&event, |fields| callsite::event("made", fields));
            // The outermost span changes under its descendants.
            if let Some(first) = open.first() {
                for (key, given) in &late {
                    if let Given::Text(text) = given {
                        first.record(key.as_str(), text.as_str());
                    }
                }
            }
            with_fields(&late, |fields| callsite::event("made", fields));
            while open.pop().is_some() {}
        });
        let lines = sink.lines();
        prop_assert_eq!(lines.len(), 2 + if close { spans.len() } else { 0 });
        for (line, text) in lines.iter().zip(sink.texts()) {
            prop_assert!(text.len() <= budget.max(2048 + 17), "{} of {}", text.len(), budget);
            prop_assert_eq!(&line["level"], "INFO");
            prop_assert_eq!(&line["timestamp"], support::NOW);
            prop_assert_eq!(&line["service"], "shop");
        }
    }
}
