//! Walks the members of an object as fast as it can, and checks no more than it must.
//!
//! It sees where keys and values begin and end. What it gives is safe to read, but the text around
//! may not be JSON: a line that a query holds for is checked in full afterwards.

use crate::scan::{Scan, Token};
use crate::text::Text;

/// A place in an unchecked object.
#[derive(Clone, Debug)]
pub(crate) struct Skim<'a> {
    text: &'a str,
    at: usize,
    first: bool,
}

/// The text ended, or cannot be JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Torn;

impl<'a> Skim<'a> {
    /// Stands behind the opening brace.
    pub(crate) fn inside(object: &'a str) -> Self {
        let open = object.find('{');
        Self {
            text: object,
            at: open.map_or(object.len(), |open| open + 1),
            first: true,
        }
    }

    /// The next key; `None` behind the closing brace, with nothing but white space after it.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Option<Text<'a>>, Torn> {
        match self.next()? {
            b'}' => {
                return self.text[self.at..]
                    .trim_ascii()
                    .is_empty()
                    .then_some(None)
                    .ok_or(Torn);
            }
            b',' if !self.first => {
                if self.next()? != b'"' {
                    return Err(Torn);
                }
            }
            b'"' if self.first => {}
            _ => return Err(Torn),
        }
        self.first = false;
        let key = self.string()?;
        if self.next()? == b':' {
            Ok(Some(key))
        } else {
            Err(Torn)
        }
    }

    /// The value behind the key.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Token<'a>, Torn> {
        let open = self.next()?;
        let start = self.at - 1;
        match open {
            b'"' => self.string().map(Token::Str),
            b'{' | b'[' => {
                self.nested()?;
                Ok(Token::Nested(&self.text[start..self.at]))
            }
            _ => {
                let bytes = &self.text.as_bytes()[start..];
                let end = bytes
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
                self.at = start + end.ok_or(Torn)?;
                match &self.text[start..self.at] {
                    "true" => Ok(Token::Bool(true)),
                    "false" => Ok(Token::Bool(false)),
                    "null" => Ok(Token::Null),
                    number => Ok(Token::Number(number)),
                }
            }
        }
    }

    /// The next byte that is no space, which is taken.
    #[inline]
    fn next(&mut self) -> Result<u8, Torn> {
        loop {
            let byte = *self.text.as_bytes().get(self.at).ok_or(Torn)?;
            self.at += 1;
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Ok(byte);
            }
        }
    }

    /// Behind the opening quote. A string with escapes is checked, so that it can be read.
    #[inline]
    fn string(&mut self) -> Result<Text<'a>, Torn> {
        let start = self.at;
        self.at += quote_or_backslash(&self.text.as_bytes()[start..]);
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => {
                let raw = &self.text[start..self.at];
                self.at += 1;
                Ok(Text {
                    raw,
                    escaped: false,
                })
            }
            Some(_) => {
                let (text, end) = Scan::string_at(self.text, start - 1).map_err(|_| Torn)?;
                self.at = end;
                Ok(text)
            }
            None => Err(Torn),
        }
    }

    /// Behind an opening bracket: to behind the one that closes it.
    fn nested(&mut self) -> Result<(), Torn> {
        let bytes = self.text.as_bytes();
        let mut depth = 1;
        while depth > 0 {
            match bytes.get(self.at).ok_or(Torn)? {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => loop {
                    self.at += 1;
                    self.at += quote_or_backslash(bytes.get(self.at..).ok_or(Torn)?);
                    match bytes.get(self.at).ok_or(Torn)? {
                        b'"' => break,
                        _ => self.at += 1,
                    }
                },
                _ => {}
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// How many bytes from here on are neither a quote nor a backslash; eight at a time.
#[inline]
fn quote_or_backslash(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
        let quote = word ^ (ONES * 0x22);
        let backslash = word ^ (ONES * 0x5c);
        // The lowest mark is exact; those above it may be carried from it.
        let marks = ((quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash))
            & HIGH;
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = &bytes[at..];
    at + rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\'))
        .unwrap_or(rest.len())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES * 0x80;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Skim, Torn, quote_or_backslash};
    use crate::members::Members;
    use crate::{Line, Value};

    /// The fields as the skim gives them, to where it gave up.
    fn skimmed(text: &str) -> Result<Vec<(String, Value<'_>)>, Torn> {
        let mut skim = Skim::inside(text);
        let mut found = Vec::new();
        while let Some(key) = skim.key()? {
            found.push((key.decode().into_owned(), skim.value()?.value()));
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
        fn a_string_ends_where_a_byte_by_byte_look_ends_it(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x21..=0x23_u8, 0x5b..=0x5d_u8], 0..40)) {
            let slow = bytes.iter().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            prop_assert_eq!(quote_or_backslash(&bytes), slow);
        }
    }
}
