//! Requests, log lines and alerts as metrics: recorded without a lock, shown to Prometheus.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accept;
mod active;
mod builder;
mod error;
#[cfg(feature = "recorder")]
mod forward;
#[cfg(not(feature = "recorder"))]
#[path = "forward_off.rs"]
mod forward;
mod hash;
mod histogram;
mod layer;
mod lines;
mod metrics;
mod page;
mod process;
mod request;
mod series;
mod source;
mod table;

pub use builder::Builder;
pub use error::Error;
pub use layer::MetricsLayer;
pub use metrics::{Alert, Metrics};
pub use request::Request;
