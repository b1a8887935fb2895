//! The layouts that can be chosen: where spans stand, what clashing keys become, closing lines.

mod support;

use dogwatch_json::{Clash, JsonLayer, SpanStyle};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{NOW, Sink, layer};
use tracing::field::Empty;
use tracing::{info, info_span, warn_span};
use tracing_subscriber::prelude::*;

/// The lines of `run` behind their target, read and found whole.
fn tails(options: fn(JsonLayer<Sink>) -> JsonLayer<Sink>, run: impl FnOnce()) -> Vec<String> {
    let sink = Sink::default();
    let registry = tracing_subscriber::registry().with(options(layer(&sink)));
    tracing::subscriber::with_default(registry, run);
    sink.lines();
    let head = format!("{{\"timestamp\":\"{NOW}\",\"level\":\"");
    let tail = |text: &String| {
        let text = text.strip_prefix(&head).unwrap().trim_end();
        text.split_once(",\"target\":\"styles\",")
            .unwrap()
            .1
            .to_owned()
    };
    sink.texts().iter().map(tail).collect()
}

fn in_two_spans() {
    let _outer = info_span!(
        "outer",
        trace_id = "t",
        span_id = "s1",
        id = 1,
        name = "n",
        level = "l",
        late = Empty
    )
    .entered();
    let inner = info_span!("in\"ner", span_id = "s2", id = 2, error = "e").entered();
    info!(
        id = 3,
        span = "x",
        spans = "y",
        fields = "z",
        trace_id = "own",
        "m"
    );
    inner.record("id", 4);
    info!("m");
    drop(inner);
    info!(parent: None, "m");
}

#[test]
fn spans_stand_in_one_object() {
    assert_eq!(
        tails(|layer| layer.spans(SpanStyle::Object), in_two_spans),
        [
            r#""message":"m","id":3,"span_":"x","spans":"y","fields":"z","trace_id":"own","span_id":"s2","parent_span_id":"s1","span":{"name":"in\"ner","id":2,"error":{"message":"e","causes":[]},"name_":"n","level":"l"}}"#,
            r#""message":"m","trace_id":"t","span_id":"s2","parent_span_id":"s1","span":{"name":"in\"ner","id":4,"error":{"message":"e","causes":[]},"name_":"n","level":"l"}}"#,
            r#""message":"m"}"#,
        ]
    );
}

#[test]
fn spans_stand_in_a_list() {
    assert_eq!(
        tails(|layer| layer.spans(SpanStyle::List), in_two_spans),
        [
            r#""message":"m","id":3,"span":"x","spans_":"y","fields":"z","trace_id":"own","span_id":"s2","parent_span_id":"s1","spans":[{"name":"outer","id":1,"name_":"n","level":"l"},{"name":"in\"ner","id":2,"error":{"message":"e","causes":[]}}]}"#,
            r#""message":"m","trace_id":"t","span_id":"s2","parent_span_id":"s1","spans":[{"name":"outer","id":1,"name_":"n","level":"l"},{"name":"in\"ner","id":4,"error":{"message":"e","causes":[]}}]}"#,
            r#""message":"m"}"#,
        ]
    );
}

#[test]
fn the_innermost_span_is_named() {
    let lines = tails(
        |layer| layer.span_name(true),
        || {
            let _outer = info_span!("outer", span_id = "1", span = "mine").entered();
            info!("m");
            let _inner = info_span!("inner", span_id = "2").entered();
            info!("m");
        },
    );
    assert_eq!(
        lines,
        [
            r#""message":"m","span_id":"1","span_":"mine","span":"outer"}"#,
            r#""message":"m","span_id":"2","parent_span_id":"1","span":"inner","span_":"mine"}"#,
        ]
    );
}

#[test]
fn a_hidden_value_can_be_written_with_a_suffix() {
    assert_eq!(
        tails(|layer| layer.clash(Clash::Suffix), in_two_spans)[..2],
        [
            r#""message":"m","id":3,"span":"x","spans":"y","fields":"z","trace_id":"own","span_id":"s2","parent_span_id":"s1","id__":2,"error":{"message":"e","causes":[]},"name":"n","level_":"l","id_":1}"#,
            r#""message":"m","trace_id":"t","span_id":"s2","parent_span_id":"s1","id":4,"error":{"message":"e","causes":[]},"name":"n","level_":"l","id_":1}"#,
        ]
    );
}

#[test]
fn an_events_fields_can_stand_apart() {
    let lines = tails(
        |layer| layer.clash(Clash::Nest),
        || {
            let span = info_span!("s", span_id = "1", level = "span", fields = "f", id = 1);
            let _span = span.entered();
            info!(id = 2, level = "event", message = "first");
            info!("no field");
            info!(only = 1);
        },
    );
    assert_eq!(
        lines,
        [
            r#""message":"first","fields":{"id":2,"level":"event"},"span_id":"1","level_":"span","fields_":"f","id":1}"#,
            r#""message":"no field","span_id":"1","level_":"span","fields_":"f","id":1}"#,
            r#""message":"","fields":{"only":1},"span_id":"1","level_":"span","fields_":"f","id":1}"#,
        ]
    );
}

/// A clock that moves on by one and a half milliseconds each time it is asked.
fn ticking() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    static TICKS: AtomicU64 = AtomicU64::new(0);
    let ticks = TICKS.fetch_add(1, Ordering::Relaxed);
    *START.get_or_init(Instant::now) + Duration::from_micros(1500 * ticks)
}

#[test]
fn a_span_that_closes_can_be_a_line() {
    let lines = tails(
        |layer| layer.span_close(true).monotonic_clock(ticking),
        || {
            let outer = warn_span!("outer", span_id = "1", trace_id = "t", duration_ms = "mine");
            let inner = info_span!(parent: &outer, "inner", span_id = "2", rows = Empty);
            inner.in_scope(|| ());
            inner.in_scope(|| info!("m"));
            inner.record("rows", 7);
            drop(inner);
            drop(outer);
        },
    );
    assert_eq!(
        lines,
        [
            r#""message":"m","trace_id":"t","span_id":"2","parent_span_id":"1","span":"inner","duration_ms_":"mine"}"#,
            r#""message":"span closed","duration_ms":7.5,"busy_ms":3.0,"trace_id":"t","span_id":"2","parent_span_id":"1","span":"inner","rows":7,"duration_ms_":"mine"}"#,
            r#""message":"span closed","duration_ms":10.5,"busy_ms":0.0,"trace_id":"t","span_id":"1","duration_ms_":"mine","span":"outer"}"#,
        ]
    );
}

#[test]
fn a_closing_line_has_the_level_of_its_span_and_each_style() {
    for style in [SpanStyle::Flat, SpanStyle::Object, SpanStyle::List] {
        let sink = Sink::default();
        let layer = layer(&sink).spans(style).span_close(true);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            drop(warn_span!("s", a = 1));
        });
        let line = sink.line();
        assert_eq!(line["level"], "WARN");
        let name = match style {
            SpanStyle::Object => &line["span"]["name"],
            SpanStyle::List => &line["spans"][0]["name"],
            _ => &line["span"],
        };
        assert_eq!(name, "s");
    }
}
