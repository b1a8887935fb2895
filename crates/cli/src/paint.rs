//! Colours of the terminal: a level's, a trace's, what is dimmed. Pure.

use dogwatch_line::Level;

use crate::safe::put;

/// Whether there are colours (ECMA-48 section 8.3.117).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    /// Writes something in a colour; the empty one is none.
    pub(crate) fn with(self, style: &str, out: &mut String, write: impl FnOnce(&mut String)) {
        let on = self.on && !style.is_empty();
        if on {
            put(out, format_args!("\u{1b}[{style}m"));
        }
        write(out);
        if on {
            out.push_str(PLAIN);
        }
    }
}

/// One trace, one colour: of the six that are readable on dark and light.
pub(crate) fn trace_style(id: &str) -> &'static str {
    let sum = id.bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    ["36", "35", "34", "33", "32", "31"][sum % 6]
}

pub(crate) fn level_style(level: Level) -> &'static str {
    match level {
        Level::Trace => "35",
        Level::Debug => "34",
        Level::Info => "32",
        Level::Warn => "33",
        Level::Error => "31",
        Level::Fatal => "1;31",
    }
}

pub(crate) const DIM: &str = "2";

pub(crate) const RED: &str = "31";

const PLAIN: &str = "\u{1b}[0m";
