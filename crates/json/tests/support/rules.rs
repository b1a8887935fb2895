//! What the public rules of those who read a schema's lines demand of each line.

use serde_json::{Map, Value};

/// Panics if a line breaks a rule of its schema. What an application may give any value (a field
/// called `service`, where the layer has none) is held by the golden files alone.
pub(crate) fn check(schema: &str, line: &Map<String, Value>, text: &str) {
    match schema {
        "ecs" => ecs(line, text),
        "otel" => otel(line),
        "gcp" => gcp(line),
        "datadog" => datadog(line),
        "logstash" => logstash(line),
        "loki" => loki(line),
        "tracing" => tracing(line),
        "dogwatch" => dogwatch(line),
        other => panic!("no rules for {other}"),
    }
}

fn text<'a>(line: &'a Map<String, Value>, key: &str) -> &'a str {
    line.get(key)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{key} is no text in {line:?}"))
}

/// Where one of these is given, it is text.
fn texts(line: &Map<String, Value>, keys: &[&str]) {
    for key in keys.iter().filter(|key| line.contains_key(**key)) {
        text(line, key);
    }
}

/// RFC 3339 in UTC with so many digits behind the second's point.
fn is_rfc3339(text: &str, digits: usize) {
    let point = if digits == 0 { 0 } else { digits + 1 };
    assert_eq!(text.len(), 20 + point, "{text}");
    for (at, c) in text.chars().enumerate() {
        let fits = match at {
            4 | 7 => c == '-',
            10 => c == 'T',
            13 | 16 => c == ':',
            19 if digits > 0 => c == '.',
            at if at == 19 + point => c == 'Z',
            _ => c.is_ascii_digit(),
        };
        assert!(fits, "{text}");
    }
}

fn dogwatch(line: &Map<String, Value>) {
    is_rfc3339(text(line, "timestamp"), 6);
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    assert!(levels.contains(&text(line, "level")));
    texts(
        line,
        &["target", "message", "trace_id", "span_id", "parent_span_id"],
    );
    text(line, "message");
}

/// <https://github.com/elastic/ecs-logging/blob/main/spec/spec.json>: field, required, index.
const ECS: [(&str, bool, Option<usize>); 7] = [
    ("@timestamp", true, Some(0)),
    ("log.level", true, Some(1)),
    ("message", true, Some(2)),
    ("ecs.version", true, None),
    ("trace.id", false, None),
    ("transaction.id", false, None),
    ("event.dataset", false, None),
];

fn ecs(line: &Map<String, Value>, whole: &str) {
    let mut ordered = whole.trim_start_matches('{');
    for (field, required, index) in ECS {
        if !required && !line.contains_key(field) {
            continue;
        }
        let value = text(line, field);
        if index.is_some() {
            // "Field order, as specified by 'index', is RECOMMENDED."
            let begins = format!("\"{field}\":");
            assert!(ordered.starts_with(&begins), "{field} in {whole}");
            let json = serde_json::from_str::<Value>(&ordered[begins.len()..])
                .err()
                .map_or(0, |error| error.column() - 1);
            ordered = ordered[begins.len()..][json..].trim_start_matches(',');
        }
        assert!(field != "ecs.version" || value.starts_with("8."));
    }
    is_rfc3339(text(line, "@timestamp"), 6);
    // "nesting_allowed": false
    assert!(!line.contains_key("log"));
    // Fields of ECS and their types: https://www.elastic.co/docs/reference/ecs/ecs-field-reference
    texts(
        line,
        &[
            "log.logger",
            "span.id",
            "event.action",
            "http.request.method",
            "url.path",
            "user.id",
            "http.request.id",
        ],
    );
    for object in [
        "error", "labels", "service", "host", "http", "event", "url", "trace", "ecs",
    ] {
        assert!(
            line.get(object).is_none_or(Value::is_object),
            "{object} in {whole}"
        );
    }
}

/// <https://opentelemetry.io/docs/specs/otel/logs/data-model/#log-and-event-record-definition>
const OTEL: [&str; 12] = [
    "Timestamp",
    "ObservedTimestamp",
    "TraceId",
    "SpanId",
    "TraceFlags",
    "SeverityText",
    "SeverityNumber",
    "Body",
    "Resource",
    "InstrumentationScope",
    "Attributes",
    "EventName",
];

fn otel(line: &Map<String, Value>) {
    for key in line.keys() {
        assert!(
            OTEL.contains(&key.as_str()),
            "{key} is no field of a record"
        );
    }
    let nanos: u64 = text(line, "Timestamp").parse().unwrap();
    assert!(nanos > 1_000_000_000_000_000_000);
    let number = line["SeverityNumber"].as_u64().unwrap();
    let range = match text(line, "SeverityText") {
        "TRACE" => 1..=4,
        "DEBUG" => 5..=8,
        "INFO" => 9..=12,
        "WARN" => 13..=16,
        "ERROR" => 17..=20,
        "FATAL" => 21..=24,
        other => panic!("{other} is no name of a range"),
    };
    assert!(range.contains(&number), "{number}");
    texts(line, &["Body", "TraceId", "SpanId", "EventName"]);
    for map in ["Resource", "InstrumentationScope", "Attributes"] {
        assert!(line.get(map).is_none_or(Value::is_object), "{map}");
    }
}

