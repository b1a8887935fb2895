//! Reads an event's or a span's fields into a view: secrets hidden, lengths bounded, panics caught.

use std::cell::Cell;
use std::error::Error;
use std::fmt::{self, Write};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing_core::Field;
use tracing_core::field::Visit;

use crate::redact::{Mask, Redact};
use crate::view::{Held, View};

/// Puts fields into a view.
pub(crate) struct Collect<'a> {
    pub(crate) view: &'a mut View,
    pub(crate) redact: &'a Redact,
    /// Whether the event came through the `log` crate, its place in fields of its own.
    pub(crate) from_log: bool,
    /// How many values panicked on the way.
    pub(crate) panics: u64,
}

impl Collect<'_> {
    /// A value that needs no formatting unless its key is hidden.
    fn plain(&mut self, field: &Field, held: Held, text: impl fmt::Display) {
        let name = name(field);
        if self.from_log && name.starts_with("log.") {
            return;
        }
        match self.mask(name) {
            Ok(None) => self.view.put(name, held),
            Ok(Some(mask)) => self.text(name, Some(mask), |out| write!(out, "{text}")),
            Err(Panicked) => {}
        }
    }

    fn string(&mut self, name: &'static str, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) {
        if self.from_log && name.starts_with("log.") {
            return;
        }
        if let Ok(mask) = self.mask(name) {
            self.text(name, mask, write);
        }
    }

    fn text(
        &mut self,
        name: &'static str,
        mask: Option<Mask>,
        write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result,
    ) {
        let range = self.write(write);
        let Some(mask) = mask else {
            return self.view.put(name, Held::Text(range));
        };
        // A mask that panics shows nothing.
        let shown = catching(|| mask.show(self.view.written(range.clone())));
        self.view.unwrite(range.start);
        match shown {
            Ok(Some(shown)) => {
                let range = self.write(|out| out.write_str(&shown));
                self.view.put(name, Held::Text(range));
            }
            Ok(None) => {}
            Err(Panicked) => self.panics += 1,
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Bounded<'_>) -> fmt::Result) -> Range<usize> {
        let mut panicked = false;
        let range = self.view.write(|strings| {
            let start = strings.len();
            let written = catching(|| {
                write(&mut Bounded {
                    out: strings,
                    left: MAX_VALUE,
                })
            });
            // A value that fails midway keeps what it wrote; one that panics is not to be trusted.
            if written.is_err() {
                panicked = true;
                strings.truncate(start);
                strings.push_str("<panicked>");
            }
        });
        self.panics += u64::from(panicked);
        range
    }

    /// What hides the key. A judge that panics shows nothing.
    fn mask(&mut self, name: &str) -> Result<Option<Mask>, Panicked> {
        let mask = catching(|| self.redact.mask(name));
        self.panics += u64::from(mask.is_err());
        mask
    }
}

impl Visit for Collect<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.plain(field, Held::F64(value), value);
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
        if self.from_log && field.name() == "log.target" {
            return self.view.retarget(value);
        }
        self.string(name(field), |out| out.write_str(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let name = name(field);
        let mut first = 0;
        self.string(name, |out| {
            write!(out, "{value}")?;
            first = MAX_VALUE - out.left;
            let mut cause = value.source();
            // A chain that bites its own tail ends here.
            for _ in 0..MAX_CAUSES {
                let Some(error) = cause else { break };
                write!(out, ": {error}")?;
                cause = error.source();
            }
            Ok(())
        });
        self.view.mark_error(name, first);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.string(name(field), |out| write!(out, "{value:?}"));
    }
}

/// The name as a line spells it.
fn name(field: &Field) -> &'static str {
    field.name().strip_prefix("r#").unwrap_or(field.name())
}

/// Stops a value that is too long, at a character's border.
pub(crate) struct Bounded<'a> {
    out: &'a mut String,
    left: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = cut(text, self.left);
        self.out.push_str(fits);
        self.left -= fits.len();
        // An error stops the formatting of 10 MB that nobody will see.
        if fits.len() == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// The longest beginning of at most so many bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[derive(Debug)]
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

/// What a rule sees of one value at most, in bytes.
pub(crate) const MAX_VALUE: usize = 16 << 10;

/// How many causes of an error are read.
const MAX_CAUSES: usize = 16;
