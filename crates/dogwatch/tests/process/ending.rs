//! However a process ends, no accepted line is lost, where the docs promise so.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::child::LINES;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("close_writes_every_line", || ends("close", Some(0), 0)),
    #[cfg(target_os = "linux")]
    (
        "an_abort_with_a_crash_ring_loses_no_line_and_the_next_start_says_so",
        abort_with_a_ring,
    ),
    ("dropping_the_guard_writes_every_line", || {
        ends("drop", Some(0), 0)
    }),
    (
        "return_from_main_writes_every_line_of_a_forgotten_guard",
        || ends("forget", Some(0), 0),
    ),
    ("process_exit_writes_every_line", || {
        ends("exit", Some(3), 0)
    }),
    (
        "process_exit_tells_what_sampling_left_out",
        exit_tells_what_is_left_out,
    ),
    ("process_exit_from_another_thread_writes_every_line", || {
        ends("exit in a thread", Some(3), 0)
    }),
    ("a_panic_through_main_writes_every_line_and_itself", || {
        ends("panic", Some(101), 1)
    }),
    #[cfg(target_os = "linux")]
    (
        "process_exit_inside_on_error_writes_every_line",
        exit_in_on_error,
    ),
    #[cfg(unix)]
    (
        "an_exit_that_cannot_write_in_time_says_how_many_lines",
        exit_counts,
    ),
    #[cfg(unix)]
    ("a_graceful_shutdown_on_sigterm_writes_every_line", graceful),
    #[cfg(unix)]
    (
        "sighup_reopens_the_log_file_if_it_is_asked_to_and_else_ends_the_process",
        reopen,
    ),
];

/// Runs a case and counts its lines: the start line, the case's own, and `more`.
fn ends(case: &str, code: Option<i32>, more: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let status = child(case, &dir)
        .stderr(Stdio::null())
        .status()
        .expect("starts");
    assert_eq!(status.code(), code);
    assert_eq!(lines(&dir), 1 + LINES + more);
}

#[cfg(target_os = "linux")]
fn abort_with_a_ring() {
    let dir = tempfile::tempdir().expect("a directory");
    let status = child("abort with a ring", &dir)
        .stderr(Stdio::null())
        .status()
        .expect("starts");
    assert_eq!(status.code(), None);
    let path = dir.path().join("child.log");
    let text = fs::read_to_string(&path).expect("a log");
    // A line that was cut in half is completed: it is not one of those that were written anew.
    let lost = 1 + LINES - text.lines().count();
    assert!(child("start", &dir).status().expect("starts").success());
    let text = fs::read_to_string(&path).expect("a log");
    let mut found = text.lines().skip(1);
    for n in 0..LINES {
        let line = found
            .next()
            .expect("every line of the process that aborted");
        assert!(
            line.contains(&format!("\"n\":{n},")) || line.contains(&format!("\"n\":{n}}}")),
            "{n}: {line}"
        );
    }
    let first = found.next().expect("the next start's first line");
    assert!(first.contains("logging started"), "{first}");
    if lost > 0 {
        assert!(first.contains(&format!("\"replayed\":{lost}")), "{first}");
    }
    assert_eq!(found.count(), 1);
}

/// The start line, the first of the case's own, and how many more there were.
fn exit_tells_what_is_left_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let status = child("exit sampled", &dir).status().expect("starts");
    assert_eq!(status.code(), Some(3));
    assert_eq!(lines(&dir), 3);
    let text = fs::read_to_string(dir.path().join("child.log")).expect("a log");
    let last = text.lines().last().expect("three lines");
    let gap = format!("\"gap\":{{\"lines\":{},", LINES - 1);
    assert!(last.contains(&gap), "{last}");
}

