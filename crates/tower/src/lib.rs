//! Tower layers: a request span with trace context, one closing line, propagation and load shedding.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod b3;
mod baggage;
mod body;
mod bytes_in;
mod call;
#[cfg(feature = "tokio")]
mod carry;
mod closing;
mod config;
mod context;
mod current;
mod error;
mod facts;
mod failure;
mod finished;
mod future;
mod grpc;
mod hex;
mod ids;
mod inbound;
mod kept;
mod late;
mod layer;
mod notes;
mod open;
#[cfg(feature = "opentelemetry")]
mod otel;
#[cfg(not(feature = "opentelemetry"))]
#[path = "otel_off.rs"]
mod otel;
mod outcome;
mod page;
mod panics;
mod path;
mod policy;
mod propagate;
mod record;
mod request_id;
mod request_log;
#[cfg(feature = "reqwest")]
mod send;
mod service;
mod shared;
mod shed;
mod sites;
mod tracestate;

pub use b3::B3;
pub use body::RecordedBody;
pub use bytes_in::{BytesInLayer, BytesInService, CountedBody};
pub use call::ClientCall;
#[cfg(feature = "tokio")]
pub use carry::{spawn_blocking_instrumented, spawn_instrumented};
pub use context::TraceContext;
pub use error::Error;
pub use finished::{Finished, Route};
pub use future::RequestFuture;
pub use ids::{SpanId, TraceId};
pub use late::LateValue;
pub use layer::RequestLayer;
#[cfg(feature = "opentelemetry")]
pub use otel::BridgedIds;
pub use outcome::Outcome;
pub use page::Page;
pub use panics::capture_panics;
pub use propagate::{PropagateFuture, PropagateLayer, PropagateService};
pub use request_log::RequestLog;
pub use service::RequestService;
pub use shed::{Shed, ShedFuture, ShedLayer, ShedService};

/// The target of request spans and closing lines.
pub const TARGET: &str = "dogwatch::request";
