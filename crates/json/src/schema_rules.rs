//! What every schema must keep: keys that are there, fit, and differ.

use crate::failure::Error;
use crate::schema::{Layout, Schema};
use crate::timestamp::Timestamp;

/// The fields that a line has of its own; no two may have one key.
const OWN: [&str; 20] = [
    "timestamp",
    "level",
    "target",
    "message",
    "truncated",
    "file",
    "line",
    "service",
    "version",
    "env",
    "host",
    "trace_id",
    "span_id",
    "parent_span_id",
    "span",
    "spans",
    "fields",
    "error",
    "duration_ms",
    "busy_ms",
];

const MOST_KEY_BYTES: usize = 256;
const MOST_PREFIX_BYTES: usize = 256;

/// What every schema must keep.
pub(crate) fn check(schema: &Schema) -> Result<(), Error> {
    let offset = schema.timestamp.offset();
    if offset.abs() > Timestamp::MOST_OFFSET {
        return Err(Error::schema(format!(
            "the timestamp's offset is {offset} minutes, and RFC 3339 ends at {}",
            Timestamp::MOST_OFFSET
        )));
    }
    let prefix = schema.trace_prefix.len();
    if prefix > MOST_PREFIX_BYTES || schema.trace_prefix.starts_with("projects//") {
        return Err(Error::schema(format!(
            "the project's name is empty or too long: `{}` has {prefix} bytes, want at most \
             {MOST_PREFIX_BYTES}",
            schema.trace_prefix
        )));
    }
    for (field, place) in &schema.places {
        if place.key.is_empty() {
            return Err(Error::schema(format!("the key of `{field}` is empty")));
        }
        if place.key.len() > MOST_KEY_BYTES {
            return Err(Error::schema(format!(
                "the key of `{field}` has {} bytes, want at most {MOST_KEY_BYTES}",
                place.key.len()
            )));
        }
    }
    unique(schema)
}

fn unique(schema: &Schema) -> Result<(), Error> {
    let named = schema.places.iter().map(|(field, _)| field.as_str());
    let own = OWN.iter().copied();
    let mut fields: Vec<&str> = own.chain(named).collect();
    fields.sort_unstable();
    fields.dedup();
    let gathered = |field: &str| match schema.layout {
        // What is not the record's own is in there with the others.
        Layout::Gathered(object) if !RECORD.contains(&field) => Some(object),
        _ => None,
    };
    let inner = match schema.layout {
        Layout::Gathered(object) => Some(object),
        Layout::Free | Layout::Subscriber => None,
    };
    // What the schema itself has, told by its key.
    let constants = schema.constants.iter().map(|(key, _)| *key);
    let objects = schema.places.iter().filter_map(|(_, place)| place.within);
    let own = constants
        .chain(schema.severity_number)
        .chain(schema.request)
        .chain(schema.fixed_within)
        .chain(inner)
        .chain(objects);
    let mut seen: Vec<(Option<&str>, &str, &str)> = own.map(|key| (None, key, key)).collect();
    for key in schema.reserved {
        seen.extend([(None, *key, *key), (inner, *key, *key)]);
    }
    for field in fields {
        let object = schema.within(field).or_else(|| gathered(field));
        let key = schema.key(field);
        let same = |other: &str| other == key || (schema.dots_nest && is_within(key, other));
        let taken = seen.iter().find(|(o, k, _)| *o == object && same(k));
        if let Some((_, _, other)) = taken {
            return Err(Error::schema(format!(
                "`{other}` and `{field}` have the same key `{key}`"
            )));
        }
        seen.push((object, key, field));
    }
    Ok(())
}

/// True for `http` and `http.method`: one of them would be an object and a value.
fn is_within(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
    within(a, b) || within(b, a)
}

/// The fields that stand at the top where the others are gathered in an object.
pub(crate) const RECORD: [&str; 5] = ["timestamp", "level", "message", "trace_id", "span_id"];
