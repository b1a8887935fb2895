//! Production logging and monitoring for Rust services: one start, one guard, everything joined.
//!
#![cfg_attr(
    all(feature = "json", feature = "appender"),
    doc = include_str!("../README.md")
)]
//! # At its edges
//!
//! - **Full.** Lines wait in at most 8 MiB before the file, and as many before stdout. What finds no
//!   room waits 100 ms, then is dropped, counted, and told by a gap line once there is room again;
//!   until then no further line waits. See [`Config::when_full`] and [`Guard::accounts`].
//! - **Slow or broken disk.** The writer tries again while lines wait; the service goes on.
//!   [`Config::on_error`] is told.
//! - **Exit.** [`Guard::close`], dropping the guard, returning from `main`, a panic through `main`
//!   and `std::process::exit` write every accepted line, within 2 seconds for all but `close`, whose
//!   time is yours. `abort`, a signal that nobody handles and SIGKILL lose what waits: at most what
//!   was logged in the last flush interval (100 ms) unless the disk is slower than the service.
//! - **Twice.** A second [`init`] is an error; the first goes on.
//! - **`panic = "abort"`.** What is said about panics does not hold there.
//!
//! # Features
//!
//! A feature decides what is compiled in; a variable or code decides what runs. Asking for what is
//! not compiled in is an error of [`init`] that names the feature. The table above says what each
//! gives and costs. Leave `dev` off in a container, `alert` off where another process alerts,
//! `appender` off where stdout is collected and a slow reader may hold up the service.

#![deny(unsafe_code)]

#[cfg(feature = "alert")]
mod alerting;
#[cfg(feature = "json")]
mod capture;
mod config;
#[cfg(feature = "cursors")]
mod cursors;
mod env;
mod error;
#[cfg(feature = "appender")]
#[expect(
    unsafe_code,
    reason = "registering with the C library's atexit is an unsafe call"
)]
mod exit;
mod filter;
#[cfg(feature = "appender")]
mod gap;
mod gate;
mod guard;
mod home;
#[cfg(feature = "index")]
mod indexing;
#[cfg(feature = "json")]
mod json;
mod left_out;
mod levels;
#[cfg(feature = "appender")]
mod log_file;
#[cfg(any(not(feature = "appender"), test))]
mod losing;
#[cfg(feature = "metrics")]
mod metering;
#[cfg(feature = "appender")]
mod outputs;
mod panics;
#[cfg(not(feature = "appender"))]
mod plain;
mod preset;
#[cfg(feature = "alert")]
mod raising;
mod settings;
mod sinks;
mod stack;
mod start;
mod stopped;
mod tell;
mod text;
mod unwritten;
mod wiring;

#[cfg(feature = "json")]
pub use capture::{Capture, capture};
pub use config::Config;
#[cfg(feature = "alert")]
pub use dogwatch_alert as alert;
#[cfg(feature = "appender")]
pub use dogwatch_appender::{
    Accounts, Compress, CrashRing, Fsync, Keep, Roll, WhenFull, WhenLocked,
};
#[cfg(feature = "json")]
pub use dogwatch_json::{
    ErrorValue, LevelStyle, Precision, Redact, Sample, Schema, SchemaBuilder, Timestamp,
};
#[cfg(feature = "serde")]
pub use dogwatch_json::{Json, json};
#[cfg(feature = "metrics")]
pub use dogwatch_metrics::Metrics;
#[cfg(feature = "opentelemetry")]
pub use dogwatch_tower::BridgedIds;
#[cfg(feature = "tower")]
pub use dogwatch_tower::{
    B3, BytesInLayer, ClientCall, Finished, Outcome, Page, PropagateLayer, RequestLayer,
    RequestLog, ShedLayer, TraceContext,
};
pub use error::Error;
pub use filter::Filter;
pub use guard::Guard;
pub use preset::Preset;
pub use start::init;
pub use stopped::stopped;
pub use unwritten::Unwritten;
