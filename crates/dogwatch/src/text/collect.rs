//! Reads the fields of an event or a span as text that is safe to show.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing_core::field::{Field as Key, Visit};

use crate::text::Judge;

/// One field, ready to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) value: String,
}

/// What an event says.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) message: String,
    pub(crate) fields: Vec<Field>,
    /// The causes of its errors, outermost first.
    pub(crate) causes: Vec<String>,
}

pub(crate) fn collect(judge: &Judge, record: impl FnOnce(&mut dyn Visit)) -> Collected {
    let mut visitor = Visitor {
        judge,
        collected: Collected::default(),
    };
    record(&mut visitor);
    visitor.collected
}

/// The value of a known name is replaced in its place.
pub(crate) fn replace(known: &mut Vec<Field>, fields: Vec<Field>) {
    for field in fields {
        match known.iter_mut().find(|old| old.name == field.name) {
            Some(old) => *old = field,
            None => known.push(field),
        }
    }
}

struct Visitor<'a> {
    judge: &'a Judge,
    collected: Collected,
}

impl Visitor<'_> {
    fn take(&mut self, key: &Key, value: &dyn fmt::Display) {
        let name = key.name().strip_prefix("r#").unwrap_or(key.name());
        // Of a record of the `log` crate: where it was logged stands on the line already.
        if name.starts_with("log.") {
            return;
        }
        let mut text = written(value);
        if let Some(mask) = (self.judge.mask)(name) {
            match mask(&text) {
                Some(shown) => text = shown,
                None => return,
            }
        }
        let value = printable(&text);
        if name == "message" {
            self.collected.message = value;
        } else {
            replace(&mut self.collected.fields, vec![Field { name, value }]);
        }
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, key: &Key, value: &dyn fmt::Debug) {
        let name = key.name().strip_prefix("r#").unwrap_or(key.name());
        if name != "message" {
            if let Some(json) = (self.judge.nested)(name, value) {
                return self.take(key, &json);
            }
        }
        self.take(key, &format_args!("{value:?}"));
    }

    fn record_str(&mut self, key: &Key, value: &str) {
        self.take(key, &value);
    }

    fn record_error(&mut self, key: &Key, value: &(dyn Error + 'static)) {
        self.take(key, &value);
        let mut cause = value.source();
        // A chain that bites its own tail ends here.
        for _ in 0..MAX_CAUSES {
            let Some(error) = cause else { return };
            self.collected.causes.push(printable(&written(&error)));
            cause = error.source();
        }
    }
}

/// What `Display` writes; a panic or a failure in it is shown, not passed on.
fn written(value: &dyn fmt::Display) -> String {
    let mut text = String::new();
    let wrote = catch_unwind(AssertUnwindSafe(|| write!(text, "{value}")));
    match wrote {
        Ok(Ok(())) => {}
        Ok(Err(_)) => text.push_str("<failed to format>"),
        Err(_) => text.push_str("<panicked while formatting>"),
    }
    text
}

/// Without what would move a terminal's cursor, change its colours or turn its text around.
fn printable(text: &str) -> String {
    let unsafe_char = |c: char| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(unsafe_char) {
        return text.to_owned();
    }
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, c| {
            if unsafe_char(c) {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
            shown
        })
}

const MAX_CAUSES: usize = 16;
