//! Walks what stands inside an object or an array of checked text.

use crate::Value;
use crate::scan::{Scan, Token};
use crate::text::Text;

/// The keys and values of one object.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    scan: Scan<'a>,
    first: bool,
    done: bool,
}

impl<'a> Members<'a> {
    pub(crate) fn of(object: &'a str) -> Self {
        Self {
            scan: Scan::inside(object),
            first: true,
            done: false,
        }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        // Depth 0: the text was checked, so this walk meets no error and no bound.
        let member = self.scan.member(self.first, 0).ok().flatten();
        self.first = false;
        self.done = member.is_none();
        member
    }
}

/// The values of one array; nothing if the text is none.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    scan: Scan<'a>,
    first: bool,
    done: bool,
}

impl<'a> Elements<'a> {
    pub(crate) fn of(array: &'a str) -> Self {
        Self {
            scan: Scan::inside(array),
            first: true,
            done: !array.starts_with('['),
        }
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        // As for the members of an object.
        let element = self.scan.element(self.first, 0).ok().flatten();
        self.first = false;
        self.done = element.is_none();
        element.map(Token::value)
    }
}

/// Whether any value of an object holds that is neither object nor array, however deep it stands.
pub(crate) fn scalars(json: &str, holds: &mut dyn FnMut(&Value<'_>) -> bool) -> bool {
    let mut ask = |value: Value<'_>| match value {
        Value::Raw(inner) => scalars(inner, holds),
        scalar => holds(&scalar),
    };
    if json.starts_with('[') {
        Elements::of(json).any(ask)
    } else {
        Members::of(json).any(|(_, token)| ask(token.value()))
    }
}
