//! The recorders: ours, and the two libraries that Rust services use.

use crate::Finished;
use dogwatch_metrics::{Metrics, Request};
use prometheus::{HistogramOpts, HistogramVec};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;

/// One recorder.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) build: fn() -> Box<dyn Record>,
}

pub(crate) trait Record {
    fn record(&self, request: &Finished);
    /// How many there were.
    fn count(&self) -> u64;
}

pub(crate) const PROMETHEUS_CLIENT: usize = 2;

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "dogwatch-metrics, duration and size, exemplars",
        build: || {
            Box::new(Ours {
                metrics: Metrics::new(),
                sampled: true,
            })
        },
    },
    Subject {
        name: "dogwatch-metrics, duration and size",
        build: || {
            Box::new(Ours {
                metrics: Metrics::new(),
                sampled: false,
            })
        },
    },
    Subject {
        name: "prometheus-client, duration only, exemplars",
        build: || {
            let make: fn() -> HistogramWithExemplars<Trace> =
                || HistogramWithExemplars::new(BUCKETS.iter().copied());
            Box::new(Client(Family::new_with_constructor(make)))
        },
    },
    Subject {
        name: "prometheus, duration only",
        build: || {
            let options = HistogramOpts::new("duration", "help").buckets(BUCKETS.to_vec());
            let vec = HistogramVec::new(options, &["method", "route", "status"]);
            Box::new(Prometheus(vec.expect("a sound name")))
        },
    },
];

struct Ours {
    metrics: Metrics,
    sampled: bool,
}

impl Record for Ours {
    fn record(&self, request: &Finished) {
        self.metrics.request(&Request {
            method: request.method,
            route: Some(request.route),
            status: request.status,
            scheme: "http",
            protocol_version: "1.1",
            outcome: "completed",
            latency: request.latency,
            bytes_in: None,
            bytes_out: request.bytes_out,
            trace_id: Some(request.trace_id),
            sampled: self.sampled,
        });
    }

    fn count(&self) -> u64 {
        let (_, page) = self.metrics.render(Some("application/openmetrics-text"));
        assert_eq!(
            page.contains("# {trace_id="),
            self.sampled,
            "exemplars as asked for"
        );
        let counts = page.lines().filter_map(|line| {
            let line = line.strip_prefix("http_server_request_duration_seconds_count")?;
            line.rsplit_once(' ')?.1.parse::<u64>().ok()
        });
        counts.sum()
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    // A service knows its routes as text only.
    route: String,
    status: u32,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Trace {
    trace_id: String,
}

struct Client(Family<Labels, HistogramWithExemplars<Trace>, fn() -> HistogramWithExemplars<Trace>>);

impl Record for Client {
    fn record(&self, request: &Finished) {
        let labels = Labels {
            method: request.method,
            route: request.route.to_owned(),
            status: request.status.into(),
        };
        let trace = Trace {
            trace_id: request.trace_id.to_owned(),
        };
        let seconds = request.latency.as_secs_f64();
        self.0
            .get_or_create(&labels)
            .observe(seconds, Some(trace), None);
    }

    fn count(&self) -> u64 {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register("duration", "help", self.0.clone());
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &registry)
            .expect("a String takes all");
        let counts = page.lines().filter_map(|line| {
            line.strip_prefix("duration_count")?
                .rsplit_once(' ')?
                .1
                .parse::<u64>()
                .ok()
        });
        counts.sum()
    }
}

struct Prometheus(HistogramVec);

impl Record for Prometheus {
    fn record(&self, request: &Finished) {
        let status = match request.status {
            200 => "200",
            _ => "404",
        };
        let labels = [request.method, request.route, status];
        self.0
            .with_label_values(&labels)
            .observe(request.latency.as_secs_f64());
    }

    fn count(&self) -> u64 {
        use prometheus::core::Collector as _;
        let families = self.0.collect();
        let metrics = families.iter().flat_map(|family| family.get_metric());
        metrics
            .map(|metric| metric.get_histogram().get_sample_count())
            .sum()
    }
}

const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
