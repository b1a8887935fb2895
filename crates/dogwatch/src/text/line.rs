//! Lays one event out: time, level, message, fields, trace, place. Pure.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use tracing_core::Metadata;

use crate::text::collect::{Collected, Field};
use crate::text::paint::Paint;

/// The event as text with its newline; each cause of an error on a line of its own.
pub(crate) fn text(
    paint: &Paint,
    now: SystemTime,
    metadata: &Metadata<'_>,
    own: &Collected,
    inherited: &[Field],
) -> String {
    let mut out = String::with_capacity(160);
    paint.dim(&mut out, &clock(now));
    out.push(' ');
    paint.level(&mut out, *metadata.level());
    if !own.message.is_empty() {
        out.push(' ');
        paint.bold(&mut out, &own.message);
    }
    for Field { name, value } in &own.fields {
        field(paint, &mut out, name, value);
    }
    for Field { name, value } in inherited.iter().filter(|f| !is_id(f.name)) {
        field(paint, &mut out, name, value);
    }
    let ids = inherited.iter().chain(&own.fields);
    if let Some(trace) = ids
        .filter(|f| f.name == "trace_id")
        .map(|f| f.value.as_str())
        .next()
    {
        out.push(' ');
        // Eight digits tell the traces of one terminal apart.
        paint.trace(&mut out, trace.get(..8).unwrap_or(trace));
    }
    out.push(' ');
    paint.dim(&mut out, &place(metadata));
    out.push('\n');
    for cause in &own.causes {
        out.push_str("             ");
        paint.red(&mut out, "caused by ");
        out.push_str(cause);
        out.push('\n');
    }
    out
}

fn field(paint: &Paint, out: &mut String, name: &str, value: &str) {
    // The trace stands at the end of the line already, shortened.
    if is_id(name) {
        return;
    }
    out.push(' ');
    paint.dim(out, name);
    paint.dim(out, "=");
    if value.is_empty() || value.contains([' ', '"', '=']) {
        let _ = write!(out, "{value:?}");
    } else {
        out.push_str(value);
    }
}

fn is_id(name: &str) -> bool {
    matches!(
        name,
        "trace_id" | "span_id" | "parent_span_id" | "request_id"
    )
}

/// `target file.rs:17`, the file without its folders.
fn place(metadata: &Metadata<'_>) -> String {
    let target = metadata.target();
    match (metadata.file(), metadata.line()) {
        (Some(file), Some(line)) => {
            let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
            format!("{target} {name}:{line}")
        }
        _ => target.to_owned(),
    }
}

/// `06:22:31.802` in UTC: as the lines of `prod`, less the date.
fn clock(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}.{millis:03}")
}
