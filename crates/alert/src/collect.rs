//! Reads an event's or a span's fields into a view: secrets hidden, lengths bounded, panics caught.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dogwatch_line::{Line, Value};
use tracing_core::Field;
use tracing_core::field::{FieldSet, Visit};

use crate::dictionary;
use crate::namesakes::told_apart;
use crate::redact::{Mask, Redact};
use crate::view::{Held, View};
use crate::width::{Bounded, cut};

/// Puts fields into a view.
pub(crate) struct Collect<'a> {
    view: &'a mut View,
    redact: &'a Redact,
    from: From,
    /// What the line calls the fields, where that is not simply their own name.
    names: Option<Box<[&'static str]>>,
    panics: u64,
}

/// Whose fields they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Event,
    /// An event that came through the `log` crate, its place in fields of its own.
    LogRecord,
    Span,
}

impl<'a> Collect<'a> {
    /// For the fields of one callsite.
    pub(crate) fn new(
        view: &'a mut View,
        redact: &'a Redact,
        from: From,
        fields: &FieldSet,
    ) -> Self {
        Self {
            view,
            redact,
            from,
            names: told_apart(fields, from == From::Span),
            panics: 0,
        }
    }

    /// How many values, masks and judges panicked on the way.
    pub(crate) fn panics(&self) -> u64 {
        self.panics
    }

    fn key(&self, field: &Field) -> &'static str {
        match &self.names {
            Some(names) => names[field.index()],
            None => dictionary::key(field.name(), self.from == From::Span),
        }
    }

    /// A value that needs no formatting, unless its key is hidden or stands for text.
    fn plain(&mut self, field: &Field, held: Held, value: impl fmt::Display) {
        let key = self.key(field);
        if dictionary::is_text(key) || dictionary::is_error(key) {
            return self.text(field, |out| write!(out, "{value}"));
        }
        match self.mask(field) {
            Ok(None) => self.view.put(key, held),
            Ok(Some(mask)) => {
                let range = self.write(|out| write!(out, "{value}"));
                self.put_masked(key, range, &mask);
            }
            Err(Hidden) => {}
        }
    }

    fn text(&mut self, field: &Field, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) {
        let key = self.key(field);
        let Ok(mask) = self.mask(field) else { return };
        let range = self.write(write);
        match mask {
            Some(mask) => self.put_masked(key, range, &mask),
            None => self.put_text(key, range, None),
        }
    }

    fn put_masked(&mut self, key: &'static str, value: Range<usize>, mask: &Mask) {
        let shown = catching(|| mask.show(self.view.written(value.clone())));
        self.view.unwrite(value.start);
        match shown {
            Ok(Some(shown)) => {
                let range = self.write(|out| out.write_str(&shown));
                self.put_text(key, range, None);
            }
            Ok(None) => {}
            // A mask that panics shows nothing.
            Err(Panicked) => self.panics += 1,
        }
    }

    /// `first`: how much of an error's text is its own message, not its causes'.
    fn put_text(&mut self, key: &'static str, range: Range<usize>, first: Option<usize>) {
        let first = first.or_else(|| dictionary::is_error(key).then_some(range.len()));
        self.view.put(
            key,
            match first {
                Some(first) => Held::Error(range, first),
                None => Held::Text(range),
            },
        );
    }

    fn write(&mut self, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) -> Range<usize> {
        let mut remark = "";
        let range = self.view.write(|strings| {
            let mut out = Bounded {
                out: strings,
                left: MAX_VALUE,
            };
            match catching(|| write(&mut out)) {
                Ok(Err(_)) if out.left > 0 => remark = FAILED,
                Ok(_) => {}
                Err(Panicked) => remark = PANICKED,
            }
            // What was written before stays, as in a line.
            let room = out.left;
            strings.push_str(cut(remark, room));
        });
        self.panics += u64::from(remark == PANICKED);
        range
    }

    /// The JSON of a value that is no text. A message nearly always is one.
    fn json(&mut self, field: &Field, value: &dyn fmt::Debug) -> Option<String> {
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        if name == "message" || self.from == From::LogRecord {
            return None;
        }
        let json = catching(|| self.redact.json(name, value));
        json.unwrap_or_else(|Panicked| {
            self.panics += 1;
            None
        })
    }

    /// Puts a value as a line has it: plain, or with fields of its own inside.
    fn nested(&mut self, field: &Field, json: &str) {
        let key = self.key(field);
        let whole = format!("{{\"value\":{json}}}");
        let Some(value) = Line::parse(&whole)
            .ok()
            .and_then(|line| line.field("value"))
        else {
            return self.text(field, |out| out.write_str(json));
        };
        let held = match value {
            Value::Bool(truth) => Held::Bool(truth),
            Value::I64(int) => Held::I64(int),
            Value::U64(int) => Held::U64(int),
            Value::F64(float) => Held::F64(float),
            Value::Str(text) => return self.text(field, |out| out.write_str(&text)),
            // Whole JSON of any length that its maker allows: cut, it would be none.
            _ => Held::Json(self.view.write(|strings| strings.push_str(json))),
        };
        self.view.put(key, held);
    }

    /// What hides the field: nothing, a mask, or all of it.
    fn mask(&mut self, field: &Field) -> Result<Option<Mask>, Hidden> {
        let name = field.name().strip_prefix("r#").unwrap_or(field.name());
        if self.from == From::LogRecord && name.starts_with("log.") {
            return Err(Hidden);
        }
        // A judge that panics shows nothing.
        catching(|| self.redact.mask(name)).map_err(|Panicked| {
            self.panics += 1;
            Hidden
        })
    }
}

