//! Dotted keys as objects, over all that a line can hold.

mod support;

use dogwatch_json::{Clash, JsonLayer, Redact, SpanStyle, Treatment};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{Sink, callsite, layer};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

fn with(options: impl FnOnce(JsonLayer<Sink>) -> JsonLayer<Sink>, run: impl FnOnce()) -> Sink {
    let sink = Sink::default();
    let layer = options(layer(&sink).nest_dots(true));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
    sink
}

#[test]
fn an_event_and_its_spans_fill_the_same_objects() {
    let sink = with(
        |layer| {
            layer
                .field("k8s.pod", "p1")
                .field("k8s.node", "n1")
                .redact(Redact::secrets())
        },
        || {
            let trace_id = "0af7651916cd43dd8448eb211c80319c";
            let span = info_span!(
                "s",
                trace_id,
                span_id = "1",
                http.route = "/pay",
                user.token = "x"
            );
            let _in = span.entered();
            info!(
                http.method = "GET",
                amount = 5,
                http.status = 200,
                user.id = 7,
                "paid"
            );
        },
    );
    assert_eq!(
        sink.texts(),
        [concat!(
            r#"{"timestamp":"2026-11-24T05:57:00.123456Z","level":"INFO","#,
            r#""k8s":{"pod":"p1","node":"n1"},"target":"dots","message":"paid","#,
            r#""http":{"method":"GET","status":200,"route":"/pay"},"amount":5,"#,
            r#""user":{"id":7,"token":"***"},"#,
            r#""trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"1"}"#,
            "\n"
        )]
    );
}

#[test]
fn a_key_whose_beginning_is_a_value_keeps_its_dots() {
    let line = with(
        |layer| layer,
        || {
            info!(
                http = "x",
                http.status = 200,
                level.x = 1,
                error.code = 5,
                error = "e",
                "m"
            )
        },
    )
    .line();
    assert_eq!(
        (&line["http"], &line["http.status"]),
        (&json!("x"), &json!(200))
    );
    assert_eq!(
        (&line["level"], &line["level.x"]),
        (&json!("INFO"), &json!(1))
    );
    assert_eq!(line["error"], json!({"message": "e", "causes": []}));
    assert_eq!(line["error.code"], 5);
}

#[test]
fn values_that_are_objects_are_not_touched() {
    let error: &(dyn std::error::Error + 'static) = &std::fmt::Error;
    let line = with(
        |layer| layer,
        || {
            info!(
                a.b = r#"{"c.d":1}"#,
                db.cause = error,
                fields = r#"{"x.y":1}"#,
                "m"
            )
        },
    )
    .line();
    assert_eq!(line["a"], json!({"b": "{\"c.d\":1}"}));
    assert_eq!(line["db"]["cause"]["causes"], json!([]));
    assert_eq!(line["fields"], r#"{"x.y":1}"#);
}

#[test]
fn a_line_without_room_for_the_braces_keeps_the_dots() {
    let names: Vec<String> = (0..1000).map(|n| format!("a{n}.b")).collect();
    let fields: Vec<(String, Option<&dyn tracing::field::Value>)> = names
        .iter()
        .map(|name| (name.clone(), Some(&1_u64 as _)))
        .collect();
    let sink = with(
        |layer| layer.max_line_bytes(2048),
        || {
            callsite::event("made", &fields);
            callsite::event("made", &fields[..20]);
        },
    );
    let lines = sink.lines();
    assert_eq!(
        (&lines[0]["a0.b"], &lines[1]["a0"]["b"]),
        (&json!(1), &json!(1))
    );
    assert!(sink.texts().iter().all(|text| text.len() <= 2048));
}

#[test]
fn a_line_without_an_event_is_folded_too() {
    let layer = JsonLayer::default().nest_dots(true);
    let line = layer.blank().line(tracing::Level::INFO, "t", "m");
    let line = line
        .field("a.b", 1_u64)
        .field("a.c", 2_u64)
        .raw("d.e", "{\"f.g\":1}");
    let text = String::from_utf8(line.finish()).unwrap();
    assert!(
        text.ends_with("\"a\":{\"b\":1,\"c\":2},\"d\":{\"e\":{\"f.g\":1}}}\n"),
        "{text}"
    );
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[ab.]{1,5}", 1 => "(level|span|spans|fields|error|name)[.]a", 1 => any::<String>()]
}

fn fields() -> impl Strategy<Value = Vec<(String, u64)>> {
    vec((key(), any::<u64>()), 0..8)
}

fn given(fields: &[(String, u64)]) -> Vec<(String, Option<&dyn tracing::field::Value>)> {
    fields
        .iter()
        .map(|(key, n)| (key.clone(), Some(n as _)))
        .collect()
}

/// All values by their whole keys, however they are nested.
fn flat(path: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    let join = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| flat(&join(key), value, into)),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                flat(&join(&n.to_string()), item, into);
            }
        }
        // Each layer makes its own.
        _ if path.ends_with("span_id") => {}
        value => into.push((path.to_owned(), value.clone())),
    }
}

fn all(line: &Map<String, Value>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (key, value) in line {
        flat(key, value, &mut found);
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// A key that can stand in an object does.
fn is_folded(object: &Map<String, Value>) -> bool {
    object.keys().all(|key| {
        let nests = key.contains('.') && key.split('.').all(|segment| !segment.is_empty());
        let head = key.split('.').next().unwrap_or_default();
        !nests || object.contains_key(head)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_folded_line_says_what_the_flat_one_says(
        spans in vec(fields(), 0..4),
        event in fields(),
        style in prop::sample::select(vec![SpanStyle::Flat, SpanStyle::Object, SpanStyle::List]),
        clash in prop::sample::select(vec![Clash::Hide, Clash::Suffix, Clash::Nest]),
        budget in prop_oneof![Just(1 << 20), 2000_usize..3000],
    ) {
        let (dotted, folded) = (Sink::default(), Sink::default());
        let layer = |sink| {
            layer(sink).spans(style).clash(clash).field("b.fixed", "x").max_line_bytes(budget)
                .redact(Redact::none().key("b.b", Treatment::Mask))
        };
        let registry = tracing_subscriber::registry()
            .with(layer(&dotted))
            .with(layer(&folded).nest_dots(true));
        tracing::subscriber::with_default(registry, || {
            let mut open = Vec::new();
            for span in &spans {
                open.push(callsite::span(&given(span)).entered());
            }
            callsite::event("made", &given(&event));
            while open.pop().is_some() {}
        });
        // `line` refuses double keys at any depth.
        let (flat, line) = (dotted.line(), folded.line());
        prop_assert_eq!(all(&line), all(&flat));
        let length = folded.texts()[0].len();
        prop_assert!(length <= budget.max(2048 + 20), "{}", length);
        if budget > 3000 {
            prop_assert!(is_folded(&line), "{:?}", line);
        }
    }
}
