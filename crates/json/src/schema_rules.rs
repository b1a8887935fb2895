//! What every schema must keep: keys that are there, fit, and differ.

use crate::failure::Error;
use crate::naming::OWN;
use crate::schema::{Layout, Schema};
use crate::timestamp::Timestamp;

/// What a line has besides [`OWN`], at a key of its own: no two may have one.
const BESIDES: [&str; 4] = ["trace_id", "error", "duration_ms", "busy_ms"];

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
    let own = OWN.into_iter().chain(BESIDES);
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
    let own = seen.len();
    for field in fields {
        let object = schema.within(field).or_else(|| gathered(field));
        let key = schema.key(field);
        let taken = seen.iter().find(|(o, k, _)| *o == object && *k == key);
        if let Some((_, _, other)) = taken {
            return Err(Error::schema(format!(
                "`{other}` and `{field}` have the same key `{key}`"
            )));
        }
        let mut fields = seen[own..].iter().filter(|_| schema.dots_nest);
        if let Some((_, k, other)) = fields.find(|(_, other, _)| is_within(key, other)) {
            return Err(Error::schema(format!(
                "the key `{key}` of `{field}` and the key `{k}` of `{other}` cannot both be: a dot \
                 is an object to the reader"
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
pub(crate) const RECORD: [&str; 6] = [
    "timestamp",
    "level",
    "message",
    "trace_id",
    "span_id",
    "event",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Precision;

    fn refused(schema: Schema, keys: &[(&str, &str)]) -> String {
        let mut builder = schema.builder();
        for (field, key) in keys {
            builder = builder.key(*field, *key);
        }
        let error = builder.build().expect_err("a schema that cannot be");
        assert!(error.is_schema() && error.lost() == 0);
        let told = error.to_string();
        let why = told.strip_prefix("cannot write lines in this schema: ");
        why.expect("told so").to_owned()
    }

    #[test]
    fn two_fields_under_one_key_are_told_with_both_names() {
        for (schema, keys, why) in [
            (
                Schema::default(),
                &[("level", "severity"), ("target", "severity")][..],
                "`level` and `target` have the same key `severity`",
            ),
            (
                Schema::default(),
                &[("user_id", "timestamp")],
                "`timestamp` and `user_id` have the same key `timestamp`",
            ),
            (
                Schema::ecs(),
                &[("target", "ecs.version")],
                "`ecs.version` and `target` have the same key `ecs.version`",
            ),
            (
                Schema::ecs(),
                &[("order", "a.b.id"), ("text", "a.b")],
                "the key `a.b` of `text` and the key `a.b.id` of `order` cannot both \
                 be: a dot is an object to the reader",
            ),
            (
                Schema::otel(),
                &[("order", "exception.causes")],
                "`exception.causes` and `order` have the same key `exception.causes`",
            ),
            (
                Schema::gcp(),
                &[("order", "httpRequest")],
                "`httpRequest` and `order` have the same key `httpRequest`",
            ),
        ] {
            assert_eq!(refused(schema, keys), why);
        }
    }

    #[test]
    fn a_key_that_is_empty_or_too_long_is_told() {
        assert_eq!(
            refused(Schema::default(), &[("message", "")]),
            "the key of `message` is empty"
        );
        assert_eq!(
            refused(Schema::default(), &[("message", &"m".repeat(257))]),
            "the key of `message` has 257 bytes, want at most 256"
        );
    }

    #[test]
    fn an_offset_of_a_day_and_an_empty_project_are_told() {
        let day = Timestamp::rfc3339(Precision::Millis).offset_minutes(-1440);
        let error = Schema::default().builder().timestamp(day).build();
        assert_eq!(
            error.expect_err("a day").to_string(),
            "cannot write lines in this schema: the timestamp's offset is -1440 minutes, and RFC 3339 \
             ends at 1439"
        );
        let error = "gcp:".parse::<Schema>().expect_err("no project");
        assert_eq!(
            error.to_string(),
            "cannot write lines in this schema: the project's name is empty or too long: \
             `projects//traces/` has 17 bytes, want at most 256"
        );
    }

    #[test]
    fn keys_may_change_places_and_every_ready_schema_keeps_the_rules() {
        let swapped = Schema::default()
            .builder()
            .key("level", "target")
            .key("target", "level");
        assert!(swapped.build().is_ok());
        for name in Schema::NAMES {
            let schema: Schema = name.parse().expect("a ready schema");
            assert_eq!(schema.name(), *name);
            assert!(check(&schema).is_ok(), "{name}");
        }
    }
}
