//! What every line of a layer has in common: fixed fields, limits, redaction, the clock.

use crate::escape::escape_until;
use crate::key::encoded_key;
use crate::redact::Redact;
use crate::sample::Sample;
use crate::style::{Clash, SpanStyle};
use crate::value::Value;
use std::time::{Instant, SystemTime};

/// Docker and containerd split a line at 16 KiB, and then it is no JSON any more.
pub(crate) const LINE_BYTES: usize = 16 * 1024;

/// Half a line, so that one value cannot take it all.
pub(crate) const FIELD_BYTES: usize = LINE_BYTES / 2;

/// Room that a line has at least beside the fixed fields, so that envelope and ids always fit.
const LEAST_LINE_BYTES: usize = 2 * 1024;

/// Positions are kept as `u32`.
const MOST_LINE_BYTES: usize = 1 << 30;

/// Bytes of a target or file name; a name from a `log` record is made at run time.
const NAME_BYTES: usize = 256;

/// Keys that a line's own part always has. A field of that name gets a `_` behind it.
const ENVELOPE: [&str; 5] = ["timestamp", "level", "target", "message", "truncated"];

/// The dictionary's fixed fields, first and in this order.
const DICTIONARY: [&str; 4] = ["service", "version", "env", "host"];

#[derive(Clone, Debug)]
pub(crate) struct Form {
    fixed: Vec<(String, Vec<u8>)>,
    pub(crate) file_and_line: bool,
    pub(crate) error_backtrace: bool,
    pub(crate) redact: Redact,
    pub(crate) sample: Option<Sample>,
    pub(crate) max_line: usize,
    pub(crate) max_field: usize,
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) monotonic_clock: fn() -> Instant,
    pub(crate) spans: SpanStyle,
    pub(crate) span_name: bool,
    pub(crate) span_close: bool,
    pub(crate) clash: Clash,
}

impl Default for Form {
    fn default() -> Self {
        Form {
            fixed: Vec::new(),
            file_and_line: false,
            error_backtrace: false,
            redact: Redact::none(),
            sample: None,
            max_line: LINE_BYTES,
            max_field: FIELD_BYTES,
            clock: SystemTime::now,
            monotonic_clock: Instant::now,
            spans: SpanStyle::Flat,
            span_name: false,
            span_close: false,
            clash: Clash::Hide,
        }
    }
}

impl Form {
    /// Sets a fixed field; the same key again replaces it.
    pub(crate) fn fix(&mut self, key: &str, value: &Value<'_>) {
        let key = free_key(key, |key| ENVELOPE.contains(&key));
        let mut bytes = Vec::new();
        value.write(&mut bytes, FIELD_BYTES);
        match self.fixed.iter_mut().find(|(fixed, _)| *fixed == key) {
            Some((_, value)) => *value = bytes,
            None => self.fixed.push((key, bytes)),
        }
        self.fixed.sort_by_key(|(key, _)| {
            DICTIONARY
                .iter()
                .position(|known| known == key)
                .unwrap_or(DICTIONARY.len())
        });
    }

    /// True for a key that the line's own part has at the top.
    pub(crate) fn reserved(&self, key: &str) -> bool {
        ENVELOPE.contains(&key)
            || (self.file_and_line && (key == "file" || key == "line"))
            || (self.spans == SpanStyle::Object && key == "span")
            || (self.spans == SpanStyle::List && key == "spans")
            || (self.clash == Clash::Nest && key == "fields")
            || self.fixed.iter().any(|(fixed, _)| fixed == key)
    }

    /// True for a key that an event's field cannot have.
    pub(crate) fn reserved_in_event(&self, key: &str) -> bool {
        self.clash != Clash::Nest && self.reserved(key)
    }

    /// True for a key that a span's field cannot have.
    pub(crate) fn reserved_in_span(&self, key: &str) -> bool {
        match self.spans {
            SpanStyle::Flat => {
                self.reserved(key)
                    || (self.names_span() && key == "span")
                    || (self.span_close && (key == "duration_ms" || key == "busy_ms"))
            }
            SpanStyle::Object | SpanStyle::List => key == "name",
        }
    }

    /// True if the innermost span's name stands at the top of each line.
    pub(crate) fn names_span(&self) -> bool {
        self.spans == SpanStyle::Flat && (self.span_name || self.span_close)
    }

    /// Appends level and fixed fields: `,"level":"INFO","service":"shop"`.
    pub(crate) fn write_head(&self, out: &mut Vec<u8>, level: &str) {
        out.extend_from_slice(b",\"level\":\"");
        out.extend_from_slice(level.as_bytes());
        out.push(b'"');
        for (key, value) in &self.fixed {
            out.extend_from_slice(&encoded_key(key));
            out.extend_from_slice(value);
        }
    }

    /// Appends where an event came from: target, and file and line if wanted.
    pub(crate) fn write_origin(
        &self,
        out: &mut Vec<u8>,
        target: &str,
        file: Option<&str>,
        line: Option<u64>,
    ) {
        out.extend_from_slice(b",\"target\":\"");
        write_name(out, target);
        out.push(b'"');
        if !self.file_and_line {
            return;
        }
        if let Some(file) = file {
            out.extend_from_slice(b",\"file\":\"");
            write_name(out, file);
            out.push(b'"');
        }
        if let Some(line) = line {
            out.extend_from_slice(b",\"line\":");
            out.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
        }
    }

    /// The longest line in bytes, its newline included.
    pub(crate) fn line_bytes(&self) -> usize {
        let fixed: usize = self
            .fixed
            .iter()
            .map(|(k, v)| encoded_key(k).len() + v.len())
            .sum();
        self.max_line
            .clamp(LEAST_LINE_BYTES + fixed, MOST_LINE_BYTES + fixed)
    }
}

/// `key`, with as many `_` behind it as it takes not to be `taken`.
pub(crate) fn free_key(key: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut key = key.to_owned();
    while taken(&key) {
        key.push('_');
    }
    key
}

pub(crate) fn write_name(out: &mut Vec<u8>, name: &str) {
    let end = out.len() + NAME_BYTES;
    escape_until(out, name, end);
}
