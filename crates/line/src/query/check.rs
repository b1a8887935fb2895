//! What one value is asked, with the literal made ready: times resolved, units applied.

use std::cmp::Ordering;

use regex::Regex;

use super::civil;
use super::expr::{Op, Text};
use super::glob::Glob;
use super::literal::{Literal, Size, Span, is_number};
use super::names::{Kind, Names};
use super::now::Now;
use super::when::Moments;
use crate::members::Elements;
use crate::{Level, Value};

#[derive(Debug)]
pub(crate) enum Check {
    Exists,
    /// A string exactly; an integer, `true` and `false` by how they are written.
    Text(Box<str>),
    Contains(Box<str>),
    Like(Glob),
    /// Some part of the text is like this.
    Within(Glob),
    Matches(Regex),
    Number(Op, Value<'static>),
    /// Strings only, by their bytes.
    Order(Op, Box<str>),
    Level(Op, Level),
    When(Op, Moments),
    /// In nanoseconds.
    Span(Op, f64),
    /// In bytes.
    Size(Op, f64),
    Any(Vec<Check>),
}

impl Check {
    /// What `field op literal` asks of the value. `!=` asks as `=` does: the answer is turned round
    /// where it is asked.
    pub(crate) fn new(names: &Names, op: Op, literal: &Literal, now: &Now) -> Self {
        let op = if op == Op::Isnt { Op::Is } else { op };
        match literal {
            Literal::Like(glob) => Check::Like(glob.clone()),
            Literal::Pattern(pattern) => Check::Matches(pattern.0.clone()),
            Literal::Level(level) => Check::Level(op, *level),
            Literal::When(when) => Check::When(op, when.at(now)),
            Literal::Span(Span(nanos)) => Check::Span(op, *nanos as f64),
            Literal::Size(Size(bytes)) => Check::Size(op, *bytes as f64),
            Literal::Number(text) => match (names.kind, Value::number(text)) {
                (Kind::Span, number) => Check::Span(op, float(&number) * names.names[0].unit),
                (_, number) => Check::Number(op, number),
            },
            Literal::Text(text) if op.is_order() => Check::Order(op, text.clone()),
            Literal::Text(text) => Check::Text(text.clone()),
        }
    }

    pub(crate) fn anywhere(text: &Text) -> Self {
        match text {
            Text::Contains(text) => Check::Contains(text.clone()),
            Text::Like(glob) => Check::Within(glob.clone()),
            Text::Matches(pattern) => Check::Matches(pattern.0.clone()),
        }
    }

    /// Whether it holds for a value; for an array, whether it does for one of its elements. An
    /// object only exists. `unit` is what one stands for in nanoseconds, should it be a duration.
    pub(crate) fn holds(&self, value: &Value<'_>, unit: f64, now: &Now) -> bool {
        match value {
            _ if matches!(self, Check::Exists) => true,
            Value::Raw(json) => Elements::of(json)
                .filter(|element| !matches!(element, Value::Raw(_)))
                .any(|element| self.holds(&element, unit, now)),
            scalar => self.holds_scalar(scalar, unit, now),
        }
    }

    fn holds_scalar(&self, value: &Value<'_>, unit: f64, now: &Now) -> bool {
        match self {
            Check::Exists => true,
            Check::Text(wanted) => match value {
                Value::Str(text) => **text == **wanted,
                Value::F64(_) => false,
                other => with_text(other, |text| text == &**wanted),
            },
            Check::Contains(wanted) => with_text(value, |text| text.contains(&**wanted)),
            Check::Like(glob) => with_text(value, |text| glob.is_like(text)),
            Check::Within(glob) => with_text(value, |text| glob.is_within(text)),
            Check::Matches(regex) => with_text(value, |text| regex.is_match(text)),
            Check::Number(op, wanted) => {
                compare(value, wanted).is_some_and(|order| op.holds(order))
            }
            Check::Order(op, wanted) => match value {
                Value::Str(text) => op.holds((**text).cmp(&**wanted)),
                _ => false,
            },
            Check::Level(op, wanted) => {
                Level::of(value).is_some_and(|level| op.holds(level.cmp(wanted)))
            }
            Check::When(op, wanted) => civil::instant(value, |local| now.to_utc(local))
                .is_some_and(|at| op.holds(stands(at, *wanted))),
            Check::Span(op, wanted) => nanos(value, unit)
                .and_then(|nanos| nanos.partial_cmp(wanted))
                .is_some_and(|order| op.holds(order)),
            Check::Size(op, wanted) => amount(
                value,
                |text| Size::parse(text).map(|Size(bytes)| bytes as f64),
                1.0,
            )
            .is_some_and(|bytes| {
                bytes
                    .partial_cmp(wanted)
                    .is_some_and(|order| op.holds(order))
            }),
            Check::Any(checks) => checks
                .iter()
                .any(|check| check.holds_scalar(value, unit, now)),
        }
    }
}

/// How a moment stands to a stretch of time: within it, it is the same.
fn stands(at: i128, moments: Moments) -> Ordering {
    if at < moments.from {
        Ordering::Less
    } else if at < moments.to {
        Ordering::Equal
    } else {
        Ordering::Greater
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanos(value: &Value<'_>, unit: f64) -> Option<f64> {
    amount(
        value,
        |text| Span::parse(text).map(|Span(nanos)| nanos as f64),
        unit,
    )
}

/// A number in its unit, or a text that names its own.
fn amount(value: &Value<'_>, parse: impl Fn(&str) -> Option<f64>, unit: f64) -> Option<f64> {
    match value {
        Value::I64(_) | Value::U64(_) | Value::F64(_) => Some(float(value) * unit),
        Value::Str(text) if is_number(text) => Some(float(&Value::number(text)) * unit),
        Value::Str(text) => parse(text),
        _ => None,
    }
}

fn float(value: &Value<'_>) -> f64 {
    match value {
        Value::I64(int) => *int as f64,
        Value::U64(int) => *int as f64,
        Value::F64(float) => *float,
        _ => f64::NAN,
    }
}

/// How a value stands to a number: a string that is written as one counts.
fn compare(value: &Value<'_>, wanted: &Value<'_>) -> Option<Ordering> {
    let value = match value {
        Value::Str(text) if is_number(text) => &Value::number(text),
        other => other,
    };
    match (value.integer(), wanted.integer()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (Some(a), None) => integer_to_float(a, float(wanted)),
        (None, Some(b)) => integer_to_float(b, float(value)).map(Ordering::reverse),
        (None, None) => float(value).partial_cmp(&float(wanted)),
    }
}

fn integer_to_float(int: i128, float: f64) -> Option<Ordering> {
    // The cast takes what is beyond its range to the range's end, where none of our integers is.
    let whole = float.trunc() as i128;
    let fraction = if float.is_infinite() {
        0.0
    } else {
        float.fract()
    };
    (!float.is_nan()).then(|| {
        int.cmp(&whole)
            .then(0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
    })
}

/// A scalar as text, a string without a copy.
fn with_text<R>(value: &Value<'_>, ask: impl FnOnce(&str) -> R) -> R {
    match value {
        Value::Str(text) => ask(text),
        Value::Bool(true) => ask("true"),
        Value::Bool(false) => ask("false"),
        other => ask(&other.to_string()),
    }
}
