//! Writes one JSON value of any depth: unique keys, secrets hidden, never longer than it may be.

use crate::escape::escape_until;
use crate::keys::Keys;
use crate::nested::{Answer, Ask};
use crate::redact::Treatment;
use crate::shield::shielded;
use crate::text::format_until;
use crate::trail::{Place, Trail};
use std::fmt::{Display, Write as _};

/// A value that is being written. Whatever stops it, [`Tree::finish`] makes it whole JSON.
pub(crate) struct Tree {
    out: Vec<u8>,
    /// `out` is not longer than this when all that is open is closed.
    end: usize,
    max_field: usize,
    max_key: usize,
    trail: Trail,
    open: Vec<Open>,
    /// The keys of the open objects, the innermost last.
    keys: Keys,
    /// Where the key or comma begins whose value is due.
    slot: usize,
    /// Nothing stood before it.
    slot_first: bool,
    due: bool,
    whole: bool,
    full: bool,
    /// A text that stands alone goes in as it is: for hashes and for keys.
    bare: bool,
}

/// An object or list that is not closed.
struct Open {
    close: u8,
    keys: usize,
    trail: Place,
    empty: bool,
}

/// There is no room for more.
#[derive(Debug)]
pub(crate) struct Full;

/// What becomes of the value behind a key.
pub(crate) enum Value {
    Show,
    /// Nothing is to be written any more.
    Skip,
    Hash(Treatment),
}

impl Tree {
    pub(crate) fn new(ask: Ask) -> Self {
        let most = ask.max_bytes;
        Tree {
            // Even a small budget has room for a few fields, as for a number.
            end: ask.max_field.max(LEAST).min(most),
            max_field: ask.max_field,
            max_key: KEY_BYTES,
            trail: Trail::new(ask.redact, &ask.key),
            out: Vec::with_capacity(OUT_BYTES),
            ..Tree::unbounded()
        }
    }

    /// A tree without bounds, in which nothing is hidden: for those who asked for text.
    pub(crate) fn unbounded() -> Self {
        Tree {
            out: Vec::new(),
            end: usize::MAX >> 1,
            max_field: usize::MAX >> 1,
            max_key: usize::MAX >> 1,
            trail: Trail::default(),
            open: Vec::new(),
            keys: Keys::default(),
            slot: 0,
            slot_first: true,
            due: true,
            whole: true,
            full: false,
            bare: false,
        }
    }

    /// As [`Tree::unbounded`], but a text that stands alone is neither quoted nor escaped.
    pub(crate) fn bare() -> Self {
        Tree {
            bare: true,
            ..Tree::unbounded()
        }
    }

    /// Begins the next value of a list.
    pub(crate) fn item(&mut self) -> Result<(), Full> {
        self.begin()?;
        self.comma();
        Ok(())
    }

    /// Begins the next field of an object, unless it is left out. A key that the object has gets a
    /// `_` behind it.
    pub(crate) fn key(&mut self, name: &str) -> Result<Value, Full> {
        self.begin()?;
        let Some(open) = self.open.last() else {
            return Ok(Value::Skip);
        };
        let first = open.keys;
        let treatment = self.trail.enter(open.trail, name);
        if matches!(treatment, Some(Treatment::Drop)) {
            self.due = false;
            return Ok(Value::Skip);
        }
        self.comma();
        let start = self.out.len();
        self.out.push(b'"');
        let end = self.out.len().saturating_add(self.max_key);
        self.whole &= escape_until(&mut self.out, name, end);
        self.out.extend_from_slice(b"\":");
        if !self.keys.settle(&mut self.out, start, first)
            || self.out.len() + LEAST_TEXT > self.room_end()
        {
            return self.stop();
        }
        match treatment {
            None => Ok(Value::Show),
            Some(treatment @ Treatment::Hash(_)) => Ok(Value::Hash(treatment)),
            Some(_) => self.text(Treatment::MASKED).map(|()| Value::Skip),
        }
    }

    /// Opens an object or a list. False if that is too deep: then a remark stands for it.
    pub(crate) fn open(&mut self, open: u8, close: u8) -> Result<bool, Full> {
        if self.open.len() >= DEEPEST {
            self.whole = false;
            self.text(TOO_DEEP)?;
            return Ok(false);
        }
        self.fits(2)?;
        self.out.push(open);
        self.due = false;
        self.open.push(Open {
            close,
            keys: self.keys.len(),
            trail: self.trail.place(),
            empty: true,
        });
        Ok(true)
    }