impl Visit for Collect<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // As JSON has it, where it stands for text: `1.0`, and `null` for what is no number.
        let mut digits = zmij::Buffer::new();
        let text = match value.is_finite() {
            true => digits.format_finite(value),
            false => "null",
        };
        let held = match value.is_finite() {
            true => Held::F64(value),
            false => Held::Json(self.view.write(|strings| strings.push_str(text))),
        };
        self.plain(field, held, text);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, Held::I64(value), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, Held::U64(value), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, Held::Bool(value), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.from == From::LogRecord && field.name() == "log.target" {
            return self.view.retarget(value);
        }
        self.text(field, |out| out.write_str(value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.text(field, |out| {
            value.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
        });
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let key = self.key(field);
        if dictionary::is_text(key) {
            return self.text(field, |out| write!(out, "{value}"));
        }
        let Ok(mask) = self.mask(field) else { return };
        let own = self.write(|out| write!(out, "{value}"));
        if let Some(mask) = mask {
            return self.put_masked(key, own, &mask);
        }
        let causes = self.write(|out| causes(out, value));
        self.put_text(key, own.start..causes.end, Some(own.len()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if let Some(json) = self.json(field, value) {
            return self.nested(field, &json);
        }
        self.text(field, |out| write!(out, "{value:?}"));
    }
}

fn causes(out: &mut Bounded<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    let mut cause = error.source();
    // A chain that bites its own tail ends here.
    for _ in 0..MAX_CAUSES {
        let Some(error) = cause else { break };
        write!(out, ": {error}")?;
        cause = error.source();
    }
    Ok(())
}

/// The field is not to be seen.
struct Hidden;

struct Panicked;

fn catching<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(outer);
    result.map_err(|_| Panicked)
}

/// Whether this thread is formatting a value under this crate's protection: a panic now is caught,
/// so that a panic hook can tell it from one that ends the thread.
pub fn catching_panic() -> bool {
    CATCHING.try_with(Cell::get).unwrap_or(false)
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// What a rule sees of one value at most, in bytes of a line: as much as that holds by default.
const MAX_VALUE: usize = 8 << 10;

/// How many causes of an error are read; as in a line.
const MAX_CAUSES: usize = 16;

const FAILED: &str = "<formatting failed>";
const PANICKED: &str = "<formatting panicked>";
