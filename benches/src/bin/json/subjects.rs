//! The formatters: ours as `Config::prod()` sets it up, and the rivals with equal content.

use crate::cases::Sample;
use crate::{floor, logforth};
use dogwatch_benches::sink;
use dogwatch_json::{JsonLayer, Redact};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Subscriber};
use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry;
use tracing_subscriber::registry::LookupSpan;

/// One formatter.
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) by: By,
    pub(crate) format: Format,
    /// Lines for one event when its two spans are made and closed with it.
    pub(crate) lines_with_spans: u64,
}

/// What meets the events.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// A subscriber, under which every case runs.
    Tracing(fn() -> Dispatch),
    /// What is no subscriber: its own loop, for the cases that it knows.
    Loop(fn(&str, u64) -> Option<Sample>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Logfmt,
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        key: "ours",
        name: "dogwatch-json (redaction, budgets, unique keys)",
        by: By::Tracing(|| Dispatch::new(registry().with(ours()))),
        format: Format::Json,
        lines_with_spans: 1,
    },
    Subject {
        key: "subscriber",
        name: "tracing-subscriber json (span list)",
        by: By::Tracing(|| {
            let layer = tracing_subscriber::fmt::layer()
                .json()
                .with_current_span(false);
            Dispatch::new(registry().with(layer.with_writer(sink::make)))
        }),
        format: Format::Json,
        lines_with_spans: 1,
    },
    Subject {
        key: "json_subscriber",
        name: "json-subscriber (span list)",
        by: By::Tracing(|| {
            let layer = json_subscriber::fmt::layer()
                .with_current_span(false)
                .with_span_list(true);
            Dispatch::new(registry().with(layer.with_writer(sink::make)))
        }),
        format: Format::Json,
        lines_with_spans: 1,
    },
    Subject {
        key: "bunyan",
        name: "tracing-bunyan-formatter",
        by: By::Tracing(|| {
            let layer = BunyanFormattingLayer::new("shop".to_owned(), sink::make);
            Dispatch::new(registry().with(JsonStorageLayer).with(layer))
        }),
        format: Format::Json,
        // Each span has a line for its start and one for its end, which it cannot leave off.
        lines_with_spans: 5,
    },
    Subject {
        key: "logfmt",
        name: "tracing-logfmt",
        by: By::Tracing(|| {
            let layer = tracing_subscriber::fmt::layer()
                .event_format(tracing_logfmt::EventsFormatter::default())
                .fmt_fields(tracing_logfmt::FieldsFormatter::default());
            Dispatch::new(registry().with(layer.with_writer(sink::make)))
        }),
        format: Format::Logfmt,
        lines_with_spans: 1,
    },
    Subject {
        key: "logforth",
        name: "logforth json (12 fields in the call, no spans)",
        by: By::Loop(logforth::run),
        format: Format::Json,
        lines_with_spans: 1,
    },
    Subject {
        key: "floor",
        name: "floor: by hand, no tracing",
        by: By::Loop(floor::run),
        format: Format::Json,
        lines_with_spans: 1,
    },
];

/// All that a service in production runs: our filter, the line, alerts and metrics.
pub(crate) fn prod_at_info() -> (Dispatch, dogwatch::Guard) {
    let prod = dogwatch::Config::prod().filter("info").stdout(true);
    let (layers, log) = prod.layers().expect("stdout is there");
    (Dispatch::new(registry().with(layers)), log)
}

pub(crate) fn bare_at_info() -> Dispatch {
    Dispatch::new(registry().with(LevelFilter::INFO))
}

fn ours<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    JsonLayer::new(sink::make).redact(Redact::secrets())
}
