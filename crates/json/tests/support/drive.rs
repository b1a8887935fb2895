//! Turns bytes into options, spans and events, and checks each line that comes of them.

use super::{Sink, callsite, rules};
use dogwatch_json::{Clash, ErrorValue, JsonLayer, Redact, Sample, Schema, SpanStyle, Treatment};
use serde_json::Map;
use std::fmt;
use tracing::Span;
use tracing::field::{Value, debug, display};
use tracing_subscriber::prelude::*;

/// The bytes, read from the front; zeros behind their end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn text(&mut self) -> String {
        let length = self.byte();
        let text = String::from_utf8_lossy(self.take(usize::from(length & 0x3f))).into_owned();
        // Some are longer than a budget.
        if length & 0xc0 == 0xc0 {
            text.repeat(400)
        } else {
            text
        }
    }

    fn number(&mut self) -> u64 {
        self.take(8)
            .iter()
            .fold(0, |number, &b| number << 8 | u64::from(b))
    }
}

/// A value whose `Display` does what the bytes say.
struct Shown {
    parts: Vec<String>,
    end: u8,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| f.write_str(part))?;
        match self.end % 4 {
            0 => Err(fmt::Error),
            // Past the panic hook, which a fuzzer takes for a finding.
            1 => std::panic::resume_unwind(Box::new(())),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // A ring, unless it ends at once.
        (self.end & 8 != 0).then_some(self)
    }
}

/// An error with its type, as a value that the layer asks.
struct Failed(Shown);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.parts.first().map_or("", String::as_str);
        ErrorValue::of(&self.0).type_name(name).fmt(f)
    }
}

/// A value of any depth whose parts do what the bytes say.
#[cfg(feature = "serde")]
enum Tree {
    Text(Shown),
    Number(f64),
    List(Vec<Tree>),
    /// Its keys may come twice, or without a value.
    Object(Vec<(String, Option<Tree>)>),
    Fails,
    Panics,
}

#[cfg(feature = "serde")]
fn tree(bytes: &mut Bytes<'_>, depth: u32) -> Tree {
    let kind = bytes.byte();
    let items = if depth < 40 { kind >> 4 } else { 0 };
    match kind % 8 {
        0 | 1 => Tree::List((0..items).map(|_| tree(bytes, depth + 1)).collect()),
        2 | 3 => {
            let field = |_| {
                (
                    bytes.text(),
                    (kind & 8 == 0).then(|| tree(bytes, depth + 1)),
                )
            };
            Tree::Object((0..items).map(field).collect())
        }
        4 => Tree::Number(f64::from_bits(bytes.number())),
        5 => Tree::Fails,
        6 => Tree::Panics,
        _ => Tree::Text(Shown {
            parts: vec![bytes.text()],
            end: bytes.byte(),
        }),
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Tree {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error as _, SerializeMap};
        match self {
            Tree::Text(shown) => serializer.collect_str(shown),
            Tree::Number(number) => number.serialize(serializer),
            Tree::List(items) => items.serialize(serializer),
            Tree::Fails => Err(S::Error::custom("as the bytes say")),
            Tree::Panics => std::panic::resume_unwind(Box::new(())),
            Tree::Object(fields) => {
                let mut map = serializer.serialize_map(None)?;
                for (key, value) in fields {
                    map.serialize_key(key)?;
                    if let Some(value) = value {
                        map.serialize_value(value)?;
                    }
                }
                map.end()
            }
        }
    }
}

#[cfg(feature = "serde")]
struct Nested(Tree);

#[cfg(feature = "serde")]
impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        dogwatch_json::json(&self.0).fmt(f)
    }
}

/// The names that mean something to a line, and one that does not.
const NAMES: [&str; 16] = [
    "message",
    "level",
    "timestamp",
    "target",
    "service",
    "truncated",
    "error",
    "trace_id",
    "span_id",
    "parent_span_id",
    "span",
    "fields",
    "password",
    "duration_ms",
    "a",
    "r#type",
];

/// A field's name and its value, if it has one.
fn field(bytes: &mut Bytes<'_>) -> (String, Option<Box<dyn Value>>) {
    let kind = bytes.byte();
    let name = match NAMES.get(usize::from(kind >> 4)) {
        Some(name) if kind & 8 == 0 => (*name).to_owned(),
        // Names that meet each other's beginnings when dots nest.
        _ if kind >> 6 == 3 => {
            ["a.b", "a.b.c", "a..b", "span.a"][usize::from(kind >> 4) & 3].to_owned()
        }
        _ => bytes.text(),
    };
    let value: Option<Box<dyn Value>> = match kind & 7 {
        0 => None,
        1 => Some(Box::new(bytes.text())),
        2 => Some(Box::new(bytes.number())),
        3 => Some(Box::new(f64::from_bits(bytes.number()))),
        4 => Some(Box::new(i128::from(bytes.number()) << 40)),
        5 => Some(Box::new(bytes.byte() & 1 == 0)),
        kind => {
            let parts = (0..bytes.byte() % 4).map(|_| bytes.text()).collect();
            let shown = Shown {
                parts,
                end: bytes.byte(),
            };
            match (kind, shown.end & 16) {
                (7, 0) if shown.end & 32 != 0 => Some(Box::new(debug(Failed(shown)))),
                #[cfg(feature = "serde")]
                (7, _) if shown.end & 32 != 0 => Some(Box::new(debug(Nested(tree(bytes, 0))))),
                (6, 0) => Some(Box::new(
                    Box::new(shown) as Box<dyn std::error::Error + 'static>
                )),
                (6, _) => Some(Box::new(display(shown))),
                _ => Some(Box::new(debug(shown))),
            }
        }
    };
    (name, value)
}

