//! Writes the dashboard, the rules and their tests in `docs/dashboards`, all from one source.
//!
//! `cargo run -p dogwatch-docs --bin dashboards` after a change to a panel or a rule. A test holds
//! that what is committed is what this writes.
#![forbid(unsafe_code)]

mod alerts;
mod grafana;
mod panel;
mod panels;
mod records;
#[cfg(test)]
mod tests;
mod yaml;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let mut screen = io::stdout();
    for (name, text) in files() {
        let path = folder().join(name);
        std::fs::write(&path, text)?;
        writeln!(screen, "{}", path.display())?;
    }
    Ok(())
}

/// Every generated file: its name in the folder, and its text.
fn files() -> [(&'static str, String); 5] {
    [
        ("dogwatch.json", grafana::dashboard()),
        ("datasource.yml", yaml::datasource()),
        ("prometheus.yml", yaml::scrape_config()),
        ("rules.yml", yaml::rules()),
        ("rules_test.yml", yaml::rule_tests()),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards")
}
