//! Where a query finds what it asks for: in something with fields, in a walked line, in plain text.

use super::names::{Kind, Names};
use super::probe::Probe;
use super::walk::Found;
use crate::members::scalars;
use crate::scan::Token;
use crate::severity::severity_number;
use crate::{Fields, Level, Value};

/// Whether a token can be the field's value, as [`meant`] says, without reading more of it than must
/// be.
pub(crate) fn fits(names: &Names, name: usize, token: Token<'_>) -> bool {
    match (names.kind, token) {
        (_, Token::Null) => false,
        (Kind::Level, token) => meant(names, name, token.value()).is_some(),
        (_, Token::Nested(json)) => !json.starts_with('{') || names.names.len() == 1,
        _ => true,
    }
}

/// What a value means under one of a field's names; `None` if it cannot be the field's: null never
/// is, a level has to name one, and where a field has several names, an object is not its value.
pub(crate) fn meant<'a>(names: &Names, name: usize, value: Value<'a>) -> Option<Value<'a>> {
    match (names.kind, value) {
        (_, Value::Null) => None,
        (_, Value::Raw(json)) if json.starts_with('{') && names.names.len() > 1 => None,
        // OpenTelemetry's number is no level by itself: bunyan's 10 is another.
        (Kind::Level, Value::I64(number)) if names.names[name].path.ends_with("umber") => {
            severity_number(number).map(|level| Value::from(level.as_str()))
        }
        (Kind::Level, value) => Level::of(&value).map(|_| value),
        // Google Cloud names a trace by its project too: `projects/p/traces/4bf9…`.
        (Kind::Id, Value::Str(text)) if text.starts_with("projects/") => Some(Value::from(
            text.rsplit('/').next().unwrap_or_default().to_owned(),
        )),
        (_, value) => Some(value),
    }
}

/// Where a query finds fields and texts.
pub(crate) trait Source {
    fn value(&self, slot: usize) -> Option<(Value<'_>, f64)>;
    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool;
    /// Whether it is worth while to ask for a text.
    fn may_have(&self, probe: &Probe) -> bool {
        let _ = probe;
        true
    }
}

pub(crate) struct Asked<'a, F: ?Sized> {
    pub(crate) fields: &'a F,
    pub(crate) slots: &'a [Names],
}

impl<F: Fields + ?Sized> Source for Asked<'_, F> {
    fn value(&self, slot: usize) -> Option<(Value<'_>, f64)> {
        let names = &self.slots[slot];
        names.names.iter().enumerate().find_map(|(index, name)| {
            let value = meant(names, index, self.fields.field(&name.path)?)?;
            Some((value, name.unit))
        })
    }

    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        self.fields.any(holds)
    }
}

pub(crate) struct Walked<'a> {
    pub(crate) line: &'a str,
    pub(crate) found: &'a [Option<Found<'a>>],
    pub(crate) slots: &'a [Names],
}

impl Source for Walked<'_> {
    fn value(&self, slot: usize) -> Option<(Value<'_>, f64)> {
        let found = self.found[slot]?;
        let names = &self.slots[slot];
        let value = meant(names, found.name(), found.token.value())?;
        Some((value, names.names[found.name()].unit))
    }

    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        scalars(self.line, holds)
    }

    fn may_have(&self, probe: &Probe) -> bool {
        probe.may_be_in(self.line)
    }
}

/// A line that is no JSON: one text, no fields.
pub(crate) struct Plain<'a>(pub(crate) &'a str);

impl Source for Plain<'_> {
    fn value(&self, _: usize) -> Option<(Value<'_>, f64)> {
        None
    }

    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        holds(&Value::from(self.0))
    }
}
