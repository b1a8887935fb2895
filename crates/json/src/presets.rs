//! The schemas that are ready, each after its reader's public rules.

use crate::levels::LevelStyle;
use crate::schema::{ErrorForm, Layout, Place, Schema};
use crate::timestamp::{Precision, Timestamp};

/// Facts of a request that readers keep as numbers.
const NUMBERS: [&str; 4] = ["status", "bytes_in", "bytes_out", "grpc_status"];

fn places(list: &[(&str, &str)]) -> Vec<(String, Place)> {
    within(None, list)
}

fn within(within: Option<&'static str>, list: &[(&str, &str)]) -> Vec<(String, Place)> {
    let place = |&(field, key): &(&str, &str)| {
        let place = Place {
            within,
            of_request: NUMBERS.contains(&field),
            ..Place::top(key.to_owned())
        };
        (field.to_owned(), place)
    };
    list.iter().map(place).collect()
}

impl Schema {
    /// Elastic Common Schema, as the [ecs-logging specification] has it: `@timestamp`, `log.level`
    /// and `message` first, `ecs.version`; keys with dots at the top.
    ///
    /// The ids are `trace.id`, `span.id` and `parent.id`, the target `log.logger`. Elasticsearch
    /// reads a dot as an object, so a field called `service` or `http` gets a `_` behind it. What
    /// ECS has no field for (`latency_ms`, `outcome` …) keeps its name, as ECS allows. An error's
    /// causes are `error.causes`.
    ///
    /// [ecs-logging specification]: https://github.com/elastic/ecs-logging/blob/main/spec/spec.json
    pub fn ecs() -> Self {
        Schema {
            name: "ecs",
            places: places(&[
                ("timestamp", "@timestamp"),
                ("level", "log.level"),
                ("target", "log.logger"),
                ("file", "log.origin.file.name"),
                ("line", "log.origin.file.line"),
                ("service", "service.name"),
                ("version", "service.version"),
                ("env", "service.environment"),
                ("host", "host.name"),
                ("trace_id", "trace.id"),
                ("span_id", "span.id"),
                ("parent_span_id", "parent.id"),
                ("span", "span.name"),
                ("event", "event.action"),
                ("request_id", "http.request.id"),
                ("user_id", "user.id"),
                ("url", "url.full"),
                ("path", "url.path"),
                ("method", "http.request.method"),
                ("route", "http.route"),
                ("status", "http.response.status_code"),
                ("bytes_in", "http.request.body.bytes"),
                ("bytes_out", "http.response.body.bytes"),
                ("client_address", "client.address"),
            ]),
            timestamp: Timestamp::rfc3339(Precision::Micros),
            constants: &[("ecs.version", "\"8.11.0\"")],
            // Objects of ECS that an application is likely to use as a plain field.
            reserved: &[
                "ecs", "log", "labels", "tags", "process", "agent", "event", "host", "client",
                "server", "source", "user", "url", "http", "trace", "span", "service",
            ],
            error: ErrorForm {
                backtrace: ",\"stack_trace\":",
                ..ErrorForm::OBJECT
            },
            message_first: true,
            dots_nest: true,
            ..Schema::default()
        }
    }