    /// How many objects and lists are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Closes all but `depth` objects and lists. A key without a value goes.
    pub(crate) fn close(&mut self, depth: usize) {
        while self.open.len() > depth {
            self.take_back();
            let Some(open) = self.open.pop() else { break };
            self.keys.close(open.keys);
            self.trail.back(open.trail);
            self.out.push(open.close);
        }
    }

    /// A number, a truth or `null`.
    pub(crate) fn scalar(&mut self, json: &str) -> Result<(), Full> {
        self.fits(json.len())?;
        self.out.extend_from_slice(json.as_bytes());
        self.due = false;
        Ok(())
    }

    /// A string.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Full> {
        self.string(
            |out, end| escape_until(out, text, end),
            |out| out.push_str(text),
        )
    }

    /// A string that `value` formats, whatever its `Display` does.
    pub(crate) fn display(&mut self, value: &dyn Display) -> Result<(), Full> {
        self.string(
            |out, end| format_until(out, end, |out| write!(out, "{value}")),
            |out| {
                // A value that failed is taken as far as it came.
                let _ = shielded(|| write!(out, "{value}"));
            },
        )
    }

    /// `write` appends it escaped, until an end; `bare` as it is.
    fn string(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, usize) -> bool,
        bare: impl FnOnce(&mut String),
    ) -> Result<(), Full> {
        self.fits(LEAST_TEXT)?;
        if self.bare && self.open.is_empty() {
            let mut text = String::new();
            bare(&mut text);
            self.out.extend_from_slice(text.as_bytes());
        } else {
            self.out.push(b'"');
            let end = self.out.len().saturating_add(self.max_field);
            let end = end.min(self.room_end() - 1);
            self.whole &= write(&mut self.out, end);
            self.out.push(b'"');
        }
        self.due = false;
        Ok(())
    }

    /// One whole value. `remark` says why it ended early, where its next value would stand.
    pub(crate) fn finish(mut self, remark: Option<&str>) -> Answer {
        if let Some(remark) = remark {
            self.full = false;
            if self.due {
                // Where it has no room, the value is left out.
                let _ = self.text(remark);
            }
        }
        self.close(0);
        if self.out.is_empty() && !self.bare {
            self.out.extend_from_slice(b"null");
        }
        Answer {
            json: self.out,
            whole: self.whole,
            is_error: false,
        }
    }

    /// A value begins here. One that never came is taken back first.
    fn begin(&mut self) -> Result<(), Full> {
        if self.full {
            return Err(Full);
        }
        self.take_back();
        self.slot = self.out.len();
        self.slot_first = self.open.last().is_some_and(|open| open.empty);
        self.due = true;
        Ok(())
    }

    fn comma(&mut self) {
        if let Some(open) = self.open.last_mut() {
            if !std::mem::take(&mut open.empty) {
                self.out.push(b',');
            }
        }
    }

    /// Where what is written must end, so that all that is open can be closed.
    fn room_end(&self) -> usize {
        self.end.saturating_sub(self.open.len())
    }

    /// Stops the whole value if so many bytes have no room.
    fn fits(&mut self, bytes: usize) -> Result<(), Full> {
        if self.full {
            return Err(Full);
        }
        if self.out.len() + bytes > self.room_end() {
            return self.stop().map(drop);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<Value, Full> {
        (self.full, self.whole) = (true, false);
        self.take_back();
        Err(Full)
    }

    /// Takes back the key or comma whose value did not come.
    fn take_back(&mut self) {
        if !std::mem::take(&mut self.due) {
            return;
        }
        self.out.truncate(self.slot);
        self.keys.take_back(self.slot);
        if let Some(open) = self.open.last_mut() {
            open.empty = self.slot_first;
        }
    }
}

/// Objects and lists inside each other that are followed.
const DEEPEST: usize = 32;

/// Stands for what is deeper.
const TOO_DEEP: &str = "<too deep>";

/// The longest key, escaped.
const KEY_BYTES: usize = 256;

/// Room for a small value.
const OUT_BYTES: usize = 512;

/// The smallest budget for a value.
const LEAST: usize = 64;

/// Room that a text needs to be begun, its quotes included.
const LEAST_TEXT: usize = 8;
