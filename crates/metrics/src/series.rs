//! Counts requests into a bounded number of series.

mod show;

use crate::forward::{Counted, Forward, Observed, Told};
use crate::hash::hash;
use crate::histogram::{Exemplar, Exemplars, Histogram, bucket};
use crate::page::labels;
use crate::request::{Key, OTHER, Request, SHED, Wire};
use crate::table::Table;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Every request ever recorded, by method, route, status and error.
#[derive(Debug)]
pub(crate) struct RequestSeries {
    table: Table<Series>,
    // One for each class of status, shed or not: the bound holds, and so do rules over `5..`.
    overflow: [OnceLock<Box<Series>>; 2 * CLASSES],
}

#[derive(Debug)]
struct Series {
    method: &'static str,
    wire: Wire,
    route: Box<str>,
    status: u16,
    error: Option<Box<str>>,
    labels: String,
    // Bounds in nanoseconds, sum in microseconds: a sum of nanoseconds would wrap within weeks on a
    // server that holds ten thousand streams open.
    duration: Histogram<{ DURATION_NS.len() + 1 }>,
    exemplars: Exemplars<{ DURATION_NS.len() + 1 }>,
    size_out: Histogram<{ SIZE.len() + 1 }>,
    // Few services count what they read: the others do not pay for it.
    size_in: OnceLock<Box<Histogram<{ SIZE.len() + 1 }>>>,
    sent: Sent,
}

/// A recorder's handles for one series.
#[derive(Debug, Default)]
struct Sent {
    duration: Observed,
    size_out: Observed,
    size_in: Observed,
    shed: Counted,
}

impl RequestSeries {
    pub(crate) fn new(max_series: usize) -> Self {
        Self {
            table: Table::new(max_series),
            overflow: [const { OnceLock::new() }; 2 * CLASSES],
        }
    }

    /// `now` is asked only when the request may leave an exemplar.
    pub(crate) fn record(
        &self,
        request: &Request<'_>,
        now: impl Fn() -> SystemTime,
        forward: &Forward,
    ) {
        let series = self.find(request.key());
        let ns = u64::try_from(request.latency.as_nanos()).unwrap_or(u64::MAX);
        let at = bucket(&DURATION_NS, ns);
        series.duration.record(at, ns.saturating_add(500) / 1_000);
        let bytes = request.bytes_out;
        series.size_out.record(bucket(&SIZE, bytes), bytes);
        if let Some(bytes) = request.bytes_in {
            let sizes = series.size_in.get_or_init(|| Box::new(Histogram::new()));
            sizes.record(bucket(&SIZE, bytes), bytes);
        }
        series.send(request, forward);
        if request.sampled && request.trace_id.is_some() {
            let since_1970 = now().duration_since(UNIX_EPOCH).unwrap_or_default();
            series.exemplars.offer(at, since_1970, || {
                let seconds = request.latency.as_secs_f64();
                let trace_id = request.exemplar_trace()?;
                Some(Exemplar {
                    trace_id,
                    seconds,
                    since_1970,
                })
            });
        }
    }

    fn find(&self, key: Key<'_>) -> &Series {
        let words = key.method.len() << 8 | key.error.map_or(0, str::len);
        let words = words as u64 | key.wire.word() << 16;
        let hash = hash(key.route, u64::from(key.status) << 32 | words);
        self.table
            .find_or_insert(hash, |series| series.key() == key, || Series::new(key))
            .unwrap_or_else(|| self.overflow(key))
    }

    fn overflow(&self, key: Key<'_>) -> &Series {
        let class = usize::from(key.status / 100).min(CLASSES - 1);
        let shed = key.error == Some(SHED);
        let slot = &self.overflow[class + if shed { CLASSES } else { 0 }];
        slot.get_or_init(|| Box::new(Series::overflow(class, shed)))
    }
}

