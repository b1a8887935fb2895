//! Decides once what follows from a layer's options: encoded keys, fixed fields, kept room.

use crate::cut::CUT_BYTES;
use crate::form::{DICTIONARY, FIELD_BYTES, Form, Spans};
use crate::heritage::{Bounds, IdKeys};
use crate::key::encoded_key;
use crate::naming::Outputs;
use crate::schema::Layout;
use crate::timestamp::Timestamp;
use crate::value::Value;

/// The values of the three ids, quoted: 32, 16 and 16 digits.
const ID_VALUES: usize = 34 + 18 + 18;

/// What closes a line: `}` of an inner object, `}` of the line, its newline.
const CLOSING: usize = 3;

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
    /// Encoded keys of the objects of an event's fields and of the facts of a request.
    pub(crate) nest: Box<[u8]>,
    pub(crate) request: Box<[u8]>,
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

impl Form {
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
        let object = |key: Option<&str>| encoded_key(key.unwrap_or_default()).into_boxed_slice();
        let (nest, request) = (object(self.nest()), object(schema.request));
        let holders = self.holders();
        let whole = self.whole();
        let settled = &mut self.settled;
        (settled.nest, settled.request) = (nest, request);
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

    /// Encoded keys of fixed fields that a suffixed key could hit.
    fn suffixed(&self) -> Vec<Vec<u8>> {
        let fixed = self.settled.fixed.iter();
        let keys = fixed.filter(|fixed| fixed.within.is_none() && fixed.key.ends_with('_'));
        keys.map(|fixed| encoded_key(&fixed.key)).collect()
    }
}
