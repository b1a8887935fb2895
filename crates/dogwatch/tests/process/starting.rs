//! What `init` says to bad settings, and what it sets to good ones.

use std::fs;
use std::process::Command;

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "a_second_init_is_its_own_error_and_the_first_goes_on",
        twice,
    ),
    ("a_bad_environment_is_named", || {
        refused(
            &[("DOGWATCH_ENV", "stage")],
            "DOGWATCH_ENV is `stage`, want `dev` or `prod`",
        );
    }),
    ("a_bad_switch_is_named", || {
        refused(
            &[("DOGWATCH_STDOUT", "maybe")],
            "DOGWATCH_STDOUT is `maybe`, want `1` or `0`",
        );
    }),
    ("a_bad_schema_is_named_with_those_there_are", || {
        refused(
            &[("DOGWATCH_SCHEMA", "ces")],
            "no schema is called `ces`; there are dogwatch, ecs, otel, gcp, datadog, logstash, \
             loki, tracing and gcp:PROJECT",
        );
    }),
    (
        "the_variable_names_the_schema_of_every_line",
        schema_by_variable,
    ),
    ("a_bad_filter_is_named", || {
        refused(
            &[("RUST_LOG", "shop=loud")],
            "filter `shop=loud` from RUST_LOG",
        );
    }),
    ("a_missing_rules_file_is_named", || {
        refused(&[("DOGWATCH_RULES", "no/rules.yaml")], "no/rules.yaml");
    }),
    ("a_broken_rules_file_is_told_with_its_place", broken_rules),
    ("an_unwritable_directory_is_named", unwritable),
    (
        "a_degraded_start_logs_to_stderr_what_its_file_cannot_take",
        degraded,
    ),
    ("what_a_config_asks_of_the_file_the_file_does", file_options),
    (
        "without_a_file_lines_go_to_stdout_and_no_disk_is_touched",
        stdout_only,
    ),
    (
        "the_first_line_says_the_preset_and_where_it_came_from",
        first_line,
    ),
    ("a_filter_by_target_takes_no_id_from_a_handlers_lines", ids),
    ("the_level_hint_of_the_whole_is_the_filters", levels),
];

/// This program as the child of a case, with none of our variables set.
pub(crate) fn child(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command
        .args(["child", case])
        .env_remove("RUST_LOG")
        .env_remove("RUST_BACKTRACE");
    for name in [
        "ENV",
        "SCHEMA",
        "FILE",
        "FILTER_FILE",
        "REOPEN_ON_SIGHUP",
        "STDOUT",
        "RULES",
        "SERVICE",
    ] {
        command.env_remove(format!("DOGWATCH_{name}"));
    }
    command
}

fn output(case: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = child(case)
        .envs(variables.iter().copied())
        .output()
        .expect("starts");
    (
        output.status.code(),
        String::from_utf8(output.stdout).expect("text"),
    )
}

fn refused(variables: &[(&str, &str)], want: &str) {
    let (code, said) = output("start", variables);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains(want), "{said}");
    assert_eq!(said.lines().count(), 1, "one clear error: {said}");
}

fn twice() {
    let (code, said) = output("twice", &[]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("the first still logs"), "{said}");
    assert!(said.contains("cannot start logging twice"), "{said}");
}

fn broken_rules() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("rules.yaml");
    fs::write(&path, "- name: a\n  pattern: \"[\"\n  threshold: 1\n").expect("written");
    let (code, said) = output("start", &[("DOGWATCH_RULES", path.to_str().expect("text"))]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("rules.yaml"), "{said}");
    assert!(said.contains("line 1") || said.contains("line 2"), "{said}");
}

fn unwritable() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a-file");
    fs::write(&file, "not a directory").expect("written");
    let path = file.join("api.log");
    let (path, directory) = (path.to_str().expect("text"), file.to_str().expect("text"));
    refused(
        &[("DOGWATCH_FILE", path)],
        &format!("log directory `{directory}`"),
    );
}

fn degraded() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a-file");
    fs::write(&file, "not a directory").expect("written");
    let output = child("degraded")
        .env("DOGWATCH_FILE", file.join("api.log"))
        .output()
        .expect("starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(0), "{said}");
    let line = said.lines().last().expect("a line");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["message"], "one line");
    assert_eq!(fs::read_to_string(&file).expect("there"), "not a directory");
}

fn file_options() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = child("file options")
        .current_dir(dir.path())
        .env("DOGWATCH_FILE", "logs/shop.log")
        .output()
        .expect("starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
    let said = String::from_utf8(output.stdout).expect("text");
    let closed = said
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("closed "));
    let closed = dir.path().join(closed.expect("the first line's file"));
    let first = fs::read_to_string(&closed).expect("there");
    assert!(first.contains("logging started"), "{first}");
    let link = fs::read_link(dir.path().join("latest")).expect("a link");
    assert_eq!(link, std::path::Path::new("logs/shop.log"));
    let text = fs::read_to_string(dir.path().join("latest")).expect("there");
    assert!(text.contains("one line"), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&closed).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The zone is eight hours ahead, and has no clock changes.
    let line: serde_json::Value = serde_json::from_str(&first).expect("JSON");
    let written: jiff::Timestamp = line["timestamp"]
        .as_str()
        .expect("text")
        .parse()
        .expect("a time");
    let name = closed
        .file_name()
        .and_then(|name| name.to_str())
        .expect("text");
    let begun: jiff::civil::DateTime =
        jiff::civil::DateTime::strptime("shop.%Y-%m-%dT%H-%M-%S.000001.log", name)
            .expect("its form");
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("known");
    let begun = begun.to_zoned_datetime(zone).expect("a time").timestamp();
    assert!(
        written.duration_since(begun).as_secs().abs() <= 60,
        "{name}"
    );
    assert!(dir.path().join("elsewhere/shop.log").is_file());
}

fn stdout_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = child("start")
        .current_dir(dir.path())
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("\"message\":\"one line\""), "{said}");
    assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0);
}

fn first_line() {
    let (_, said) = output(
        "start",
        &[("DOGWATCH_ENV", "prod"), ("DOGWATCH_SERVICE", "小店")],
    );
    let first: serde_json::Value =
        serde_json::from_str(said.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["target"], "dogwatch");
    assert_eq!(first["preset"], "prod");
    assert_eq!(first["preset_from"], "DOGWATCH_ENV");
    assert_eq!(first["service"], "小店");
}

fn schema_by_variable() {
    let (code, said) = output(
        "start",
        &[("DOGWATCH_ENV", "prod"), ("DOGWATCH_SCHEMA", "gcp:shop-1")],
    );
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert_eq!(lines[0]["schema"], "gcp");
    for line in lines {
        assert_eq!(line["severity"], "INFO");
        assert_eq!(line["time"].as_str().map(str::len), Some(30));
        assert!(line.get("level").is_none() && line.get("timestamp").is_none());
    }
}

fn levels() {
    let (_, said) = output("levels", &[("RUST_LOG", "warn")]);
    assert_eq!(said, "warn\n");
    let (_, said) = output("levels", &[("RUST_LOG", "warn,shop=debug")]);
    assert_eq!(said, "debug\n");
}

fn ids() {
    let (_, said) = output("request", &[("RUST_LOG", "process=info")]);
    let line: serde_json::Value = serde_json::from_str(&said).expect("one line");
    assert_eq!(line["message"], "inside");
    assert_eq!(line["trace_id"].as_str().map(str::len), Some(32));
}
