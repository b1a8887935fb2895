//! The contracts between the crates, which know nothing of each other, held where they are joined.
#![cfg(all(
    feature = "json",
    feature = "appender",
    feature = "tower",
    feature = "alert",
    feature = "metrics"
))]

mod alerts;
mod bounds;
mod disabled;
mod fallback;
#[cfg(feature = "index")]
mod indexes;
mod layers;
mod lines;
mod pages;
mod parity;
mod readers;
mod replay;
mod requests;
mod sampling;
mod schemas;
mod writes;

use std::path::Path;

use dogwatch::{Compress, Config, Guard, Roll};
use tracing_core::dispatcher::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// A log of its own in `dir`, on a dispatcher of its own.
fn start(config: Config, dir: &Path) -> (Dispatch, Guard) {
    start_with(config, dir, "trace")
}

/// The same, filtered.
fn start_with(config: Config, dir: &Path, filter: &str) -> (Dispatch, Guard) {
    let config = config
        .file(dir.join("test.log"))
        .stdout(false)
        .filter(filter)
        .roll(Roll::never())
        .compress(Compress::None);
    let (layers, log) = config.layers().expect("starts");
    (
        Dispatch::new(tracing_subscriber::registry().with(layers)),
        log,
    )
}

/// The lines of `start`'s log, after its guard was closed.
fn lines(dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(dir.join("test.log")).expect("a log");
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

const LONG: std::time::Duration = std::time::Duration::from_secs(30);
