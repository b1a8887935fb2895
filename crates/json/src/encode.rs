//! Encodes the fields that one event or span gives, within its budgets.

use crate::error_object::{ErrorObject, Here};
use crate::escape::escape_until;
use crate::key::key_bit;
use crate::part;
use crate::plan::{Plan, Shape, Slot};
use crate::redact::Treatment;
use crate::shield::shielded;
use crate::text::{Formatted, Hex, Spaced, Text, format_asking, format_until};
use crate::thousandths::Thousandths;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use tracing_core::Field;
use tracing_core::field::Visit;

/// Room that a field needs beside its key to be begun: the longest number, as an error's message.
const LEAST_VALUE: usize = 80;

/// Room kept behind a text for what closes it: `","exception.causes":[]}`.
const CLOSING: usize = 32;

/// A field that was given, where it starts in the output, and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) slot: u32,
    pub(crate) start: u32,
    /// Of the key.
    pub(crate) hash: u32,
    pub(crate) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    Whole,
    Cut,
    /// There was no room: nothing was written.
    Lost,
}

pub(crate) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    marks: &'a mut Vec<Mark>,
    plan: &'a Plan,
    /// `out` does not grow longer than this.
    limit: usize,
    max_field: usize,
    /// The parts of a line that are encoded.
    pick: u8,
    /// One more than the highest field so far.
    next: u32,
    /// A bit for each key that was given: see [`key_bit`].
    pub(crate) bits: u64,
    /// Every field went in whole.
    pub(crate) whole: bool,
}

