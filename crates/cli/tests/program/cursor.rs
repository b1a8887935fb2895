//! Holds that a run goes on where the last one with the same cursor ended.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

use crate::{dogwatch, folder, run};

fn line(number: u32) -> String {
    let level = if number % 2 == 0 { "ERROR" } else { "INFO" };
    format!("{{\"level\":\"{level}\",\"n\":{number}}}\n")
}

fn lines(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().map(line).collect()
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// Exit code and lines of a run with the cursor `c`; nothing is told.
fn asked(folder: &Path, words: &[&str]) -> (i32, String) {
    let (code, out, error) = run(folder, &[&["--cursor=c", "-j"], words].concat());
    assert_eq!(error, "", "{words:?}");
    (code, out)
}

#[test]
fn each_run_goes_on_where_the_last_ended_across_rolls() {
    let folder = folder(&[("shop.log.1", &lines(0..3)), ("shop.log", &lines(3..5))]);
    let path = folder.path();
    let log = path.join("shop.log");
    let errors = ["level=error", "shop.log"];
    assert_eq!(asked(path, &errors), (0, lines([0, 2, 4])));
    assert_eq!(asked(path, &errors), (1, String::new()));
    // Half a line is for the run that finds it whole.
    append(&log, &(line(6) + r#"{"level":"ERROR","#));
    assert_eq!(asked(path, &errors), (0, line(6)));
    append(&log, "\"n\":8}\n");
    fs::rename(path.join("shop.log.1"), path.join("shop.log.2")).unwrap();
    fs::rename(&log, path.join("shop.log.1")).unwrap();
    append(&log, &lines([10, 11]));
    assert_eq!(asked(path, &errors), (0, lines([8, 10])));
    append(&log, &lines(12..18));
    // The first of them is one run's, the rest the next one's.
    assert_eq!(
        asked(path, &["-n1", "level=error", "shop.log"]),
        (0, line(12))
    );
    assert_eq!(
        asked(path, &["-n0", "level=error", "shop.log"]),
        (1, String::new())
    );
    assert_eq!(asked(path, &errors), (0, lines([14, 16])));
    append(&log, &lines(18..21));
    let table = run(path, &["--cursor=c", "| count by level", "shop.log"]);
    let counted = "level  count\nERROR      2\nINFO       1\n".to_owned();
    assert_eq!(table, (0, counted, String::new()));
    assert_eq!(run(path, &["--cursor=c", "-c", "", "shop.log"]).1, "0\n");
}

#[test]
fn what_was_not_seen_is_shown_again() {
    let long = "x".repeat(1000);
    let text: String = (0..1000)
        .map(|number| format!("{number:04} {long}\n"))
        .collect();
    let folder = folder(&[("shop.log", &text)]);
    let mut child = dogwatch(folder.path(), &["--cursor=c", "-j", "", "shop.log"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    // Whoever read has gone before the rest was written: more than a pipe holds.
    BufReader::with_capacity(100, child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    child.wait().unwrap();
    assert!(first.starts_with("0000 "));
    assert!(asked(folder.path(), &["", "shop.log"]) == (0, text));
    assert_eq!(asked(folder.path(), &["", "shop.log"]), (1, String::new()));
}

#[test]
fn a_cursor_is_of_one_log_and_of_one_run_at_a_time() {
    let folder = folder(&[("logs/a.log", &line(1)), ("logs/b.log", &line(2))]);
    let path = folder.path();
    for (words, told) in [
        (
            &["--cursor=c", "", "logs/"][..],
            "--cursor is for one log, and here are 2: name one, and give each a cursor of its own",
        ),
        (
            &["--cursor=c", "", "-"],
            "--cursor is for a log, and standard input is none",
        ),
        (
            &["--cursor=c", "--tail=3", "", "logs/a.log"],
            "--cursor and --tail do not go together",
        ),
        (
            &["--cursor=logs/a.log", "", "logs/a.log"],
            "cannot read the cursor `logs/a.log`: its line 1 is garbled; delete it, and its reader begins anew",
        ),
        (
            &["--cursor=c", "", "logs/c.log"],
            "cannot find log files at `logs/c.log`: there are none; name a file, a folder or a pattern such as `logs/*.log`",
        ),
    ] {
        let expected = (2, String::new(), format!("dogwatch: {told}\n"));
        assert_eq!(run(path, words), expected, "{words:?}");
    }
    assert!(!path.join("c").exists());

    let mut child = dogwatch(path, &["follow", "--cursor=c", "-j", "", "logs/a.log"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = BufReader::new(child.stdout.take().unwrap());
    let mut read = || {
        let mut text = String::new();
        shown.read_line(&mut text).unwrap();
        text
    };
    assert_eq!(read(), line(1));
    let locked = "dogwatch: cannot lock the cursor `c`: another reader uses it; give each reader a cursor of its own\n";
    assert_eq!(
        run(path, &["--cursor=c", "", "logs/a.log"]),
        (2, String::new(), locked.to_owned())
    );
    // It saves behind what it shows before it looks again, and is killed behind the save at least of the
    // first.
    append(&path.join("logs/a.log"), &line(3));
    assert_eq!(read(), line(3));
    child.kill().unwrap();
    child.wait().unwrap();
    append(&path.join("logs/a.log"), &line(5));
    let (code, rest) = asked(path, &["", "logs/a.log"]);
    assert_eq!(code, 0);
    assert!(rest == lines([3, 5]) || rest == line(5), "{rest}");
}
