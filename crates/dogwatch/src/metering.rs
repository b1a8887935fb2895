//! Feeds the metrics: requests as they finish, lines that were lost, alerts by state.

use dogwatch_metrics::Metrics;
#[cfg(feature = "tower")]
use dogwatch_tower::{Finished, RequestLayer};

/// The metrics of one log, with what is read from its outputs and its alerts at each scrape.
pub(crate) fn metrics(
    #[cfg(feature = "appender")] outputs: &crate::outputs::Outputs,
    #[cfg(feature = "alert")] alerting: Option<&crate::alerting::Alerting>,
) -> Metrics {
    let metrics = Metrics::new();
    #[cfg(feature = "appender")]
    metrics.lost_lines(outputs.losses());
    #[cfg(feature = "alert")]
    if let Some(alerting) = alerting {
        metrics.alerts(alerting.read());
    }
    metrics
}

/// Counts each finished request, and those under way. A quiet route is counted in neither.
#[cfg(feature = "tower")]
pub(crate) fn feed(layer: RequestLayer, metrics: &Metrics) -> RequestLayer {
    let (finished, active) = (metrics.clone(), metrics.clone());
    layer
        .on_finish(move |request| count(&finished, request))
        .on_active(move |_, delta| active.active(delta))
}

#[cfg(feature = "tower")]
fn count(metrics: &Metrics, request: &Finished) {
    let mut hex = [0; 32];
    metrics.request(&dogwatch_metrics::Request {
        method: request.method(),
        route: request.route(),
        status: request.status(),
        outcome: request.outcome().as_str(),
        latency: request.latency(),
        bytes_out: request.bytes_out(),
        trace_id: Some(hex_of(request.trace_id().to_bytes(), &mut hex)),
        sampled: request.sampled(),
    });
}

/// Without an allocation: it runs once a request.
#[cfg(feature = "tower")]
fn hex_of(bytes: [u8; 16], out: &mut [u8; 32]) -> &str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(out).expect("hex digits are ASCII")
}