impl Series {
    fn new(key: Key<'_>) -> Self {
        let status = if key.status == 0 {
            String::new()
        } else {
            key.status.to_string()
        };
        // By the semantic conventions a 5xx that nothing else explains is its own error type.
        let error = key
            .error
            .unwrap_or(if key.status >= 500 { &status } else { "" });
        Self::with_labels(key, &status, error)
    }

    fn overflow(class: usize, shed: bool) -> Self {
        let error = shed.then_some(SHED);
        let key = Key {
            method: OTHER,
            wire: Wire::NONE,
            route: OVERFLOW,
            status: 0,
            error,
        };
        let status = if class == 0 {
            String::new()
        } else {
            format!("{class}xx")
        };
        let unexplained = if class == 5 { OTHER } else { "" };
        Self::with_labels(key, &status, error.unwrap_or(unexplained))
    }

    fn with_labels(key: Key<'_>, status: &str, error: &str) -> Self {
        let labels = labels(&[
            ("http_request_method", key.method),
            ("http_route", key.route),
            ("http_response_status_code", status),
            ("error_type", error),
            ("network_protocol_version", key.wire.version()),
            ("url_scheme", key.wire.scheme()),
        ]);
        Self {
            method: key.method,
            wire: key.wire,
            route: key.route.into(),
            status: key.status,
            error: key.error.map(Into::into),
            labels,
            duration: Histogram::new(),
            exemplars: Exemplars::new(),
            size_out: Histogram::new(),
            size_in: OnceLock::new(),
            sent: Sent::default(),
        }
    }

    fn send(&self, request: &Request<'_>, forward: &Forward) {
        let (sent, series) = (&self.sent, || self.labels.clone());
        let seconds = request.latency.as_secs_f64();
        forward.observe((&sent.duration, seconds), DURATION_TOLD, series);
        forward.observe(
            (&sent.size_out, request.bytes_out as f64),
            SIZE_OUT_TOLD,
            series,
        );
        if let Some(bytes) = request.bytes_in {
            forward.observe((&sent.size_in, bytes as f64), SIZE_IN_TOLD, series);
        }
        if self.error.as_deref() == Some(SHED) {
            let route = || labels(&[("http_route", &self.route)]);
            forward.count(&sent.shed, SHED_TOLD, route);
        }
    }

    fn key(&self) -> Key<'_> {
        Key {
            method: self.method,
            wire: self.wire,
            route: &self.route,
            status: self.status,
            error: self.error.as_deref(),
        }
    }
}

/// The label value of what came after the bound was reached.
pub(crate) const OVERFLOW: &str = "_other";

// 1xx to 5xx, and what is none of them. A status of 600 or more is counted with the server's errors.
const CLASSES: usize = 6;

/// Semantic conventions of OpenTelemetry, `http.server.request.duration`: advised bucket boundaries.
const DURATION_NS: [u64; 14] = [
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
];

/// Powers of four from 256 B to 16 MiB. The conventions advise none for sizes.
const SIZE: [u64; 9] = [
    256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
];

pub(crate) const DURATION: &str = "http_server_request_duration_seconds";
pub(crate) const SIZE_IN: &str = "http_server_request_body_size_bytes";
pub(crate) const SIZE_OUT: &str = "http_server_response_body_size_bytes";
pub(crate) const SHED_REQUESTS: &str = "dogwatch_requests_shed";

const DURATION_TOLD: Told<'static> = Told {
    name: DURATION,
    help: "Time from a request's head to the end of its answer, for every request that ended. Requests turned away on purpose have error_type=\"shed\".",
};
const SIZE_IN_TOLD: Told<'static> = Told {
    name: SIZE_IN,
    help: "Size of the requests' bodies as far as they were read, where that is counted.",
};
const SIZE_OUT_TOLD: Told<'static> = Told {
    name: SIZE_OUT,
    help: "Size of the answers' bodies as sent.",
};
const SHED_TOLD: Told<'static> = Told {
    name: "dogwatch_requests_shed_total",
    help: "Requests turned away on purpose. They are in the duration histogram too, with error_type=\"shed\".",
};
