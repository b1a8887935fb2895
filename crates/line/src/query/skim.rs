//! Walks the members of an object as fast as it can, and checks no more than it must.
//!
//! It sees where keys and values begin and end. What it gives is safe to read, but the text around
//! may not be JSON: a line that a query holds for is checked in full afterwards.

use memchr::memchr2;

use crate::scan::{Scan, Token};
use crate::text::Text;

/// A place in an unchecked object.
#[derive(Clone, Debug)]
pub(crate) struct Skim<'a> {
    text: &'a str,
    at: usize,
    first: bool,
}

/// A value, as far as it is known before it is of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    start: usize,
    end: usize,
    /// Whether it is a string with a backslash in it.
    escaped: bool,
}

impl Extent {
    pub(crate) fn is_escaped(self) -> bool {
        self.escaped
    }
}

/// The text ended, or cannot be JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Torn;

impl<'a> Skim<'a> {
    /// Stands behind the opening brace.
    pub(crate) fn inside(object: &'a str) -> Self {
        let open = memchr::memchr(b'{', object.as_bytes());
        Self {
            text: object,
            at: open.map_or(object.len(), |open| open + 1),
            first: true,
        }
    }

    /// The next key, between its quotes; `None` behind the closing brace, with nothing but white
    /// space after it.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Option<Extent>, Torn> {
        // Most writers put nothing but this between two members.
        if self.text.as_bytes()[self.at..].starts_with(b",\"") && !self.first {
            self.at += 2;
        } else if !self.open_key()? {
            return Ok(None);
        }
        self.first = false;
        let key = self.string()?;
        if self.next()? == b':' {
            Ok(Some(key))
        } else {
            Err(Torn)
        }
    }

    /// Takes what stands before a key; `false` if the object ends instead.
    fn open_key(&mut self) -> Result<bool, Torn> {
        match self.next()? {
            b'}' => {
                let ended = self.text.as_bytes()[self.at..].trim_ascii().is_empty();
                return if ended { Ok(false) } else { Err(Torn) };
            }
            b'"' if self.first => return Ok(true),
            b',' if !self.first => {}
            _ => return Err(Torn),
        }
        if self.next()? == b'"' {
            Ok(true)
        } else {
            Err(Torn)
        }
    }

    /// The value behind the key.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Extent, Torn> {
        let open = self.next()?;
        let start = self.at - 1;
        let escaped = match open {
            b'"' => self.string()?.escaped,
            b'{' | b'[' => {
                self.nested()?;
                false
            }
            _ => {
                let bytes = &self.text.as_bytes()[self.at..];
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
                self.at += bytes.iter().position(ends).ok_or(Torn)?;
                false
            }
        };
        Ok(Extent {
            start,
            end: self.at,
            escaped,
        })
    }

    /// The bytes of a key, as they stand there.
    #[inline(always)]
    pub(crate) fn bytes(&self, extent: Extent) -> &'a [u8] {
        &self.text.as_bytes()[extent.start..extent.end]
    }

    /// Reads a key. One with escapes is checked, so that it can be.
    pub(crate) fn text(&self, key: Extent) -> Result<Text<'a>, Torn> {
        if key.escaped {
            return Scan::string_at(self.text, key.start - 1).map_err(|_| Torn);
        }
        let raw = &self.text[key.start..key.end];
        Ok(Text {
            raw,
            escaped: false,
        })
    }

    /// Reads a value, to its kind.
    pub(crate) fn token(&self, value: Extent) -> Result<Token<'a>, Torn> {
        let text = &self.text[value.start..value.end];
        Ok(match text.as_bytes().first() {
            Some(b'"') => {
                let inside = Extent {
                    start: value.start + 1,
                    end: value.end - 1,
                    ..value
                };
                Token::Str(self.text(inside)?)
            }
            Some(b'{' | b'[') => Token::Nested(text),
            _ => match text {
                "true" => Token::Bool(true),
                "false" => Token::Bool(false),
                "null" => Token::Null,
                number => Token::Number(number),
            },
        })
    }

    /// The next byte that is no space, which is taken.
    #[inline(always)]
    fn next(&mut self) -> Result<u8, Torn> {
        loop {
            let byte = *self.text.as_bytes().get(self.at).ok_or(Torn)?;
            self.at += 1;
            if byte > b' ' {
                return Ok(byte);
            }
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Err(Torn);
            }
        }
    }

    /// Behind the opening quote: to behind the closing one, and gives what is between.
    #[inline(always)]
    fn string(&mut self) -> Result<Extent, Torn> {
        let bytes = self.text.as_bytes();
        let (start, mut escaped) = (self.at, false);
        loop {
            self.at += quote_or_backslash(&bytes[self.at..]).ok_or(Torn)?;
            self.at += 1;
            if bytes[self.at - 1] == b'"' {
                return Ok(Extent {
                    start,
                    end: self.at - 1,
                    escaped,
                });
            }
            escaped = true;
            // What is escaped, be it a quote; its other bytes are no quotes.
            self.at += 1;
            if self.at > bytes.len() {
                return Err(Torn);
            }
        }
    }

    /// Behind an opening bracket: to behind the one that closes it.
    fn nested(&mut self) -> Result<(), Torn> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => drop(self.string()?),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where the first quote or backslash is. Most strings end within sixteen bytes, sooner than a call
