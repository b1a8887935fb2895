//! Colours, as a terminal understands them, or none.

use tracing_core::Level;

/// Paints, or leaves text as it is.
#[derive(Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(crate) fn dim(self, out: &mut String, text: &str) {
        self.style(out, "2", text);
    }

    pub(crate) fn bold(self, out: &mut String, text: &str) {
        self.style(out, "1", text);
    }

    pub(crate) fn red(self, out: &mut String, text: &str) {
        self.style(out, "31", text);
    }

    /// Five wide, so that what follows stands in one column.
    pub(crate) fn level(self, out: &mut String, level: Level) {
        let (style, text) = match level {
            Level::ERROR => ("1;31", "ERROR"),
            Level::WARN => ("33", "WARN "),
            Level::INFO => ("32", "INFO "),
            Level::DEBUG => ("34", "DEBUG"),
            Level::TRACE => ("35", "TRACE"),
        };
        self.style(out, style, text);
    }

    /// One trace, one colour: of the six that are readable on dark and light.
    pub(crate) fn trace(self, out: &mut String, id: &str) {
        let sum = id.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        self.style(out, ["36", "35", "34", "33", "32", "31"][sum % 6], id);
    }

    fn style(self, out: &mut String, style: &str, text: &str) {
        if self.on {
            out.extend(["\x1b[", style, "m", text, "\x1b[0m"]);
        } else {
            out.push_str(text);
        }
    }
}
