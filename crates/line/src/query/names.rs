//! What other loggers call a field: one question finds the same thing in everybody's lines.

/// A field as it is asked for: every name it may have, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Names {
    pub(crate) kind: Kind,
    pub(crate) names: Vec<Name>,
}

/// What the field's values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// Never a number, whatever it looks like.
    Id,
    Level,
    Time,
    /// A duration; the numbers are in the name's unit.
    Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Name {
    pub(crate) path: Box<str>,
    /// Nanoseconds that one stands for, in a field that is a duration.
    pub(crate) unit: f64,
}

/// Objects that hold the fields of an event one step down: tracing-subscriber's `fields` and `span`,
/// OpenTelemetry's `attributes`, Google's `jsonPayload`, the `labels` of ECS.
pub(crate) const HOLDERS: [&str; 6] = [
    "fields",
    "attributes",
    "Attributes",
    "jsonPayload",
    "labels",
    "span",
];

impl Names {
    /// `since` and `until` are the time of the line.
    pub(crate) fn of(field: &str) -> Self {
        let field = if is_bound(field) { "timestamp" } else { field };
        let group = GROUPS
            .iter()
            .find(|(_, names)| names.iter().any(|(name, _)| *name == field));
        let first = Name {
            path: field.into(),
            unit: unit(field),
        };
        let Some((kind, known)) = group else {
            return Self {
                kind: Kind::Plain,
                names: vec![first],
            };
        };
        let mut names = vec![first];
        for (name, unit) in *known {
            if *name == field {
                names[0].unit = *unit;
            } else {
                names.push(Name {
                    path: (*name).into(),
                    unit: *unit,
                });
            }
        }
        Self { kind: *kind, names }
    }
}

/// Whether the field is a bound of time and no field of a line.
pub(crate) fn is_bound(field: &str) -> bool {
    matches!(field, "since" | "until")
}

/// Nanoseconds of one, by the end of a name: `wait_us` counts microseconds. Milliseconds if the
/// name does not say.
fn unit(field: &str) -> f64 {
    let last = field.rsplit(['_', '.']).next().unwrap_or(field);
    match last {
        "ns" | "nanos" | "nanoseconds" => 1.0,
        "us" | "micros" | "microseconds" => 1e3,
        "s" | "sec" | "secs" | "seconds" => 1e9,
        _ => MS,
    }
}

const MS: f64 = 1e6;