/// to a search for long texts pays.
#[inline(always)]
fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    let Some(chunk) = bytes.first_chunk::<16>() else {
        return bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    };
    let (low, high) = chunk.split_at(8);
    for (at, half) in [(0, low), (8, high)] {
        let word = half
            .iter()
            .rev()
            .fold(0, |word, &byte| word << 8 | u64::from(byte));
        let marks = (zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c))) & HIGH;
        if marks != 0 {
            // The lowest mark is exact; those above it may be carried from it.
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
    }
    memchr2(b'"', b'\\', &bytes[16..]).map(|at| at + 16)
}

/// Marks the high bit of each byte that is zero.
#[inline(always)]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES * 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Skim, Torn};
    use crate::members::Members;
    use crate::{Line, Value};

    /// The fields as the skim gives them, to where it gave up.
    fn skimmed(text: &str) -> Result<Vec<(String, Value<'_>)>, Torn> {
        let mut skim = Skim::inside(text);
        let mut found = Vec::new();
        while let Some(key) = skim.key()? {
            let value = skim.value()?;
            let (key, value) = (skim.text(key)?, skim.token(value)?);
            found.push((key.decode().into_owned(), value.value()));
        }
        Ok(found)
    }

    #[test]
    fn what_cannot_be_an_object_is_torn() {
        for text in [
            "",
            "{",
            "{\"",
            "{\"a",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":\"",
            "{\"a\":\"\\",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"\\é\"}",
            "{\"a\":{\"b\":\"}\"",
            "{\"a\":[",
            "{\"a\":[\"\\",
            "{\"a\" 1}",
            "{,\"a\":1}",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{\"a\":\"b\"\"c\":1}",
        ] {
            assert_eq!(skimmed(text), Err(Torn), "{text}");
        }
    }

    proptest! {
        #[test]
        fn of_a_line_it_sees_what_a_full_check_sees(
            line in prop_oneof!["\\PC{0,30}", "[{}\\[\\]\":,\\\\ua0-2é \t]{0,30}", "\\{( ?\"[ab\\\\n]{0,9}\" ?: ?(-?[0-9]{1,3}|\"[a\\\\u0é]{0,20}\"|null|true|\\[\"}\",1\\]|\\{\"a\":\"\\\\\\\\\"\\}),?){0,3}\\}"],
        ) {
            // Whatever the text, the skim must not panic; where the text is a line, both agree.
            let skimmed = skimmed(&line);
            if Line::parse(&line).is_ok() {
                let checked: Vec<_> = Members::of(&line).map(|(key, token)| (key.decode().into_owned(), token.value())).collect();
                prop_assert_eq!(skimmed, Ok(checked));
            }
        }

        #[test]
        fn a_string_ends_where_a_byte_by_byte_look_ends_it(bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => 0x21..=0x23_u8, 1 => 0x5b..=0x5d_u8], 0..60)) {
            let slow = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(super::quote_or_backslash(&bytes), slow);
        }
    }
}
