//! Holds how lines are shown, and how it ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::{dogwatch, folder, run};

const A: &str = r#"{"timestamp":"2026-11-24T10:00:00Z","level":"ERROR","target":"a","message":"timed out","status":503}"#;
const B: &str =
    r#"{"timestamp":"2026-11-24T10:00:01Z","level":"INFO","target":"b","message":"paid"}"#;
const C: &str =
    r#"{"timestamp":"2026-11-24T10:00:02Z","level":"WARN","target":"a","message":"slow"}"#;

fn logs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    fs::write(folder.path().join("logs/a.log.1"), format!("{A}\n")).unwrap();
    fs::write(folder.path().join("logs/a.log"), format!("{C}\n")).unwrap();
    fs::write(folder.path().join("logs/b.log"), format!("{B}\n")).unwrap();
    folder
}

#[test]
fn several_logs_are_shown_by_time_and_the_exit_code_is_greps() {
    let folder = logs();
    let shown = "2026-11-24 10:00:00.000 ERROR a timed out status=503\n\
        2026-11-24 10:00:01.000 INFO  b paid\n2026-11-24 10:00:02.000 WARN  a slow\n";
    assert_eq!(
        run(folder.path(), &["", "--utc"]),
        (0, shown.to_owned(), String::new())
    );
    assert_eq!(
        run(folder.path(), &["level>=warn", "logs/a.log", "-j"]),
        (0, format!("{A}\n{C}\n"), String::new())
    );
    assert_eq!(
        run(folder.path(), &["level>=warn", "-c"]),
        (0, "2\n".to_owned(), String::new())
    );
    for first in [&["-n", "1"][..], &["-n1"], &["--lines=1"]] {
        let arguments = [&["level>=warn", "-j"], first].concat();
        let expected = (0, format!("{A}\n"), String::new());
        assert_eq!(run(folder.path(), &arguments), expected, "{first:?}");
    }
    assert_eq!(
        run(folder.path(), &["-jn1", "logs/"]),
        (0, format!("{A}\n"), String::new())
    );
    assert_eq!(
        run(folder.path(), &["nothing"]),
        (1, String::new(), String::new())
    );
}

#[test]
fn what_is_wrong_is_said_in_one_sentence_and_ends_with_2() {
    let folder = logs();
    let wrong = |arguments: &[&str]| {
        let (code, out, error) = run(folder.path(), arguments);
        assert_eq!((code, out), (2, String::new()));
        error
    };
    assert_eq!(
        wrong(&["支付 level=loud"]),
        "dogwatch: cannot read the query at column 10: unknown level `loud`\n  支付 level=loud\n           ^\n"
    );
    assert!(
        wrong(&["x", "none.log"])
            .starts_with("dogwatch: cannot find log files at `none.log`: there are none")
    );
    assert!(wrong(&["x | count", "-j"]).contains("behind the pipe stands a table"));
    assert!(wrong(&["x", "-C1", "--tail=2"]).contains("--context and --tail do not go together"));
    assert!(wrong(&["follow", "| count", "logs"]).contains("behind the pipe stands a table"));
    assert!(wrong(&["-f", "", "-"]).contains("standard input is read to its end without --follow"));
    assert!(wrong(&["follow", "", "log*.none"]).contains("cannot find log files at `log*.none`"));
    assert!(wrong(&["level=error", "status=500"]).contains("if `status=500` belongs to the query"));
}

#[test]
fn a_first_word_that_only_looks_like_a_path_is_an_error_and_a_path_of_a_url_is_a_query() {
    let folder = crate::folder(&[(
        "logs/a.log",
        "{\"message\":\"GET /api/pay, shp.log\",\"n\":1}\n",
    )]);
    for word in ["logs/shp.log", "./typo", "/usr/nope", "shp.log", "log/"] {
        for command in [&[][..], &["stats"], &["patterns"], &["check"]] {
            assert_eq!(
                run(folder.path(), &[command, &[word]].concat()),
                (
                    2,
                    String::new(),
                    format!(
                        "dogwatch: cannot find log files at `{word}`: there are none; to look for that text, write `-- {word}`\n"
                    )
                ),
            );
        }
    }
    let found = (0, "1\n".to_owned(), String::new());
    for arguments in [
        &["-c", "/api/pay"][..],
        &["-c", "--", "shp.log"],
        &["-c", "\"shp.log\""],
        &["-c", "logs/*.log"],
        &["-c", "logs/a.log"],
        &["-c", "/api/pay", "logs/a.log"],
    ] {
        assert_eq!(run(folder.path(), arguments), found, "{arguments:?}");
    }
    // A bare word may be meant either way.
    assert_eq!(
        run(folder.path(), &["-c", "logs"]),
        (0, "1\n".to_owned(), "dogwatch: `logs` is read as the path of what is there; to look for the word, write `-- logs`\n".to_owned())
    );
    assert_eq!(
        run(folder.path(), &["-c", "--", "logs"]),
        (1, "0\n".to_owned(), String::new())
    );
}

