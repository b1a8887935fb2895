//! Decides under which key a field is written, so that no two fields of one object have the same.

use crate::form::{Form, Spans, free_key};
use crate::heritage::ids;
use crate::schema::{Layout, Place, Schema};
use crate::schema_rules::RECORD;
use crate::settled::Fixed;
use crate::style::Clash;

/// Keys that a line's own part always has. A field of that name gets a `_` behind it.
const ENVELOPE: [&str; 5] = ["timestamp", "level", "target", "message", "truncated"];

/// Fields of the line's own, which keep their name where they stand in an object of fields.
pub(crate) const OWN: [&str; 16] = [
    "timestamp",
    "level",
    "target",
    "message",
    "truncated",
    "file",
    "line",
    "service",
    "version",
    "env",
    "host",
    "span",
    "spans",
    "fields",
    "span_id",
    "parent_span_id",
];

/// Whose field it is, and so where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    Event,
    /// An event about a request.
    Request,
    Span,
    /// A line without an event, whose fields never nest under the layer's options.
    Line,
}

/// Which object a field stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The line itself.
    Top,
    /// An object of the event's fields.
    Nest,
    /// A span's object.
    Span,
    /// The object in which all fields are gathered.
    Gathered(&'static str),
    /// An object of `tracing_subscriber`'s.
    Subscriber,
}

/// The keys that a schema gives away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    top: Vec<String>,
    /// In objects of fields.
    inner: Vec<String>,
}

impl Outputs {
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.top.iter().chain(&self.inner).map(String::as_str)
    }

    pub(crate) fn of(schema: &Schema) -> Self {
        let mut outputs = Outputs::default();
        for (field, place) in &schema.places {
            let record = RECORD.contains(&field.as_str());
            match (place.within, schema.layout) {
                (None, Layout::Gathered(_)) if !record => outputs.inner.push(place.key.clone()),
                (None, _) => {
                    outputs.top.push(place.key.clone());
                    if !OWN.contains(&field.as_str()) {
                        outputs.inner.push(place.key.clone());
                    }
                }
                (Some(object), Layout::Gathered(all)) if object == all => {
                    outputs.inner.push(place.key.clone());
                }
                (Some(object), _) => outputs.top.push(object.to_owned()),
            }
        }
        let constants = schema.constants.iter().map(|(key, _)| *key);
        let top = constants
            .chain(schema.severity_number)
            .chain(schema.request)
            .chain(schema.fixed_within);
        outputs.top.extend(top.map(str::to_owned));
        for list in [&mut outputs.top, &mut outputs.inner] {
            list.extend(schema.reserved.iter().map(|&key| key.to_owned()));
            if schema.dots_nest {
                let roots: Vec<String> = list.iter().flat_map(|key| roots(key)).collect();
                list.extend(roots);
            }
        }
        outputs
    }
}

/// `http.request` and `http` of `http.request.method`.
fn roots(key: &str) -> impl Iterator<Item = String> + '_ {
    key.match_indices('.').map(|(at, _)| key[..at].to_owned())
}

/// The key of a field of an event or a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// In the dictionary's words, perhaps with `_` behind.
    pub(crate) field: String,
    pub(crate) key: String,
}

impl Form {
    /// The key for a field called `name` that no other field, as `taken` knows them, has.
    pub(crate) fn named(&self, name: &str, of: Of, taken: impl Fn(&str) -> bool) -> Named {
        let scope = self.scope(of);
        let field = free_key(name, |field| {
            self.own_in(scope, of, field)
                || self.given_away(scope, of, field)
                || taken(&self.key_in(scope, of, field))
        });
        let key = self.key_in(scope, of, &field);
        Named { field, key }
    }

    /// The key of a fixed field in the object `within`.
    pub(crate) fn named_fixed(
        &self,
        name: &str,
        within: Option<&str>,
        taken: impl Fn(&str) -> bool,
    ) -> Named {
        let top = within.is_none();
        let placed = |field: &str| self.schema.place(field).filter(|p| p.within == within);
        let key = |field: &str| placed(field).map_or_else(|| self.plain(field), |p| p.key.clone());
        let field = free_key(name, |field| {
            let given_away = || {
                let of_others = self.schema.places.iter().any(|(other, place)| {
                    other != field && place.within == within && place.key == key(field)
                });
                of_others || (top && self.settled.outputs.top.contains(&key(field)))
            };
            (top && (self.own(field) || self.own(&self.plain(field))))
                || (placed(field).is_none() && given_away())
                || taken(&key(field))
        });
        let key = key(&field);
        Named { field, key }
    }