    /// The [OpenTelemetry log data model], one record a line, its fields under the names that the
    /// specification gives them: `Timestamp` (nanoseconds, as a string), `SeverityText`,
    /// `SeverityNumber`, `Body`, `TraceId`, `SpanId`, `EventName` (an event's `event`), `Resource`,
    /// `InstrumentationScope` and `Attributes`.
    ///
    /// This is the model's own notation, not OTLP: a collector reads it with its `filelog` receiver
    /// and `json_parser`. The layer's options for spans, clashes and the span's name have no effect:
    /// all fields of event and spans are `Attributes`, the event's before the inner span's before
    /// the outer span's. An `error` is `exception.message`, `exception.causes`,
    /// `exception.type` and `exception.stacktrace`.
    ///
    /// [OpenTelemetry log data model]: https://opentelemetry.io/docs/specs/otel/logs/data-model/
    pub fn otel() -> Self {
        let resource = [
            ("service", "service.name"),
            ("version", "service.version"),
            ("env", "deployment.environment.name"),
            ("host", "host.name"),
        ];
        let mut places = places(&[
            ("timestamp", "Timestamp"),
            ("level", "SeverityText"),
            ("message", "Body"),
            ("trace_id", "TraceId"),
            ("span_id", "SpanId"),
            ("event", "EventName"),
            ("error", "exception.message"),
            ("user_id", "user.id"),
            ("url", "url.full"),
            ("path", "url.path"),
            ("method", "http.request.method"),
            ("route", "http.route"),
            ("status", "http.response.status_code"),
            ("bytes_in", "http.request.body.size"),
            ("bytes_out", "http.response.body.size"),
            ("client_address", "client.address"),
            ("grpc_status", "rpc.grpc.status_code"),
        ]);
        places.extend(within(Some("Resource"), &resource));
        places.extend(within(Some("InstrumentationScope"), &[("target", "Name")]));
        let code = [("file", "code.file.path"), ("line", "code.line.number")];
        places.extend(within(Some("Attributes"), &code));
        Schema {
            name: "otel",
            places,
            severity_number: Some("SeverityNumber"),
            timestamp: Timestamp::epoch_text(Precision::Nanos),
            reserved: &["exception.causes", "exception.type", "exception.stacktrace"],
            layout: Layout::Gathered("Attributes"),
            error: ErrorForm {
                open: "",
                causes: ",\"exception.causes\":[",
                type_name: ",\"exception.type\":",
                backtrace: ",\"exception.stacktrace\":",
                close: "",
            },
            fixed_within: Some("Resource"),
            ..Schema::default()
        }
    }

    /// Google Cloud Logging's [structured logging]: `severity`, `message`, `time`, and the
    /// `logging.googleapis.com/…` fields for trace, span, source location and labels.
    ///
    /// Tell the project ([`SchemaBuilder::project`](crate::SchemaBuilder::project)), so that a line
    /// is shown with its trace. Service and version are the `serviceContext` of Error Reporting, the
    /// other fixed fields are labels. The closing line of a request has an [`httpRequest`].
    ///
    /// [structured logging]: https://cloud.google.com/logging/docs/structured-logging
    /// [`httpRequest`]: https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#httprequest
    pub fn gcp() -> Self {
        let mut places = places(&[
            ("timestamp", "time"),
            ("level", "severity"),
            ("trace_id", "logging.googleapis.com/trace"),
            ("span_id", "logging.googleapis.com/spanId"),
        ]);
        let context = [("service", "service"), ("version", "version")];
        places.extend(within(Some("serviceContext"), &context));
        let labels = [("env", "env"), ("host", "host")];
        places.extend(within(Some("logging.googleapis.com/labels"), &labels));
        let source = [("file", "file"), ("line", "line")];
        places.extend(within(
            Some("logging.googleapis.com/sourceLocation"),
            &source,
        ));
        Schema {
            name: "gcp",
            places,
            level: LevelStyle::Google,
            timestamp: Timestamp::rfc3339(Precision::Nanos),
            // What the agents take out of the payload, or read as the time.
            reserved: &[
                "logging.googleapis.com/insertId",
                "logging.googleapis.com/operation",
                "logging.googleapis.com/trace_sampled",
                "httpRequest",
                "timestampSeconds",
                "timestampNanos",
            ],
            fixed_within: Some("logging.googleapis.com/labels"),
            text_within: true,
            request: Some("httpRequest"),
            ..Schema::default()
        }
    }

