//! Measures what feeding the metrics adds to a request: with exemplars, joined as the facade joins them.
//!
//! Two stacks that differ in nothing else, in turns; the median of what the second costs more in each
//! round. It is a small difference of larger numbers: `--bin metrics` measures the recording alone.

use crate::drive::{self, BODY, Sample, measured};
use crate::subjects::{Hello, ours, plain};
use dogwatch_benches::{print, time};
use dogwatch_metrics::{Metrics, Request};
use dogwatch_tower::{Finished, RequestLayer};
use tower::Layer as _;

pub(crate) fn run(rounds: u32, requests: u64) {
    let mut added = Vec::new();
    for _ in 0..rounds {
        let under = |layer: RequestLayer| {
            tracing::dispatcher::with_default(&ours(), || measured(layer.layer(Hello), requests))
        };
        let metrics = Metrics::new();
        let without = under(plain());
        let with = under(fed(&metrics));
        check(&metrics, requests + drive::WARM_UP);
        added.push(Sample {
            ns: with.ns - without.ns,
            allocations: with.allocations - without.allocations,
            ..with
        });
    }
    let ns: Vec<_> = added.iter().map(|sample| sample.ns).collect();
    let most = added.iter().map(|sample| sample.allocations.round());
    print::figure("tower.metrics.added_ns", Some(time::median(&ns)), "ns");
    let allocations = most.fold(f64::MIN, f64::max);
    print::figure("tower.metrics.allocations", Some(allocations), "count");
}

fn check(metrics: &Metrics, requests: u64) {
    let page = metrics.render(Some("application/openmetrics-text")).1;
    let of = |name: &str| {
        let row = page.lines().find(|line| line.starts_with(name));
        row.and_then(|row| row.split(' ').nth(1)?.parse::<u64>().ok())
    };
    let counted = of("http_server_request_duration_seconds_count");
    assert_eq!(counted, Some(requests), "every request: {page}");
    let bytes = of("http_server_response_body_size_bytes_sum");
    assert_eq!(bytes, Some(requests * BODY.len() as u64), "{page}");
    assert_eq!(of("http_server_active_requests"), Some(0), "{page}");
    assert!(page.contains("# {trace_id=\""), "exemplars: {page}");
}

/// As `dogwatch::Guard::request_layer` does.
fn fed(metrics: &Metrics) -> RequestLayer {
    let (finished, active) = (metrics.clone(), metrics.clone());
    plain()
        .on_finish(move |request| count(&finished, request))
        .on_active(move |method, delta| active.active(method, delta))
}

fn count(metrics: &Metrics, request: &Finished) {
    let trace_id = request.trace_id().to_hex();
    metrics.request(&Request {
        method: request.method(),
        route: request.route(),
        status: request.status(),
        scheme: request.scheme().unwrap_or("http"),
        protocol_version: request.protocol_version(),
        outcome: request.outcome().as_str(),
        latency: request.latency(),
        bytes_in: request.bytes_in(),
        bytes_out: request.bytes_out(),
        trace_id: std::str::from_utf8(&trace_id).ok(),
        sampled: request.sampled(),
    });
}
