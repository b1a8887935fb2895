//! Holds the pages of `patterns` and `diff`.

use std::fmt::Write as _;

use crate::{folder, run};

fn logs() -> tempfile::TempDir {
    let mut log = String::new();
    for second in 0..60 {
        let _ = writeln!(
            log,
            r#"{{"timestamp":"2026-11-24T10:00:{second:02}Z","level":"INFO","target":"shop","message":"order {second} paid","status":200,"version":"1.4.1"}}"#
        );
        if second > 54 {
            let _ = writeln!(
                log,
                r#"{{"timestamp":"2026-11-24T10:00:{second:02}Z","level":"ERROR","target":"shop","message":"order {second} failed","status":502,"version":"1.4.2"}}"#
            );
        }
    }
    log.push_str("started \u{1b}[2J\n");
    folder(&[("logs/a.log", &log)])
}

#[test]
fn lines_are_grouped_by_what_they_say_and_what_is_new_is_marked() {
    let folder = logs();
    let page = r"66 lines of 66, 3 patterns, 1 of them new in the last tenth of the time

     count  level  first                last                 pattern
        60  INFO   2026-11-24 10:00:00  2026-11-24 10:00:59  shop: order * paid
new      5  ERROR  2026-11-24 10:00:55  2026-11-24 10:00:59  shop: order * failed
         1  -      -                    -                    started \u{1b}[*
";
    let (code, out, error) = run(folder.path(), &["patterns", "--utc"]);
    assert_eq!((code, &*error), (0, ""));
    assert_eq!(out, page);
    let (_, out, _) = run(
        folder.path(),
        &["patterns", "--utc", "-n1", "level=error or order.*56"],
    );
    assert!(out.starts_with("5 lines of 66, 1 pattern,"), "{out}");
    assert_eq!(run(folder.path(), &["patterns", "nothing"]).0, 1);
}

#[test]
fn what_an_index_leaves_unread_is_still_counted() {
    let line = |level: &str| format!("{{\"level\":\"{level}\",\"message\":\"x\"}}\n");
    let folder = folder(&[
        ("a.log", &line("INFO").repeat(3)),
        ("b.log", &line("ERROR")),
    ]);
    let ask = |command: &str| run(folder.path(), &[command, "level=error", "."]);
    let (patterns, stats) = (ask("patterns"), ask("stats"));
    assert!(
        patterns
            .1
            .starts_with("1 line of 4, 1 pattern, 0 of them new"),
        "{}",
        patterns.1
    );
    assert!(stats.1.starts_with("1 line found of 4, "), "{}", stats.1);
    assert_eq!(run(folder.path(), &["index", "."]).0, 0);
    assert_eq!(ask("patterns"), patterns);
    let indexed = ask("stats").1;
    assert!(indexed.starts_with("1 line found of 4, "), "{indexed}");
}

#[test]
fn what_the_bad_lines_have_is_told() {
    let folder = logs();
    let page = "\
5 bad lines, 60 good lines

   bad  good  field    value
100.0%  0.0%  level    ERROR
100.0%  0.0%  message  order * failed
100.0%  0.0%  status   502
100.0%  0.0%  version  1.4.2
";
    assert_eq!(
        run(
            folder.path(),
            &["diff", "--bad", "status>=500", "--good", "status<500"]
        ),
        (0, page.to_owned(), String::new())
    );
    let (code, out, error) = run(folder.path(), &["diff", "--bad", "status>=500"]);
    assert_eq!((code, &*out), (2, ""));
    assert_eq!(
        error,
        "dogwatch: `dogwatch diff` needs --good with a query; `dogwatch diff --help` shows how\n"
    );
    assert_eq!(
        run(folder.path(), &["diff", "--bad", "x", "--good", ""]).0,
        1
    );
}