    /// True for a name that a line has of its own at the top, beside fixed fields.
    fn own(&self, field: &str) -> bool {
        let spans = self.spans();
        ENVELOPE.contains(&field)
            || ids(field).is_some()
            || match field {
                "file" | "line" => self.file_and_line,
                "duration_ms" | "busy_ms" => self.span_close,
                "span" => self.names_span() || matches!(spans, Spans::Object | Spans::Subscriber),
                "spans" => matches!(spans, Spans::List | Spans::Subscriber),
                "fields" => self.nest().is_some(),
                _ => self.nest() == Some(field),
            }
    }

    fn scope(&self, of: Of) -> Scope {
        match (self.schema.layout, of) {
            (Layout::Gathered(object), _) => Scope::Gathered(object),
            (Layout::Subscriber, _) => Scope::Subscriber,
            (Layout::Free, Of::Event | Of::Request) if self.clash == Clash::Nest => Scope::Nest,
            (Layout::Free, Of::Event | Of::Request | Of::Line) => Scope::Top,
            (Layout::Free, Of::Span) if self.spans() == Spans::Flat => Scope::Top,
            (Layout::Free, Of::Span) => Scope::Span,
        }
    }

    /// True for a name that the line's own part has in this object.
    fn own_in(&self, scope: Scope, of: Of, field: &str) -> bool {
        let of_file = self.file_and_line && (field == "file" || field == "line");
        let of_close = || self.span_close && (field == "duration_ms" || field == "busy_ms");
        let of_span = || of == Of::Span && ((self.names_span() && field == "span") || of_close());
        match scope {
            Scope::Top => self.reserved(of, field) || of_span(),
            Scope::Nest => false,
            Scope::Span => field == "name",
            Scope::Gathered(_) => field == "truncated" || of_file || of_span(),
            Scope::Subscriber => of == Of::Span && field == "name",
        }
    }

    /// True for a key that the line's own part has at the top.
    fn reserved(&self, of: Of, field: &str) -> bool {
        let key = || self.key_in(Scope::Top, of, field);
        let fixed = |f: &Fixed| f.field == field || (f.within.is_none() && f.key == key());
        ENVELOPE.contains(&field)
            || (self.file_and_line && (field == "file" || field == "line"))
            || (self.spans() == Spans::Object && field == "span")
            || (self.spans() == Spans::List && field == "spans")
            || (self.clash == Clash::Nest && field == "fields")
            || self.settled.fixed.iter().any(fixed)
    }

    /// True for a name that the schema uses as the key of another field.
    fn given_away(&self, scope: Scope, of: Of, field: &str) -> bool {
        if scope == Scope::Subscriber || self.placed(scope, of, field).is_some() {
            return false;
        }
        let key = self.plain(field);
        let outputs = &self.settled.outputs;
        let list = match scope {
            Scope::Top => &outputs.top,
            Scope::Nest | Scope::Span | Scope::Gathered(_) | Scope::Subscriber => &outputs.inner,
        };
        // A name that only becomes one of the line's own by what is taken out of it.
        let turned = key != field && (OWN.contains(&key.as_str()) || ids(&key).is_some());
        turned || list.contains(&key)
    }

    fn key_in(&self, scope: Scope, of: Of, field: &str) -> String {
        match (scope, self.placed(scope, of, field)) {
            (Scope::Subscriber, _) => field.to_owned(),
            (_, Some(place)) => place.key.clone(),
            (_, None) => self.plain(field),
        }
    }

    /// The place that a schema gives a field in this object.
    fn placed(&self, scope: Scope, of: Of, field: &str) -> Option<&Place> {
        let place = self.schema.place(field)?;
        if place.of_request && of != Of::Request {
            return None;
        }
        let here = match scope {
            Scope::Top => place.within.is_none(),
            Scope::Nest => place.within.is_none() && !OWN.contains(&field) && field != "trace_id",
            // Ids are taken out of a span's object.
            Scope::Span => {
                place.within.is_none()
                    && (!OWN.contains(&field) || ids(field).is_some())
                    && place.key != "name"
            }
            Scope::Gathered(object) => match place.within {
                None => !RECORD.contains(&field) || ids(field).is_some(),
                Some(within) => within == object,
            },
            Scope::Subscriber => false,
        };
        here.then_some(place)
    }

    /// A key as it is, or as a label's name.
    fn plain(&self, field: &str) -> String {
        if !self.schema.labels {
            return field.to_owned();
        }
        let label = |c: char| if c.is_alphanumeric() { c } else { '_' };
        let digit = field.starts_with(char::is_numeric);
        let before = if digit || field.is_empty() { "_" } else { "" };
        before.chars().chain(field.chars().map(label)).collect()
    }
}
