//! Holds the page of `check` and its exit codes.

use crate::{folder, run};

const GOOD: &str =
    r#"{"timestamp":"2026-11-24T10:00:00.000000Z","level":"INFO","target":"a","message":"x"}"#;

#[test]
fn lines_as_they_should_be_end_with_0() {
    let folder = folder(&[("a.log", GOOD)]);
    assert_eq!(
        run(folder.path(), &["check", "a.log"]),
        (0, "1 line, 0 with findings\n".to_owned(), String::new())
    );
}

#[test]
fn findings_are_told_by_kind_with_their_first_place_and_end_with_1() {
    let folder = folder(&[
        ("logs/a.log", &format!("{GOOD}\nstarted \u{1b}[2J\n")),
        (
            "logs/b.log",
            r#"{"timestamp":"2026-11-24T10:00:00Z","level":"info","target":"a","message":"got Bearer abcdefgh12345678","status":"200"}
{"timestamp":"2026-11-24T10:00:00.000000Z","level":"INFO","target":"a","message":"x","db_password":"hunter2","id":1,"id":2}
{"timestamp":"2026-11-24T10:00:00.000000Z","level":"INFO","target":"a","message":"x","db_password":"hunter3","userId":7}
"#,
        ),
    ]);
    let page = "\
5 lines, 4 with findings

no JSON
  1  expected an object, `{`, first in logs/a.log: started \\u{1b}[2J

double
  1  `id` stands twice: readers see the one or the other, first in logs/b.log

wrong type
  1  `status` is not a number, first in logs/b.log: 200

wrong form
  1  `level` is not TRACE, DEBUG, INFO, WARN, ERROR or FATAL, first in logs/b.log: info
  1  `timestamp` is not RFC 3339 in UTC with six digits: `2026-11-24T10:00:00.000000Z`, first in logs/b.log: 2026-11-24T10:00:00Z

wrong case
  1  `userId` should be `user_id`, first in logs/b.log

secrets in clear
  2  `db_password` its key is a secret's, first in logs/b.log
  1  `message` it has a bearer token, first in logs/b.log
";
    let (code, out, error) = run(folder.path(), &["check"]);
    assert_eq!((code, &*out, &*error), (1, page, ""));
    assert!(!out.contains("hunter") && !out.contains("abcdefgh"));
    assert_eq!(
        run(folder.path(), &["check", "level=INFO", "logs/a.log"]).0,
        0
    );
    assert_eq!(run(folder.path(), &["check", "level=loud"]).0, 2);
    assert_eq!(run(folder.path(), &["check", "", "none.log"]).0, 2);
}

#[test]
fn a_check_of_nothing_says_so_and_does_not_pass() {
    let folder = folder(&[("a.log", GOOD), ("empty.log", "")]);
    let nothing = (1, "no line was there to check\n".to_owned(), String::new());
    for arguments in [
        &["check", "empty.log"][..],
        &["check", "level=error", "a.log"],
        &["check", "-"],
    ] {
        assert_eq!(run(folder.path(), arguments), nothing, "{arguments:?}");
    }
    assert_eq!(
        run(folder.path(), &["check", "./typo.log"]),
        (2, String::new(), "dogwatch: cannot find log files at `./typo.log`: there are none; to look for that text, write `-- ./typo.log`\n".to_owned())
    );
}
