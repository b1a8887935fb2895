//! What the tests of the query language share: arbitrary lines, arbitrary queries, legal respelling.

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

/// Names that meet each other: canonical, of other loggers, nested, with characters of their own.
pub(crate) const FIELDS: [&str; 22] = [
    "level",
    "severity",
    "severity_number",
    "timestamp",
    "time",
    "message",
    "msg",
    "status",
    "statusCode",
    "http.status_code",
    "latency_ms",
    "event.duration",
    "trace_id",
    "trace.id",
    "error",
    "error.message",
    "order_id",
    "a.b",
    "a.b.c",
    "付款",
    "a b",
    "and",
];

/// Names that meet the fields half-way.
const PARTS: [&str; 15] = [
    "level",
    "status",
    "message",
    "trace_id",
    "error",
    "http",
    "status_code",
    "a",
    "b",
    "b.c",
    "c",
    "event",
    "duration",
    "trace",
    "id",
];

/// Values of which many equal a literal below.
pub(crate) fn scalar() -> BoxedStrategy<Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        prop::sample::select(&[0_i64, 5, 17, 20, 30, 50, 500, 1_790_000_000][..])
            .prop_map(Json::from),
        prop::sample::select(&[0.5, 500.0, 1e300][..]).prop_map(Json::from),
        prop::sample::select(
            &[
                "",
                "ERROR",
                "warn",
                "INFO+2",
                "loud",
                "500",
                "timed out",
                "/api/orders",
                "a\"b\\c\n",
                "支付 failed",
                "4bf92f35",
                "projects/p/traces/4bf92f35",
                "2026-11-24T10:00:00Z",
                "2026-11-24 10:00:00",
                "250ms",
                "10MiB",
                "true",
                "\u{1F600}x"
            ][..]
        )
        .prop_map(Json::from),
    ]
    .boxed()
}

fn members(value: BoxedStrategy<Json>) -> BoxedStrategy<Map<String, Json>> {
    let key = prop_oneof![
        prop::sample::select(&FIELDS[..]),
        prop::sample::select(&PARTS[..])
    ];
    prop::collection::vec((key, value), 0..6)
        .prop_map(|members| {
            members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        })
        .boxed()
}

/// An object of a log: fields at the top, in holders, in spans, nested, in arrays.
pub(crate) fn object() -> impl Strategy<Value = Json> {
    let object = |value| members(value).prop_map(Json::Object).boxed();
    let inner = object(scalar());
    let array = prop::collection::vec(scalar(), 0..3)
        .prop_map(Json::Array)
        .boxed();
    let nested = object(prop_oneof![3 => scalar(), 1 => inner.clone()].boxed());
    let deep = prop_oneof![4 => scalar(), 1 => array, 1 => nested].boxed();
    let holder =
        prop::sample::select(&["fields", "attributes", "jsonPayload", "span", "labels"][..]);
    let spans = prop::collection::vec(inner.clone(), 0..3).prop_map(Json::Array);
    (
        members(deep),
        prop::option::of((holder, inner)),
        prop::option::of(spans),
    )
        .prop_map(|(mut object, holder, spans)| {
            if let Some((name, inner)) = holder {
                object.insert(name.to_owned(), inner);
            }
            if let Some(spans) = spans {
                object.insert("spans".to_owned(), spans);
            }
            Json::Object(object)
        })
}

/// A query in any of its spellings.
pub(crate) fn query() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        8 => comparison(),
        1 => field().prop_map(|field| format!("{field} exists")),
        1 => (field(), any::<bool>()).prop_map(|(field, not)| format!("{field}{}*", if not { "!=" } else { "=" })),
        1 => (prop::sample::select(&["status", "message", "order_id"][..]), prop::collection::vec(value(), 1..4))
            .prop_map(|(field, values)| format!("{field} in ({})", values.join(" , "))),
        1 => Just("level in (warn,error)".to_owned()),
        2 => word(),
    ];
    let expr = term.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(" ")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(" AND ")),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(" or ")),
            inner.clone().prop_map(|part| format!("( {part})")),
            inner.clone().prop_map(|part| format!("not ({part})")),
            inner.prop_map(|part| format!("-({part})")),
        ]
    });
    (expr, prop::option::of(summary())).prop_map(|(expr, summary)| match summary {
        Some(summary) => format!("{expr} | {summary}"),
        None => expr,
    })
}

