//! Judges one line by the dictionary. Pure.

use std::borrow::Cow;
use std::collections::HashSet;

use dogwatch_line::{Lens, Line, Now, Value, unwrapped};

use super::dictionary::{CLOSING, FIELDS, Fault, fault};
use super::secrets::secret;

/// What a finding is about; in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    NoJson,
    Duplicate,
    Missing,
    Type,
    Form,
    Case,
    Secret,
}

/// One thing that is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: Cow<'a, str>,
    /// What it should be, or why.
    pub(crate) why: Cow<'static, str>,
    /// What stands there, if it may be shown.
    pub(crate) value: Option<String>,
}

pub(crate) struct Judge {
    lens: Lens,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self {
            // Only whether there is a time is asked, not which.
            lens: Lens::new(Now::utc(std::time::UNIX_EPOCH)),
        }
    }

    /// Gives everything that is wrong with a line.
    pub(crate) fn line(&self, text: &str, found: &mut dyn FnMut(Finding<'_>)) {
        let text = unwrapped(text);
        let line = match Line::parse_repeating(&text) {
            Ok(line) => line,
            Err(error) => {
                let why = error.to_string();
                let why = why.split_once(": ").map_or(&*why, |(_, why)| why);
                return found(finding(Kind::NoJson, "", why.to_owned(), Some(&text)));
            }
        };
        if Line::parse(&text).is_err() {
            repeated(line, "", found);
        }
        let ours = line.field("timestamp").is_some();
        for (key, value) in line.fields() {
            match FIELDS.iter().find(|field| field.name == key) {
                Some(field) => match fault(field.form, &value) {
                    Some(Fault::Kind(kind)) => found(finding(
                        Kind::Type,
                        field.name,
                        format!("is not {kind}"),
                        Some(&value.to_string()),
                    )),
                    Some(Fault::Shape(shape)) => found(finding(
                        Kind::Form,
                        field.name,
                        format!("is not {shape}"),
                        Some(&value.to_string()),
                    )),
                    None => {}
                },
                // Another schema has other names; ours differ in nothing but these.
                None if ours => {
                    if let Some(name) = meant(&key) {
                        found(finding(
                            Kind::Case,
                            &key,
                            format!("should be `{name}`"),
                            None,
                        ));
                    }
                }
                None => {}
            }
            secrets(&key, &value, found);
        }
        self.missing(line, ours, found);
    }

    /// Under any name that a query knows, unless the line has our timestamp: then under ours.
    fn missing(&self, line: Line<'_>, ours: bool, found: &mut dyn FnMut(Finding<'_>)) {
        let seen = self.lens.look(line.as_str());
        let other = [
            seen.nanos().is_some(),
            seen.level().is_some(),
            seen.target().is_some(),
            seen.message().is_some(),
        ];
        for (field, other) in FIELDS.iter().filter(|field| field.always).zip(other) {
            if line.field(field.name).is_none() && (ours || !other) {
                found(finding(Kind::Missing, field.name, "is in every line", None));
            }
        }
        let (target, fields) = CLOSING;
        if line.field("target") == Some(Value::from(target)) {
            for name in fields.iter().filter(|name| line.field(name).is_none()) {
                found(finding(
                    Kind::Missing,
                    name,
                    "is in every closing line of a request",
                    None,
                ));
            }
        }
    }
}

fn finding<'a>(
    kind: Kind,
    key: &'a str,
    why: impl Into<Cow<'static, str>>,
    value: Option<&str>,
) -> Finding<'a> {
    Finding {
        kind,
        key: key.into(),
        why: why.into(),
        value: value.and_then(showable),
    }
}

/// A value that gives nothing away: without the query of a path, and not at all if it has a secret.
fn showable(value: &str) -> Option<String> {
    let hidden = secret("", &Value::from(value)).is_some();
    let (before, query) = value.split_once('?').unwrap_or((value, ""));
    match query.is_empty() {
        _ if hidden => None,
        true => Some(value.to_owned()),
        false => Some(format!("{before}?…")),
    }
}

/// Keys that stand twice in one object, however deep.
fn repeated(line: Line<'_>, path: &str, found: &mut dyn FnMut(Finding<'_>)) {
    let mut seen = HashSet::new();
    for (key, value) in line.fields() {
        let path = format!("{path}{key}");
        if let Value::Raw(json) = value {
            if let Ok(inner) = Line::parse_repeating(json) {
                repeated(inner, &format!("{path}."), found);
            }
        }
        if !seen.insert(key) {
            let why = "stands twice: readers see the one or the other";
            found(finding(Kind::Duplicate, &path, why, None));
        }
    }
}

/// Secrets of a value and of what is within it.
fn secrets(key: &str, value: &Value<'_>, found: &mut dyn FnMut(Finding<'_>)) {
    if let Value::Raw(json) = value {
        if let Ok(inner) = Line::parse_repeating(json) {
            for (name, value) in inner.fields() {
                secrets(&format!("{key}.{name}"), &value, found);
            }
        }
    }
    if let Some(why) = secret(key, value) {
        // The value is what must not be shown.
        found(finding(Kind::Secret, key, why, None));
    }
}

