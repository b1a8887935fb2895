//! Gathers what the page of `stats` tells, line by line. Pure.

use dogwatch_line::{Columns, Lens, Level, Now, Value, unwrapped};

use crate::tally::Tally;
use crate::template::template;
use crate::timeline::Timeline;
use crate::tops::{MOST, Tops};

/// What is known of the lines so far.
pub(crate) struct Gather {
    lens: Lens,
    columns: Columns,
    pub(crate) lines: u64,
    /// Lines without a time that can be read.
    pub(crate) timeless: u64,
    pub(crate) span: Option<(i128, i128)>,
    pub(crate) all: Timeline,
    pub(crate) errors: Timeline,
    /// By gravity; the last is for lines without a level.
    pub(crate) levels: [u64; 7],
    pub(crate) services: Tops<u64>,
    pub(crate) messages: Tops<u64>,
    pub(crate) routes: Tops<Route>,
    pub(crate) failures: Tops<Failure>,
    values: usize,
}

/// The requests of one route.
pub(crate) struct Route {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) latency: Tally,
}

/// Errors that differ in numbers and names only.
#[derive(Default)]
pub(crate) struct Failure {
    pub(crate) count: u64,
    pub(crate) span: Option<(i128, i128)>,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            requests: 0,
            errors: 0,
            latency: Tally::new(),
        }
    }
}

impl Gather {
    pub(crate) fn new(zone: Now) -> Self {
        Self {
            lens: Lens::new(zone),
            columns: Columns::new([
                "service",
                "route",
                "method",
                "status",
                "latency_ms",
                "error.message",
            ]),
            lines: 0,
            timeless: 0,
            span: None,
            all: Timeline::default(),
            errors: Timeline::default(),
            levels: [0; 7],
            services: Tops::new(),
            messages: Tops::new(),
            routes: Tops::new(),
            failures: Tops::new(),
            values: 0,
        }
    }

    pub(crate) fn line(&mut self, line: &str) {
        self.lines += 1;
        let text = unwrapped(line);
        let seen = self.lens.look(&text);
        let (nanos, level) = (seen.nanos(), seen.level());
        let message = seen.message().map(|message| template(&message));
        let target = seen.target();
        let values = self.columns.of(&text);
        let [service, route, method, status, latency, error] = &*values else {
            return;
        };
        let text_of = |value: &Option<Value<'_>>| value.as_ref().map(|value| value.to_string());
        let is_error = level >= Some(Level::Error);

        self.timeless += u64::from(nanos.is_none());
        if let Some(nanos) = nanos {
            self.span = widened(self.span, nanos);
            self.all.add(nanos);
            if is_error {
                self.errors.add(nanos);
            }
        }
        self.levels[level.map_or(6, |level| level as usize)] += 1;
        if let Some(service) = text_of(service) {
            count(&mut self.services, &service);
        }
        // What is no JSON is its own message.
        let message = message.unwrap_or_else(|| match text.starts_with('{') {
            true => String::new(),
            false => template(&text),
        });
        if !message.is_empty() {
            count(&mut self.messages, &message);
        }
        if let (Some(route), Some(latency)) = (text_of(route), latency.as_ref().and_then(number)) {
            let name = match text_of(method) {
                Some(method) => format!("{method} {route}"),
                None => route,
            };
            self.request(&name, latency, is_error || status_of(status) >= 500);
        }
        if is_error {
            let mut name = target.map_or_else(String::new, |target| format!("{target}: "));
            name.push_str(&message);
            if let Some(error) = text_of(error) {
                name.push_str(" / ");
                name.push_str(&template(&error));
            }
            if let Some(failure) = self.failures.entry(&name) {
                failure.count += 1;
                if let Some(nanos) = nanos {
                    failure.span = widened(failure.span, nanos);
                }
            }
        }
    }

    fn request(&mut self, name: &str, latency: f64, failed: bool) {
        let keeps = self.values < MOST_VALUES;
        if let Some(route) = self.routes.entry(name) {
            self.values += usize::from(keeps);
            route.requests += 1;
            route.errors += u64::from(failed);
            route.latency.add(latency, keeps);
        }
    }

    /// What the page does not tell, if anything.
    pub(crate) fn shortfalls(&self) -> Vec<String> {
        let bound = MOST;
        let mut all = Vec::new();
        for (what, left_out) in [
            ("services", self.services.left_out),
            ("messages", self.messages.left_out),
            ("routes", self.routes.left_out),
            ("errors", self.failures.left_out),
        ] {
            if left_out > 0 {
                all.push(format!("there are more than {bound} {what}: {left_out} lines of others are not counted there"));
            }
        }
        if self.values >= MOST_VALUES {
            all.push(format!(
                "p50 and p99 are of the first {MOST_VALUES} requests"
            ));
        }
        all
    }
}

fn count(tops: &mut Tops<u64>, name: &str) {
    if let Some(count) = tops.entry(name) {
        *count += 1;
    }
}

fn widened(span: Option<(i128, i128)>, nanos: i128) -> Option<(i128, i128)> {
    let (first, last) = span.unwrap_or((nanos, nanos));
    Some((first.min(nanos), last.max(nanos)))
}

fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::I64(number) => Some(*number as f64),
        Value::U64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}

fn status_of(status: &Option<Value<'_>>) -> i64 {
    match status {
        Some(Value::I64(status)) => *status,
        Some(Value::Str(text)) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

/// 32 MiB of latencies.
const MOST_VALUES: usize = 4 << 20;
