//! The lines of one log under each ready schema: byte for byte as its golden file has them, and
//! within the public rules of those who read them.

mod support;

use dogwatch_json::Schema;
use std::fs;
use std::path::Path;
use support::{rules, story};

/// After a change that is meant, copy the file that the message names.
#[test]
fn a_log_is_written_under_each_schema_as_its_golden_file_has_it() {
    let mut differ = Vec::new();
    for name in Schema::NAMES {
        let written = story::told(name).texts().concat();
        let golden =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
        let wanted = fs::read_to_string(&golden).unwrap_or_default();
        if written != wanted {
            let now = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
            fs::write(&now, &written).unwrap();
            let line = written.lines().zip(wanted.lines()).find(|(a, b)| a != b);
            differ.push(format!(
                "{} differs from {}: {line:#?}",
                now.display(),
                golden.display()
            ));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn every_line_keeps_the_public_rules_of_its_readers() {
    for name in Schema::NAMES {
        let sink = story::told(name);
        for (line, text) in sink.lines().iter().zip(sink.texts()) {
            rules::check(name, line, &text);
        }
    }
}

/// Elasticsearch, Datadog and Loki make one path of `a.b` and of `b` in `a`: no path may be a value
/// and an object, or be there twice.
#[test]
fn no_path_of_a_line_comes_twice_where_dots_are_objects() {
    for (name, between) in [("ecs", '.'), ("datadog", '.'), ("loki", '_')] {
        for line in story::told(name).lines() {
            let mut paths = Vec::new();
            for (key, value) in &line {
                leaves(key, value, between, &mut paths);
            }
            paths.sort();
            for pair in paths.windows(2) {
                let within = format!("{}{between}", pair[0]);
                let object = between == '.' && pair[1].starts_with(&within);
                assert!(pair[0] != pair[1] && !object, "{name}: {pair:?}");
            }
        }
    }
}

fn leaves(path: &str, value: &serde_json::Value, between: char, paths: &mut Vec<String>) {
    match value.as_object() {
        None => paths.push(path.to_owned()),
        Some(object) => object.iter().for_each(|(key, value)| {
            leaves(&format!("{path}{between}{key}"), value, between, paths)
        }),
    }
}

#[test]
fn dots_nest_only_where_the_reader_takes_them_for_objects() {
    for name in Schema::NAMES {
        let sink = story::told_with(name, |layer| layer.nest_dots(true));
        let flat = story::told(name);
        for ((line, text), flat) in sink.lines().iter().zip(sink.texts()).zip(flat.lines()) {
            match *name {
                "ecs" => {
                    let (id, level) = (&line["ecs"]["version"], &line["log.level"]);
                    assert_eq!(
                        (id, level),
                        (&flat["ecs.version"], &flat["log.level"]),
                        "{text}"
                    );
                }
                "datadog" => assert_eq!(line["logger"]["name"], flat["logger.name"], "{text}"),
                "loki" => assert_eq!(*line, flat),
                // Only the application's own `a.b` nests.
                _ => rules::check(name, line, &text),
            }
        }
    }
}
