//! Holds what happens on a terminal, as far as `script` of util-linux can be one, and on Ctrl-C.
#![cfg(unix)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{dogwatch, folder};

/// Exit code and what a terminal shows of the program, with a pager; `None` without `script`.
fn on_terminal(folder: &Path, pager: &str, arguments: &str) -> Option<(i32, String)> {
    let program = format!("{} {arguments}", env!("CARGO_BIN_EXE_dogwatch"));
    let output = Command::new("script")
        .current_dir(folder)
        .args(["-qec", &program, "/dev/null"])
        .env("PAGER", pager)
        .env("NO_COLOR", "1")
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .output();
    let Ok(output) = output else {
        #[expect(clippy::print_stdout, reason = "what a test leaves out is said")]
        {
            println!("skipped: script is not installed");
        }
        return None;
    };
    let shown = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    Some((output.status.code().unwrap_or(-1), shown))
}

fn many(lines: u32) -> tempfile::TempDir {
    let mut text = String::new();
    for number in 0..lines {
        let _ = writeln!(text, "{{\"level\":\"INFO\",\"n\":{number}}}");
    }
    folder(&[("a.log", &text)])
}

#[test]
fn lines_for_people_go_through_the_pager_and_nothing_else_does() {
    let folder = many(2);
    for (pager, arguments, expected) in [
        ("sed s/^/P:/", "a.log", "P:INFO  n=0\nP:INFO  n=1\n"),
        ("sed s/^/P:/", "--no-pager a.log", "INFO  n=0\nINFO  n=1\n"),
        ("sed s/^/P:/", "-c a.log", "2\n"),
        ("sed s/^/P:/", "none a.log", ""),
        ("", "a.log", "INFO  n=0\nINFO  n=1\n"),
        ("cat", "a.log", "INFO  n=0\nINFO  n=1\n"),
        ("no-such-pager -x", "a.log", "INFO  n=0\nINFO  n=1\n"),
    ] {
        let Some((_, shown)) = on_terminal(folder.path(), pager, arguments) else {
            return;
        };
        assert_eq!(shown, expected, "{pager} {arguments}");
    }
}

#[test]
fn quitting_the_pager_is_no_error() {
    let folder = many(100_000);
    let Some(ended) = on_terminal(folder.path(), "head -n 1", "a.log") else {
        return;
    };
    assert_eq!(ended, (0, "INFO  n=0\n".to_owned()));
}

#[test]
fn a_terminal_gets_no_codes_from_json_lines_and_a_pipe_gets_them_as_they_stand() {
    let folder = folder(&[("a.log", "{\"a\":\"\u{9b}2J\"}\n\u{1b}[2J\n")]);
    let piped = dogwatch(folder.path(), &["-j", "a.log"]).output().unwrap();
    assert_eq!(piped.stdout, "{\"a\":\"\u{9b}2J\"}\n\u{1b}[2J\n".as_bytes());
    let Some((_, shown)) = on_terminal(folder.path(), "cat", "-j a.log") else {
        return;
    };
    assert_eq!(shown, "{\"a\":\"\\u{9b}2J\"}\n\\u{1b}[2J\n");
    for arguments in [
        "--csv a.log",
        "'| count by a' a.log",
        "'| count by a' --csv a.log",
        "patterns a.log",
        "a.log",
    ] {
        let (_, shown) = on_terminal(folder.path(), "cat", arguments).unwrap_or_default();
        let acts = |char: char| char.is_control() && char != '\n';
        assert!(
            !shown.is_empty() && !shown.contains(acts),
            "{arguments}: {shown:?}"
        );
    }
}

#[test]
fn a_chart_over_time_is_drawn() {
    let folder = folder(&[(
        "a.log",
        "{\"timestamp\":\"2026-11-24T10:00:00Z\"}\n{\"timestamp\":\"2026-11-24T10:02:00Z\"}\n{\"timestamp\":\"2026-11-24T10:02:00Z\"}\n",
    )]);
    let Some((_, shown)) = on_terminal(folder.path(), "cat", "--utc '| timechart 1m' a.log") else {
        return;
    };
    let [half, whole] = [20, 40].map(|columns| "█".repeat(columns));
    assert_eq!(
        shown,
        format!(
            "time                 count\n2026-11-24 10:00:00      1  {half}\n2026-11-24 10:01:00      0\n2026-11-24 10:02:00      2  {whole}\n"
        )
    );
}

fn interrupt(pid: u32) {
    let status = Command::new("kill")
        .args(["-INT", &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn ctrl_c_shows_what_was_found_so_far_and_ends_with_130() {
    let folder = folder(&[]);
    let mut command = dogwatch(folder.path(), &["| count by level", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let block = "{\"level\":\"INFO\"}\n".repeat(65_536);
    // More than a pipe and a block of lines hold: when it is taken, the program is at work.
    input.write_all(block.as_bytes()).unwrap();
    input.write_all(block.as_bytes()).unwrap();
    interrupt(child.id());
    // It is told at the next block, and reads no further.
    while input.write_all(block.as_bytes()).is_ok() {}
    let mut out = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let count = out.strip_prefix("level   count\nINFO   ").map(str::trim);
    let count: u64 = count.unwrap_or(&out).parse().unwrap_or(0);
    assert!(count > 0, "{out}");
}

#[test]
fn ctrl_c_ends_what_is_followed() {
    let folder = many(1);
    let mut command = dogwatch(folder.path(), &["-f", "", "a.log", "-j"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    let (first, seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut line = String::new();
        shown.read_line(&mut line).unwrap();
        first.send(line).unwrap();
        let mut rest = String::new();
        shown.read_to_string(&mut rest).unwrap();
    });
    // It may begin at any time after its start: lines are written until one is seen.
    let path = folder.path().join("a.log");
    let mut log = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    let pause = std::time::Duration::from_millis(20);
    let line = loop {
        writeln!(log, "{{\"new\":1}}").unwrap();
        if let Ok(line) = seen.recv_timeout(pause) {
            break line;
        }
    };
    assert_eq!(line, "{\"new\":1}\n");
    interrupt(child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    reader.join().unwrap();
}

#[test]
fn without_logs_nobody_waits_for_what_is_typed() {
    let folder = folder(&[]);
    let Some((code, shown)) = on_terminal(folder.path(), "cat", "level=error </dev/tty") else {
        return;
    };
    assert_eq!(
        (code, &*shown),
        (
            2,
            "dogwatch: there is no folder `logs` here: name a path, or `-` for standard input\n"
        )
    );
}

#[test]
fn an_argument_that_is_no_text_is_told_and_its_file_is_read_from_standard_input() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = folder(&[]);
    let name = std::ffi::OsStr::from_bytes(b"\xff.log");
    if std::fs::write(folder.path().join(name), "{\"n\":1}\n").is_err() {
        return; // The file system takes no such name.
    }
    let output = dogwatch(folder.path(), &["-j"]).arg(name).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "dogwatch: `\u{fffd}.log` is not UTF-8; give such a file on standard input, as `- <FILE`\n"
    );
    let file = std::fs::File::open(folder.path().join(name)).unwrap();
    let output = dogwatch(folder.path(), &["-j", "-"])
        .stdin(file)
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"{\"n\":1}\n");
}
