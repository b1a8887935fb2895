//! Each layer of dogwatch alone on a plain registry, beside the fmt layer; no tokio, no facade.
//!
//! Every part prints what it shows and checks its own answer: a wrong one ends the program.
#![forbid(unsafe_code)]

mod alert;
mod appender;
mod json;
mod metrics;
mod requests;

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use dogwatch_line::Line;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let dir = dir.path();
    show("JsonLayer, into any writer", json::lines(dir))?;
    show(
        "Appender, bare under tracing_appender::non_blocking",
        appender::under_tracing_appender(dir),
    )?;
    show(
        "Appender, behind its own non-blocking writer",
        appender::under_its_own_writer(dir),
    )?;
    show("AlertLayer, with a rule and a notifier", alert::rule())?;
    show("MetricsLayer, as Prometheus text", metrics::page())?;
    show(
        "RequestLayer, around a plain tower service",
        requests::closing_line(dir),
    )?;
    writeln!(io::stdout(), "every part gave the answer that it should")?;
    Ok(())
}

/// Prints what a part shows, or ends with what it did wrong.
fn show(title: &str, part: Result<String, Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    let shown = part.map_err(|error| format!("{title}: {error}"))?;
    writeln!(io::stdout(), "── {title}\n{}\n", shown.trim_end())?;
    Ok(())
}

/// The lines of a file, each checked to be one.
fn lines(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let lines: Vec<String> = std::fs::read_to_string(path)?
        .lines()
        .map(str::to_owned)
        .collect();
    for line in &lines {
        Line::parse(line).map_err(|error| format!("{error}: {line}"))?;
    }
    Ok(lines)
}

/// An error unless the two are equal.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), Box<dyn Error>> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{what} is {got:?}, not {want:?}").into())
    }
}