fn with_fields(bytes: &mut Bytes<'_>, then: impl FnOnce(&[(String, Option<&dyn Value>)])) {
    let held: Vec<_> = (0..bytes.byte() % 12).map(|_| field(bytes)).collect();
    let fields: Vec<_> = held
        .iter()
        .map(|(name, value)| (name.clone(), value.as_deref()))
        .collect();
    then(&fields);
}

fn layer(bytes: &mut Bytes<'_>, sink: &Sink) -> (JsonLayer<Sink>, usize) {
    let (options, budget) = (bytes.byte(), usize::from(bytes.byte()) * 64);
    let layer = super::layer(sink)
        .max_line_bytes(budget)
        .max_field_bytes(if options & 1 == 0 { usize::MAX } else { 50 })
        .file_and_line(options & 2 != 0)
        .span_close(options & 4 != 0)
        .span_name(options & 8 != 0)
        .redact(Redact::secrets().key("a", Treatment::Hash([7; 16])))
        .spans([SpanStyle::Flat, SpanStyle::Object, SpanStyle::List][usize::from(options >> 4) % 3])
        .clash([Clash::Hide, Clash::Suffix, Clash::Nest][usize::from(options >> 6) % 3])
        .on_error(|error| panic!("{error}"));
    let fixed = if options & 32 == 0 { "" } else { "shop" };
    if fixed.is_empty() {
        (layer, budget.max(2048))
    } else {
        (layer.service(fixed), budget.max(2048 + 17))
    }
}

/// Runs what the bytes say, and panics if a line is not as promised.
pub(crate) fn drive(data: &[u8]) {
    // The last byte is an option too: what came before it keeps its meaning.
    let last = data.last().copied().unwrap_or(0);
    let mut sampling = None;
    let (mut lines, most) = lines(data, |layer| {
        let layer = layer.nest_dots(last & 1 != 0);
        let layer = match last & 6 {
            0 => layer,
            first => {
                layer.sample(Sample::first((first >> 1).into()).then_one_in((last >> 3).into()))
            }
        };
        sampling = Some(layer.sampling());
        layer
    });
    for line in sampling
        .map(|sampling| sampling.untold())
        .unwrap_or_default()
    {
        lines.push((super::read(&line), String::from_utf8(line).unwrap()));
    }
    for (line, text) in lines {
        assert!(text.len() <= most, "{} of {most}: {text}", text.len());
        assert_eq!(line["timestamp"], super::NOW);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["target"], "made");
        assert!(line["message"].is_string());
    }
    drive_schema(data);
}

/// The same under one of the ready schemas, which the byte before the last names.
fn drive_schema(data: &[u8]) {
    let before = data.len().checked_sub(2).map_or(0, |at| data[at]);
    let name = Schema::NAMES[usize::from(before) % Schema::NAMES.len()];
    let (lines, most) = lines(data, |layer| layer.schema(name.parse().unwrap()));
    // Keys of a schema may be longer than ours, and the least budget with them.
    let most = most.max(5000);
    for (line, text) in lines {
        assert!(text.len() <= most, "{} of {most}: {text}", text.len());
        rules::check(name, &line, &text);
    }
}

/// A line, parsed and as text.
pub(crate) type Written = (Map<String, serde_json::Value>, String);

/// The lines of what the bytes say, each parsed and as text, and the bytes that one may have at most.
pub(crate) fn lines(
    data: &[u8],
    adapt: impl FnOnce(JsonLayer<Sink>) -> JsonLayer<Sink>,
) -> (Vec<Written>, usize) {
    let mut bytes = Bytes(data);
    let sink = Sink::default();
    let (layer, most) = layer(&mut bytes, &sink);
    let layer = adapt(layer);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let mut open: Vec<Span> = Vec::new();
        while !bytes.0.is_empty() {
            match bytes.byte() % 5 {
                0 | 1 => with_fields(&mut bytes, |fields| callsite::event("made", fields)),
                2 if open.len() < 8 => {
                    with_fields(&mut bytes, |fields| {
                        let span = callsite::span(fields);
                        span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
                        open.push(span);
                    });
                }
                3 => {
                    let place = usize::from(bytes.byte());
                    let (name, value) = field(&mut bytes);
                    if let (Some(span), Some(value)) = (open.get(place % 8), value) {
                        span.record(name.as_str(), &*value);
                    }
                }
                _ => {
                    if let Some(span) = open.pop() {
                        span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
                    }
                }
            }
        }
        for span in open.drain(..) {
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        }
    });
    (sink.lines().into_iter().zip(sink.texts()).collect(), most)
}
