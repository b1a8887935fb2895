//! Counts instructions by running this program again under valgrind.

use std::env;
use std::process::Command;

/// Instructions of one repetition: the difference between a longer and a shorter run, so that
/// start-up and first-time work cancel out. The program is run again with `--count SUBJECT N`.
///
/// `None` when valgrind is not installed.
#[must_use]
pub fn instructions(subject: &str, short: u64, long: u64) -> Option<f64> {
    let short_run = run(subject, short)?;
    let long_run = run(subject, long)?;
    Some((long_run - short_run) as f64 / (long - short) as f64)
}

/// What `--count` asks this program to do, if it was given.
#[must_use]
pub fn asked() -> Option<(String, u64)> {
    let mut arguments = env::args()
        .skip_while(|argument| argument != "--count")
        .skip(1);
    let subject = arguments.next()?;
    let repetitions = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .expect("--count SUBJECT N");
    Some((subject, repetitions))
}

fn run(subject: &str, repetitions: u64) -> Option<i64> {
    let program = env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--count", subject, &repetitions.to_string()])
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{subject} failed under valgrind: {said}"
    );
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = collected.unwrap_or_else(|| panic!("valgrind named no count: {said}"));
    Some(count.trim().parse().expect("valgrind's count is a number"))
}
