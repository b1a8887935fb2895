//! Holds how logs that nobody here wrote are read: each sample was written by the logger itself (that
//! of Google Cloud is made after its documentation of `LogEntry`), and its paths made neutral.

use std::fs;
use std::path::Path;

use crate::run;

/// The sample, the form of its text, and how many lines are errors.
const SAMPLES: [(&str, Option<&str>, u32); 17] = [
    ("bunyan", None, 1),
    ("docker", Some("logfmt"), 3),
    ("ecs-pino", None, 1),
    ("ecs-python", None, 1),
    ("google-cloud", None, 1),
    ("logrus", None, 1),
    ("logrus-text", Some("logfmt"), 1),
    ("logstash", None, 1),
    ("nginx", Some("nginx"), 1),
    ("pino", None, 1),
    ("slog", None, 1),
    ("slog-text", Some("logfmt"), 1),
    ("structlog", None, 0),
    ("tracing-subscriber", None, 1),
    ("winston", None, 1),
    ("zap", None, 1),
    ("zerolog", None, 1),
];

fn samples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples"))
}

#[test]
fn each_loggers_lines_are_shown_as_ours_are() {
    for (name, form, errors) in SAMPLES {
        let log = format!("{name}.log");
        let mut arguments = vec!["--utc", &*log];
        if let Some(form) = form {
            arguments.extend(["--extract", form]);
        }
        let expected = fs::read_to_string(samples().join(format!("{name}.txt"))).unwrap();
        let (code, out, error) = run(samples(), &arguments);
        assert_eq!((code, out, &*error), (0, expected, ""), "{name}");
        arguments.splice(..1, ["-c", "level>=error"]);
        assert_eq!(
            run(samples(), &arguments).1,
            format!("{errors}\n"),
            "{name}"
        );
    }
    let files = fs::read_dir(samples()).unwrap().count();
    assert_eq!(files, SAMPLES.len() * 2);
}

#[test]
fn one_query_finds_the_same_thing_in_all_of_them() {
    for name in [
        "bunyan",
        "logrus",
        "pino",
        "slog",
        "tracing-subscriber",
        "winston",
        "zap",
        "zerolog",
    ] {
        let log = format!("{name}.log");
        let found = run(samples(), &["-c", "message=paid route=/api/pay", &log]);
        assert_eq!(found, (0, "1\n".to_owned(), String::new()), "{name}");
    }
    let found = run(
        samples(),
        &["| count by status,path", "nginx.log", "--extract=nginx"],
    );
    let table = "status  path      count\n-       -             1\n200     /api/pay      1\n502     /api/pay      1\n";
    assert_eq!(found, (0, table.to_owned(), String::new()));
}

#[test]
fn fields_made_of_text_are_asked_written_and_summed_up() {
    let expression = r"^(?<level>\w+): (?<message>.*) in (?<took_ms>\d+)ms";
    let folder = crate::folder(&[("a.log", "WARN: slow in 900ms\nINFO: quick in 3ms\nother\n")]);
    assert_eq!(
        run(
            folder.path(),
            &["took_ms>100", "a.log", "-j", "--extract", expression]
        ),
        (
            0,
            "{\"level\":\"WARN\",\"message\":\"slow\",\"took_ms\":900}\n".to_owned(),
            "dogwatch: 1 line of text is not of the form of --extract\n".to_owned()
        )
    );
    let (code, out, _) = run(folder.path(), &["stats", "a.log", "--extract", expression]);
    assert_eq!(code, 0);
    assert!(
        out.contains("levels\n  1  WARN\n  1  INFO\n  1  none\n"),
        "{out}"
    );
    let last = run(
        folder.path(),
        &["level exists", "a.log", "--tail=1", "--extract", expression],
    );
    assert_eq!(last.1, "INFO  quick took_ms=3\n");
    assert_eq!(run(folder.path(), &["a.log", "--extract", "("]).0, 2);
}
