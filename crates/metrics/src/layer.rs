//! The tracing layer that counts events.

use crate::metrics::Shared;
use std::sync::Arc;
use tracing_core::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, Layer};

/// A tracing layer that counts events by level and target, as `dogwatch_lines_total`.
///
/// It observes: it enables nothing, formats nothing, takes no lock and ignores spans. What it counts
/// are the events that the filters before it let through, so that beside `JsonLayer` under one filter
/// it counts the lines. Records of the `log` crate count under the target `log`.
#[derive(Clone, Debug)]
pub struct MetricsLayer {
    shared: Arc<Shared>,
}

impl MetricsLayer {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The filter that this layer needs when it stands alone: events from INFO up, no spans.
    ///
    /// Without any filter on the registry, a layer has every TRACE event of every dependency made for
    /// it. Beside other layers leave it off, and put one filter over all of them.
    ///
    /// ```
    /// use dogwatch_metrics::{Metrics, MetricsLayer};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let metrics = Metrics::new();
    /// let layer = metrics.layer().with_filter(MetricsLayer::filter());
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// # drop(subscriber);
    /// ```
    #[must_use = "a filter does nothing until it is given to `with_filter`"]
    pub fn filter() -> FilterFn {
        let events: fn(&Metadata<'_>) -> bool = |m| m.is_event() && *m.level() <= Level::INFO;
        filter_fn(events).with_max_level_hint(LevelFilter::INFO)
    }
}

impl<S: Subscriber> Layer<S> for MetricsLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let shared = &*self.shared;
        shared.lines.count(event.metadata(), &shared.forward);
    }
}