impl Visit for Encoder<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if let Some(short) = Thousandths::of(value) {
            self.scalar(field, short.as_str());
        } else if value.is_finite() {
            self.scalar(field, zmij::Buffer::new().format_finite(value));
        } else {
            self.scalar(field, "null");
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scalar(field, itoa::Buffer::new().format(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.scalar(field, itoa::Buffer::new().format(value));
    }

    // Wider than any reader's numbers: a string keeps every digit.
    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record_str(field, itoa::Buffer::new().format(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record_str(field, itoa::Buffer::new().format(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field, if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let Some(slot) = self.slot(field) else {
            return;
        };
        if !slot.quotes {
            return self.special(slot, value);
        }
        slot.key.write_quoted(self.out);
        let end = self.text_end();
        let whole = escape_until(self.out, value, end);
        self.out.push(b'"');
        if !whole {
            self.mark_cut(true);
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let bare = |slot: &Slot| slot.shape == Shape::Bare;
        if self.plan.slots.get(field.index()).is_some_and(bare) {
            // As `tracing_core` shows bytes: `[00 ff 41]`.
            return self.record_debug(field, &Spaced(value));
        }
        self.record_debug(field, &format_args!("{}", Hex(value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let Some(slot) = self.begin(field) else {
            return;
        };
        if slot.treatment.is_some() {
            return self.treated(slot, &value);
        }
        if !matches!(slot.shape, Shape::Plain | Shape::Error) {
            self.open(slot.shape);
            let whole = self.format(|out| write!(out, "{value}"));
            return self.close(slot.shape, whole);
        }
        let whole = self.error_object(slot.shape).begin(value);
        self.end_error(slot.shape, whole);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let Some(slot) = self.begin(field) else {
            return;
        };
        if slot.treatment.is_some() {
            return self.treated(slot, &format_args!("{value:?}"));
        }
        let before = self.out.len();
        self.open(slot.shape);
        let end = self.text_end();
        let ask = || {
            self.plan.ask(
                field.name(),
                slot.shape,
                (self.limit - before, self.max_field),
            )
        };
        match format_asking(self.out, end, Some(&ask), |out| write!(out, "{value:?}")) {
            Formatted::Whole => self.close(slot.shape, true),
            Formatted::Cut => self.close(slot.shape, false),
            Formatted::Nested(answer) if !answer.fits(slot.shape) => {
                let text = String::from_utf8_lossy(&answer.json);
                let whole = escape_until(self.out, &text, end) && answer.whole;
                self.close(slot.shape, whole);
            }
            Formatted::Nested(answer) => {
                self.out.truncate(before);
                self.out.extend_from_slice(&answer.json);
                self.mark_cut(!answer.whole);
            }
        }
    }
}

impl<'a> Encoder<'a> {
    /// Encodes the fields of `plan` to the end of `out`, which grows no longer than `limit`.
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        marks: &'a mut Vec<Mark>,
        plan: &'a Plan,
        (limit, max_field): (usize, usize),
    ) -> Self {
        Encoder {
            out,
            marks,
            plan,
            limit: limit.saturating_sub(plan.prefix.len()),
            max_field,
            pick: part::ALL,
            next: 0,
            bits: 0,
            whole: true,
        }
    }

    /// Encodes only these parts of a line.
    pub(crate) fn pick(mut self, pick: u8) -> Self {
        self.pick = pick;
        self
    }

    /// Writes a field's key, unless the field is left out.
    #[inline]
    fn begin(&mut self, field: &Field) -> Option<&'a Slot> {
        let slot = self.slot(field)?;
        slot.key.write(self.out);
        Some(slot)
    }

    /// Notes where a field starts, unless it is left out.
    fn slot(&mut self, field: &Field) -> Option<&'a Slot> {
        let index = field.index() as u32;
        let slot = self.plan.slots.get(index as usize)?;
        if matches!(slot.treatment, Some(Treatment::Drop)) {
            return None;
        }
        if slot.part & self.pick == 0 {
            return None;
        }
        // Macros give fields in order; a hand-made value set may give one twice: the first counts.
        if index >= self.next {
            self.next = index + 1;
        } else if self.marks.iter().any(|mark| mark.slot == index) {
            return None;
        }
        let hash = slot.key.hash;
        self.bits |= key_bit(hash);
        let start = self.out.len() as u32;
        let fits = self.out.len() + slot.key.len() + LEAST_VALUE <= self.limit;
        let fate = if fits { Fate::Whole } else { Fate::Lost };
        self.marks.push(Mark {
            slot: index,
            start,
            hash,
            fate,
        });
        if !fits {
            self.whole = false;
            return None;
        }
        Some(slot)
    }

    /// A text that is a secret, or is not written as it is.
    #[cold]
    fn special(&mut self, slot: &Slot, value: &str) {
        slot.key.write(self.out);
        if slot.treatment.is_some() {
            return self.treated(slot, &value);
        }
        self.open(slot.shape);
        let end = self.text_end();
        let whole = escape_until(self.out, value, end);
        self.close(slot.shape, whole);
    }

    /// A number or truth as its JSON text.
    fn scalar(&mut self, field: &Field, json: &str) {
        let Some(slot) = self.begin(field) else {
            return;
        };
        if slot.treatment.is_some() {
            return self.treated(slot, &json);
        }
        if matches!(slot.shape, Shape::Plain | Shape::Bare) {
            return self.out.extend_from_slice(json.as_bytes());
        }
        self.quoted(slot.shape, json);
    }

    /// A number or truth where a text is wanted.
    #[cold]
    fn quoted(&mut self, shape: Shape, json: &str) {
        self.open(shape);
        match json.parse() {
            Ok(ms) if shape == Shape::Duration => self.duration(ms),
            _ => self.out.extend_from_slice(json.as_bytes()),
        }
        self.close(shape, true);
    }

    /// What stands for a secret.
    #[cold]
    fn treated(&mut self, slot: &Slot, value: &dyn fmt::Display) {
        let shape = match slot.shape {
            Shape::Plain => Shape::Text,
            shape => shape,
        };
        self.open(shape);
        match &slot.treatment {
            Some(treatment @ Treatment::Hash(_)) => {
                let mut text = String::new();
                // A value that failed is hashed as far as it came.
                let _ = shielded(|| write!(text, "{value}"));
                let hash = treatment.apply(&text).unwrap_or_default();
                self.out.extend_from_slice(hash.as_bytes());
            }
            _ => self.out.extend_from_slice(Treatment::MASKED.as_bytes()),
        }
        self.close(shape, true);
    }

    /// Milliseconds as the JSON of a protobuf `Duration`: seconds with nine digits behind the point.
    fn duration(&mut self, ms: f64) {
        let nanos = (ms * 1e6).round() as u64;
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        // Into a vector: it cannot fail.
        let _ = write!(self.out, "{seconds}.{rest:09}s");
    }

    // Most values are plain texts: what others need stays out of their way.
    #[inline]
    fn open(&mut self, shape: Shape) {
        if matches!(shape, Shape::Error | Shape::Prefixed) {
            return self.open_other(shape);
        }
        self.out.push(b'"');
    }

    #[cold]
    #[inline(never)]
    fn open_other(&mut self, shape: Shape) {
        if shape == Shape::Error {
            self.out.extend_from_slice(self.plan.error.open.as_bytes());
        }
        self.out.push(b'"');
        if shape == Shape::Prefixed {
            self.out.extend_from_slice(&self.plan.prefix);
        }
    }

    #[inline]
    fn close(&mut self, shape: Shape, whole: bool) {
        self.out.push(b'"');
        if shape == Shape::Error || !whole {
            self.close_other(shape, whole);
        }
    }

    #[cold]
    #[inline(never)]
    fn close_other(&mut self, shape: Shape, whole: bool) {
        if shape == Shape::Error {
            self.out
                .extend_from_slice(self.plan.error.causes.as_bytes());
            self.out.push(b']');
            return self.end_error(shape, whole);
        }
        self.mark_cut(!whole);
    }

    fn error_object(&mut self, shape: Shape) -> ErrorObject<'_> {
        ErrorObject {
            form: self.plan.error_form(shape),
            out: self.out,
            limit: self.limit,
            max_field: self.max_field,
        }
    }

    /// Ends an error, with the backtrace of the event if that is wanted.
    fn end_error(&mut self, shape: Shape, mut whole: bool) {
        let (wanted, max) = (self.plan.backtrace, self.max_field);
        let mut object = self.error_object(shape);
        if wanted && shape == Shape::Error {
            whole &= object.member(object.form.backtrace, max, &Here::captured(), None);
        }
        object.end();
        self.mark_cut(!whole);
    }

    fn mark_cut(&mut self, cut: bool) {
        if let (true, Some(mark)) = (cut, self.marks.last_mut()) {
            mark.fate = Fate::Cut;
            self.whole = false;
        }
    }

    /// Where a text that starts here must end.
    fn text_end(&self) -> usize {
        self.out
            .len()
            .saturating_add(self.max_field)
            .min(self.limit - CLOSING)
    }

    /// Writes what `write` formats as a text, whatever it does. True when all of it went in.
    fn format(&mut self, write: impl FnOnce(&mut Text<'_>) -> fmt::Result) -> bool {
        let end = self.text_end();
        format_until(self.out, end, write)
    }
}
