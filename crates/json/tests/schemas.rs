//! Arbitrary events under arbitrary schemas: each line is valid, in its budget, has no key twice,
//! and keeps the public rules of its readers.

mod support;

use dogwatch_json::{JsonLayer, LevelStyle, Precision, Schema, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use support::{Sink, drive, rules};

/// Keys that mean something to one schema or another.
const KEYS: [&str; 24] = [
    "ts",
    "severity",
    "status",
    "level",
    "msg",
    "@timestamp",
    "trace.id",
    "trace",
    "span.id",
    "message_",
    "id_",
    "a",
    "a_",
    "a.b",
    "error.message",
    "exception.causes",
    "Body",
    "TraceId",
    "Attributes",
    "fields",
    "name",
    "dd.trace_id",
    "键\"",
    "httpRequest",
];

/// Fields of the line's own and others, under names that schemas use too.
const FIELDS: [&str; 20] = [
    "timestamp",
    "level",
    "target",
    "message",
    "truncated",
    "file",
    "line",
    "service",
    "trace_id",
    "span_id",
    "parent_span_id",
    "span",
    "spans",
    "fields",
    "error",
    "a",
    "duration_ms",
    "user_id",
    "password",
    "status",
];

fn timestamps() -> impl Strategy<Value = Timestamp> {
    let precision = prop::sample::select(vec![
        Precision::Seconds,
        Precision::Millis,
        Precision::Micros,
        Precision::Nanos,
    ]);
    (precision, 0..3_u8, -1439..1440_i16).prop_map(|(precision, shape, offset)| match shape {
        0 => Timestamp::rfc3339(precision).offset_minutes(offset),
        1 => Timestamp::epoch(precision),
        _ => Timestamp::epoch_text(precision),
    })
}

fn schemas() -> impl Strategy<Value = Schema> {
    let ready = prop::sample::select(Schema::NAMES.to_vec());
    let levels = prop::sample::select(vec![
        LevelStyle::Upper,
        LevelStyle::Lower,
        LevelStyle::Google,
        LevelStyle::Number,
    ]);
    let key = prop_oneof![
        3 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned),
        1 => vec(any::<char>(), 1..6).prop_map(String::from_iter),
    ];
    let renames = vec((prop::sample::select(FIELDS.to_vec()), key), 0..4);
    (ready, renames, levels, timestamps(), any::<[bool; 3]>()).prop_filter_map(
        "two fields under one key are refused",
        |(ready, renames, level, timestamp, [set, time, project])| {
            let mut builder = ready.parse::<Schema>().unwrap().builder();
            for (field, key) in renames {
                builder = builder.key(field, key);
            }
            if set {
                builder = builder.level(level);
            }
            if time {
                builder = builder.timestamp(timestamp);
            }
            if project {
                builder = builder.project("my \"project\"");
            }
            builder.build().ok()
        },
    )
}

fn adapted(layer: JsonLayer<Sink>, schema: &Schema, fixed: &[&str]) -> JsonLayer<Sink> {
    let layer = layer.schema(schema.clone());
    fixed
        .iter()
        .enumerate()
        .fold(layer, |layer, (n, key)| layer.field(key, n as u64))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn each_line_of_any_schema_is_valid_and_in_its_budget(
        schema in schemas(),
        data in vec(any::<u8>(), 0..400),
        fixed in vec(prop::sample::select([&KEYS[..], &FIELDS[..]].concat()), 0..4),
        nest_dots in any::<bool>(),
    ) {
        let (lines, most) = drive::lines(&data, |layer| {
            adapted(layer, &schema, &fixed).nest_dots(nest_dots)
        });
        for (line, text) in lines {
            let most = most.max(5000);
            prop_assert!(text.len() <= most, "{} of {most}: {text}", text.len());
            prop_assert!(line.len() >= 3, "{text}");
        }
    }

    #[test]
    fn whatever_is_logged_a_line_keeps_the_public_rules_of_its_readers(
        name in prop::sample::select(Schema::NAMES.to_vec()),
        data in vec(any::<u8>(), 0..400),
    ) {
        let schema: Schema = name.parse().unwrap();
        let (lines, _) = drive::lines(&data, |layer| layer.schema(schema));
        for (line, text) in lines {
            rules::check(name, &line, &text);
        }
    }
}
