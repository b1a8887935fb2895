//! `MetricsLayer` alone: lines by level, as Prometheus reads them.

use std::error::Error;

use dogwatch_metrics::{Metrics, MetricsLayer};
use tracing_subscriber::prelude::*;

pub(crate) fn page() -> Result<String, Box<dyn Error>> {
    let metrics = Metrics::builder().process(false).build();
    let layer = metrics.layer().with_filter(MetricsLayer::filter());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::info!("one");
        tracing::error!("two");
        tracing::error!("three");
    });
    let (_, page) = metrics.render(None);
    let lines = page
        .lines()
        .filter(|line| line.starts_with("dogwatch_lines_total"));
    let shown: Vec<&str> = lines.collect();
    let errors = r#"dogwatch_lines_total{level="ERROR",target="plain_registry::metrics"} 2"#;
    crate::same("that two errors are counted", shown.contains(&errors), true)
        .map_err(|error| format!("{error}: {page}"))?;
    Ok(shown.join("\n"))
}
