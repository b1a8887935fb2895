//! What a field holds.

use std::borrow::Cow;
use std::fmt;

use crate::members::Elements;

/// What a field holds, borrowed from where it stands.
///
/// Closed on purpose: JSON has no further kinds. `PartialEq` is by kind; [`Value::equals`] compares
/// numbers by value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer that fits `i64`.
    I64(i64),
    /// A larger integer that fits `u64`.
    U64(u64),
    /// Any other number. From text that a number is too large for: infinite.
    F64(f64),
    /// A string, its escapes read.
    Str(Cow<'a, str>),
    /// An object or an array, as its JSON text.
    Raw(&'a str),
}

impl Value<'_> {
    /// Whether both are the same: numbers by value (`1`, `1.0` and `1e0` are one number), strings
    /// exactly, objects and arrays by their text. A number and a string are never equal.
    ///
    /// ```
    /// use dogwatch_line::Value;
    /// assert!(Value::I64(500).equals(&Value::F64(500.0)));
    /// assert!(!Value::I64(500).equals(&Value::from("500")));
    /// ```
    pub fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Raw(a), Value::Raw(b)) => a == b,
            (Value::F64(a), Value::F64(b)) => a == b,
            (Value::F64(float), other) | (other, Value::F64(float)) => {
                other.integer().is_some_and(|int| same(int, *float))
            }
            _ => self.integer().is_some_and(|a| other.integer() == Some(a)),
        }
    }

    pub(crate) fn integer(&self) -> Option<i128> {
        match self {
            Value::I64(int) => Some(i128::from(*int)),
            Value::U64(int) => Some(i128::from(*int)),
            _ => None,
        }
    }
}

impl<'a> Value<'a> {
    /// The elements of an array; nothing for any other value.
    ///
    /// ```
    /// use dogwatch_line::{Line, Value};
    ///
    /// let line = Line::parse(r#"{"causes":["timed out",{"code":7}]}"#)?;
    /// let causes = line.field("causes").unwrap();
    /// let causes: Vec<Value<'_>> = causes.elements().collect();
    /// assert_eq!(causes, [Value::from("timed out"), Value::Raw(r#"{"code":7}"#)]);
    /// # Ok::<(), dogwatch_line::Error>(())
    /// ```
    pub fn elements(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        Elements::of(match self {
            Value::Raw(json) => json,
            _ => "",
        })
    }
}

impl Value<'_> {
    /// Reads a checked JSON number.
    pub(crate) fn number(text: &str) -> Value<'static> {
        if let Ok(int) = text.parse::<i64>() {
            // "-0" is an integer to `parse`, but not to JSON readers that keep the sign.
            return if text == "-0" {
                Value::F64(-0.0)
            } else {
                Value::I64(int)
            };
        }
        if let Ok(int) = text.parse::<u64>() {
            return Value::U64(int);
        }
        Value::F64(text.parse().unwrap_or(f64::NAN))
    }
}

/// As plain text: a string without quotes, `null` as `null`, an object or array as JSON.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(bool) => bool.fmt(f),
            Value::I64(int) => int.fmt(f),
            Value::U64(int) => int.fmt(f),
            Value::F64(float) => float.fmt(f),
            Value::Str(text) => f.write_str(text),
            Value::Raw(json) => f.write_str(json),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<i64> for Value<'_> {
    fn from(int: i64) -> Self {
        Self::I64(int)
    }
}

/// `I64` where it fits, as a number read from a line is.
impl From<u64> for Value<'_> {
    fn from(int: u64) -> Self {
        i64::try_from(int).map_or(Self::U64(int), Self::I64)
    }
}

impl From<f64> for Value<'_> {
    fn from(float: f64) -> Self {
        Self::F64(float)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

fn same(int: i128, float: f64) -> bool {
    // Within ±2^64 a whole float converts exactly; outside it equals no integer of ours.
    float.fract() == 0.0 && float.abs() <= 18_446_744_073_709_551_616.0 && float as i128 == int
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn numbers_are_equal_by_value_and_nothing_else_is_converted() {
        let table = [
            (Value::I64(1), Value::F64(1.0), true),
            (Value::I64(1), Value::U64(1), true),
            (Value::I64(-1), Value::U64(u64::MAX), false),
            (Value::U64(u64::MAX), Value::F64(u64::MAX as f64), false),
            (Value::I64(i64::MAX), Value::F64(i64::MAX as f64), false),
            (Value::I64(0), Value::F64(-0.0), true),
            (Value::F64(0.1), Value::F64(0.1), true),
            (Value::F64(f64::NAN), Value::F64(f64::NAN), false),
            (Value::F64(f64::INFINITY), Value::U64(u64::MAX), false),
            (Value::I64(1), Value::from("1"), false),
            (Value::Bool(true), Value::from("true"), false),
            (Value::Bool(true), Value::I64(1), false),
            (Value::Null, Value::Null, true),
            (Value::Null, Value::Bool(false), false),
            (Value::from("支付"), Value::from("支付"), true),
            (Value::from("Pay"), Value::from("pay"), false),
            (Value::Raw("[1]"), Value::Raw("[1]"), true),
            (Value::Raw("[1]"), Value::from("[1]"), false),
        ];
        for (a, b, equal) in table {
            assert_eq!(a.equals(&b), equal, "{a:?} {b:?}");
            assert_eq!(b.equals(&a), equal, "{b:?} {a:?}");
        }
    }

    #[test]
    fn a_number_takes_the_first_kind_that_holds_it() {
        assert_eq!(Value::number("-9223372036854775808"), Value::I64(i64::MIN));
        assert_eq!(Value::number("9223372036854775808"), Value::U64(1 << 63));
        assert_eq!(
            Value::number("18446744073709551616"),
            Value::F64(18446744073709551616.0)
        );
        assert_eq!(Value::number("1e999"), Value::F64(f64::INFINITY));
        assert_eq!(Value::number("1.50"), Value::F64(1.5));
    }
}
