//! The other programs, each asked for the same count.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dogwatch_benches::time;

/// A program, and how its output becomes a count.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    /// As it needs so long, it is asked once.
    pub(crate) once: bool,
    /// How many threads it works with, where that counts in its favour.
    pub(crate) threads: f64,
    command: Vec<String>,
    /// What it needs before it can be asked; less its time.
    start: Option<Vec<String>>,
    count: fn(&str) -> Option<u64>,
}

impl Rival {
    fn new(name: &'static str, command: &[&str], count: fn(&str) -> Option<u64>) -> Self {
        Self {
            name,
            once: false,
            threads: 1.0,
            command: words(command),
            start: None,
            count,
        }
    }

    fn once(mut self) -> Self {
        self.once = true;
        self
    }

    fn start(mut self, command: &[&str]) -> Self {
        self.start = Some(words(command));
        self
    }

    fn threads(mut self, threads: f64) -> Self {
        self.threads = threads;
        self
    }

    /// The count, and the processor time of all its threads; `None` if it is not installed.
    pub(crate) fn count(&self, path: &Path) -> Option<(u64, Duration)> {
        let started = match &self.start {
            Some(start) => run(start, path)?.1,
            None => Duration::ZERO,
        };
        let (text, elapsed) = run(&self.command, path)?;
        let elapsed = elapsed.saturating_sub(started);
        // Of a log too short to measure nothing may be left.
        Some(((self.count)(&text)?, elapsed.max(Duration::from_millis(1))))
    }
}

fn words(command: &[&str]) -> Vec<String> {
    command.iter().map(|&word| word.to_owned()).collect()
}

/// What a command prints, and its processor time.
fn run(command: &[String], path: &Path) -> Option<(String, Duration)> {
    let started = time::children_cpu();
    let (path, folder) = (path.to_str()?, path.parent()?.to_str()?);
    let words: Vec<String> = command
        .iter()
        .map(|word| word.replace("{}", path).replace("{folder}", folder))
        .collect();
    let output = Command::new(&words[0])
        .args(&words[1..])
        // Where lnav keeps what it remembers.
        .env("XDG_CONFIG_HOME", folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some((text, time::children_cpu() - started))
}

/// Those that can ask for a level and a status.
pub(crate) fn failed() -> Vec<Rival> {
    let duckdb = "import duckdb\nduckdb.execute('set threads=2')\nprint(duckdb.execute(\"select count(*) from read_ndjson('{}', columns={'level':'VARCHAR','status':'INTEGER'}) where level='ERROR' and status>=500\").fetchall()[0][0])";
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
        )
        .once(),
        // Without what Python and the library take to start.
        Rival::new("duckdb", &["python3", "-c", duckdb], number)
            .start(&["python3", "-c", "import duckdb\nduckdb.execute('select 1')"])
            .threads(2.0),
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
        )
        .once(),
        Rival::new(
            "lnav",
            &[
                "lnav",
                "-I",
                "{folder}",
                "-n",
                "-c",
                ";SELECT count(*) FROM shop WHERE log_level = 'error' AND status >= 500",
                "-c",
                ":write-csv-to -",
                "{}",
            ],
            number,
        )
        .once(),
    ]
}

/// Tells lnav how the lines of the log are written: it knows formats by their descriptions.
pub(crate) fn describe_for_lnav(folder: &Path) {
    let formats = folder.join("formats/shop");
    std::fs::create_dir_all(&formats).expect("a folder for the description");
    let text = r#"{"shop": {"title": "shop", "description": "lines of JSON", "json": true,
        "timestamp-field": "timestamp", "level-field": "level", "body-field": "message",
        "level": {"error": "ERROR", "warning": "WARN", "info": "INFO", "debug": "DEBUG"},
        "line-format": [{"field": "__timestamp__"}, " ", {"field": "message"}],
        "value": {"status": {"kind": "integer"}, "service": {"kind": "string"},
            "target": {"kind": "string"}, "method": {"kind": "string"}, "path": {"kind": "string"},
            "latency_ms": {"kind": "float"}, "trace_id": {"kind": "string"}}}}"#;
    std::fs::write(formats.join("format.json"), text).expect("room for the description");
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
