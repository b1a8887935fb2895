//! One log line as a borrowed view: fields by name, levels, values, and the query language over them.
//!
//! A [`Line`] is one JSON object in a `&str`. [`Line::parse`] checks the whole of it once and keeps
//! nothing but the reference; [`Line::field`] then walks the text and borrows from it. A value is
//! copied only where its string holds an escape.
//!
//! ```
//! use dogwatch_line::{Level, Line, Value};
//!
//! let line = Line::parse(r#"{"level":"ERROR","message":"支付失败","status":502,"error":{"message":"timed out"}}"#)?;
//! assert_eq!(line.level(), Some(Level::Error));
//! assert_eq!(line.message().as_deref(), Some("支付失败"));
//! assert_eq!(line.field("status"), Some(Value::I64(502)));
//! assert_eq!(line.field("error.message"), Some(Value::from("timed out")));
//! # Ok::<(), dogwatch_line::Error>(())
//! ```
//!
//! What is judged by its fields need not be JSON: [`Fields`] is the one question that a rule asks,
//! and [`Equals`] the first rule that asks it. A `Query` (feature `query`) is the language for people.
//!
//! # What it does not do
//! No I/O, no tracing, no clock, no map: it neither reads files nor writes lines. Text that is not
//! one JSON object is an [`Error`], not a guess. Times stay text, but for a query. An element of an array has no
//! name; the array comes as its JSON text.
//!
//! # Edges
//! - JSON is RFC 8259 to the letter, and stricter in one thing: a key that stands twice in one
//!   object is refused, since two readers would see two different lines. A lone surrogate is
//!   refused, since it is no text.
//! - Objects and arrays nest to a depth of [`MAX_DEPTH`]; deeper text is refused, so that a line
//!   cannot exhaust the stack.
//! - A key with a dot in it is found before a path of the same spelling.
//! - An integer beyond `u64` and any number with a point or an exponent is an `f64`; one too large
//!   for `f64` is infinite.
//!
//! # Features
//! - `query`: `Query` and what belongs to it. Pulls in `regex` and `memchr`; leave it off where lines
//!   are only read. Without it there is no dependency.
#![forbid(unsafe_code)]

mod equals;
mod error;
mod level;
mod line;
mod members;
mod plain;
#[cfg(feature = "query")]
mod query;
mod scan;
mod seen;
mod severity;
mod text;
mod value;

pub use equals::{Equals, Fields};
pub use error::Error;
pub use level::Level;
pub use line::{FieldIter, Line};
#[cfg(feature = "query")]
pub use query::{
    Bulk, Columns, Gist, Lens, Literals, Matcher, Measure, Needle, Now, Query, Seen, Summary,
    Times, Verdict, unwrapped,
};
pub use scan::MAX_DEPTH;
pub use value::Value;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
