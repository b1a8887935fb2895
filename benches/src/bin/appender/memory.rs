//! The peak of our writer's memory, in a process of its own.

use crate::runs::{self, Pace, Run, Timing};
use crate::subjects::{Files, SUBJECTS};
use std::env;
use std::fs;
use std::process::Command;

/// The most memory that a process held which wrote so many lines; `None` without `/proc`.
pub(crate) fn peak_mib(lines: u64) -> Option<f64> {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new(program)
        .args(["--peak", &lines.to_string()])
        .output();
    let output = output.expect("this program runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// What `--peak` asks this program to do, if it was given.
pub(crate) fn asked() -> Option<u64> {
    let mut arguments = env::args()
        .skip_while(|argument| argument != "--peak")
        .skip(1);
    arguments.next()?.parse().ok()
}

pub(crate) fn run_and_print(lines: u64) {
    let ours = SUBJECTS
        .iter()
        .find(|subject| subject.key == "ours")
        .expect("it is there");
    let run = Run {
        threads: 4,
        lines,
        timing: Timing::Whole,
        pace: Pace::Free,
        files: Files::One,
        clock_ns: 0,
    };
    runs::write_only(ours, run);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    println!(
        "{}",
        kib.map_or(String::new(), |kib| (kib / 1_024.0).to_string())
    );
}