    /// Datadog's [reserved] and [standard] attributes: `dd.trace_id` and `dd.span_id` are the
    /// ids, `logger.name` the target, and `level` is read as the status of a line. So a request's
    /// `status` is `http.status_code`, and any other field `status` gets a `_` behind it.
    ///
    /// The ids are hexadecimal, as OpenTelemetry has them. Datadog reads a dot as an object, so a
    /// field called `http` or `logger` gets a `_` behind it.
    ///
    /// [reserved]: https://docs.datadoghq.com/logs/log_configuration/pipelines/#preprocessing
    /// [standard]: https://docs.datadoghq.com/standard-attributes/
    pub fn datadog() -> Self {
        Schema {
            name: "datadog",
            places: places(&[
                ("target", "logger.name"),
                ("trace_id", "dd.trace_id"),
                ("span_id", "dd.span_id"),
                ("parent_span_id", "dd.parent_id"),
                ("status", "http.status_code"),
                ("method", "http.method"),
                ("url", "http.url"),
                ("path", "http.url_details.path"),
                ("route", "http.route"),
                ("request_id", "http.request_id"),
                ("user_id", "usr.id"),
                ("bytes_in", "network.bytes_read"),
                ("bytes_out", "network.bytes_written"),
                ("client_address", "network.client.ip"),
            ]),
            level: LevelStyle::Lower,
            timestamp: Timestamp::rfc3339(Precision::Millis),
            // What preprocessing takes for the date, status, host, service or source of a line.
            reserved: &[
                "@timestamp",
                "_timestamp",
                "Timestamp",
                "eventTime",
                "date",
                "published_date",
                "status",
                "severity",
                "syslog",
                "hostname",
                "source",
                "ddsource",
                "ddtags",
                "contextMap",
            ],
            error: ErrorForm {
                type_name: ",\"kind\":",
                backtrace: ",\"stack\":",
                ..ErrorForm::OBJECT
            },
            dots_nest: true,
            ..Schema::default()
        }
    }

    /// Logstash's events: `@timestamp`, `@version` (always `"1"`), `logger_name`, `message`; a field
    /// called `tags` or `@metadata`, which Logstash keeps for itself, gets a `_` behind it.
    ///
    /// After [logstash-logback-encoder] and the [`Event`] of Logstash.
    ///
    /// [logstash-logback-encoder]: https://github.com/logfellow/logstash-logback-encoder#standard-fields
    /// [`Event`]: https://www.elastic.co/guide/en/logstash/current/processing.html
    pub fn logstash() -> Self {
        Schema {
            name: "logstash",
            places: places(&[("timestamp", "@timestamp"), ("target", "logger_name")]),
            timestamp: Timestamp::rfc3339(Precision::Millis),
            constants: &[("@version", "\"1\"")],
            reserved: &["@metadata", "tags"],
            ..Schema::default()
        }
    }

    /// For Grafana Loki's [`json`] parser: keys are label names (letters, digits, `_`; a
    /// letter of another script stays, for a query to name), levels lower
    /// case as [`detected_level`] has them, an error's message `error_message` at the top.
    ///
    /// Two keys that Loki would make one label, such as `a.b` and `a_b`, are told apart by a `_`.
    ///
    /// [`json`]: https://grafana.com/docs/loki/latest/query/log_queries/#json
    /// [`detected_level`]: https://grafana.com/docs/loki/latest/get-started/labels/#log-level-detection
    pub fn loki() -> Self {
        Schema {
            name: "loki",
            places: places(&[("error", "error_message")]),
            level: LevelStyle::Lower,
            timestamp: Timestamp::rfc3339(Precision::Nanos),
            reserved: &["error_causes", "error_type", "error_backtrace"],
            error: ErrorForm {
                open: "",
                causes: ",\"error_causes\":[",
                type_name: ",\"error_type\":",
                backtrace: ",\"error_backtrace\":",
                close: "",
            },
            labels: true,
            ..Schema::default()
        }
    }

    /// The same shape as `tracing_subscriber::fmt::format().json()` writes by default: `timestamp`,
    /// `level`, `fields` with the message in it, `target`, `span` and `spans`.
    ///
    /// Here too no key comes twice, errors and values are text as there, and what this crate adds is
    /// only `truncated` and the fixed fields. The layer's options for spans, clashes and the span's
    /// name have no effect; no span gets an id that it was not given.
    pub fn tracing_subscriber() -> Self {
        let origin = [("file", "filename"), ("line", "line_number")];
        Schema {
            name: "tracing",
            places: places(&origin),
            layout: Layout::Subscriber,
            ..Schema::default()
        }
    }
}
