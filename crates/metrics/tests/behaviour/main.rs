//! What a scraper, an operator and an application see of the metrics.

mod any_text;
mod lines;
mod parse;
mod promtool;
mod requests;
mod sources;

use dogwatch_metrics::{Metrics, Request};
use parse::Page;
use std::time::Duration;

const OPEN: &str = "application/openmetrics-text; version=1.0.0";
const COUNT: &str = "http_server_request_duration_seconds_count";

const GOOD: Request<'static> = Request {
    method: "GET",
    route: Some("/api/products"),
    status: 200,
    scheme: "http",
    protocol_version: "1.1",
    outcome: "completed",
    latency: Duration::from_millis(42),
    bytes_in: None,
    bytes_out: 300,
    trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
    sampled: true,
};

/// Both formats, each read strictly: they say the same, so tests look at either.
fn scrape(metrics: &Metrics) -> Page {
    let (content_type, text) = metrics.render(Some(OPEN));
    let page = Page::parse(content_type, &text);
    let (content_type, text) = metrics.render(None);
    let older = Page::parse(content_type, &text);
    for (name, family) in &page.families {
        let total = if family.kind == "counter" {
            "_total"
        } else {
            ""
        };
        let same = older.families.get(&format!("{name}{total}"));
        let samples = same.map(|family| family.samples.len());
        assert_eq!(
            samples,
            Some(family.samples.len()),
            "{name} in both formats"
        );
    }
    page
}
