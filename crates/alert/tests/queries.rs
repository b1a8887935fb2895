//! Holds queries as a rule's `match`: the language of the command, asked of live events.

use dogwatch_alert::{AlertLayer, Rules};
use tracing::{error, info, info_span, warn};
use tracing_subscriber::prelude::*;

/// How many of the events a query counts, each query alone.
fn counted(queries: &[&str], events: impl Fn()) -> Vec<u64> {
    let count = |query: &&str| {
        let yaml = format!("- name: q\n  match: '{query}'\n  threshold: 100000");
        let builder = AlertLayer::builder(Rules::parse(&yaml).unwrap());
        let (layer, guard) = builder.field("service", "shop").spawn().unwrap();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, &events);
        guard.alerts().counts()[0].matched
    };
    queries.iter().map(count).collect()
}

#[test]
fn a_query_is_asked_of_level_target_fields_spans_and_the_services_own() {
    let events = || {
        let _request = info_span!("request", route = "/pay", tenant = "a").entered();
        info!(target: "shop::db", status = 200, "query took long");
        warn!(target: "shop::db", status = 503, latency_ms = 1800.5, "pool timed out");
        error!(target: "shop::pay", status = 502, reason = "timed out", "支付失败");
    };
    let queries = [
        "level>=warn",
        "-level>=warn",
        "target=shop::db",
        "target=shop::*",
        "status>=500",
        "status in (200, 502)",
        "route=/pay tenant=a service=shop",
        "service=other",
        "latency_ms>1.5s",
        "reason exists",
        "level=error or status=200",
        "not (status=200 or status=502)",
    ];
    let expected = [2, 1, 2, 3, 2, 2, 3, 0, 1, 1, 2, 1];
    assert_eq!(counted(&queries, events), expected);
}

#[test]
fn a_text_without_a_field_is_looked_for_in_the_message_alone() {
    let events = || {
        warn!("pool timed out");
        error!(reason = "timed out", "支付失败");
    };
    let queries = [
        "\"timed out\"",
        "timed*out",
        "~\"ti(m|p)ed\"",
        "失败",
        "reason~timed",
        "-\"timed out\"",
    ];
    assert_eq!(counted(&queries, events), [1, 1, 1, 1, 1, 1]);
}

#[test]
fn an_event_has_a_time_as_its_line_will() {
    let queries = ["timestamp>2020-01-01", "timestamp<2020-01-01", "since=-1h"];
    assert_eq!(counted(&queries, || error!("now")), [1, 0, 1]);
}