/// The field that a key means, if only its case or its joints are others: `traceId`, `Level`.
fn meant(key: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|char| !matches!(char, '_' | '-'));
        kept.flat_map(char::to_lowercase).collect()
    };
    let key = plain(key);
    FIELDS
        .iter()
        .map(|field| field.name)
        .find(|name| plain(name) == key)
}

#[cfg(test)]
mod tests {
    use super::{Judge, Kind};

    fn judged(line: &str) -> Vec<(Kind, String, String)> {
        let mut all = Vec::new();
        Judge::new().line(line, &mut |finding| {
            all.push((
                finding.kind,
                finding.key.into_owned(),
                finding.why.into_owned(),
            ));
        });
        all
    }

    #[test]
    fn a_line_of_ours_is_as_it_should_be() {
        for line in [
            r#"{"timestamp":"2026-11-24T07:19:00.425525Z","level":"ERROR","service":"shop","version":"0.1.0","target":"dogwatch::request","message":"request failed [5xx]","method":"POST","route":"/api/orders/{id}/pay","path":"/api/orders/79/pay","status":502,"outcome":"completed","latency_ms":217.324,"ttfb_ms":217.308,"bytes_out":46,"user_id":"30","trace_id":"1bdc65ad7f09cb94e580365e6a2a0274","span_id":"1a4303278254ffdb","parent_span_id":"b0d7da7ad0d89255","request_id":"296f17e506af45c18664db105242f601"}"#,
            r#"{"timestamp":"2026-11-24T07:19:00.425525Z","level":"INFO","target":"a","message":"","password":"***","error":{"message":"x","causes":[]}}"#,
            // Another schema: its names are its own.
            r#"{"@timestamp":"2026-11-24T07:19:00.425Z","log.level":"info","log.logger":"a","message":"x","traceId":"X"}"#,
        ] {
            assert_eq!(judged(line), [], "{line}");
        }
    }

    #[test]
    fn no_finding_gives_a_secret_away() {
        for (line, value) in [
            ("Authorization: Bearer abcdefgh12345678", None),
            ("started with 7?", Some("started with 7?")),
            (
                r#"{"@timestamp":"2026-11-24T07:19:00.425Z","level":"INFO","logger":"a","msg":"x","path":"/a?token=1"}"#,
                Some("/a?…"),
            ),
        ] {
            Judge::new().line(line, &mut |finding| {
                assert_eq!(finding.value.as_deref(), value)
            });
        }
    }

    #[test]
    fn everything_that_is_wrong_is_found() {
        let found = |kind, key: &str, why: &str| (kind, key.to_owned(), why.to_owned());
        for (line, expected) in [
            (
                "started",
                vec![found(Kind::NoJson, "", "expected an object, `{`")],
            ),
            (
                r#"{"timestamp":"2026-11-24T07:19:00.425525Z","level":"info","target":"a","message":"x","id":1,"id":2,"error":{"message":"a","message":"b"}}"#,
                vec![
                    found(
                        Kind::Duplicate,
                        "id",
                        "stands twice: readers see the one or the other",
                    ),
                    found(
                        Kind::Duplicate,
                        "error.message",
                        "stands twice: readers see the one or the other",
                    ),
                    found(
                        Kind::Form,
                        "level",
                        "is not TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
                    ),
                ],
            ),
            (
                r#"{"timestamp":"2026-11-24T07:19:00.425525Z","Level":"INFO","traceId":"1","user":{"card":{"pin":1234}}}"#,
                vec![
                    found(Kind::Case, "Level", "should be `level`"),
                    found(Kind::Case, "traceId", "should be `trace_id`"),
                    found(Kind::Secret, "user.card.pin", "its key is a secret's"),
                    found(Kind::Missing, "level", "is in every line"),
                    found(Kind::Missing, "target", "is in every line"),
                    found(Kind::Missing, "message", "is in every line"),
                ],
            ),
            (
                r#"{"timestamp":"2026-11-24T07:19:00.425525Z","level":"INFO","target":"dogwatch::request","message":"x","method":"GET","path":"/","status":"200","latency_ms":1,"trace_id":"1bdc65ad7f09cb94e580365e6a2a0274"}"#,
                vec![
                    found(Kind::Type, "status", "is not a number"),
                    found(
                        Kind::Missing,
                        "outcome",
                        "is in every closing line of a request",
                    ),
                ],
            ),
            (
                r#"{"msg":"x","level":30}"#,
                vec![
                    found(Kind::Type, "level", "is not a text"),
                    found(Kind::Missing, "timestamp", "is in every line"),
                    found(Kind::Missing, "target", "is in every line"),
                ],
            ),
        ] {
            assert_eq!(judged(line), expected, "{line}");
        }
    }
}