#[test]
fn a_long_query_is_not_echoed_whole() {
    let folder = logs();
    let long = "x".repeat(8000);
    let (code, out, error) = run(folder.path(), &[&format!("{long} level=loud {long}")]);
    let (before, behind) = ("x".repeat(53), "x".repeat(55));
    assert_eq!((code, &*out), (2, ""));
    assert_eq!(
        error,
        format!(
            "dogwatch: cannot read the query at column 8008: unknown level `loud`\n  …{before} level=loud {behind}…\n  {}^\n",
            " ".repeat(61)
        )
    );
    for query in [format!("level={long}"), long.repeat(10)] {
        let (code, _, error) = run(folder.path(), &[&query]);
        assert!(code == 2 && error.len() < 800, "{}", error.len());
    }
}

#[test]
fn a_line_that_is_too_long_is_told_with_its_file() {
    let long = format!("{}\n{A}\n", "x".repeat((16 << 20) + 1));
    let folder = crate::folder(&[("a.log", &long)]);
    let told = "dogwatch: a line of 16777218 bytes in `a.log` is too long and left out\n";
    for tail in [&["--tail=2"][..], &[]] {
        let arguments = [&["-j", "", "a.log"], tail].concat();
        let (code, out, error) = run(folder.path(), &arguments);
        assert_eq!((code, out), (2, format!("{A}\n")), "{tail:?}");
        assert_eq!(error.replace("./a.log", "a.log"), told, "{tail:?}");
    }
}

#[test]
fn a_broken_file_is_told_and_the_rest_is_shown() {
    let folder = logs();
    fs::write(
        folder.path().join("logs/a.log.2"),
        b"\x28\xb5\x2f\xfd broken",
    )
    .unwrap();
    let (code, out, error) = run(folder.path(), &["level=error", "logs/a.log", "-j"]);
    assert_eq!((code, out), (2, format!("{A}\n")));
    assert!(
        error.starts_with("dogwatch: `logs/a.log.2` is broken at byte 0"),
        "{error}"
    );
}

#[test]
fn a_half_line_at_the_end_is_told_and_changes_no_exit_code() {
    let half = folder(&[
        ("half.log", "{\"a\":1}\n{\"half\":"),
        ("whole.log", "{\"a\":1}"),
    ]);
    let told = "dogwatch: `./half.log` ends within a line, which is being written or was cut off; what there is of it is read as text\n";
    for (arguments, out) in [
        (&["-j", "a=1", "half.log"][..], "{\"a\":1}\n"),
        (&["-c", "*", "half.log"], "2\n"),
        (&["--tail", "2", "-j", "a=1", "half.log"], "{\"a\":1}\n"),
    ] {
        let expected = (0, out.to_owned(), told.to_owned());
        assert_eq!(run(half.path(), arguments), expected, "{arguments:?}");
    }
    let expected = (0, "1\n".to_owned(), String::new());
    assert_eq!(run(half.path(), &["-c", "*", "whole.log"]), expected);
}

