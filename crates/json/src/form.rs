//! What every line of a layer has in common: schema, fixed fields, limits, redaction, the clock.

use crate::cut::CUT_BYTES;
use crate::escape::escape_until;
use crate::fold::Folder;
use crate::heritage::{Bounds, IdKeys};
use crate::key::encoded_key;
use crate::naming::Outputs;
use crate::redact::Redact;
use crate::sample::Sample;
use crate::schema::{Layout, Schema};
use crate::style::{Clash, SpanStyle};
use crate::timestamp::Timestamp;
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

/// The values of the three ids, quoted: 32, 16 and 16 digits.
const ID_VALUES: usize = 34 + 18 + 18;

/// What closes a line: `}` of an inner object, `}` of the line, its newline.
const CLOSING: usize = 3;

/// The dictionary's fixed fields, first and in this order.
const DICTIONARY: [&str; 4] = ["service", "version", "env", "host"];

#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) schema: Schema,
    /// As they were given. See [`Settled::fixed`].
    given: Vec<(String, Value<'static>)>,
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

/// What is decided once from a form's options. See [`Form::settle`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Settled {
    pub(crate) fixed: Vec<Fixed>,
    /// `{"timestamp":"`
    pub(crate) open: Box<[u8]>,
    pub(crate) timestamp: Timestamp,
    /// Encoded keys of the line's own fields.
    pub(crate) message: Box<[u8]>,
    pub(crate) truncated: Box<[u8]>,
    pub(crate) span: Box<[u8]>,
    /// Room kept while inherited fields are written: `truncated` and what closes the line.
    pub(crate) closing: usize,
    /// Room kept while an event's fields are written: ids, `,"message":""`, an object's end.
    pub(crate) kept: usize,
    pub(crate) bounds: Bounds,
    /// Escaped keys of the objects and lists that hold the fields of events and spans.
    pub(crate) holders: Vec<Box<[u8]>>,
    pub(crate) outputs: Outputs,
    /// Keys that keep their dots where others nest, each as it is encoded.
    pub(crate) whole: Vec<Box<[u8]>>,
}

/// A field that is on each line.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    /// In the dictionary's words.
    pub(crate) field: String,
    pub(crate) within: Option<&'static str>,
    pub(crate) key: String,
    pub(crate) json: Vec<u8>,
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

    /// Decides what follows from the options; to be called when one of them has changed.
    pub(crate) fn settle(&mut self) {
        self.settled.outputs = Outputs::of(&self.schema);
        self.settled.fixed = self.fixed();
        let schema = &self.schema;
        let key = |field| encoded_key(schema.key(field)).into_boxed_slice();
        let ids = IdKeys {
            span: key("span_id"),
            parent: key("parent_span_id"),
            made: schema.layout != Layout::Subscriber,
        };
        let id_keys = key("trace_id").len() + ids.span.len() + ids.parent.len();
        let id_bytes = id_keys + ID_VALUES + encoded_key(&schema.trace_prefix).len();
        let (message, truncated, span) = (key("message"), key("truncated"), key("span"));
        let timestamp = schema.timestamp;
        let mut open = encoded_key(schema.key("timestamp"));
        open[0] = b'{';
        open.extend_from_slice(timestamp.before().as_bytes());
        let closing = CUT_BYTES + truncated.len() + CLOSING;
        let bounds = Bounds {
            max: self.line_bytes(),
            clash: self.clash,
            ids_only: matches!(self.spans(), Spans::List | Spans::Subscriber),
            ids,
            taken: self.suffixed(),
            flat_error: schema.error.is_flat().then(|| key("error")),
        };
        let holders = self.holders();
        let whole = self.whole();
        let settled = &mut self.settled;
        settled.holders = holders;
        settled.whole = whole;
        settled.open = open.into();
        settled.timestamp = timestamp;
        settled.kept = id_bytes + message.len() + 2 + closing;
        settled.closing = closing;
        (settled.message, settled.truncated, settled.span) = (message, truncated, span);
        settled.bounds = bounds;
    }

    /// The fixed fields under keys that nothing else of a line has.
    fn fixed(&self) -> Vec<Fixed> {
        let mut all: Vec<Fixed> = Vec::new();
        for (name, value) in &self.given {
            let within = self.fixed_within(name);
            let named = self.named_fixed(name, within, |key| {
                all.iter().any(|f| f.within == within && f.key == key)
            });
            let mut json = Vec::new();
            let quoted = within.is_some() && self.schema.text_within;
            if quoted && !matches!(value, Value::Text(_)) {
                json.push(b'"');
            }
            value.write(&mut json, FIELD_BYTES);
            if quoted && !matches!(value, Value::Text(_)) {
                json.push(b'"');
            }
            let (field, key) = (named.field, named.key);
            all.push(Fixed {
                field,
                within,
                key,
                json,
            });
        }
        all
    }

    /// The object that a fixed field stands in.
    fn fixed_within(&self, name: &str) -> Option<&'static str> {
        match self.schema.place(name) {
            Some(place) if DICTIONARY.contains(&name) => place.within,
            _ => self.schema.fixed_within,
        }
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

    fn holders(&self) -> Vec<Box<[u8]>> {
        let spans: &[&str] = match self.spans() {
            Spans::Flat | Spans::Gathered(_) => &[],
            Spans::Object => &["span"],
            Spans::List => &["spans"],
            Spans::Subscriber => &["span", "spans"],
        };
        let keys = spans.iter().map(|field| self.spans_key(field));
        let keys = keys.chain(self.nest().map(encoded_key));
        keys.map(|key| key[2..key.len() - 2].into()).collect()
    }

    /// A schema's own keys; where its reader takes dots for objects, only the one that must not nest.
    fn whole(&self) -> Vec<Box<[u8]>> {
        let keys: Vec<&str> = if self.schema.dots_nest {
            vec![self.schema.key("level")]
        } else {
            self.settled.outputs.keys().collect()
        };
        let keys = keys.into_iter().filter(|key| key.contains('.'));
        keys.map(encoded_key)
            .map(|key| key[2..key.len() - 2].into())
            .collect()
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

    /// Encoded keys of fixed fields that a suffixed key could hit.
    fn suffixed(&self) -> Vec<Vec<u8>> {
        let fixed = self.settled.fixed.iter();
        let keys = fixed.filter(|fixed| fixed.within.is_none() && fixed.key.ends_with('_'));
        keys.map(|fixed| encoded_key(&fixed.key)).collect()
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