/// <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#LogSeverity>
const SEVERITIES: [&str; 9] = [
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
];

fn gcp(line: &Map<String, Value>) {
    assert!(SEVERITIES.contains(&text(line, "severity")));
    is_rfc3339(text(line, "time"), 9);
    text(line, "message");
    texts(
        line,
        &[
            "logging.googleapis.com/trace",
            "logging.googleapis.com/spanId",
        ],
    );
    for taken in ["insertId", "operation", "trace_sampled"] {
        assert!(!line.contains_key(&format!("logging.googleapis.com/{taken}")));
    }
    let members = |key: &str| line.get(key).map(|object| object.as_object().unwrap());
    if let Some(labels) = members("logging.googleapis.com/labels") {
        assert!(labels.values().all(Value::is_string), "{labels:?}");
    }
    if let Some(source) = members("logging.googleapis.com/sourceLocation") {
        text(source, "file");
        text(source, "line").parse::<u32>().unwrap();
        assert_eq!(source.len(), 2);
    }
    if let Some(context) = members("serviceContext") {
        texts(context, &["service", "version"]);
    }
    if let Some(request) = members("httpRequest") {
        texts(request, &["requestMethod", "requestUrl", "remoteIp"]);
        let known = [
            "requestMethod",
            "requestUrl",
            "requestSize",
            "status",
            "responseSize",
            "latency",
            "remoteIp",
        ];
        assert!(
            request.keys().all(|key| known.contains(&key.as_str())),
            "{request:?}"
        );
        // A protobuf `Duration` and two `int64`, as the JSON mapping of protobuf has them.
        if let Some(latency) = request.get("latency") {
            let seconds = latency.as_str().unwrap().strip_suffix('s').unwrap();
            let (whole, rest) = seconds.split_once('.').unwrap();
            assert!(whole.parse::<u64>().is_ok() && rest.len() == 9 && rest.parse::<u32>().is_ok());
        }
        for size in ["requestSize", "responseSize"] {
            if let Some(size) = request.get(size) {
                size.as_str().unwrap().parse::<u64>().unwrap();
            }
        }
    }
}

/// <https://docs.datadoghq.com/logs/log_configuration/pipelines/#preprocessing>
fn datadog(line: &Map<String, Value>) {
    is_rfc3339(text(line, "timestamp"), 3);
    // What the status remapper knows of ours: names that begin with these.
    assert!(["trace", "debug", "info", "warn", "error", "fatal"].contains(&text(line, "level")));
    text(line, "message");
    texts(line, &["dd.trace_id", "dd.span_id", "logger.name"]);
    for other in [
        "@timestamp",
        "date",
        "severity",
        "status",
        "syslog",
        "hostname",
        "ddsource",
    ] {
        assert!(
            !line.contains_key(other),
            "{other} is read as another attribute"
        );
    }
    for object in ["dd", "logger", "http", "network", "usr"] {
        assert!(
            !line.contains_key(object),
            "{object} is an object by its dots"
        );
    }
}

/// <https://www.elastic.co/guide/en/logstash/current/event-api.html>, and the standard fields of
/// <https://github.com/logfellow/logstash-logback-encoder#standard-fields>.
fn logstash(line: &Map<String, Value>) {
    is_rfc3339(text(line, "@timestamp"), 3);
    assert_eq!(text(line, "@version"), "1");
    for required in ["message", "level", "logger_name"] {
        text(line, required);
    }
    for kept in ["@metadata", "tags"] {
        assert!(!line.contains_key(kept), "{kept} is Logstash's own");
    }
}

/// Label names: <https://grafana.com/docs/loki/latest/query/log_queries/#json>.
fn loki(line: &Map<String, Value>) {
    is_rfc3339(text(line, "timestamp"), 9);
    let levels = ["trace", "debug", "info", "warn", "error", "fatal"];
    assert!(levels.contains(&text(line, "level")));
    text(line, "message");
    for key in line.keys() {
        let label = |(at, c): (usize, char)| {
            // A letter of another script stays what it is: a query names its key.
            c == '_' || c.is_alphabetic() || (at > 0 && c.is_alphanumeric())
        };
        assert!(key.chars().enumerate().all(label), "{key} is no label name");
    }
    texts(line, &["error_message", "error_type"]);
}

fn tracing(line: &Map<String, Value>) {
    is_rfc3339(text(line, "timestamp"), 6);
    text(line, "level");
    text(line, "target");
    assert!(line.get("fields").is_none_or(Value::is_object));
    let spans = line.get("spans").map(|spans| spans.as_array().unwrap());
    let listed = spans.is_some_and(|spans| !spans.is_empty());
    // What had no room is told.
    assert!(line.get("span").is_some() == listed || line.contains_key("truncated"));
    for span in spans.into_iter().flatten().chain(line.get("span")) {
        text(span.as_object().unwrap(), "name");
    }
}
