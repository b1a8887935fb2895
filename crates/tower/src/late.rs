//! Fields that a handler adds to its request's closing line, without declaring them first. Pure.

use tracing_core::field::Value;

/// A value for [`RequestLog::set`](crate::RequestLog::set): text, a number or a truth value.
#[derive(Clone, Debug, PartialEq)]
pub struct LateValue(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
}

impl LateValue {
    pub(crate) fn as_value(&self) -> &dyn Value {
        match &self.0 {
            Kind::Bool(value) => value,
            Kind::Signed(value) => value,
            Kind::Unsigned(value) => value,
            Kind::Float(value) => value,
            Kind::Text(value) => value,
        }
    }
}

macro_rules! late_value_from {
    ($($from:ty => $kind:ident),* $(,)?) => {
        $(impl From<$from> for LateValue {
            fn from(value: $from) -> Self {
                Self(Kind::$kind(value.into()))
            }
        })*
    };
}

late_value_from! {
    bool => Bool,
    i8 => Signed, i16 => Signed, i32 => Signed, i64 => Signed,
    u8 => Unsigned, u16 => Unsigned, u32 => Unsigned, u64 => Unsigned,
    f32 => Float, f64 => Float,
    &str => Text, String => Text,
}

impl From<usize> for LateValue {
    fn from(value: usize) -> Self {
        Self(Kind::Unsigned(value as u64))
    }
}

/// The late fields of one request, sorted by key so that their order does not make new callsites.
#[derive(Debug, Default)]
pub(crate) struct Late {
    keys: Vec<&'static str>,
    values: Vec<LateValue>,
    refused: u64,
}

impl Late {
    /// Adds a field or replaces its value. A reserved key and one too many are refused and counted.
    pub(crate) fn set(&mut self, key: &'static str, value: LateValue, reserved: &[&str]) {
        match self.keys.binary_search(&key) {
            Ok(at) => self.values[at] = value,
            Err(_) if reserved.contains(&key) || self.keys.len() == MAX_FIELDS => self.refused += 1,
            Err(at) => {
                self.keys.insert(at, key);
                self.values.insert(at, value);
            }
        }
    }

    /// Refuses all that were set: for when no callsite can be had for them.
    pub(crate) fn refuse_all(&mut self) {
        self.refused += self.keys.len() as u64;
        self.keys.clear();
        self.values.clear();
    }

    /// Of another request: the memory stays.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
        self.refused = 0;
    }

    pub(crate) fn keys(&self) -> &[&'static str] {
        &self.keys
    }

    pub(crate) fn value(&self, at: usize) -> Option<&dyn Value> {
        self.values.get(at).map(LateValue::as_value)
    }

    /// How many were refused, when any were.
    pub(crate) fn refused(&self) -> Option<u64> {
        (self.refused > 0).then_some(self.refused)
    }
}

/// The most late fields of one request: with the line's own they fit the 32 that `tracing` once allowed.
pub(crate) const MAX_FIELDS: usize = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_the_last_value_wins() {
        let mut late = Late::default();
        for (key, value) in [("user", "a"), ("cart", "b"), ("user", "c")] {
            late.set(key, value.into(), &["status"]);
        }
        assert_eq!(late.keys(), ["cart", "user"]);
        assert_eq!(late.values, ["b".into(), "c".into()]);
        assert_eq!(late.refused(), None);
    }

    #[test]
    fn reserved_keys_and_one_too_many_are_counted() {
        let mut late = Late::default();
        late.set("status", 200_u16.into(), &["status"]);
        for i in 0..=MAX_FIELDS {
            late.set(format!("key{i}").leak(), i.into(), &["status"]);
        }
        assert_eq!((late.keys().len(), late.refused()), (MAX_FIELDS, Some(2)));
        late.refuse_all();
        assert_eq!(
            (late.keys().len(), late.refused()),
            (0, Some(2 + MAX_FIELDS as u64))
        );
    }
}
