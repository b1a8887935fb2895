//! One event as rules see it: level, target, and fields by name, the spans' fields included.

use std::fmt::Write as _;
use std::ops::Range;

use dogwatch_line::{Fields, Level, Line, Value};

use crate::spans::SpanField;

/// An event's fields, its strings side by side in one buffer that is used again for the next event.
#[derive(Debug)]
pub(crate) struct View {
    level: Level,
    target: String,
    entries: Vec<Entry>,
    strings: String,
    text: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) held: Held,
}

/// A value, its text somewhere in the view's buffer.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Bool(bool),
    I64(i64),
    U64(u64),
    F64(f64),
    Text(Range<usize>),
    /// An object, a list, or `null`, as JSON.
    Json(Range<usize>),
    /// An error and its causes: the whole, and how much of it is the first message.
    Error(Range<usize>, usize),
}

impl Default for View {
    fn default() -> Self {
        Self {
            level: Level::Trace,
            target: String::new(),
            entries: Vec::new(),
            strings: String::new(),
            text: String::new(),
        }
    }
}

impl View {
    /// Empties the view for a new event; keeps its memory unless one event made it large.
    pub(crate) fn start(&mut self, level: Level, target: &str) {
        for buffer in [&mut self.strings, &mut self.text, &mut self.target] {
            buffer.clear();
            buffer.shrink_to(MAX_KEPT);
        }
        self.entries.clear();
        self.level = level;
        self.target.push_str(target);
    }

    pub(crate) fn level(&self) -> Level {
        self.level
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// The text of the field `trace_id`.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.name == "trace_id")?;
        match &entry.held {
            Held::Text(range) => Some(self.written(range.clone())),
            _ => None,
        }
    }

    pub(crate) fn retarget(&mut self, target: &str) {
        self.target.clear();
        self.target.push_str(target);
    }

    /// Lets a writer append to the buffer, and tells where its text stands.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.strings.len();
        write(&mut self.strings);
        start..self.strings.len()
    }

    pub(crate) fn written(&self, range: Range<usize>) -> &str {
        self.strings.get(range).unwrap_or("")
    }

    /// Takes back the text that was written last.
    pub(crate) fn unwrite(&mut self, start: usize) {
        self.strings.truncate(start);
    }

    /// Adds a field. A name that comes twice keeps its first value, as in a line.
    pub(crate) fn put(&mut self, name: &'static str, held: Held) {
        if self.entries.iter().all(|entry| entry.name != name) {
            self.entries.push(Entry { name, held });
        }
    }

    /// Adds what a span carries, unless something nearer has the name.
    pub(crate) fn inherit(&mut self, name: &'static str, value: &Owned) {
        if self.entries.iter().any(|entry| entry.name == name) {
            return;
        }
        let held = match value {
            Owned::Plain(held) => held.clone(),
            Owned::Text(text) => Held::Text(self.write(|strings| strings.push_str(text))),
            Owned::Json(json) => Held::Json(self.write(|strings| strings.push_str(json))),
            Owned::Error(text, first) => {
                Held::Error(self.write(|strings| strings.push_str(text)), *first)
            }
        };
        self.entries.push(Entry { name, held });
    }

    /// Hands the fields over to something that outlives the view: a span.
    pub(crate) fn owned(&self) -> impl Iterator<Item = SpanField> + '_ {
        self.entries.iter().map(|entry| {
            let value = match &entry.held {
                Held::Text(range) => Owned::Text(self.written(range.clone()).into()),
                Held::Json(range) => Owned::Json(self.written(range.clone()).into()),
                Held::Error(range, first) => {
                    Owned::Error(self.written(range.clone()).into(), *first)
                }
                plain => Owned::Plain(plain.clone()),
            };
            SpanField {
                name: entry.name,
                value,
            }
        })
    }

    /// `LEVEL target: message key=value …`: what a pattern is matched against, and a sample shows.
    /// Rendered once, when it is first asked for.
    pub(crate) fn text(&mut self) -> &str {
        if self.text.is_empty() {
            let mut text = std::mem::take(&mut self.text);
            self.render(&mut text);
            self.text = text;
        }
        &self.text
    }

    fn render(&self, out: &mut String) {
        // Writing to a `String` fails only if a `Display` of ours does, and none does.
        let _ = write!(out, "{} {}:", self.level, self.target);
        match self.field("message") {
            Some(message) if message != Value::from("") => drop(write!(out, " {message}")),
            _ => {}
        }
        for entry in self.entries.iter().filter(|entry| entry.name != "message") {
            if out.len() > MAX_TEXT {
                break;
            }
            let _ = match &entry.held {
                Held::Error(range, _) => {
                    write!(out, " {}={}", entry.name, self.written(range.clone()))
                }
                held => write!(out, " {}={}", entry.name, self.value(held)),
            };
        }
    }

    fn value(&self, held: &Held) -> Value<'_> {
        match held {
            Held::Bool(bool) => Value::Bool(*bool),
            Held::I64(int) => Value::I64(*int),
            Held::U64(int) => Value::from(*int),
            Held::F64(float) => Value::F64(*float),
            Held::Text(range) => Value::from(self.written(range.clone())),
            Held::Json(range) if self.written(range.clone()) == "null" => Value::Null,
            Held::Json(range) => Value::Raw(self.written(range.clone())),
            Held::Error(range, first) => {
                Value::from(self.written(range.start..range.start + first))
            }
        }
    }
}

impl Fields for View {
    /// As a line answers: `level`, `target` and `message` by these names, an error's first message
    /// as `error.message`.
    fn field(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "level" => return Some(Value::from(self.level.as_str())),
            "target" => return Some(Value::from(&*self.target)),
            _ => {}
        }
        let of = |name: &str| self.entries.iter().find(|entry| entry.name == name);
        if let Some(entry) = of(name) {
            // In a line an error is an object: it equals no literal, its message may.
            return (!matches!(entry.held, Held::Error(..))).then(|| self.value(&entry.held));
        }
        if name == "message" {
            // A line always has one.
            return Some(Value::from(""));
        }
        let error = name.strip_suffix(".message").and_then(of);
        if let Some(entry) = error.filter(|entry| matches!(entry.held, Held::Error(..))) {
            return Some(self.value(&entry.held));
        }
        self.inside(name)
    }
}

impl View {
    /// A field inside of a value: the longest key that is the name's beginning and leads on, as in a
    /// line.
    fn inside(&self, name: &str) -> Option<Value<'_>> {
        let found = self.entries.iter().filter_map(|entry| {
            let rest = name.strip_prefix(entry.name)?.strip_prefix('.')?;
            let Held::Json(range) = &entry.held else {
                return None;
            };
            let value = Line::parse_repeating(self.written(range.clone()))
                .ok()?
                .field(rest)?;
            Some((entry.name.len(), value))
        });
        found
            .max_by_key(|(length, _)| *length)
            .map(|(_, value)| value)
    }
}

/// A field's value that stands alone.
#[derive(Clone, Debug)]
pub(crate) enum Owned {
    Plain(Held),
    Text(Box<str>),
    Json(Box<str>),
    Error(Box<str>, usize),
}

/// The longest text that a pattern is shown, give or take one field.
const MAX_TEXT: usize = 64 << 10;

/// What an idle thread's buffer keeps at most.
const MAX_KEPT: usize = 64 << 10;
