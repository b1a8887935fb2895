//! What every line of a layer has in common: schema, fixed fields, limits, redaction, the clock.

use crate::escape::escape_until;
use crate::fold::Folder;
use crate::key::encoded_key;
use crate::redact::Redact;
use crate::sample::Sample;
use crate::schema::{Layout, Schema};
use crate::settled::{Fixed, Settled};
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
pub(crate) const NAME_BYTES: usize = 256;

/// The dictionary's fixed fields, first and in this order.
pub(crate) const DICTIONARY: [&str; 4] = ["service", "version", "env", "host"];

#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) schema: Schema,
    /// As they were given. See [`Settled::fixed`].
    pub(crate) given: Vec<(String, Value<'static>)>,
    pub(crate) file_and_line: bool,
    pub(crate) error_backtrace: bool,
    pub(crate) redact: Redact,
    pub(crate) sample: Option<Sample>,
    pub(crate) nest_dots: bool,
    pub(crate) max_line: usize,
    pub(crate) max_field: usize,
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) monotonic_clock: fn() -> Instant,
    pub(crate) spans: SpanStyle,
    pub(crate) span_name: bool,
    pub(crate) span_close: bool,
    pub(crate) clash: Clash,
    /// What follows from the rest.
    pub(crate) settled: Settled,
}

/// Where the fields of spans stand, the schema considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spans {
    Flat,
    Object,
    List,
    Gathered(&'static str),
    Subscriber,
}

impl Default for Form {
    fn default() -> Self {
        let mut form = Form {
            schema: Schema::default(),
            given: Vec::new(),
            file_and_line: false,
            error_backtrace: false,
            redact: Redact::none(),
            sample: None,
            nest_dots: false,
            max_line: LINE_BYTES,
            max_field: FIELD_BYTES,
            clock: SystemTime::now,
            monotonic_clock: Instant::now,
            spans: SpanStyle::Flat,
            span_name: false,
            span_close: false,
            clash: Clash::Hide,
            settled: Settled::default(),
        };
        form.settle();
        form
    }
}

impl Form {
    /// Sets a fixed field; the same key again replaces it.
    pub(crate) fn fix(&mut self, key: &str, value: Value<'static>) {
        match self.given.iter_mut().find(|(given, _)| given == key) {
            Some((_, old)) => *old = value,
            None => self.given.push((key.to_owned(), value)),
        }
        let place = |key: &str| DICTIONARY.iter().position(|known| *known == key);
        self.given
            .sort_by_key(|(key, _)| place(key).unwrap_or(DICTIONARY.len()));
        self.settle();
    }

    pub(crate) fn spans(&self) -> Spans {
        match (self.schema.layout, self.spans) {
            (Layout::Gathered(object), _) => Spans::Gathered(object),
            (Layout::Subscriber, _) => Spans::Subscriber,
            (Layout::Free, SpanStyle::Flat) => Spans::Flat,
            (Layout::Free, SpanStyle::Object) => Spans::Object,
            (Layout::Free, SpanStyle::List) => Spans::List,
        }
    }

    /// The object that an event's fields stand in, if not at the top.
    pub(crate) fn nest(&self) -> Option<&str> {
        match self.schema.layout {
            Layout::Gathered(object) => Some(object),
            Layout::Subscriber => Some(self.schema.key("fields")),
            Layout::Free => (self.clash == Clash::Nest).then(|| self.schema.key("fields")),
        }
    }

    /// True if the innermost span's name is one of the fields.
    pub(crate) fn names_span(&self) -> bool {
        matches!(self.spans(), Spans::Flat | Spans::Gathered(_))
            && (self.span_name || self.span_close)
    }

    /// The key of the object or the list of spans, `,"span":`. A schema's `span.name` stands in the
    /// object `span`.
    pub(crate) fn spans_key(&self, field: &str) -> Vec<u8> {
        let key = self.schema.key(field);
        let whole = if self.schema.dots_nest {
            key.split('.').next().unwrap_or(key)
        } else {
            key
        };
        encoded_key(whole)
    }

    /// A line that stands alone, its keys as they are wanted.
    pub(crate) fn folded(&self, line: Vec<u8>) -> Vec<u8> {
        let mut folder = Folder::default();
        let folded = self.nest_dots.then(|| folder.fold(&line, self)).flatten();
        folded.map(<[u8]>::to_vec).unwrap_or(line)
    }

    /// The longest line in bytes, its newline included.
    pub(crate) fn line_bytes(&self) -> usize {
        let keys = |f: &Fixed| encoded_key(&f.key).len() + f.within.map_or(0, |w| w.len() + 5);
        let fixed = self.settled.fixed.iter();
        let fixed: usize = fixed.map(|f| keys(f) + f.json.len()).sum();
        let least = LEAST_LINE_BYTES + self.schema.more_bytes() + fixed;
        self.max_line.clamp(least, MOST_LINE_BYTES + fixed)
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
