//! The one question that a rule asks, and the first rule that asks it.

use crate::Value;

/// Something with fields that can be asked for by name: a line, an event, a test's table.
pub trait Fields {
    /// The value of a field; `None` if there is no such field. A dot descends into objects:
    /// `error.message`.
    fn field(&self, name: &str) -> Option<Value<'_>>;

    /// Whether any value holds that is neither object nor array, however deep it stands: what a bare
    /// word of a query is looked for in. Unless it is implemented, the message alone is asked.
    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        self.field("message").is_some_and(|value| holds(&value))
    }
}

/// Holds when a field equals a literal, by [`Value::equals`]. A missing field equals nothing,
/// not even null.
///
/// ```
/// use dogwatch_line::{Equals, Line};
///
/// let failed = Equals::new("event", "pay_failed");
/// assert!(failed.holds(&Line::parse(r#"{"event":"pay_failed"}"#)?));
/// assert!(!failed.holds(&Line::parse(r#"{"event":"pay_settled"}"#)?));
/// # Ok::<(), dogwatch_line::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Equals {
    field: Box<str>,
    literal: Value<'static>,
}

impl Equals {
    /// Compares the field of this name with this literal.
    pub fn new(field: impl Into<Box<str>>, literal: impl Into<Value<'static>>) -> Self {
        Self {
            field: field.into(),
            literal: literal.into(),
        }
    }

    /// The field's name.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What the field is compared with.
    pub fn literal(&self) -> &Value<'static> {
        &self.literal
    }

    /// Whether the field is there and equals the literal.
    pub fn holds(&self, fields: &(impl Fields + ?Sized)) -> bool {
        fields
            .field(&self.field)
            .is_some_and(|value| value.equals(&self.literal))
    }
}
