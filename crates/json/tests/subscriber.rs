//! The schema `tracing` against the JSON of `tracing_subscriber` itself, as parsed values.

mod support;

use dogwatch_json::Schema;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::fmt;
use support::{Sink, layer};
use tracing::field::Empty;
use tracing::{debug, error, info, info_span, trace, warn};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct Failed(Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it \"failed\"")
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

type Lines = Vec<Map<String, Value>>;

/// The lines of both layers for the same events.
fn both(tell: impl Fn()) -> (Lines, Lines) {
    let (ours, theirs) = (Sink::default(), Sink::default());
    let subscriber = tracing_subscriber::registry()
        .with(layer(&ours).schema(Schema::tracing_subscriber()))
        .with(
            tracing_subscriber::fmt::layer()
                .json()
                .with_writer(theirs.clone()),
        );
    tracing::subscriber::with_default(subscriber, tell);
    (without_time(&ours), without_time(&theirs))
}

fn without_time(sink: &Sink) -> Lines {
    let mut lines = sink.lines();
    for line in &mut lines {
        let time = line.remove("timestamp").unwrap();
        assert_eq!(time.as_str().unwrap().len(), support::NOW.len());
    }
    lines
}

#[test]
fn events_of_every_kind_read_as_those_of_tracing_subscriber() {
    let (ours, theirs) = both(|| {
        info!("plain");
        info!(only = 1);
        warn!(target: "elsewhere", text = "a \"quoted\"\n\u{202e}text", shown = %"d", debugged = ?"d");
        debug!(
            signed = i64::MIN,
            unsigned = u64::MAX,
            wide = u128::MAX,
            tall = i128::MIN
        );
        trace!(
            float = 0.1,
            third = 1.0_f32 / 3.0,
            nan = f64::NAN,
            infinite = f64::INFINITY
        );
        info!(
            flag = true,
            absent = None::<u64>,
            bytes = &[0_u8, 255, 65][..],
            empty = &[][..]
        );
        let failed = Failed(Some(Box::new(Failed(None))));
        let error: &(dyn Error + 'static) = &failed;
        error!(
            error,
            cause = error,
            user_id = 7,
            event = false,
            message = "the message"
        );
        error!(
            error = "only text",
            r#type = "raw",
            "two words" = 2,
            http.status = 500,
            "m {}",
            1
        );
        info!(
            level = "gold",
            timestamp = 1,
            target = "t",
            fields = "f",
            spans = 1,
            name = "n",
            "own"
        );
        info!(商品 = "键盘", "支付失败");
    });
    assert_eq!(ours.len(), 10);
    assert_eq!(ours, theirs);
}

#[test]
fn spans_read_as_those_of_tracing_subscriber() {
    let (ours, theirs) = both(|| {
        let outer = info_span!(
            "outer",
            trace_id = "t",
            span_id = 1,
            id = 1,
            late = Empty,
            never = Empty
        );
        let _outer = outer.enter();
        info!("in one");
        outer.record("late", 7);
        let inner = info_span!("inner", id = 2, error = %"text", user_id = 7, fields = true);
        inner.in_scope(|| info!(id = 3, span = "s", "in two"));
        inner.record("id", "anew");
        inner.in_scope(|| warn!("recorded"));
        info_span!("empty").in_scope(|| info!("in an empty one"));
    });
    assert_eq!(ours.len(), 4);
    assert_eq!(ours, theirs);
}

/// There, an event that names its parent is listed under the spans that are entered.
#[test]
fn an_event_that_names_its_parent_stands_in_that_one_here() {
    let (ours, theirs) = both(|| {
        let outer = info_span!("outer");
        let inner = info_span!(parent: &outer, "inner");
        let _outer = outer.enter();
        info!(parent: None, "in none");
        info!(parent: &inner, "in a named one");
    });
    assert_eq!((ours[0].get("span"), ours[0].get("spans")), (None, None));
    assert_eq!(theirs[0]["spans"], json!([{"name": "outer"}]));
    assert_eq!(ours[1]["span"], theirs[1]["span"]);
    assert_eq!(
        ours[1]["spans"],
        json!([{"name": "outer"}, {"name": "inner"}])
    );
    assert_eq!(theirs[1]["spans"], json!([{"name": "outer"}]));
}

#[test]
fn a_place_reads_as_that_of_tracing_subscriber() {
    let (ours, theirs) = (Sink::default(), Sink::default());
    let json = tracing_subscriber::fmt::layer().json();
    let subscriber = tracing_subscriber::registry()
        .with(
            layer(&ours)
                .schema(Schema::tracing_subscriber())
                .file_and_line(true),
        )
        .with(
            json.with_file(true)
                .with_line_number(true)
                .with_writer(theirs.clone()),
        );
    tracing::subscriber::with_default(subscriber, || info!(a = 1, "m"));
    assert_eq!(without_time(&ours), without_time(&theirs));
}
