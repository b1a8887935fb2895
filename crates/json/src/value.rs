//! A value that is given without an event: text, number or truth.

use crate::escape::escape_until;
use std::borrow::Cow;

/// The value of a fixed field or of a [`JsonLine`](crate::JsonLine)'s field.
///
/// Made by `From`: `"text"`, `42_u64`, `true`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// An unsigned number.
    U64(u64),
    /// A signed number.
    I64(i64),
    /// A floating-point number; `null` in the line when it is not finite.
    F64(f64),
    /// `true` or `false`.
    Bool(bool),
}

impl Value<'_> {
    /// The same value, borrowed from nothing.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::U64(n) => Value::U64(n),
            Value::I64(n) => Value::I64(n),
            Value::F64(n) => Value::F64(n),
            Value::Bool(truth) => Value::Bool(truth),
        }
    }

    /// Appends the value as JSON, a text of at most `max` bytes between its quotes.
    /// True when all of it went in.
    pub(crate) fn write(&self, out: &mut Vec<u8>, max: usize) -> bool {
        match self {
            Value::Text(text) => {
                out.push(b'"');
                let end = out.len() + max;
                let whole = escape_until(out, text, end);
                out.push(b'"');
                return whole;
            }
            Value::U64(n) => out.extend_from_slice(itoa::Buffer::new().format(*n).as_bytes()),
            Value::I64(n) => out.extend_from_slice(itoa::Buffer::new().format(*n).as_bytes()),
            Value::F64(n) if n.is_finite() => {
                out.extend_from_slice(zmij::Buffer::new().format_finite(*n).as_bytes());
            }
            Value::F64(_) => out.extend_from_slice(b"null"),
            Value::Bool(true) => out.extend_from_slice(b"true"),
            Value::Bool(false) => out.extend_from_slice(b"false"),
        }
        true
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<u64> for Value<'_> {
    fn from(n: u64) -> Self {
        Value::U64(n)
    }
}

impl From<u32> for Value<'_> {
    fn from(n: u32) -> Self {
        Value::U64(n.into())
    }
}

impl From<i64> for Value<'_> {
    fn from(n: i64) -> Self {
        Value::I64(n)
    }
}

impl From<i32> for Value<'_> {
    fn from(n: i32) -> Self {
        Value::I64(n.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(n: f64) -> Self {
        Value::F64(n)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}