#[test]
fn standard_input_is_read_and_no_code_gets_to_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = dogwatch(folder.path(), &["found"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"not\n\x1b[2Jfound\n{\"message\":\"found \\u001b[1m\"}\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\\u{1b}[2Jfound\n-     found \\u{1b}[1m\n"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read() {
    let folder = folder(&[("one", "{\"n\":1}\n{\"n\":2}\n"), ("stdin.log", "other\n")]);
    for (arguments, expected) in [
        (&["-j", "", "/dev/stdin"][..], "{\"n\":1}\n{\"n\":2}\n"),
        (&["-j", "--tail", "1", "", "/dev/stdin"], "{\"n\":2}\n"),
        (&["-c", "*", "/dev/fd/0"], "2\n"),
    ] {
        let mut cat = std::process::Command::new("cat")
            .arg(folder.path().join("one"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = dogwatch(folder.path(), arguments)
            .stdin(cat.stdout.take().unwrap())
            .output()
            .unwrap();
        cat.wait().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!((&*out, &*error), (expected, ""), "{arguments:?}");
    }
}

#[test]
fn a_followed_log_shows_what_is_written_across_a_roll() {
    let folder = logs();
    let log = folder.path().join("logs/a.log");
    let mut command = dogwatch(folder.path(), &["-f", "-j", "-n", "3", "", "logs/a.log"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap()).lines();
    // It may begin at any time after its start: lines are written until one is seen.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn(move || {
        for number in 0.. {
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&log)
                .unwrap();
            writeln!(file, "{{\"n\":{number}}}").unwrap();
            if number % 5 == 4 {
                fs::rename(&log, log.with_extension(format!("log.{}", 1000 - number))).unwrap();
            }
            if stopped.recv_timeout(std::time::Duration::from_millis(20))
                != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    });
    let numbers: Vec<u64> = (0..3)
        .map(|_| {
            shown
                .next()
                .unwrap()
                .unwrap()
                .trim_start_matches("{\"n\":")
                .trim_end_matches('}')
                .parse()
                .unwrap()
        })
        .collect();
    drop(stop);
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(numbers, [numbers[0], numbers[0] + 1, numbers[0] + 2]);
}

#[test]
fn a_folder_is_followed_with_all_its_logs_and_one_that_is_still_to_come() {
    let folder = logs();
    let arguments = ["follow", "-j", "-n", "6", "n exists", "logs/", "late/c.log"];
    let mut child = dogwatch(folder.path(), &arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    errors.read_line(&mut told).unwrap();
    assert_eq!(
        told,
        "dogwatch: `late/c.log` is not there yet: waiting for it\n"
    );
    // It begins at any time after that: lines are written until it has seen one of each log.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let path = folder.path().to_owned();
    let writer = std::thread::spawn(move || {
        fs::create_dir(path.join("late")).unwrap();
        for turn in 0.. {
            let name = ["logs/a.log", "logs/b.log", "late/c.log"][turn % 3];
            let mut file = fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path.join(name))
                .unwrap();
            writeln!(file, "{{\"n\":\"{name}\"}}").unwrap();
            if stopped.recv_timeout(std::time::Duration::from_millis(50))
                != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
            {
                return;
            }
        }
    });
    let shown = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut shown: Vec<String> = shown.map(Result::unwrap).collect();
    drop(stop);
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    shown.sort();
    shown.dedup();
    assert_eq!(
        shown,
        [
            r#"{"n":"late/c.log"}"#,
            r#"{"n":"logs/a.log"}"#,
            r#"{"n":"logs/b.log"}"#
        ]
    );
}

/// Three errors among thirty lines, in two files.
fn thirty() -> tempfile::TempDir {
    let line = |number: u32| {
        let level = if number % 10 == 5 { "ERROR" } else { "INFO" };
        format!("{{\"level\":\"{level}\",\"n\":{number}}}\n")
    };
    let lines = |numbers: std::ops::Range<u32>| numbers.map(line).collect::<String>();
    crate::folder(&[("a.log.1", &lines(0..14)), ("a.log", &lines(14..30))])
}

#[test]
fn context_is_shown_without_the_filter() {
    let folder = thirty();
    let shown = "  INFO  n=4\n> ERROR n=5\n  INFO  n=6\n--\n  INFO  n=14\n> ERROR n=15\n  INFO  n=16\n--\n\
        \x20 INFO  n=24\n> ERROR n=25\n  INFO  n=26\n";
    assert_eq!(
        run(folder.path(), &["level=error", "a.log", "-C1"]),
        (0, shown.to_owned(), String::new())
    );
    // The first found, with what follows it; in JSON nothing but lines.
    let json = r#"{"level":"INFO","n":3}
{"level":"INFO","n":4}
{"level":"ERROR","n":5}
{"level":"INFO","n":6}
{"level":"INFO","n":7}
"#;
    assert_eq!(
        run(
            folder.path(),
            &["level=error", "a.log", "-C", "2", "-n1", "-j"]
        ),
        (0, json.to_owned(), String::new())
    );
    assert_eq!(
        run(folder.path(), &["level=fatal", "a.log", "-C2"]),
        (1, String::new(), String::new())
    );
}

#[test]
fn the_last_lines_are_shown_and_tabled() {
    let folder = thirty();
    assert_eq!(
        run(folder.path(), &["level=error", "a.log", "--tail", "2"]),
        (0, "ERROR n=15\nERROR n=25\n".to_owned(), String::new())
    );
    assert_eq!(
        run(folder.path(), &["a.log", "--tail=17", "-c"]),
        (0, "17\n".to_owned(), String::new())
    );
    assert_eq!(
        run(folder.path(), &["* | count by level", "a.log", "--tail=16"]),
        (
            0,
            "level  count\nINFO      14\nERROR      2\n".to_owned(),
            String::new()
        )
    );
    assert_eq!(
        run(folder.path(), &["a.log", "--tail=0"]),
        (1, String::new(), String::new())
    );
    // Of several logs by time.
    let folder = logs();
    assert_eq!(
        run(folder.path(), &["", "-j", "--tail=2"]),
        (0, format!("{B}\n{C}\n"), String::new())
    );
}

#[test]
fn lines_and_tables_are_written_as_rows_of_values() {
    let folder = thirty();
    assert_eq!(
        run(folder.path(), &["n>27", "a.log", "--csv", "--fields", "n"]),
        (
            0,
            "timestamp,level,target,message,n\n,INFO,,,28\n,INFO,,,29\n".to_owned(),
            String::new()
        )
    );
    assert_eq!(
        run(folder.path(), &["| count by level", "a.log", "--csv"]),
        (
            0,
            "level,count\nINFO,27\nERROR,3\n".to_owned(),
            String::new()
        )
    );
    assert_eq!(
        run(folder.path(), &["a.log", "--csv", "-j"]).2,
        "dogwatch: --csv and --json do not go together\n"
    );
}
