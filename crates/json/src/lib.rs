//! A [`tracing`](https://docs.rs/tracing) layer that encodes an event into one line of JSON.
//!
//! [`JsonLayer`] stands on any registry, beside anybody else's layers. A span's fields are encoded
//! once, when the span is made; an event copies those bytes behind its own.
//!
//! ```
//! use tracing_subscriber::prelude::*;
//!
//! let layer = dogwatch_json::JsonLayer::new(std::io::stdout).service("shop").env("prod");
//! tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
//!     let _request = tracing::info_span!("request", route = "/api/orders").entered();
//!     tracing::info!(event = "order_created", amount = 12.5, "order 42 created");
//! });
//! ```
//! ```json
//! {"timestamp":"2026-11-24T05:57:00.123456Z","level":"INFO","service":"shop","env":"prod","target":"shop::orders","message":"order 42 created","event":"order_created","amount":12.5,"span_id":"6f1d0b9a2c3e4d5f","route":"/api/orders"}
//! ```
//!
//! # The line
//! - **Order**: `timestamp` (UTC, microseconds), `level`, the fixed fields, `target`, `file` and
//!   `line` if wanted; the event's fields; the ids; the spans' fields, the innermost span first;
//!   `truncated`.
//! - **Keys are unique.** An event's value wins over a span's of the same key, an inner span's over
//!   an outer one's. A key that the line's own part has (`timestamp`, `level`, `target`, `message`,
//!   `truncated`, the fixed fields) or that comes twice in one event or span gets a `_` behind it: a
//!   field called `level` is written as `level_`, and can neither pose as the level nor get lost.
//! - **Ids** are span fields. Those given are kept; a span without `span_id` gets one, 16 hex digits;
//!   `parent_span_id` is the nearest ancestor's. `trace_id` is inherited, never made up.
//! - **Types.** Integers and finite floats are numbers; NaN and infinities are `null`; `u128` and
//!   `i128` are strings, bytes are hex strings. The dictionary's strings (`message`, `event`,
//!   `user_id`, `request_id`, `trace_id`, `url`, `method`, `route`, `path`, `outcome` …) are strings
//!   even if a number is given.
//! - **Errors** (`error = &err as &dyn Error`) are `{"message":"…","causes":["…"]}` with at most 16
//!   causes. The field `error` has this shape whatever it is given, so that an index sees one type.
//!   Its `type` and `backtrace` are not to be had from a `&dyn Error` on stable Rust: who knows them
//!   hands them over ([`ErrorValue`]); [`error_backtrace`](JsonLayer::error_backtrace) tells where an
//!   error was logged.
//! - **Text** that steers a terminal or hides other text (control characters, DEL, C1 controls,
//!   line separators, bidirectional marks) is written as `\uXXXX`: a parser reads back what was
//!   logged, a terminal shows it.
//! - **`log` records** that come through `tracing-log` have their own target, and no `log.*` fields.
//!
//! # Other layouts
//! | option | instead of the default |
//! |---|---|
//! | [`schema(Schema::ecs())`](JsonLayer::schema) | the keys, the level, the time and the order of Elastic Common Schema; others for OpenTelemetry, Cloud Logging, Datadog, Logstash, Loki, `tracing_subscriber`, or [your own](SchemaBuilder) |
//! | [`spans(SpanStyle::Object)`](JsonLayer::spans) | `"span":{"name":"handler","tenant":"acme","route":"/pay"}` |
//! | [`spans(SpanStyle::List)`](JsonLayer::spans) | `"spans":[{"name":"request","route":"/pay"},{"name":"handler","tenant":"acme"}]` |
//! | [`span_name(true)`](JsonLayer::span_name) | the innermost span's name as `"span":"handler"` |
//! | [`span_close(true)`](JsonLayer::span_close) | a line more for each span: `"message":"span closed","duration_ms":7.5,"busy_ms":3.0` |
//! | [`nest_dots(true)`](JsonLayer::nest_dots) | dotted keys as objects: `"http":{"method":"GET","status":200}` |
//! | [`clash(Clash::Suffix)`](JsonLayer::clash) | what would be hidden is written as `id_` |
//! | [`clash(Clash::Nest)`](JsonLayer::clash) | the event's fields as `"fields":{"id":3}` |
//!
//! # At the edges
//! - A line has at most 16 KiB and a value's text 8 KiB; both can be set. What is too long is cut
//!   between characters, what has no room is left out, outer spans' fields first, and `truncated`
//!   names both. Ids are kept.
//! - A `Display` or `Debug` that fails or panics costs the rest of its value, which says so. Its
//!   panic does not reach the application; [`catching_panic`] tells a panic hook. One that logs gets
//!   its own line first. Under `panic = "abort"` a panic is the end, here as everywhere.
//! - A busy callsite may be thinned out ([`Sample`]): the first lines of a second, then one in so
//!   many; ERROR always. How many are missing is told by a line with `gap`, and by
//!   [`Sampling::untold`] at the end.
//! - A line that the writer does not take is counted ([`JsonLayer::lost_lines`]) and told
//!   ([`JsonLayer::on_error`]), never to the code that logged.
//!
//! # What it does not do
//! It filters nothing, opens no file, starts no thread: add a filter, give it a writer. It redacts
//! ([`Redact`]) fields, not what was formatted into the message. It
//! nests no values but errors and those that are given so ([`json`](#cargo-feature)).
//!
//! # Cargo feature
//! `serde` brings `json(&value)`, with which a field takes an object or a list, whatever serde can
//! serialize: `info!(order = json(&order))`. It pulls in `serde_core` alone. Leave it off where all
//! fields are flat.
#![forbid(unsafe_code)]

mod busy;
mod closing;
#[cfg(feature = "serde")]
mod compound;
mod cut;
mod encode;
mod entries;
mod error_object;
mod escape;
mod failure;
mod fields;
mod fold;
mod form;
mod head;
mod heritage;
mod ids;
mod inherit;
mod json_line;
#[cfg(feature = "serde")]
mod json_value;
mod key;
#[cfg(feature = "serde")]
mod keys;
mod layer;
mod levels;
mod line;
mod log_record;
mod naming;
mod nested;
mod observe;
mod part;
mod plan;
mod presets;
mod recycle;
mod redact;
mod sample;
mod sampling;
mod schema;
mod schema_rules;
mod scratch;
#[cfg(feature = "serde")]
mod serialize;
mod settled;
mod shield;
mod siphash;
mod slots;
mod span;
mod style;
mod tail;
mod text;
mod thousandths;
mod time;
mod timestamp;
#[cfg(feature = "serde")]
mod trail;
#[cfg(feature = "serde")]
mod tree;
mod valid;
mod value;
mod words;

pub use error_object::ErrorValue;
pub use failure::{Error, LostLines};
pub use json_line::{Blank, JsonLine};
#[cfg(feature = "serde")]
pub use json_value::{Json, json};
pub use layer::JsonLayer;
pub use levels::{LevelStyle, Severity};
pub use redact::{Redact, Treatment};
pub use sample::Sample;
pub use sampling::Sampling;
pub use schema::{Schema, SchemaBuilder};
pub use shield::catching_panic;
pub use style::{Clash, SpanStyle};
pub use timestamp::{Precision, Timestamp};
pub use value::Value;

/// Runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
