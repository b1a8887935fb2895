//! Holds the view against `serde_json`: what it accepts, and what it reads.

use std::borrow::Cow;

use dogwatch_line::{Error, Fields, Level, Line, MAX_DEPTH, Value};
use proptest::prelude::*;
use serde_json::Value as Json;

fn arbitrary_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::btree_map(any_key(), inner, 0..20)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]{1,2}",
        "[a-c]\\.[a-c]",
        "[\u{0}-\u{7f}支付]{0,3}",
        any::<String>()
    ]
}

fn arbitrary_object() -> impl Strategy<Value = Json> {
    prop::collection::btree_map(any_key(), arbitrary_json(), 0..24)
        .prop_map(|map| Json::Object(map.into_iter().collect()))
}

/// One of our values as `serde_json` would have it.
fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::from(*bool),
        Value::I64(int) => Json::from(*int),
        Value::U64(int) => Json::from(*int),
        Value::F64(float) => Json::from(*float),
        Value::Str(text) => Json::from(&**text),
        Value::Raw(text) => serde_json::from_str(text).unwrap(),
    }
}

/// An inner value as it comes back from its text: `serde_json` rounds a float's last digit there.
fn reread(json: &Json) -> Json {
    let nested = json.is_object() || json.is_array();
    if nested {
        serde_json::from_str(&json.to_string()).unwrap()
    } else {
        json.clone()
    }
}

/// The documented meaning of a path, written the slow way.
fn lookup<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    let map = json.as_object()?;
    if let Some(value) = map.get(path) {
        return Some(value);
    }
    let dots: Vec<usize> = path.match_indices('.').map(|(at, _)| at).collect();
    dots.iter()
        .rev()
        .find_map(|&at| lookup(map.get(&path[..at])?, &path[at + 1..]))
}

