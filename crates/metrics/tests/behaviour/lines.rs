//! Events: counted by level and target, and nothing else is disturbed.

use crate::scrape;
use dogwatch_metrics::{Metrics, MetricsLayer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

const LINES: &str = "dogwatch_lines_total";

#[test]
fn events_are_counted_by_level_and_target_and_spans_are_not() {
    let metrics = Metrics::new();
    subscriber::with_default(registry().with(metrics.layer()), || {
        let _span = tracing::error_span!("request").entered();
        for _ in 0..3 {
            tracing::error!(target: "shop::pay", "failed");
        }
        tracing::error!(target: "shop::pay", "another place, the same target");
        tracing::info!(target: "shop::pay", "paid");
        tracing::trace!(target: "shop", "detail");
    });
    let page = scrape(&metrics);
    let count = |level, target| page.sum(LINES, &[("level", level), ("target", target)]);
    assert_eq!(count("ERROR", "shop::pay"), 4.0);
    assert_eq!(count("INFO", "shop::pay"), 1.0);
    assert_eq!(count("TRACE", "shop"), 1.0);
    assert_eq!(page.sum(LINES, &[]), 6.0);
}

#[test]
fn each_level_stands_at_zero_from_the_start_so_that_a_first_error_is_a_rise() {
    let page = scrape(&Metrics::new());
    let levels: Vec<_> = page
        .matching(LINES, &[])
        .map(|s| (s.labels["level"].as_str(), s.value))
        .collect();
    let expected = [
        ("DEBUG", 0.0),
        ("ERROR", 0.0),
        ("INFO", 0.0),
        ("TRACE", 0.0),
        ("WARN", 0.0),
    ];
    assert_eq!(levels, expected);
}

#[test]
fn beyond_the_bound_targets_are_counted_under_their_level() {
    let metrics = Metrics::builder().max_series(1).build();
    subscriber::with_default(registry().with(metrics.layer()), || {
        tracing::info!(target: "first", "1");
        for _ in 0..2 {
            tracing::info!(target: "second", "2");
            tracing::warn!(target: "third", "3");
        }
        tracing::info!(target: "first", "4");
    });
    let page = scrape(&metrics);
    let count = |level, target| page.sum(LINES, &[("level", level), ("target", target)]);
    assert_eq!(count("INFO", "first"), 2.0);
    assert_eq!(
        (count("INFO", "_other"), count("WARN", "_other")),
        (2.0, 2.0)
    );
}

#[test]
fn a_target_called_as_the_overflow_is_counted_with_it() {
    let metrics = Metrics::builder().max_series(1).build();
    subscriber::with_default(registry().with(metrics.layer()), || {
        tracing::info!(target: "_other", "its own");
        tracing::info!(target: "beyond", "the bound");
    });
    let labels = [("level", "INFO"), ("target", "_other")];
    assert_eq!(scrape(&metrics).sum(LINES, &labels), 2.0);
}

#[test]
fn alone_under_its_own_filter_it_counts_info_and_above_and_enables_no_more() {
    let metrics = Metrics::new();
    let layer = metrics.layer().with_filter(MetricsLayer::filter());
    subscriber::with_default(registry().with(layer), || {
        assert_eq!(LevelFilter::current(), LevelFilter::INFO);
        tracing::debug!("no");
        tracing::info!("yes");
    });
    assert_eq!(scrape(&metrics).sum(LINES, &[]), 1.0);
}

#[test]
fn its_filter_silences_no_other_layer() {
    struct Other(Arc<AtomicUsize>);
    impl<S: Subscriber> Layer<S> for Other {
        fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (metrics, others) = (Metrics::new(), Arc::new(AtomicUsize::new(0)));
    let stack = registry()
        .with(metrics.layer().with_filter(MetricsLayer::filter()))
        .with(Other(Arc::clone(&others)));
    subscriber::with_default(stack, || {
        tracing::debug!("for the other only");
        tracing::info!("for both");
    });
    assert_eq!(
        (
            scrape(&metrics).sum(LINES, &[]),
            others.load(Ordering::Relaxed)
        ),
        (1.0, 2)
    );
}
