//! Holds what line.md shows of each schema, a sample and the table of keys, against real lines.
#![forbid(unsafe_code)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use dogwatch_json::{JsonLayer, Schema};
use dogwatch_line::{Line, Now, Query, Value};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

const PAGE: &str = include_str!("../line.md");

/// What `tell` logs under a schema, without the newlines.
fn lines(name: &str, tell: impl FnOnce()) -> String {
    lines_with(name, |layer| layer, tell)
}

fn lines_with(
    name: &str,
    options: impl FnOnce(JsonLayer<Written>) -> JsonLayer<Written>,
    tell: impl FnOnce(),
) -> String {
    let written: Arc<Mutex<Vec<u8>>> = Arc::default();
    let sink = Arc::clone(&written);
    // The page shows what a variable would choose, with a project where one can be told.
    let name = if name == "gcp" {
        "gcp:my-project"
    } else {
        name
    };
    let layer = JsonLayer::new(Written(sink))
        .schema(name.parse::<Schema>().expect("a ready schema"))
        .clock(|| UNIX_EPOCH + Duration::from_micros(1_795_499_820_123_456))
        .service("shop")
        .version("1.4.2")
        .env("prod")
        .host("node-7");
    let layer = options(layer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), tell);
    let bytes = written.lock().expect("nobody panics in it").clone();
    String::from_utf8(bytes).expect("text")
}

struct Written(Arc<Mutex<Vec<u8>>>);

