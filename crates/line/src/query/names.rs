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
        let mut group = GROUPS
            .iter()
            .filter(|(_, names)| members(names).any(|(name, _)| name == field));
        let Some((kind, known)) = group.next() else {
            let names = vec![Name {
                path: field.into(),
                unit: unit(field),
            }];
            return Self {
                kind: Kind::Plain,
                names,
            };
        };
        let mut names: Vec<Name> = members(known)
            .map(|(name, unit)| Name {
                path: name.into(),
                unit,
            })
            .collect();
        // Stable: the others keep their order.
        names.sort_by_key(|name| *name.path != *field);
        Self { kind: *kind, names }
    }
}

/// The names of a group, each with its unit.
fn members(names: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
    names
        .split_whitespace()
        .map(|name| match name.split_once('|') {
            Some((name, "ns")) => (name, 1.0),
            Some((name, _)) => (name, 1e9),
            None => (name, MS),
        })
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
/// defaults of tracing-subscriber, bunyan, pino, zap, slog, zerolog and logrus. A unit stands behind
/// a bar; without one it is milliseconds.
const GROUPS: &[(Kind, &str)] = &[
    (
        Kind::Level,
        "level severity log.level lvl levelname loglevel severity_text severityText \
         SeverityText severity_number severityNumber SeverityNumber",
    ),
    (
        Kind::Time,
        "timestamp @timestamp time ts Timestamp datetime timeUnixNano observedTimeUnixNano",
    ),
    (
        Kind::Plain,
        "message msg @message body Body body.stringValue textPayload short_message",
    ),
    (
        Kind::Plain,
        "target logger log.logger logger_name logger.name scope.name \
         instrumentationScope.name InstrumentationScope.Name",
    ),
    (
        Kind::Plain,
        "service service.name serviceName serviceContext.service resource.service.name \
         Resource.service.name",
    ),
    (Kind::Id, "version service.version serviceContext.version"),
    (
        Kind::Plain,
        "env environment service.environment deployment.environment.name \
         deployment.environment",
    ),
    (Kind::Plain, "host hostname host.name"),
    (
        Kind::Id,
        "trace_id trace.id traceId traceID TraceId dd.trace_id logging.googleapis.com/trace",
    ),
    (
        Kind::Id,
        "span_id span.id spanId spanID SpanId dd.span_id logging.googleapis.com/spanId",
    ),
    (
        Kind::Id,
        "parent_span_id parent.id parentSpanId parent_id dd.parent_id",
    ),
    (
        Kind::Id,
        "request_id http.request.id http.request_id requestId req_id reqId req.id",
    ),
    (Kind::Id, "user_id user.id enduser.id usr.id userId"),
    (
        Kind::Plain,
        "method http.request.method http.method httpRequest.requestMethod req.method",
    ),
    (
        Kind::Plain,
        "path url.path http.target http.url_details.path req.url",
    ),
    (Kind::Plain, "url url.full http.url httpRequest.requestUrl"),
    (
        Kind::Plain,
        "status http.response.status_code http.status_code status_code statusCode \
         httpRequest.status res.statusCode",
    ),
    (
        Kind::Span,
        "latency_ms latency duration_ms elapsed_ms responseTime event.duration|ns \
         http.server.request.duration|s httpRequest.latency|s duration elapsed",
    ),
    (
        Kind::Plain,
        "bytes_in http.request.body.size http.request.body.bytes \
         httpRequest.requestSize network.bytes_read",
    ),
    (
        Kind::Plain,
        "bytes_out http.response.body.size http.response.body.bytes \
         httpRequest.responseSize network.bytes_written",
    ),
    (
        Kind::Plain,
        "error.message exception.message error_message err.message error err",
    ),
    (
        Kind::Plain,
        "event event.action event.name event_name EventName",
    ),
    (
        Kind::Plain,
        "file filename code.file.path code.filepath log.origin.file.name caller",
    ),
    (
        Kind::Plain,
        "line line_number code.line.number code.lineno log.origin.file.line",
    ),
    (Kind::Plain, "route http.route"),
    (Kind::Span, "ttfb_ms ttfb"),
];

#[cfg(test)]
mod tests {
    use super::{GROUPS, Kind, Names};

    #[test]
    fn a_name_belongs_to_one_field() {
        let mut all: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| super::members(names))
            .map(|(name, _)| name)
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
