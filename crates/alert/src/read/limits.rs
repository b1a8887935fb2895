//! Reads counts and spans of time, within their bounds.

use std::time::Duration;

use serde_norway::Value;

use crate::error::Error;
use crate::read::node::Node;
use crate::span_of_time;

/// `threshold: 10` with or without `window: 30s`, or both at once: `threshold: 10/30s`.
pub(crate) fn threshold(node: &Node<'_>, default: Duration) -> Result<(usize, Duration), Error> {
    let window = node
        .get("window")
        .map(|node| window_span(&node))
        .transpose()?;
    let Some(threshold) = node.get("threshold") else {
        return Err(node.error("`threshold` is missing: how many events are too many, such as 10"));
    };
    let expected = || {
        threshold.expected(&format!(
            "a count from 1 to {MAX_THRESHOLD}, or one per span: 10/1m"
        ))
    };
    let (count, span) = match threshold.value() {
        Value::Number(number) => (number.as_u64(), None),
        Value::String(text) => {
            let (count, span) = text.split_once('/').ok_or_else(expected)?;
            let span = span_of_time::parse(span).filter(|span| in_bounds(*span));
            (count.trim().parse().ok(), Some(span.ok_or_else(expected)?))
        }
        _ => (None, None),
    };
    let count = count.and_then(|count| usize::try_from(count).ok());
    let count = count
        .filter(|count| (1..=MAX_THRESHOLD).contains(count))
        .ok_or_else(expected)?;
    match (window, span) {
        (Some(_), Some(_)) => {
            Err(threshold.error("the window is said twice: in `threshold` and in `window`"))
        }
        (window, span) => Ok((count, window.or(span).unwrap_or(default))),
    }
}

pub(crate) fn window_span(node: &Node<'_>) -> Result<Duration, Error> {
    let span = node.span()?;
    if in_bounds(span) {
        Ok(span)
    } else {
        Err(node.expected("a span from 1ms to 30d"))
    }
}

pub(crate) fn bounded(node: &Node<'_>) -> Result<Duration, Error> {
    let span = node.span()?;
    if span <= MAX_WINDOW {
        Ok(span)
    } else {
        Err(node.expected("a span up to 30d"))
    }
}

fn in_bounds(span: Duration) -> bool {
    !span.is_zero() && span <= MAX_WINDOW
}

/// A month: what a process may well live to see.
const MAX_WINDOW: Duration = Duration::from_secs(30 * 86_400);

/// The window is exact and keeps 8 bytes for each event of the threshold: 800 kB.
const MAX_THRESHOLD: usize = 100_000;