/// The first name of each is ours (`docs/line.md`); the others are of ECS 8, OpenTelemetry's
/// semantic conventions 1.27 and data model, Google Cloud Logging, Datadog, Logstash, and the
/// defaults of tracing-subscriber, bunyan, pino, zap, slog, zerolog and logrus.
const GROUPS: &[(Kind, &[(&str, f64)])] = &[
    (
        Kind::Level,
        &[
            ("level", MS),
            ("severity", MS),
            ("log.level", MS),
            ("lvl", MS),
            ("levelname", MS),
            ("loglevel", MS),
            ("severity_text", MS),
            ("severityText", MS),
            ("SeverityText", MS),
            ("severity_number", MS),
            ("severityNumber", MS),
            ("SeverityNumber", MS),
        ],
    ),
    (
        Kind::Time,
        &[
            ("timestamp", MS),
            ("@timestamp", MS),
            ("time", MS),
            ("ts", MS),
            ("Timestamp", MS),
            ("datetime", MS),
            ("timeUnixNano", MS),
            ("observedTimeUnixNano", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("message", MS),
            ("msg", MS),
            ("@message", MS),
            ("body", MS),
            ("Body", MS),
            ("body.stringValue", MS),
            ("textPayload", MS),
            ("short_message", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("target", MS),
            ("logger", MS),
            ("log.logger", MS),
            ("logger_name", MS),
            ("logger.name", MS),
            ("scope.name", MS),
            ("instrumentationScope.name", MS),
            ("InstrumentationScope.Name", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("service", MS),
            ("service.name", MS),
            ("serviceName", MS),
            ("serviceContext.service", MS),
            ("resource.service.name", MS),
            ("Resource.service.name", MS),
        ],
    ),
    (
        Kind::Id,
        &[
            ("version", MS),
            ("service.version", MS),
            ("serviceContext.version", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("env", MS),
            ("environment", MS),
            ("service.environment", MS),
            ("deployment.environment.name", MS),
            ("deployment.environment", MS),
        ],
    ),
    (
        Kind::Plain,
        &[("host", MS), ("hostname", MS), ("host.name", MS)],
    ),
    (
        Kind::Id,
        &[
            ("trace_id", MS),
            ("trace.id", MS),
            ("traceId", MS),
            ("traceID", MS),
            ("TraceId", MS),
            ("dd.trace_id", MS),
            ("logging.googleapis.com/trace", MS),
        ],
    ),
    (
        Kind::Id,
        &[
            ("span_id", MS),
            ("span.id", MS),
            ("spanId", MS),
            ("spanID", MS),
            ("SpanId", MS),
            ("dd.span_id", MS),
            ("logging.googleapis.com/spanId", MS),
        ],
    ),
    (
        Kind::Id,
        &[
            ("parent_span_id", MS),
            ("parent.id", MS),
            ("parentSpanId", MS),
            ("parent_id", MS),
        ],
    ),
    (
        Kind::Id,
        &[
            ("request_id", MS),
            ("http.request.id", MS),
            ("requestId", MS),
            ("req_id", MS),
            ("reqId", MS),
            ("req.id", MS),
        ],
    ),
    (
        Kind::Id,
        &[
            ("user_id", MS),
            ("user.id", MS),
            ("enduser.id", MS),
            ("usr.id", MS),
            ("userId", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("method", MS),
            ("http.request.method", MS),
            ("http.method", MS),
            ("httpRequest.requestMethod", MS),
            ("req.method", MS),
        ],
    ),
    (Kind::Plain, &[("route", MS), ("http.route", MS)]),
    (
        Kind::Plain,
        &[
            ("path", MS),
            ("url.path", MS),
            ("http.target", MS),
            ("req.url", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("url", MS),
            ("url.full", MS),
            ("http.url", MS),
            ("httpRequest.requestUrl", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("status", MS),
            ("http.response.status_code", MS),
            ("http.status_code", MS),
            ("status_code", MS),
            ("statusCode", MS),
            ("httpRequest.status", MS),
            ("res.statusCode", MS),
        ],
    ),
    (
        Kind::Span,
        &[
            ("latency_ms", MS),
            ("latency", MS),
            ("duration_ms", MS),
            ("elapsed_ms", MS),
            ("responseTime", MS),
            ("event.duration", 1.0),
            ("http.server.request.duration", 1e9),
            ("httpRequest.latency", 1e9),
            ("duration", MS),
            ("elapsed", MS),
        ],
    ),
    (Kind::Span, &[("ttfb_ms", MS), ("ttfb", MS)]),
    (
        Kind::Plain,
        &[
            ("bytes_in", MS),
            ("http.request.body.size", MS),
            ("http.request.body.bytes", MS),
            ("httpRequest.requestSize", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("bytes_out", MS),
            ("http.response.body.size", MS),
            ("http.response.body.bytes", MS),
            ("httpRequest.responseSize", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("error.message", MS),
            ("exception.message", MS),
            ("err.message", MS),
            ("error", MS),
            ("err", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("event", MS),
            ("event.action", MS),
            ("event.name", MS),
            ("event_name", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("file", MS),
            ("filename", MS),
            ("code.file.path", MS),
            ("code.filepath", MS),
            ("log.origin.file.name", MS),
            ("caller", MS),
        ],
    ),
    (
        Kind::Plain,
        &[
            ("line", MS),
            ("line_number", MS),
            ("code.line.number", MS),
            ("code.lineno", MS),
            ("log.origin.file.line", MS),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::{GROUPS, Kind, Names};

    #[test]
    fn a_name_belongs_to_one_field() {
        let mut all: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .map(|(name, _)| *name)
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn the_name_that_was_asked_for_is_tried_first() {
        let names = Names::of("http.status_code").names;
        assert_eq!(&*names[0].path, "http.status_code");
        assert_eq!(&*names[1].path, "status");
        assert_eq!(Names::of("since"), Names::of("timestamp"));
        assert_eq!(Names::of("latency").kind, Kind::Span);
    }

    #[test]
    fn a_name_says_its_unit() {
        for (name, unit) in [
            ("wait_us", 1e3),
            ("wait.seconds", 1e9),
            ("wait", 1e6),
            ("event.duration", 1.0),
        ] {
            assert_eq!(Names::of(name).names[0].unit, unit, "{name}");
        }
    }
}
