//! Makes the log that is searched: keys in any order, spaces, decoys in messages.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// What the log holds, counted while it is made.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Lines of level ERROR whose status is 500 or more.
    pub(crate) failed: u64,
    /// Lines whose latency is above 250 ms.
    pub(crate) slow: u64,
    /// A trace id of one line, near the end.
    pub(crate) trace: String,
    /// And one near the beginning.
    pub(crate) early: String,
    /// Of all lines.
    pub(crate) bytes: u64,
}

/// Writes so many lines of about 270 bytes.
pub(crate) fn write(path: &Path, count: u64) -> Expected {
    let mut file =
        BufWriter::with_capacity(1 << 20, File::create(path).expect("a file for the log"));
    let expected = lines(count, |line| {
        file.write_all(line.as_bytes()).expect("room for the log");
    });
    file.flush().expect("room for the log");
    expected
}

/// Makes so many lines, with their ends.
pub(crate) fn lines(lines: u64, mut each: impl FnMut(&str)) -> Expected {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut expected = Expected::default();
    for index in 0..lines {
        let level = ["ERROR", "WARN", "INFO", "INFO", "INFO", "INFO", "DEBUG"][if dice.roll(20) == 0
        {
            0
        } else {
            1 + dice.roll(6) as usize
        }];
        let status = [500, 502, 503, 404, 200, 200, 200][dice.roll(7) as usize];
        let latency = dice.roll(260_000) as f64 / 1_000.0;
        let trace = format!("{:016x}{:016x}", dice.roll(u64::MAX), dice.roll(u64::MAX));
        // What a search for text alone would take for an answer.
        let message = match dice.roll(40) {
            0 => r#"upstream said {\"level\":\"ERROR\",\"status\":500}"#,
            1 => r#"not an ERROR: status 500 was expected"#,
            _ => "request completed",
        };
        expected.failed += u64::from(level == "ERROR" && status >= 500);
        expected.slow += u64::from(latency > 250.0);
        if index == lines - lines / 50 {
            expected.trace.clone_from(&trace);
        }
        if index == lines / 50 {
            expected.early.clone_from(&trace);
        }
        let seconds = index / 700;
        let mut members = [
            (
                "timestamp",
                format!(
                    "\"2026-11-24T{:02}:{:02}:{:02}.{:06}Z\"",
                    seconds / 3600 % 24,
                    seconds / 60 % 60,
                    seconds % 60,
                    index % 1_000_000
                ),
            ),
            ("level", format!("\"{level}\"")),
            ("service", "\"shop\"".to_owned()),
            ("target", "\"dogwatch::request\"".to_owned()),
            ("message", format!("\"{message}\"")),
            ("method", "\"GET\"".to_owned()),
            ("path", format!("\"/api/orders/{index}\"")),
            ("status", status.to_string()),
            ("latency_ms", format!("{latency:.3}")),
            ("trace_id", format!("\"{trace}\"")),
        ];
        for at in (1..members.len()).rev() {
            members.swap(at, dice.roll(at as u64 + 1) as usize);
        }
        let colon = if dice.roll(3) == 0 { ": " } else { ":" };
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("\"{key}\"{colon}{value}"))
            .collect();
        let line = format!("{{{}}}\n", members.join(","));
        expected.bytes += line.len() as u64;
        each(&line);
    }
    expected
}

/// Knuth's MMIX generator: the same log each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mixed = self.0 ^ (self.0 >> 33);
        (mixed.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 1) % sides
    }
}
