//! One checked line of JSON, and its fields by name.

use std::borrow::Cow;
use std::fmt;

use crate::members::{Members, scalars};
use crate::scan::{Scan, Token};
use crate::{Error, Fields, Level, Value};

/// One log line: a JSON object, with unique keys unless asked otherwise, checked in full, borrowed from its text.
///
/// It holds the text alone and walks it for each question: small to keep, no allocation but for
/// strings with escapes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Line<'a> {
    text: &'a str,
}

impl<'a> Line<'a> {
    /// Checks a text: one object, unique keys in it and in every object within, nothing after it.
    /// White space around it is fine, a line end included.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        Scan::check(text)?;
        Ok(Self { text })
    }

    /// As [`parse`](Self::parse), but keys may stand twice, as other loggers let them:
    /// [`fields`](Self::fields) gives each, and [`field`](Self::field) the first.
    ///
    /// ```
    /// use dogwatch_line::{Line, Value};
    ///
    /// let line = Line::parse_repeating(r#"{"id":1,"id":2}"#)?;
    /// assert_eq!(line.field("id"), Some(Value::I64(1)));
    /// assert_eq!(line.fields().count(), 2);
    /// # Ok::<(), dogwatch_line::Error>(())
    /// ```
    pub fn parse_repeating(text: &'a str) -> Result<Self, Error> {
        Scan::check_repeating(text)?;
        Ok(Self { text })
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The value of a field; a dot descends into objects.
    ///
    /// A key that contains the dot itself is found first, at every step: `{"http.status":1}` and
    /// `{"http":{"status":1}}` both answer to `http.status`.
    pub fn field(&self, name: &str) -> Option<Value<'a>> {
        find(self.text, name).map(Token::value)
    }

    /// The fields of the line in its order; those of inner objects are inside [`Value::Raw`].
    pub fn fields(&self) -> FieldIter<'a> {
        FieldIter {
            members: Members::of(self.text),
        }
    }

    /// The field `level`, if it names one.
    pub fn level(&self) -> Option<Level> {
        Level::parse(&self.string("level")?)
    }

    /// The field `timestamp`, as its text.
    pub fn timestamp(&self) -> Option<Cow<'a, str>> {
        self.string("timestamp")
    }

    /// The field `message`.
    pub fn message(&self) -> Option<Cow<'a, str>> {
        self.string("message")
    }

    fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.field(name)? {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
}

impl Fields for Line<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        Line::field(self, name)
    }

    fn any(&self, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
        scalars(self.text, holds)
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.text).finish()
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

/// The fields of a line, in its order; made by [`Line::fields`].
#[derive(Clone, Debug)]
pub struct FieldIter<'a> {
    members: Members<'a>,
}

impl<'a> Iterator for FieldIter<'a> {
    type Item = (Cow<'a, str>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, token) = self.members.next()?;
        Some((key.decode(), token.value()))
    }
}

/// The whole name as a key, else the longest key that is the name's beginning and leads on.
pub(crate) fn find<'a>(object: &'a str, name: &str) -> Option<Token<'a>> {
    let mut inner: Option<(usize, Token<'a>)> = None;
    for (key, token) in Members::of(object) {
        if key.is(name) {
            return Some(token);
        }
        let Token::Nested(json) = token else { continue };
        let key = key.decode();
        let Some(rest) = name
            .strip_prefix(&*key)
            .and_then(|rest| rest.strip_prefix('.'))
        else {
            continue;
        };
        if json.starts_with('{') && inner.is_none_or(|(longest, _)| key.len() > longest) {
            inner = find(json, rest).map(|found| (key.len(), found)).or(inner);
        }
    }
    inner.map(|(_, token)| token)
}
