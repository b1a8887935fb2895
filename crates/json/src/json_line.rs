//! Builds one line of log without an event, in the same format: for a gap, a header, a panic.

use crate::cut::{CUT_BYTES, Cut};
use crate::form::{Form, free_key};
use crate::key::encoded_key;
use crate::time::Stamp;
use crate::valid::is_json;
use crate::value::Value;
use std::fmt;
use std::time::SystemTime;
use tracing_core::Level;

/// How grave a line is: a [`Level`], or worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// As [`Level::TRACE`].
    Trace,
    /// As [`Level::DEBUG`].
    Debug,
    /// As [`Level::INFO`].
    Info,
    /// As [`Level::WARN`].
    Warn,
    /// As [`Level::ERROR`].
    Error,
    /// A panic or a start-up error that ends the process.
    Fatal,
}

impl Severity {
    fn as_str(self) -> &'static str {
        match self {
            Severity::Trace => "TRACE",
            Severity::Debug => "DEBUG",
            Severity::Info => "INFO",
            Severity::Warn => "WARN",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::TRACE => Severity::Trace,
            Level::DEBUG => Severity::Debug,
            Level::INFO => Severity::Info,
            Level::WARN => Severity::Warn,
            Level::ERROR => Severity::Error,
        }
    }
}

/// Makes lines that carry a layer's fixed fields. From [`JsonLayer::blank`](crate::JsonLayer::blank).
#[derive(Clone, Debug)]
pub struct Blank {
    form: Form,
}

impl Blank {
    pub(crate) fn new(form: Form) -> Self {
        Blank { form }
    }

    /// Begins a line, at the time of the layer's clock.
    pub fn line(&self, severity: impl Into<Severity>, target: &str, message: &str) -> JsonLine {
        JsonLine::begin(
            self.form.clone(),
            (self.form.clock)(),
            severity.into(),
            target,
            message,
        )
    }
}

/// One line of log that is built without an event.
///
/// ```
/// use dogwatch_json::JsonLine;
///
/// let line = JsonLine::new(tracing::Level::WARN, "dogwatch", "lines were lost")
///     .field("service", "shop")
///     .raw("gap", r#"{"lines":12,"reason":"full"}"#)
///     .finish();
/// assert!(line.ends_with(b"\"service\":\"shop\",\"gap\":{\"lines\":12,\"reason\":\"full\"}}\n"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a line does nothing until its finished bytes are written"]
pub struct JsonLine {
    form: Form,
    out: Vec<u8>,
    keys: Vec<String>,
    cut: Cut,
    limit: usize,
}

impl JsonLine {
    /// Begins a line at [`SystemTime::now`], without fixed fields and with the default budgets.
    pub fn new(severity: impl Into<Severity>, target: &str, message: &str) -> Self {
        Self::begin(
            Form::default(),
            SystemTime::now(),
            severity.into(),
            target,
            message,
        )
    }

    fn begin(form: Form, now: SystemTime, level: Severity, target: &str, message: &str) -> Self {
        let mut out = b"{\"timestamp\":\"".to_vec();
        Stamp::default().write(&mut out, now);
        out.push(b'"');
        form.write_head(&mut out, level.as_str());
        form.write_origin(&mut out, target, None, None);
        let limit = form.line_bytes() - CUT_BYTES - 2;
        let mut line = JsonLine {
            form,
            out,
            keys: Vec::new(),
            cut: Cut::default(),
            limit,
        };
        line.add(b",\"message\":", &Value::from(message));
        line
    }

    /// Adds a field. A key that is taken gets a `_` behind it.
    pub fn field<'v>(mut self, key: &str, value: impl Into<Value<'v>>) -> Self {
        let key = self.key(key);
        self.add(&key, &value.into());
        self
    }

    /// Adds a field whose value is JSON already. What is no JSON is added as text, so that the line
    /// stays one line of JSON; what has no room is left out and named in `truncated`.
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        if !is_json(json) {
            return self.field(key, json);
        }
        let key = self.key(key);
        if self.out.len() + key.len() + json.len() > self.limit {
            self.cut.note(&key);
            return self;
        }
        self.out.extend_from_slice(&key);
        self.out.extend_from_slice(json.trim().as_bytes());
        self
    }

    /// The line, with its newline.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.cut.write(&mut self.out);
        self.out.extend_from_slice(b"}\n");
        self.out
    }

    fn key(&mut self, key: &str) -> Vec<u8> {
        let key = free_key(key, |key| {
            self.form.reserved(key) || self.keys.iter().any(|k| k == key)
        });
        let encoded = encoded_key(&key);
        self.keys.push(key);
        encoded
    }

    fn add(&mut self, key: &[u8], value: &Value<'_>) {
        let room = self.limit.saturating_sub(self.out.len() + key.len());
        if room < LEAST_VALUE {
            return self.cut.note(key);
        }
        self.out.extend_from_slice(key);
        if !value.write(&mut self.out, self.form.max_field.min(room - 2)) {
            self.cut.note(key);
        }
    }
}

/// Room that a value needs: the longest number.
const LEAST_VALUE: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JsonLayer;
    use std::time::{Duration, UNIX_EPOCH};

    fn text(line: JsonLine) -> String {
        String::from_utf8(line.finish()).unwrap()
    }

    #[test]
    fn a_line_of_a_layer_carries_its_fixed_fields_and_clock() {
        let layer = JsonLayer::default()
            .field("region", 7_u64)
            .env("prod")
            .service("shop")
            .clock(|| UNIX_EPOCH + Duration::from_micros(1_795_499_820_000_001));
        let line = layer
            .blank()
            .line(Severity::Fatal, "main", "no \"port\"")
            .field("level", "x");
        assert_eq!(
            text(line),
            "{\"timestamp\":\"2026-11-24T05:57:00.000001Z\",\"level\":\"FATAL\",\
             \"service\":\"shop\",\"env\":\"prod\",\"region\":7,\"target\":\"main\",\
             \"message\":\"no \\\"port\\\"\",\"level_\":\"x\"}\n"
        );
    }

    #[test]
    fn keys_stay_unique_and_bad_json_becomes_text() {
        let line = JsonLine::new(Level::INFO, "t", "m")
            .field("a", 1_u64)
            .field("a", -2_i64)
            .raw("a", " [null] ")
            .raw("b", "{\"x\":")
            .raw("c", "{\"x\":1,\"x\":2}")
            .field("f", f64::NAN)
            .field("t", true);
        let text = text(line);
        let fields = text.split_once("\"message\":\"m\",").unwrap().1;
        assert_eq!(
            fields,
            "\"a\":1,\"a_\":-2,\"a__\":[null],\"b\":\"{\\\"x\\\":\",\
             \"c\":\"{\\\"x\\\":1,\\\"x\\\":2}\",\"f\":null,\"t\":true}\n"
        );
    }

    #[test]
    fn a_line_is_cut_at_its_budgets() {
        let long = "x".repeat(100_000);
        let mut line = JsonLine::new(Level::INFO, &long, &long);
        for _ in 0..100 {
            line = line.field(&"k".repeat(300), &long);
        }
        let bytes = line.raw("r", &format!("\"{long}\"")).finish();
        assert!(bytes.len() <= 16 * 1024);
        let read: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read["truncated"][0], "message");
    }
}
