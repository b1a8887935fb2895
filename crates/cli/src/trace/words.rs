//! Says in words what a span was, and what stands in its lines. Pure.

use std::fmt::Write as _;

use dogwatch_line::{Columns, Lens, Level, Line, Value, unwrapped};

use super::tree::Span;
use crate::paint::level_style;
use crate::safe::safe;

/// How it is said.
pub(crate) struct Words {
    lens: Lens,
    /// What names a request or a call.
    names: Columns,
    color: bool,
}

impl Words {
    pub(crate) fn new(lens: Lens, color: bool) -> Self {
        let names = ["method", "route", "path", "url", "status", "outcome"];
        Self {
            lens,
            names: Columns::new(names),
            color,
        }
    }

    /// What a span was, its service if it is another than its parent's, and how it ended.
    pub(crate) fn title(&self, span: &Span, service: Option<&str>, out: &mut String) {
        let Some(entry) = span.closing.as_ref().or(span.lines.first()) else {
            safe(&span.id, true, out);
            out.push_str(" (a span without lines here)");
            return;
        };
        let text = unwrapped(&entry.text);
        let seen = self.lens.look(&text);
        let names = self.names.of(&text).into_iter();
        let names: Vec<Option<String>> = names
            .map(|value| value.map(|value| value.to_string()))
            .collect();
        let [method, route, path, url, status, outcome] = &names[..] else {
            return;
        };
        let place = route.as_ref().or(path.as_ref()).or(url.as_ref());
        match place.filter(|_| span.closing.is_some()) {
            Some(place) => {
                let outcome = outcome.as_ref().filter(|outcome| *outcome != "completed");
                let words = [method.as_ref(), Some(place), status.as_ref(), outcome];
                let words: Vec<&str> = words.into_iter().flatten().map(|word| &**word).collect();
                safe(&words.join(" "), false, out);
            }
            // No request: where it was logged from.
            None => safe(seen.target().as_deref().unwrap_or("span"), false, out),
        }
        if let Some(service) = service {
            out.push_str(" [");
            safe(service, false, out);
            out.push(']');
        }
        if span.closing.is_some() {
            out.push(' ');
            self.level(seen.level(), out);
            if let Some(message) = seen.message() {
                out.push(' ');
                safe(&message, false, out);
            }
        }
    }

    /// Level, message and what is peculiar to the line, with its end.
    pub(crate) fn line(&self, text: &str, out: &mut String) {
        let text = unwrapped(text);
        let seen = self.lens.look(&text);
        let Ok(line) = Line::parse(&text) else {
            safe(&text, false, out);
            out.push('\n');
            return;
        };
        self.level(seen.level(), out);
        if let Some(message) = seen.message() {
            out.push(' ');
            safe(&message, false, out);
        }
        for (key, value) in line.fields() {
            if seen.shows(&key) || KNOWN.contains(&&*key) {
                continue;
            }
            out.push(' ');
            safe(&key, true, out);
            out.push('=');
            match value {
                Value::Str(text) => safe(&text, true, out),
                other => safe(&other.to_string(), false, out),
            }
        }
        out.push('\n');
    }

    fn level(&self, level: Option<Level>, out: &mut String) {
        let name = level.map_or("-", Level::as_str);
        match level.filter(|_| self.color) {
            Some(level) => {
                let _ = write!(out, "\u{1b}[{}m{name:5}\u{1b}[0m", level_style(level));
            }
            None => {
                let _ = write!(out, "{name:5}");
            }
        }
    }
}

/// What the tree itself says, or the same in each line.
const KNOWN: [&str; 24] = [
    "trace_id",
    "trace.id",
    "traceId",
    "TraceId",
    "dd.trace_id",
    "logging.googleapis.com/trace",
    "span_id",
    "span.id",
    "spanId",
    "SpanId",
    "dd.span_id",
    "logging.googleapis.com/spanId",
    "parent_span_id",
    "parent.id",
    "request_id",
    "http.request.id",
    "service",
    "service.name",
    "version",
    "service.version",
    "env",
    "service.environment",
    "host",
    "host.name",
];
