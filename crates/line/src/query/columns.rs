//! Reads some fields of a line, whatever its logger calls them.

use super::check::nanos;
use super::names::{Kind, Names};
use super::source::meant;
use super::walk::Index;
use super::wrapped;
use crate::Value;

/// Some fields by name, to be read from many lines: a row of a table for each line.
///
/// ```
/// use dogwatch_line::{Columns, Value};
///
/// let columns = Columns::new(["status", "latency_ms"]);
/// let pino = r#"{"res":{"statusCode":503},"responseTime":12}"#;
/// let ecs = r#"{"http.response.status_code":200,"event":{"duration":2500000}}"#;
/// assert_eq!(columns.of(pino), [Some(Value::I64(503)), Some(Value::F64(12.0))]);
/// assert_eq!(columns.of(ecs), [Some(Value::I64(200)), Some(Value::F64(2.5))]);
/// assert_eq!(columns.of("no JSON"), [None, None]);
/// ```
#[derive(Debug)]
pub struct Columns {
    slots: Vec<Names>,
    index: Index,
}

impl Columns {
    /// Reads the fields of these names, in this order.
    pub fn new<'n>(fields: impl IntoIterator<Item = &'n str>) -> Self {
        let slots: Vec<Names> = fields.into_iter().map(Names::of).collect();
        let index = Index::new(&slots);
        Self { slots, index }
    }

    /// The values of a line, `None` where it has no such field or the line is no JSON. A duration
    /// that is found under another name, or as a text, is given in the unit of the name that was
    /// asked for.
    pub fn of(&self, line: &str) -> Vec<Option<Value<'static>>> {
        match wrapped::inner(line) {
            Some(inner) => self.of_bare(&inner),
            None => self.of_bare(line),
        }
    }

    fn of_bare(&self, line: &str) -> Vec<Option<Value<'static>>> {
        let mut found = vec![None; self.slots.len()];
        if self.index.walk(line, &self.slots, &mut found).is_err() {
            return vec![None; self.slots.len()];
        }
        let read = |(names, found): (&Names, &Option<super::walk::Found<'_>>)| {
            let found = found.as_ref()?;
            let value = meant(names, found.name(), found.token.value())?;
            let numeric = matches!(value, Value::I64(_) | Value::U64(_) | Value::F64(_));
            if names.kind == Kind::Span && !(numeric && found.name() == 0) {
                if let Some(nanos) = nanos(&value, names.names[found.name()].unit) {
                    return Some(Value::F64(nanos / names.names[0].unit));
                }
            }
            Some(match value {
                Value::Str(text) => Value::from(text.into_owned()),
                // A list or an object as a text of its own.
                Value::Raw(json) => Value::from(json.to_owned()),
                Value::Null => Value::Null,
                Value::Bool(bool) => Value::Bool(bool),
                Value::I64(int) => Value::I64(int),
                Value::U64(int) => Value::U64(int),
                Value::F64(float) => Value::F64(float),
            })
        };
        self.slots.iter().zip(&found).map(read).collect()
    }
}
