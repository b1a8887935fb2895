//! Finds the line and column of a place in YAML text that was already read.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

use crate::error::Place;

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the value of a key.
    Key(String),
    /// To the key itself; always the last step.
    ToKey(String),
    /// To an element of a list.
    Index(usize),
}

/// Walks there once more and fails on arrival: the parser tells places in its errors alone.
/// It costs a second reading, of text that is refused anyway.
pub(crate) fn locate(text: &str, path: &[Step]) -> Option<Place> {
    let error = Seek(path)
        .deserialize(serde_norway::Deserializer::from_str(text))
        .err()?;
    place(&error)
}

pub(crate) fn place(error: &serde_norway::Error) -> Option<Place> {
    error.location().map(|at| Place {
        line: at.line(),
        column: at.column(),
    })
}

/// Where a file begins.
pub(crate) const START: Place = Place { line: 1, column: 1 };

struct Seek<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the place looked for")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            return Err(arrived());
        };
        let (wanted, at_key) = match step {
            Step::Key(key) => (key.as_str(), false),
            Step::ToKey(key) => (key.as_str(), true),
            Step::Index(_) => return Err(arrived()),
        };
        while let Some(found) = map.next_key_seed(Key {
            wanted,
            stop: at_key,
        })? {
            if found {
                return map.next_value_seed(Seek(rest));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Err(arrived())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(index), rest)) = self.0.split_first() else {
            return Err(arrived());
        };
        for _ in 0..*index {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Seek(rest))?;
        Err(arrived())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Err(arrived())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Err(arrived())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Err(arrived())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Err(arrived())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Err(arrived())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Err(arrived())
    }
}

/// Says whether a key is the wanted one, or fails on it to learn its place.
struct Key<'p> {
    wanted: &'p str,
    stop: bool,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        let found = key == self.wanted;
        if found && self.stop {
            Err(arrived())
        } else {
            Ok(found)
        }
    }
}

fn arrived<E: serde::de::Error>() -> E {
    E::custom("arrived")
}