fn comparison() -> impl Strategy<Value = String> {
    let order = || prop::sample::select(&["=", "!=", "<", "<=", ">", ">=", " >= ", ": "][..]);
    let level = prop_oneof![Just("level"), Just("severity")];
    let when = prop::sample::select(
        &[
            "-1h",
            "yesterday",
            "now",
            "10:30",
            "2026-11-24",
            "\"2026-11-24 10:00\"",
            "2026-11-24T10:00:00+08:00",
        ][..],
    );
    prop_oneof![
        (
            level,
            order(),
            prop::sample::select(&["warn", "ERROR", "info", "40"][..])
        )
            .prop_map(|(f, o, v)| format!("{f}{o}{v}")),
        (
            prop::sample::select(&["timestamp", "time"][..]),
            order(),
            when.clone()
        )
            .prop_map(|(f, o, v)| format!("{f}{o}{v}")),
        when.prop_map(|v| format!("since={v}")),
        (field(), order(), amount()).prop_filter_map("a level or a time", |(f, o, v)| other(&f)
            .then(|| format!("{f}{o}{v}"))),
        (field(), prop_oneof![Just("="), Just("!=")], value())
            .prop_filter_map("a level or a time", |(f, o, v)| other(&f)
                .then(|| format!("{f}{o}{v}"))),
        (
            field(),
            prop_oneof![Just("~"), Just("!~")],
            prop::sample::select(&["\"^/api\"", "out$", "\"\\d\\\\d\"", "支付"][..])
        )
            .prop_map(|(f, o, v)| format!("{f}{o}{v}")),
    ]
}

fn other(field: &str) -> bool {
    !matches!(
        field,
        "level" | "severity" | "severity_number" | "timestamp" | "time" | "datetime"
    )
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(&FIELDS[..]).prop_map(|field| {
        if field.contains(' ') || field == "and" {
            format!("\"{field}\"")
        } else {
            field.to_owned()
        }
    })
}

fn amount() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            "5",
            "500",
            "-0.5",
            "5e2",
            "250ms",
            "1h30m",
            "10MiB",
            "2kb",
            "abc",
            "\"5\"",
            "2026-11-24",
        ][..],
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        amount().prop_map(str::to_owned),
        prop::sample::select(
            &[
                "/api/*", "*out", "4bf92f35", "a::b", "true", "null", "支付*", "1*", "-x", "x=y?z"
            ][..]
        )
        .prop_map(str::to_owned),
        "[ -~支\n]{0,6}".prop_map(|text| quoted(&text)),
    ]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(
            &[
                "timed",
                "500",
                "api",
                "支付",
                "time*out",
                "a::b",
                "10:30",
                "http://x",
                "*",
                "~\"ti.ed\"",
                "*~ti",
                "in",
                "-1",
                "e3",
                "*!~x"
            ][..]
        )
        .prop_map(str::to_owned),
        "[ -~支\n]{0,6}".prop_map(|text| quoted(&text)),
    ]
}

fn summary() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "count",
            "count by status",
            "p50,p90, p99.9(latency_ms) by route,\"a b\"",
            "rate",
            "rate 5m by level",
            "top message",
            "top 3 a,b",
            "timechart 1m",
            "timechart 90s count,max(latency_ms) by level",
            "count, avg(x),sum(y), count",
            "min( x )",
        ][..],
    )
    .prop_map(str::to_owned)
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes a value in one of the ways that RFC 8259 allows: keys in any order, spaces, escapes. Its
/// numbers stay as they are.
pub(crate) struct Respell(pub(crate) u64);

impl Respell {
    fn dice(&mut self, sides: u64) -> u64 {
        // Knuth's MMIX generator; the high bits are the good ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn write(&mut self, json: &Json, out: &mut String) {
        self.space(out);
        match json {
            Json::String(text) => self.string(text, out),
            Json::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.write(element, out);
                }
                self.space(out);
                out.push(']');
            }
            Json::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                for index in (1..members.len()).rev() {
                    let other = self.dice(index as u64 + 1) as usize;
                    members.swap(index, other);
                }
                out.push('{');
                for (index, (key, value)) in members.into_iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.space(out);
                    self.string(key, out);
                    self.space(out);
                    out.push(':');
                    self.write(value, out);
                }
                self.space(out);
                out.push('}');
            }
            plain => out.push_str(&plain.to_string()),
        }
        self.space(out);
    }

    fn space(&mut self, out: &mut String) {
        out.push_str(["", "", "", "", " ", "\t", "  ", "\r"][self.dice(8) as usize]);
    }

    fn string(&mut self, text: &str, out: &mut String) {
        let often = [1, 4, 1000][self.dice(3) as usize];
        out.push('"');
        for char in text.chars() {
            let must = char < ' ' || matches!(char, '"' | '\\');
            if (must || char == '/') && self.dice(2) == 0 {
                match char {
                    '"' | '\\' | '/' => out.extend(['\\', char]),
                    '\n' => out.push_str("\\n"),
                    other => self.escaped(other, out),
                }
            } else if must || self.dice(often) == 0 {
                self.escaped(char, out);
            } else {
                out.push(char);
            }
        }
        out.push('"');
    }

    fn escaped(&mut self, char: char, out: &mut String) {
        for unit in char.encode_utf16(&mut [0; 2]) {
            out.push_str(&if self.dice(2) == 0 {
                format!("\\u{unit:04x}")
            } else {
                format!("\\u{unit:04X}")
            });
        }
    }
}
