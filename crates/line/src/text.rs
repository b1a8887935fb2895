//! A JSON string as it stands in the text, and what it means once its escapes are read.

use std::borrow::Cow;

/// The inside of a checked JSON string, between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    pub(crate) raw: &'a str,
    pub(crate) escaped: bool,
}

impl<'a> Text<'a> {
    /// What the string means; copied only if it holds an escape.
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            Cow::Owned(unescape(self.raw))
        } else {
            Cow::Borrowed(self.raw)
        }
    }

    pub(crate) fn is(self, wanted: &str) -> bool {
        if self.escaped {
            unescape(self.raw) == wanted
        } else {
            self.raw == wanted
        }
    }
}

fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (char, used) = escape(&rest[at + 1..]);
        out.push(char);
        rest = &rest[at + 1 + used..];
    }
    out.push_str(rest);
    out
}

/// The character meant by what follows a backslash, and how many bytes that takes.
fn escape(after: &str) -> (char, usize) {
    match after.as_bytes().first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => unicode(after),
        Some(&other) => (char::from(other), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn unicode(after: &str) -> (char, usize) {
    let unit = |at: usize| {
        after
            .get(at..at + 4)
            .and_then(|hex| u16::from_str_radix(hex, 16).ok())
    };
    let units = [unit(1).unwrap_or(0), unit(7).unwrap_or(0)];
    match char::decode_utf16(units).next() {
        Some(Ok(char)) => (char, if char.len_utf16() == 2 { 11 } else { 5 }),
        // The scan has refused lone surrogates.
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}
