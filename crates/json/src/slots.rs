//! Gives each field of a callsite its key, its part of the line and its shape.

use crate::form::Form;
use crate::heritage::ids;
use crate::key::Key;
use crate::naming::{Named, Of};
use crate::part;
use crate::plan::{Shape, Slot};
use crate::schema::Layout;
use tracing_core::Metadata;

/// Gives the fields of one callsite their keys, one after the other.
pub(crate) struct Slots<'a> {
    form: &'a Form,
    of: Of,
    /// The callsite's fields hold the facts of a request, and the schema has an object for them.
    pub(crate) request: bool,
    pub(crate) message: Option<u32>,
    /// The keys given so far, each with the object that it stands in.
    taken: Vec<(Object, String)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Object {
    Top,
    Inner,
    Request,
}

impl<'a> Slots<'a> {
    pub(crate) fn new(metadata: &Metadata<'_>, form: &'a Form) -> Self {
        let has = |name: &&str| metadata.fields().iter().any(|field| field.name() == *name);
        let of = match metadata.is_event() {
            true if ABOUT_REQUEST.iter().all(has) => Of::Request,
            true => Of::Event,
            false => Of::Span,
        };
        Slots {
            form,
            of,
            request: of == Of::Request && form.schema.request.is_some() && has(&"path"),
            message: None,
            taken: Vec::new(),
        }
    }

    pub(crate) fn slot(&mut self, index: usize, name: &str) -> Slot {
        self.message(index, name)
            .or_else(|| self.fact(name))
            .or_else(|| self.top(name))
            .unwrap_or_else(|| self.other(name))
    }

    fn message(&mut self, index: usize, name: &str) -> Option<Slot> {
        if self.of == Of::Span || self.message.is_some() || name != "message" {
            return None;
        }
        self.message = Some(index as u32);
        let (key, shape) = match self.form.schema.layout {
            Layout::Subscriber => (name, Shape::Bare),
            Layout::Free | Layout::Gathered(_) => (self.form.schema.key(name), Shape::Text),
        };
        self.take(Object::Top, key);
        self.take(Object::Inner, key);
        Some(Slot::new(Key::new(key, None), part::MESSAGE, shape))
    }

    fn fact(&mut self, name: &str) -> Option<Slot> {
        let fact = REQUEST.iter().find(|(field, ..)| *field == name)?;
        let (_, key, shape) = *fact;
        if !self.request || self.is_taken(Object::Request, key) {
            return None;
        }
        self.take(Object::Request, key);
        Some(Slot::new(Key::new(key, None), part::REQUEST, shape))
    }

    /// An event's own ids and its name, which stay outside where fields are gathered.
    fn top(&mut self, name: &str) -> Option<Slot> {
        let gathered = matches!(self.form.schema.layout, Layout::Gathered(_));
        if !gathered || self.of == Of::Span || !TOP.contains(&name) {
            return None;
        }
        let key = self.form.schema.key(name);
        if self.is_taken(Object::Top, key) {
            return None;
        }
        self.take(Object::Top, key);
        self.take(Object::Inner, key);
        let shape = self.shape(name);
        Some(Slot::new(Key::new(key, ids(name)), part::ID, shape))
    }

    fn other(&mut self, name: &str) -> Slot {
        let nested = self.of != Of::Span && self.form.nest().is_some();
        let object = if nested { Object::Inner } else { Object::Top };
        let Named { field, key } = self
            .form
            .named(name, self.of, |key| self.is_taken(object, key));
        self.take(object, &key);
        let id = match self.form.schema.layout {
            Layout::Subscriber => None,
            Layout::Free | Layout::Gathered(_) => ids(&field),
        };
        Slot::new(Key::new(&key, id), part::REST, self.shape(&field))
    }

    fn shape(&self, field: &str) -> Shape {
        match field {
            _ if self.form.schema.layout == Layout::Subscriber => Shape::Bare,
            "trace_id" if !self.form.schema.trace_prefix.is_empty() => Shape::Prefixed,
            _ => Shape::of(field),
        }
    }

    fn is_taken(&self, object: Object, key: &str) -> bool {
        self.taken.iter().any(|(o, k)| *o == object && k == key)
    }

    fn take(&mut self, object: Object, key: &str) {
        self.taken.push((object, key.to_owned()));
    }
}

impl Shape {
    /// What a field of the dictionary is written as.
    pub(crate) fn of(field: &str) -> Self {
        match field {
            "error" => Shape::Error,
            _ if TEXTS.contains(&field) => Shape::Text,
            _ => Shape::Plain,
        }
    }
}

impl Slot {
    fn new(key: Key, part: u8, shape: Shape) -> Self {
        Slot {
            key,
            part,
            shape,
            treatment: None,
            quotes: false,
        }
    }
}

/// What an event may have outside of the object of gathered fields.
pub(crate) const TOP: [&str; 3] = ["trace_id", "span_id", "event"];

/// The fields of the dictionary that are strings.
const TEXTS: [&str; 12] = [
    "message",
    "event",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "user_id",
    "url",
    "method",
    "route",
    "path",
    "outcome",
];

/// The facts of a request, as Cloud Logging's `HttpRequest` names them.
const REQUEST: [(&str, &str, Shape); 7] = [
    ("method", "requestMethod", Shape::Text),
    ("path", "requestUrl", Shape::Text),
    ("status", "status", Shape::Plain),
    ("latency_ms", "latency", Shape::Duration),
    ("bytes_in", "requestSize", Shape::Text),
    ("bytes_out", "responseSize", Shape::Text),
    ("client_address", "remoteIp", Shape::Text),
];

/// An event with these two is about a request.
const ABOUT_REQUEST: [&str; 2] = ["method", "status"];
