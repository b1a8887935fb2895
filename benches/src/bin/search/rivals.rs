//! The other programs, each asked for the same count.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dogwatch_benches::time;

/// A program, and how its output becomes a count.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    command: Vec<String>,
    count: fn(&str) -> Option<u64>,
}

impl Rival {
    fn new(name: &'static str, command: &[&str], count: fn(&str) -> Option<u64>) -> Self {
        Self {
            name,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            count,
        }
    }

    /// The count, and the processor time of all its threads; `None` if it is not installed.
    pub(crate) fn count(&self, path: &Path) -> Option<(u64, Duration)> {
        let started = time::children_cpu();
        let path = path.to_str()?;
        let words: Vec<String> = self
            .command
            .iter()
            .map(|word| word.replace("{}", path))
            .collect();
        let mut command = Command::new(&words[0]);
        let output = command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let count = (self.count)(&text)?;
        Some((count, time::children_cpu() - started))
    }
}

/// Those that can ask for a level and a status.
pub(crate) fn failed() -> Vec<Rival> {
    let duckdb = "import duckdb\nprint(duckdb.execute(\"select count(*) from read_ndjson('{}', columns={'level':'VARCHAR','status':'INTEGER'}) where level='ERROR' and status>=500\").fetchall()[0][0])";
    vec![
        Rival::new(
            "jq",
            &[
                "jq",
                "-n",
                "[inputs | select(.level == \"ERROR\" and .status >= 500)] | length",
                "{}",
            ],
            number,
        ),
        Rival::new("duckdb", &["python3", "-c", duckdb], number),
        Rival::new(
            "angle_grinder",
            &[
                "agrind",
                "--file",
                "{}",
                "* | json | where level == \"ERROR\" && status >= 500 | count",
            ],
            number,
        ),
        Rival::new(
            "fblog",
            &["fblog", "-f", "level == \"ERROR\" and status >= 500", "{}"],
            lines,
        ),
    ]
}

/// The fastest there is for a plain text.
pub(crate) fn literal(text: &str) -> Rival {
    Rival::new(
        "ripgrep",
        &["rg", "--no-config", "-j1", "-cF", text, "{}"],
        number,
    )
}

/// The last number that stands alone on a line.
fn number(text: &str) -> Option<u64> {
    text.lines().rev().find_map(|line| line.trim().parse().ok())
}

fn lines(text: &str) -> Option<u64> {
    (!text.is_empty()).then(|| text.lines().count() as u64)
}
