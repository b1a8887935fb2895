//! Events that are logged while another is written. Alone: `tracing` passes such events on only to a
//! process-wide default.

mod support;

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Sink, layer};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

struct Logs;

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("before ")?;
        let _span = info_span!("inner", id = 2).entered();
        info!(a = 1, "from inside");
        f.write_str("after")
    }
}

struct LogsItself;

impl fmt::Display for LogsItself {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(again = %self, "once more");
        f.write_str("x")
    }
}

struct SpansItself;

impl fmt::Display for SpansItself {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _span = info_span!("again", again = %self).entered();
        f.write_str("x")
    }
}

static LOUD: AtomicBool = AtomicBool::new(false);
static SPANS: AtomicBool = AtomicBool::new(false);

/// A sink that logs, or makes spans, when it is told to.
struct Loud(Sink);

impl Write for Loud {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if LOUD.load(Ordering::Relaxed) {
            info!("from the writer");
        }
        if SPANS.load(Ordering::Relaxed) {
            drop(info_span!("from the writer"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn events_inside_events_are_whole_lines_and_come_to_an_end() {
    let sink = Sink::default();
    let writes = sink.clone();
    let layer = dogwatch_json::JsonLayer::new(move || Loud(writes.clone()))
        .on_error(|error| assert!(error.is_nested()));
    let lost = layer.lost_lines();
    let (apart, quiet) = (Sink::default(), layer_apart());
    let closing = Sink::default();
    let writes = closing.clone();
    let closes = dogwatch_json::JsonLayer::new(move || Loud(writes.clone()))
        .span_close(true)
        .on_error(|error| assert!(error.is_nested()));
    let unclosed = closes.lost_lines();
    tracing_subscriber::registry()
        .with(layer)
        .with(quiet(&apart))
        .with(closes)
        .init();

    let outer = info_span!("outer", id = 1, shown = %Logs).entered();
    info!(a = %Logs, b = 2, "outer");
    drop(outer);
    let lines = sink.lines();
    // Each of three layers formats the value, and so makes it log.
    let inner = lines
        .iter()
        .filter(|line| line["message"] == "from inside")
        .count();
    assert_eq!(inner, lines.len() - 1);
    assert!(
        lines
            .iter()
            .filter(|line| line["message"] == "from inside")
            .all(|l| l["id"] == 2)
    );
    let line = lines
        .iter()
        .find(|line| line["message"] == "outer")
        .unwrap();
    assert_eq!(
        (&line["a"], &line["b"], &line["id"], &line["shown"]),
        (
            &"before after".into(),
            &2.into(),
            &1.into(),
            &"before after".into()
        )
    );
    assert_eq!(apart.lines().len(), lines.len());
    assert_eq!(lost.count(), 0);

    info!(a = %LogsItself, "first");
    assert!(lost.count() > 0);
    let refused = lost.count();
    info_span!("s", a = %SpansItself).in_scope(|| info!("in span"));
    assert!(lost.count() > refused);
    assert_eq!(sink.lines().last().unwrap()["a"], "x");

    LOUD.store(true, Ordering::Relaxed);
    info!("to a writer that logs");
    LOUD.store(false, Ordering::Relaxed);
    let told = |line: &serde_json::Map<_, _>| line["message"] == "to a writer that logs";
    assert_eq!(sink.lines().iter().filter(|line| told(line)).count(), 1);

    let refused = unclosed.count();
    SPANS.store(true, Ordering::Relaxed);
    info!("to a writer that makes spans");
    SPANS.store(false, Ordering::Relaxed);
    assert!(unclosed.count() > refused);
    assert!(
        closing
            .lines()
            .iter()
            .any(|line| line["message"] == "span closed")
    );
}

fn layer_apart() -> impl Fn(&Sink) -> dogwatch_json::JsonLayer<Sink> {
    |sink| layer(sink).on_error(|error| assert!(error.is_nested()))
}
