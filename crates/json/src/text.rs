//! Formats a value into a JSON text, whatever its `Display` or `Debug` does.

use crate::escape::{HEX, escape_until};
use crate::nested::{self, Answer, Ask, Mark};
use crate::shield::shielded;
use std::fmt::{self, Write as _};

/// Stands for the rest of a value whose `Display` or `Debug` returned an error.
pub(crate) const FAILED: &str = "<formatting failed>";

/// Stands for the rest of a value whose `Display` or `Debug` panicked.
pub(crate) const PANICKED: &str = "<formatting panicked>";

/// What came of formatting a value.
pub(crate) enum Formatted {
    Whole,
    Cut,
    /// The value has JSON of its own; the text is empty.
    Nested(Answer),
}

/// Appends what `write` formats, escaped, until `out` is `end` bytes long.
/// True when all of it went in.
pub(crate) fn format_until(
    out: &mut Vec<u8>,
    end: usize,
    write: impl FnOnce(&mut Text<'_>) -> fmt::Result,
) -> bool {
    // Unasked, no value answers with JSON.
    matches!(format_asking(out, end, None, write), Formatted::Whole)
}

/// As [`format_until`]; a value that can give JSON instead of text is asked with `ask`.
pub(crate) fn format_asking(
    out: &mut Vec<u8>,
    end: usize,
    ask: Option<&dyn Fn() -> Ask>,
    write: impl FnOnce(&mut Text<'_>) -> fmt::Result,
) -> Formatted {
    let mut text = Text {
        start: out.len(),
        out,
        end,
        state: State::Open,
        ask,
    };
    let result = shielded(|| write(&mut text));
    let full = match text.state {
        State::Answered(answer) => return Formatted::Nested(answer),
        State::Full => true,
        State::Open => false,
    };
    let remark = match result {
        Some(Ok(())) if full => return Formatted::Cut,
        Some(Ok(())) => return Formatted::Whole,
        Some(Err(_)) if full => return Formatted::Cut,
        Some(Err(_)) => FAILED,
        None => PANICKED,
    };
    if escape_until(out, remark, end) && !full {
        Formatted::Whole
    } else {
        Formatted::Cut
    }
}

/// Escapes what is formatted into it, up to an end.
pub(crate) struct Text<'a> {
    out: &'a mut Vec<u8>,
    /// Where it begins.
    start: usize,
    end: usize,
    state: State,
    ask: Option<&'a dyn Fn() -> Ask>,
}

enum State {
    Open,
    Full,
    Answered(Answer),
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() || !matches!(self.state, State::Open) {
            return self.rare(text);
        }
        if !escape_until(self.out, text, self.end) {
            self.state = State::Full;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

impl Text<'_> {
    #[cold]
    fn rare(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            self.hear(text);
            return Ok(());
        }
        match std::mem::replace(&mut self.state, State::Full) {
            State::Full => Err(fmt::Error),
            // More comes behind the JSON: then it is a part of a text, which ends where it was cut.
            State::Answered(Answer { json, whole, .. }) => {
                self.state = State::Open;
                self.write_str(&String::from_utf8_lossy(&json))?;
                if whole {
                    return self.write_str(text);
                }
                self.state = State::Full;
                Err(fmt::Error)
            }
            State::Open => unreachable!("a text that is not empty is written while there is room"),
        }
    }

    /// An empty text may be a value's mark.
    fn hear(&mut self, text: &str) {
        match (nested::mark(text), self.ask, &self.state) {
            (Some(Mark::Knock), Some(ask), State::Open) if self.out.len() == self.start => {
                nested::ask(ask());
            }
            (Some(Mark::HandOver), _, State::Open) => {
                if let Some(answer) = nested::answered() {
                    self.state = State::Answered(answer);
                }
            }
            _ => {}
        }
    }
}

/// Bytes as lower-case hex.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &b in self.0 {
            f.write_char(HEX[usize::from(b >> 4)].into())?;
            f.write_char(HEX[usize::from(b & 0xf)].into())?;
        }
        Ok(())
    }
}

/// Bytes as hex in brackets, a space between.
pub(crate) struct Spaced<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Spaced<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (at, byte) in self.0.chunks(1).enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{}", Hex(byte))?;
        }
        f.write_char(']')
    }
}
