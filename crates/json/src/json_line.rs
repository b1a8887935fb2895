//! Builds one line of log without an event, in the same format: for a gap, a header, a panic.

use crate::cut::Cut;
use crate::form::Form;
use crate::head::{Head, Origin};
use crate::key::encoded_key;
use crate::levels::Severity;
use crate::naming::Of;
use crate::schema::Layout;
use crate::slots::TOP;
use crate::time::Stamp;
use crate::valid::is_json;
use crate::value::Value;
use std::time::SystemTime;

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
    /// The line so far.
    top: Vec<u8>,
    /// The fields that stand in an object of their own.
    inner: Vec<u8>,
    keys: Vec<String>,
    cut: Cut,
    limit: usize,
}

impl JsonLine {
    /// Begins a line at [`SystemTime::now`], without fixed fields, with the default budgets and the
    /// default schema.
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
        let settled = &form.settled;
        let mut out = settled.open.to_vec();
        Stamp::default().write(&mut out, now, settled.timestamp);
        let origin = Origin {
            target,
            ..Origin::default()
        };
        let Head { level, top, inner } = form.head(level, Some(origin));
        out.extend_from_slice(&level);
        let limit = form.line_bytes() - settled.closing;
        // Its object's key is kept free too.
        let limit = limit
            - form
                .nest()
                .map_or(0, |object| encoded_key(object).len() + 1);
        let key = settled.message.to_vec();
        let mut line = JsonLine {
            form,
            top: out,
            inner,
            keys: Vec::new(),
            cut: Cut::default(),
            limit,
        };
        let (message, most) = (Value::from(message), line.form.max_field);
        if line.form.schema.layout == Layout::Subscriber {
            line.top.extend_from_slice(&top);
            line.add(true, b",\"message\":", &message, most);
            line.keys.push("message".to_owned());
        } else if line.form.schema.message_first {
            line.limit -= top.len();
            line.add(false, &key, &message, most);
            line.limit += top.len();
            line.top.extend_from_slice(&top);
        } else {
            line.top.extend_from_slice(&top);
            line.add(false, &key, &message, most);
        }
        line
    }

    /// Adds a field. A key that is taken gets a `_` behind it.
    pub fn field<'v>(mut self, key: &str, value: impl Into<Value<'v>>) -> Self {
        let mut value = value.into();
        let mut most = self.form.max_field;
        if let (Value::Text(text), "trace_id") = (&mut value, key) {
            let prefix = &self.form.schema.trace_prefix;
            most = most.saturating_add(encoded_key(prefix).len());
            *text = format!("{prefix}{text}").into();
        }
        let (inner, key) = self.key(key);
        self.add(inner, &key, &value, most);
        self
    }

    /// Adds a field whose value is JSON already. What is no JSON is added as text, so that the line
    /// stays one line of JSON; what has no room is left out and named in `truncated`.
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        if !is_json(json) {
            return self.field(key, json);
        }
        let (inner, key) = self.key(key);
        if key.len() + json.len() > self.room() {
            self.cut.note(&key);
            return self;
        }
        let out = self.part(inner);
        out.extend_from_slice(&key);
        out.extend_from_slice(json.trim().as_bytes());
        self
    }

    /// The line, with its newline.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let truncated = &self.form.settled.truncated;
        let gathered = matches!(self.form.schema.layout, Layout::Gathered(_));
        let into = if gathered {
            &mut self.inner
        } else {
            &mut self.top
        };
        self.cut.write(into, truncated);
        if let (Some(object), [_, fields @ ..]) = (self.form.nest(), &self.inner[..]) {
            self.top.extend_from_slice(&encoded_key(object));
            self.top.push(b'{');
            self.top.extend_from_slice(fields);
            self.top.push(b'}');
        }
        self.top.extend_from_slice(b"}\n");
        self.form.folded(self.top)
    }

    /// The encoded key of a field, and whether the field stands in the object.
    fn key(&mut self, name: &str) -> (bool, Vec<u8>) {
        let layout = self.form.schema.layout;
        let gathered = matches!(layout, Layout::Gathered(_));
        let is_taken = |key: &str| self.keys.iter().any(|taken| taken == key);
        let top = gathered && TOP.contains(&name) && !is_taken(self.form.schema.key(name));
        let key = if top {
            self.form.schema.key(name).to_owned()
        } else {
            self.form.named(name, Of::Line, is_taken).key
        };
        let encoded = encoded_key(&key);
        self.keys.push(key);
        (layout != Layout::Free && !top, encoded)
    }

    fn part(&mut self, inner: bool) -> &mut Vec<u8> {
        if inner {
            &mut self.inner
        } else {
            &mut self.top
        }
    }

    fn room(&self) -> usize {
        self.limit.saturating_sub(self.top.len() + self.inner.len())
    }

    fn add(&mut self, inner: bool, key: &[u8], value: &Value<'_>, most: usize) {
        let room = self.room().saturating_sub(key.len());
        if room < LEAST_VALUE {
            return self.cut.note(key);
        }
        let most = most.min(room - 2);
        let out = self.part(inner);
        out.extend_from_slice(key);
        if !value.write(out, most) {
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
    use tracing_core::Level;

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