proptest! {
    #[test]
    fn every_object_reads_as_serde_json_reads_it(object in arbitrary_object(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let line = Line::parse(&text).unwrap();
        let object = object.as_object().unwrap();
        prop_assert_eq!(line.fields().count(), object.len());
        for (key, value) in line.fields() {
            let expected = object.get(&*key).map(reread);
            prop_assert_eq!(Some(json(&value)), expected.clone());
            prop_assert_eq!(line.field(&key).map(|value| json(&value)), expected);
        }
    }

    #[test]
    fn a_path_finds_what_the_documentation_says(object in arbitrary_object(), path in "[a-c]{1,2}(\\.[a-c]{1,2}){0,3}") {
        let text = object.to_string();
        let found = Line::parse(&text).unwrap().field(&path).map(|value| json(&value));
        prop_assert_eq!(found, lookup(&object, &path).map(reread));
    }

    #[test]
    fn damaged_text_is_accepted_exactly_when_serde_json_accepts_it(
        object in arbitrary_object(), at: prop::sample::Index, with in "[\\PC\"\\\\{}\\[\\],:0-9eE+. u\\-\u{0}\n]{0,2}",
    ) {
        let mut text: Vec<char> = object.to_string().chars().collect();
        let at = at.index(text.len());
        text.splice(at..=at, with.chars());
        let text: String = text.into_iter().collect();
        let ours = Line::parse(&text);
        let theirs = serde_json::from_str::<serde_json::Map<String, Json>>(&text);
        // Two known differences: they keep the last of two equal keys, and refuse numbers beyond f64.
        let duplicate = ours.as_ref().is_err_and(Error::is_duplicate_key);
        let too_large = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        prop_assert!(duplicate || too_large || ours.is_ok() == theirs.is_ok(), "{text:?} {ours:?} {theirs:?}");
    }

    #[test]
    fn no_text_makes_it_panic(text: String, name: String) {
        if let Ok(line) = Line::parse(&text) {
            let _ = line.field(&name);
            let _ = line.fields().count();
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_its_second_place(keys in prop::collection::btree_set("[a-z]{1,3}", 1..40), again: prop::sample::Index, escaped: bool) {
        let keys: Vec<String> = keys.into_iter().collect();
        let twice = again.get(&keys);
        let spelled = if escaped { twice.chars().map(|c| format!("\\u{:04x}", c as u32)).collect() } else { twice.clone() };
        let mut text = String::from("{");
        for key in &keys {
            text.push_str(&format!("\"{key}\": 1 , "));
        }
        let second = text.len();
        text.push_str(&format!("\"{spelled}\":2}}"));
        let error = Line::parse(&text).unwrap_err();
        prop_assert!(error.is_duplicate_key());
        prop_assert_eq!(error.offset(), second);
    }
}

#[test]
fn each_fault_names_its_byte_and_what_was_expected() {
    let table = [
        ("", 0, "expected an object, `{`"),
        ("[1]", 0, "expected an object, `{`"),
        ("{\"a\":1", 6, "expected `,` or `}`"),
        ("{\"a\":1,}", 7, "expected a key in quotes"),
        ("{\"a\" 1}", 5, "expected `:` after the key"),
        ("{\"a\":}", 5, "expected a value"),
        ("{\"a\":01}", 6, "expected `,` or `}`"),
        ("{\"a\":1.}", 7, "expected a digit"),
        ("{\"a\":-}", 6, "expected a digit"),
        ("{\"a\":nul}", 5, "expected a value"),
        ("{\"a\":[1 2]}", 8, "expected `,` or `]`"),
        ("{\"a\":\"b", 7, "expected the closing quote of a string"),
        (
            "{\"a\":\"\n\"}",
            6,
            "a control character in a string must be escaped",
        ),
        ("{\"a\":\"\\x\"}", 6, "unknown escape in a string"),
        ("{\"a\":\"\\u+123\"}", 6, "unknown escape in a string"),
        (
            "{\"a\":\"\\ud800\"}",
            6,
            "half of a surrogate pair is no character",
        ),
        (
            "{\"a\":\"\\udc00\"}",
            6,
            "half of a surrogate pair is no character",
        ),
        ("{} {}", 3, "expected the end of the line"),
        (
            "{\"o\":{\"a\":1,\"a\":2}}",
            12,
            "the key \"a\" stands twice in one object",
        ),
    ];
    for (text, offset, why) in table {
        let error = Line::parse(text).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}");
        assert_eq!(
            error.to_string(),
            format!("cannot read the line at byte {offset}: {why}")
        );
    }
}

#[test]
fn nesting_stops_where_serde_json_stops() {
    for (depth, accepted) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false), (100_000, false)] {
        let arrays = depth - 1;
        let text = format!("{{\"a\":{}{}}}", "[".repeat(arrays), "]".repeat(arrays));
        assert_eq!(Line::parse(&text).is_ok(), accepted, "{depth}");
        assert_eq!(
            serde_json::from_str::<Json>(&text).is_ok(),
            accepted,
            "{depth}"
        );
    }
}

#[test]
fn a_line_answers_for_its_named_fields() {
    let text = "{\"timestamp\":\"2026-11-24T05:37:38.000001Z\",\"level\":\"warn\",\"message\":\"慢查询\",\"db_ms\":12.5}\n";
    let line = Line::parse(text).unwrap();
    assert_eq!(
        line.timestamp().as_deref(),
        Some("2026-11-24T05:37:38.000001Z")
    );
    assert_eq!(line.level(), Some(Level::Warn));
    assert!(matches!(line.message(), Some(Cow::Borrowed("慢查询"))));
    assert_eq!(Fields::field(&line, "db_ms"), Some(Value::F64(12.5)));
    assert_eq!(line.field("absent"), None);
    assert_eq!(line.as_str(), text);
    assert_eq!(
        Line::parse("{\"level\":3,\"message\":null}")
            .unwrap()
            .level(),
        None
    );
}

#[test]
fn a_key_with_a_dot_wins_over_a_path_of_the_same_spelling() {
    let line = Line::parse("{\"a\":{\"b\":1,\"c\":2},\"a.b\":3,\"a.c\":null}").unwrap();
    assert_eq!(line.field("a.b"), Some(Value::I64(3)));
    assert_eq!(line.field("a.c"), Some(Value::Null));
    assert_eq!(line.field("a"), Some(Value::Raw("{\"b\":1,\"c\":2}")));
    assert_eq!(line.field("a.b.c"), None);
}