impl<'a> MakeWriter<'a> for Written {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl io::Write for &Written {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics in it").extend(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The sample of each schema: a failed payment within a request.
fn payment() {
    let request = tracing::info_span!(
        "request",
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
        span_id = "00f067aa0ba902b7",
        user_id = "u-42",
    );
    let _request = request.entered();
    let reset = io::Error::other("connection reset");
    let error = &reset as &dyn std::error::Error;
    tracing::error!(target: "shop::pay", event = "pay_failed", amount = 88.5, error, "支付失败");
}

#[test]
fn the_sample_of_each_schema_is_the_line_that_it_writes() {
    for name in Schema::NAMES.iter().filter(|name| **name != "dogwatch") {
        let sample = format!("```jsonl\n{}```\n", lines(name, payment));
        assert!(PAGE.contains(&sample), "line.md lacks this:\n{sample}");
    }
}

/// The fields of the dictionary, each with a value that no other has, as it is found in a line.
const FIELDS: [(&str, &str); 28] = [
    ("timestamp", ""),
    ("level", ""),
    ("service", "shop"),
    ("version", "1.4.2"),
    ("env", "prod"),
    ("host", "node-7"),
    ("target", "the target"),
    ("message", "the message"),
    ("file", "docs/tests/schemas.rs"),
    ("line", ""),
    ("event", "the event"),
    ("trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"),
    ("span_id", "00f067aa0ba902b7"),
    ("parent_span_id", "53995c3f42cd8ad8"),
    ("request_id", "r-1"),
    ("user_id", "u-42"),
    ("url", "http://bank"),
    ("method", "GET"),
    ("route", "/orders/{id}"),
    ("path", "/orders/7"),
    ("status", "201"),
    ("outcome", "completed"),
    ("latency_ms", "1204.206"),
    ("ttfb_ms", "7.125"),
    ("bytes_in", "311"),
    ("bytes_out", "512"),
    ("client_address", "192.0.2.7"),
    ("error", "the error"),
];

/// Where `everything` logs.
const EVENT_LINE: u32 = line!() + 12;

fn everything() {
    let span = tracing::info_span!(
        "request",
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
        span_id = "00f067aa0ba902b7",
        parent_span_id = "53995c3f42cd8ad8",
        request_id = "r-1",
        user_id = "u-42",
    );
    let _span = span.entered();
    tracing::info!(
        target: "the target",
        event = "the event",
        url = "http://bank",
        method = "GET",
        route = "/orders/{id}",
        path = "/orders/7",
        status = 201,
        outcome = "completed",
        latency_ms = 1204.206,
        ttfb_ms = 7.125,
        bytes_in = 311,
        bytes_out = 512,
        client_address = "192.0.2.7",
        error = "the error",
        "the message"
    );
}

/// Where the value of a field stands, objects and keys with ` › ` between.
fn place(line: &str, field: &str, value: &str) -> String {
    let mut found = Vec::new();
    let object = Line::parse(line.trim_end()).expect("a line");
    walk(object, "", &mut |path, held| {
        let held = held.trim_matches('"');
        let fits = match field {
            "timestamp" => held.starts_with("2026-11-24") || held.starts_with("1795499820123"),
            "level" => held.eq_ignore_ascii_case("info"),
            "line" => held == EVENT_LINE.to_string(),
            // Cloud Logging has the id behind a prefix, and the latency in seconds.
            "trace_id" => held.ends_with(value),
            "latency_ms" => held == value || held == "1.204206000s",
            _ => held == value,
        };
        if fits {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found.dedup();
    assert!(found.len() <= 2, "{field} in {found:?}: {line}");
    found
        .first()
        .map_or("–".to_owned(), |path| format!("`{path}`"))
}

fn walk(object: Line<'_>, within: &str, see: &mut dyn FnMut(&str, &str)) {
    for (key, value) in object.fields() {
        let path = format!("{within}{key}");
        match value {
            Value::Raw(inner) if inner.starts_with('{') => {
                let inner = Line::parse(inner).expect("an object");
                walk(inner, &format!("{path} › "), see);
            }
            Value::Raw(list) => {
                if let Some(item) = list.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                    if let Ok(item) = Line::parse(item) {
                        walk(item, &format!("{path} › "), see);
                    }
                }
            }
            Value::Str(text) => see(&path, &text),
            value => see(&path, &value.to_string()),
        }
    }
}

#[test]
fn the_table_of_keys_says_where_each_field_of_the_dictionary_stands() {
    let names: Vec<&str> = Schema::NAMES.iter().skip(1).copied().collect();
    let everything = |name| lines_with(name, |layer| layer.file_and_line(true), everything);
    let written: Vec<String> = names.iter().copied().map(everything).collect();
    let mut table = format!("| field | `{}` |\n|---", names.join("` | `"));
    table += &"|---".repeat(names.len());
    table += "|\n";
    for (field, value) in FIELDS {
        let places = written.iter().map(|line| place(line, field, value));
        let places: Vec<String> = places.collect();
        table += &format!("| `{field}` | {} |\n", places.join(" | "));
    }
    assert!(PAGE.contains(&table), "line.md lacks this:\n{table}");
}

/// One query for each field that people search by, in the dictionary's words.
const QUERIES: [&str; 14] = [
    "level=info",
    "level>=info",
    "target=\"the target\"",
    "message=\"the message\"",
    "service=shop",
    "event=\"the event\"",
    "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id=00f067aa0ba902b7",
    "request_id=r-1",
    "user_id=u-42",
    "method=GET",
    "path=/orders/*",
    "status>=201",
    "error~\"the error\"",
];

#[test]
fn a_query_in_the_words_of_the_page_finds_a_line_of_every_schema() {
    let mut missed = Vec::new();
    for name in Schema::NAMES {
        let written = lines(name, everything);
        let line = written.trim_end();
        for query in QUERIES {
            // Cloud Logging has a request's path as its URL.
            let query = match (*name, query) {
                ("gcp", "path=/orders/*") => "httpRequest.requestUrl=/orders/*",
                (_, query) => query,
            };
            let query = Query::parse(query).expect("a query");
            let matcher = query.matcher(Now::utc(UNIX_EPOCH));
            if !matcher.judge(line).holds() {
                missed.push(format!("{query:?} under {name}: {line}"));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
