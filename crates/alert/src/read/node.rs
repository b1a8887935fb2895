//! A value in a rules file that knows where it stands, and reads itself strictly.

use std::time::Duration;

use serde_norway::{Mapping, Value};

use crate::error::{Error, Place};
use crate::read::locate::{Step, locate};
use crate::span_of_time;

/// A value, the text it comes from, and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    text: &'a str,
    path: Vec<Step>,
    value: &'a Value,
    /// Whose error it would be: "rule `x`", once the name is known.
    owner: Option<String>,
}

impl<'a> Node<'a> {
    pub(crate) fn root(text: &'a str, value: &'a Value) -> Self {
        Self {
            text,
            path: Vec::new(),
            value,
            owner: None,
        }
    }

    pub(crate) fn owned_by(mut self, owner: String) -> Self {
        self.owner = Some(owner);
        self
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn place(&self) -> Option<Place> {
        locate(self.text, &self.path)
    }

    pub(crate) fn error(&self, what: impl AsRef<str>) -> Error {
        self.error_at(self.place(), what.as_ref())
    }

    fn error_at(&self, place: Option<Place>, what: &str) -> Error {
        match &self.owner {
            Some(owner) => Error::rules(place, format!("{owner}: {what}")),
            None => Error::rules(place, what),
        }
    }

    fn step(&self, step: Step, value: &'a Value) -> Self {
        let mut path = self.path.clone();
        path.push(step);
        Self {
            text: self.text,
            path,
            value,
            owner: self.owner.clone(),
        }
    }

    /// The value of a key; a key without a value is as good as absent.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.as_mapping()?.get(key)?;
        (!value.is_null()).then(|| self.step(Step::Key(key.into()), value))
    }

    pub(crate) fn need(&self, key: &str) -> Result<Self, Error> {
        self.get(key)
            .ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    /// Checks that this is a map with these keys and no other.
    pub(crate) fn keys(&self, known: &[&str]) -> Result<(), Error> {
        for (key, _) in self.entries()? {
            if !known.contains(&key) {
                let at = self.step(Step::ToKey(key.into()), self.value);
                let known = known.join(", ");
                return Err(at.error(format!("unknown key `{key}`; known are {known}")));
            }
        }
        Ok(())
    }

    pub(crate) fn entries(&self) -> Result<Vec<(&'a str, Self)>, Error> {
        let map: &Mapping = self
            .value
            .as_mapping()
            .ok_or_else(|| self.expected("a map"))?;
        map.iter()
            .map(|(key, value)| match key.as_str() {
                Some(key) => Ok((key, self.step(Step::Key(key.into()), value))),
                None => Err(self.error(format!("the key {} must be text", short(key)))),
            })
            .collect()
    }

    pub(crate) fn items(&self) -> Result<Vec<Self>, Error> {
        let list = self
            .value
            .as_sequence()
            .ok_or_else(|| self.expected("a list"))?;
        Ok(list
            .iter()
            .enumerate()
            .map(|(at, value)| self.step(Step::Index(at), value))
            .collect())
    }

    /// One text, or a list of texts.
    pub(crate) fn texts(&self) -> Result<Vec<(String, Self)>, Error> {
        let items = if self.value.is_sequence() {
            self.items()?
        } else {
            vec![self.clone()]
        };
        items
            .into_iter()
            .map(|item| Ok((item.str()?.to_owned(), item)))
            .collect()
    }

    pub(crate) fn str(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.expected("text"))
    }

    pub(crate) fn span(&self) -> Result<Duration, Error> {
        let text = self.value.as_str().and_then(span_of_time::parse);
        text.ok_or_else(|| self.expected("a span of time with its unit, such as 30s or 1m30s"))
    }

    pub(crate) fn expected(&self, what: &str) -> Error {
        self.error(format!("expected {what}, found {}", short(self.value)))
    }
}

/// What was found, told in a few words.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(bool) => format!("`{bool}`"),
        Value::Number(number) => format!("`{number}`"),
        Value::String(text) if text.chars().count() <= 40 => format!("`{text}`"),
        Value::String(_) => "a long text".into(),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a map".into(),
        Value::Tagged(tagged) => format!("the tag {}", tagged.tag),
    }
}
