//! Formats a value into a JSON text, whatever its `Display` or `Debug` does.

use crate::escape::{HEX, escape_until};
use crate::shield::shielded;
use std::fmt::{self, Write as _};

/// Stands for the rest of a value whose `Display` or `Debug` returned an error.
const FAILED: &str = "<formatting failed>";

/// Stands for the rest of a value whose `Display` or `Debug` panicked.
const PANICKED: &str = "<formatting panicked>";

/// Appends what `write` formats, escaped, until `out` is `end` bytes long.
/// True when all of it went in.
pub(crate) fn format_until(
    out: &mut Vec<u8>,
    end: usize,
    write: impl FnOnce(&mut Text<'_>) -> fmt::Result,
) -> bool {
    let mut text = Text {
        out,
        end,
        full: false,
    };
    let result = shielded(|| write(&mut text));
    let full = text.full;
    let remark = match result {
        Some(Ok(())) => return !full,
        Some(Err(_)) if full => return false,
        Some(Err(_)) => FAILED,
        None => PANICKED,
    };
    escape_until(out, remark, end) && !full
}

/// Escapes what is formatted into it, up to an end.
pub(crate) struct Text<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    full: bool,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.full || !escape_until(self.out, text, self.end) {
            self.full = true;
            return Err(fmt::Error);
        }
        Ok(())
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
