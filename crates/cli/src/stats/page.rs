//! Writes the page of `stats`. Pure.

use std::fmt::Write as _;

use dogwatch_line::Level;
use dogwatch_reader::Report;
use jiff::tz::TimeZone;

use super::gather::Gather;
use crate::safe::one_line;
use crate::table::{aligned, counted, grouped, moment};
use crate::timeline::{bars, spoken};

/// The page; sections with nothing in them are left out.
pub(crate) fn page(gather: &mut Gather, read: &Report, zone: &TimeZone) -> String {
    gather
        .routes
        .values_mut()
        .for_each(|route| route.latency.sort());
    let gather = &*gather;
    let mut out = heading(gather, read, zone);
    if let Some((first, last)) = gather.span {
        let (all, width) = gather.all.counts(first, last, COLUMNS);
        let (errors, _) = gather.errors.counts(first, last, COLUMNS);
        let each = spoken(width);
        let most = |counts: &[u64]| grouped(counts.iter().copied().max().unwrap_or(0));
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "\n  lines   {}  {} in {each} at most",
            bars(&all),
            most(&all)
        );
        if errors.iter().any(|count| *count > 0) {
            let _ = writeln!(
                out,
                "  errors  {}  {} in {each} at most",
                bars(&errors),
                most(&errors)
            );
        }
    }
    let levels = Level::ALL
        .iter()
        .rev()
        .map(|level| (level.as_str(), gather.levels[*level as usize]));
    section(
        &mut out,
        "levels",
        levels
            .chain([("none", gather.levels[6])])
            .filter(|(_, count)| *count > 0),
    );
    section(
        &mut out,
        "services",
        plain(gather.services.first(MOST_ROWS, |count| *count)),
    );
    section(
        &mut out,
        "messages",
        plain(gather.messages.first(MOST_ROWS, |count| *count)),
    );
    rest(&mut out, gather.messages.len());
    routes(&mut out, gather);
    failures(&mut out, gather, zone);
    out
}

fn heading(gather: &Gather, read: &Report, zone: &TimeZone) -> String {
    // With an index, lines that cannot match are not read.
    let lines = read.lines + read.skipped;
    let mut out = counted(gather.lines, "line");
    if gather.lines != lines {
        let _ = write!(out, " found of {}", grouped(lines));
    }
    let _ = write!(out, ", {}", bytes(read.bytes));
    if read.skipped > 0 {
        out.push_str(" read");
    }
    if read.files > 0 {
        let files = if read.files == 1 { "file" } else { "files" };
        let _ = write!(out, " in {} {files}", grouped(read.files));
    }
    out.push('\n');
    if let Some((first, last)) = gather.span {
        let seconds = (last - first) as f64 / 1e9;
        let _ = writeln!(
            out,
            "{} to {} ({})",
            moment(first, zone),
            moment(last, zone),
            lasting(seconds)
        );
    }
    for (count, what) in [
        (read.text, "not JSON"),
        (gather.timeless, "without a time"),
        (read.torn, "files that end within a line"),
        (read.long, "too long, left out"),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{what}: {}", grouped(count));
        }
    }
    out
}

fn plain<'a>(tops: Vec<(&'a str, &u64)>) -> impl Iterator<Item = (&'a str, u64)> {
    tops.into_iter().map(|(name, count)| (name, *count))
}

fn section<'a>(out: &mut String, heading: &str, rows: impl Iterator<Item = (&'a str, u64)>) {
    let rows: Vec<Vec<String>> = rows
        .map(|(name, count)| vec![grouped(count), one_line(name)])
        .collect();
    table(out, heading, &[], rows, 0..1);
}

fn routes(out: &mut String, gather: &Gather) {
    let rows = gather.routes.first(MOST_ROWS, |route| route.requests);
    let rows = rows.into_iter().map(|(name, route)| {
        let latency = |thousandths| millis(route.latency.percentile(thousandths));
        vec![
            grouped(route.requests),
            grouped(route.errors),
            latency(500),
            latency(990),
            millis(route.latency.max),
            one_line(name),
        ]
    });
    let heading = ["requests", "failed", "p50 ms", "p99 ms", "max ms", "route"];
    table(out, "routes", &heading, rows.collect(), 0..5);
    rest(out, gather.routes.len());
}

fn failures(out: &mut String, gather: &Gather, zone: &TimeZone) {
    let rows = gather.failures.first(MOST_ROWS, |failure| failure.count);
    let rows = rows.into_iter().map(|(name, failure)| {
        let time = |at: Option<i128>| at.map_or_else(|| "-".to_owned(), |at| moment(at, zone));
        vec![
            grouped(failure.count),
            time(failure.span.map(|(first, _)| first)),
            time(failure.span.map(|(_, last)| last)),
            one_line(name),
        ]
    });
    table(
        out,
        "errors",
        &["count", "first", "last", "target: message / error"],
        rows.collect(),
        0..1,
    );
    rest(out, gather.failures.len());
}

/// Rows under a heading, moved in; the columns of the range stand right.
fn table(
    out: &mut String,
    name: &str,
    heading: &[&str],
    rows: Vec<Vec<String>>,
    right: std::ops::Range<usize>,
) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{name}");
    let heading =
        (!heading.is_empty()).then(|| heading.iter().map(|&cell| cell.to_owned()).collect());
    let cells: Vec<Vec<String>> = heading.into_iter().chain(rows).collect();
    for line in aligned(&cells, |column| !right.contains(&column)).lines() {
        let _ = writeln!(out, "  {line}");
    }
}

fn rest(out: &mut String, all: usize) {
    if all > MOST_ROWS {
        let _ = writeln!(out, "  and {} more", grouped((all - MOST_ROWS) as u64));
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{:.1} KB", bytes as f64 / 1e3),
        10_000_000..=9_999_999_999 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn lasting(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        ..172_800.0 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.1} days", seconds / 86_400.0),
    }
}

fn millis(millis: f64) -> String {
    if millis.is_finite() {
        format!("{millis:.1}")
    } else {
        "-".to_owned()
    }
}

/// Of a line of bars.
const COLUMNS: usize = 60;

/// Of each section.
const MOST_ROWS: usize = 10;