#[cfg(target_os = "linux")]
fn exit_in_on_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("Linux has it");
    let status = child("exit in on_error", &dir)
        .stdout(full)
        .status()
        .expect("starts");
    assert_eq!(status.code(), Some(3));
    // `exit` may come before all lines were offered; each that was accepted is whole and in order.
    let text = fs::read_to_string(dir.path().join("child.log")).expect("a log");
    assert!(text.ends_with('\n'));
    for (n, line) in text.lines().skip(1).enumerate() {
        assert!(line.contains(&format!("第 {n} 行")), "line {n}: {line}");
    }
}

/// Nobody reads the child's stdout, so what fits in the pipe is all that can be written.
#[cfg(unix)]
fn exit_counts() {
    let mut child = crate::starting::child("exit")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let unread = child.stdout.take().expect("piped");
    let output = child.wait_with_output().expect("ends");
    drop(unread);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).expect("text");
    let count = said
        .trim_end()
        .rsplit_once("dogwatch: ")
        .expect("it speaks")
        .1;
    let count = count
        .strip_suffix(" log lines were not written at exit")
        .expect("a count");
    let count: usize = count.parse().expect("a number");
    assert!((1..=1 + LINES).contains(&count), "{said}");
}

#[cfg(unix)]
fn graceful() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = child("graceful", &dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut ready)
        .expect("says ready");
    assert_eq!(ready, "ready\n");
    let kill = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .expect("kill runs");
    assert!(kill.success());
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert_eq!(lines(&dir), 1 + LINES + 1);
}

#[cfg(unix)]
fn reopen() {
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt as _;
    // A signal that is ignored, as under nohup, is ignored by each child, too.
    let hung_up = Command::new("sh").args(["-c", "kill -HUP $$"]).status();
    if hung_up.expect("sh runs").signal() != Some(1) {
        let _ =
            std::io::Write::write_all(&mut std::io::stderr(), b"skipped: SIGHUP is ignored here\n");
        return;
    }
    for asked in [true, false] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut command = child("reopen", &dir);
        if asked {
            command.env("DOGWATCH_REOPEN_ON_SIGHUP", "1");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut words = child.stdin.take().expect("piped");
        let mut answers = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut say = |word: &str| {
            writeln!(words, "{word}").expect("it reads");
            answers.next().expect("it answers").expect("text")
        };
        assert_eq!(say("before"), "written");
        let hang_up = format!("kill -HUP {}", child.id());
        let sent = Command::new("sh").args(["-c", &hang_up]).status();
        assert!(sent.expect("sh runs").success());
        if !asked {
            assert_eq!(child.wait().expect("ends").signal(), Some(1));
            continue;
        }
        // Nothing else makes a file with this name: the moved one is looked for only by a write.
        let (log, moved) = (dir.path().join("child.log"), dir.path().join("moved.log"));
        fs::rename(&log, &moved).expect("moved");
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !log.exists() {
            let sent = Command::new("sh").args(["-c", &hang_up]).status();
            assert!(sent.expect("sh runs").success());
            assert!(std::time::Instant::now() < until, "it was not reopened");
        }
        assert_eq!(say("after"), "written");
        drop(words);
        assert!(child.wait().expect("ends").success());
        let text = |path| fs::read_to_string(path).expect("a log");
        let (moved, log) = (text(moved), text(log));
        assert!(
            moved.contains("before") && !moved.contains("after"),
            "{moved}"
        );
        assert!(log.contains("after") && !log.contains("before"), "{log}");
    }
}

fn child(case: &str, dir: &tempfile::TempDir) -> Command {
    let mut command = crate::starting::child(case);
    command.env("DOGWATCH_FILE", dir.path().join("child.log"));
    command
}

/// Each line is whole and parses.
fn lines(dir: &tempfile::TempDir) -> usize {
    let text = fs::read_to_string(dir.path().join("child.log")).expect("a log");
    let parsed = text.lines().map(serde_json::from_str::<serde_json::Value>);
    parsed
        .collect::<Result<Vec<_>, _>>()
        .expect("each line is JSON")
        .len()
}
