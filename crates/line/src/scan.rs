//! Walks JSON text token by token and refuses what is not JSON.

use crate::error::{Error, Kind};
use crate::plain::plain;
use crate::seen::Seen;
use crate::text::Text;
use crate::value::Value;

/// How deep objects and arrays may nest in a line, the line's own object included.
///
/// 127 is the depth that `serde_json` accepts, so that a line readable here is readable there.
pub const MAX_DEPTH: usize = 127;

/// A place in a text. Whether repeated keys are refused is the walker's choice: once is enough.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
    unique: bool,
}

/// One value, not yet converted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Token<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Str(Text<'a>),
    Nested(&'a str),
}

impl<'a> Token<'a> {
    pub(crate) fn value(self) -> Value<'a> {
        match self {
            Token::Null => Value::Null,
            Token::Bool(bool) => Value::Bool(bool),
            Token::Number(text) => Value::number(text),
            Token::Str(text) => Value::Str(text.decode()),
            Token::Nested(json) => Value::Raw(json),
        }
    }
}

impl<'a> Scan<'a> {
    /// Checks that the text is one object with unique keys, and nothing after it.
    pub(crate) fn check(text: &'a str) -> Result<(), Error> {
        let mut scan = Scan {
            text,
            at: 0,
            unique: true,
        };
        scan.line()
    }

    /// Stands behind the opening bracket of an object or an array. Repeated keys pass.
    pub(crate) fn inside(json: &'a str) -> Self {
        let open = json.find(['{', '[']);
        let at = open.map_or(json.len(), |open| open + 1);
        Scan {
            text: json,
            at,
            unique: false,
        }
    }

    /// The string whose opening quote stands at `at`.
    #[cfg(feature = "query")]
    pub(crate) fn string_at(text: &'a str, at: usize) -> Result<Text<'a>, Error> {
        let mut scan = Scan {
            text,
            at,
            unique: false,
        };
        scan.string("a string")
    }

    /// Checks that the text is one object, whose keys may repeat, and nothing after it.
    pub(crate) fn check_repeating(text: &'a str) -> Result<(), Error> {
        let mut scan = Scan {
            text,
            at: 0,
            unique: false,
        };
        scan.line()
    }

    /// The next key and value of the object we stand in; `None` behind its closing brace.
    pub(crate) fn member(
        &mut self,
        first: bool,
        depth: usize,
    ) -> Result<Option<(Text<'a>, Token<'a>)>, Error> {
        self.space();
        if self.eat(b'}') {
            return Ok(None);
        }
        if !first {
            self.take(b',', "`,` or `}`")?;
            self.space();
        }
        let key = self.string("a key in quotes")?;
        self.space();
        self.take(b':', "`:` after the key")?;
        self.space();
        Ok(Some((key, self.value(depth)?)))
    }

    fn object(&mut self, depth: usize) -> Result<(), Error> {
        let mut seen = Seen::default();
        let mut first = true;
        loop {
            self.space();
            let key_at = self.at;
            let Some((key, _)) = self.member(first, depth)? else {
                return Ok(());
            };
            if self.unique && !seen.insert(key) {
                let key_at = key_at + self.text[key_at..].find('"').unwrap_or(0);
                return Err(Error::new(key_at, Kind::Duplicate(key.decode().into())));
            }
            first = false;
        }
    }

    /// The next value of the array we stand in; `None` behind its closing bracket.
    pub(crate) fn element(
        &mut self,
        first: bool,
        depth: usize,
    ) -> Result<Option<Token<'a>>, Error> {
        self.space();
        if self.eat(b']') {
            return Ok(None);
        }
        if !first {
            self.take(b',', "`,` or `]`")?;
            self.space();
        }
        self.value(depth).map(Some)
    }

    fn array(&mut self, depth: usize) -> Result<(), Error> {
        let mut first = true;
        while self.element(first, depth)?.is_some() {
            first = false;
        }
        Ok(())
    }

    fn line(&mut self) -> Result<(), Error> {
        self.space();
        self.take(b'{', "an object, `{`")?;
        self.object(1)?;
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.expected("the end of the line"))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Token<'a>, Error> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => Ok(Token::Str(self.string("a string")?)),
            Some(open @ (b'{' | b'[')) => {
                if depth >= MAX_DEPTH {
                    return Err(Error::new(start, Kind::Depth));
                }
                self.at += 1;
                if open == b'{' {
                    self.object(depth + 1)?
                } else {
                    self.array(depth + 1)?
                }
                Ok(Token::Nested(&self.text[start..self.at]))
            }
            Some(b't') => self.word("true", Token::Bool(true)),
            Some(b'f') => self.word("false", Token::Bool(false)),
            Some(b'n') => self.word("null", Token::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &'static str, token: Token<'a>) -> Result<Token<'a>, Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(token)
    }

    fn number(&mut self) -> Result<Token<'a>, Error> {
        let start = self.at;
        self.eat(b'-');
        // A leading zero stands alone: `01` is no number.
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Token::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            Err(self.expected("a digit"))
        } else {
            Ok(())
        }
    }

    fn string(&mut self, what: &'static str) -> Result<Text<'a>, Error> {
        self.take(b'"', what)?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain(&self.text.as_bytes()[self.at..]);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(Error::new(self.at, Kind::Control)),
                None => return Err(self.expected("the closing quote of a string")),
            }
        }
        let raw = &self.text[start..self.at];
        self.at += 1;
        Ok(Text { raw, escaped })
    }

    fn escape(&mut self) -> Result<(), Error> {
        let start = self.at;
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.unit(start)? {
                0xd800..=0xdbff => {
                    let paired = self.peek() == Some(b'\\') && {
                        self.at += 1;
                        self.peek() == Some(b'u') && matches!(self.unit(start)?, 0xdc00..=0xdfff)
                    };
                    if !paired {
                        return Err(Error::new(start, Kind::Surrogate));
                    }
                }
                0xdc00..=0xdfff => return Err(Error::new(start, Kind::Surrogate)),
                _ => {}
            },
            _ => return Err(Error::new(start, Kind::Escape)),
        }
        Ok(())
    }

    /// Reads `uXXXX`.
    fn unit(&mut self, start: usize) -> Result<u16, Error> {
        let hex = self.text.get(self.at + 1..self.at + 5).unwrap_or("");
        // `from_str_radix` alone would take a sign.
        let all_hex = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let unit = u16::from_str_radix(hex, 16).ok().filter(|_| all_hex);
        self.at += 5;
        unit.ok_or(Error::new(start, Kind::Escape))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Result<(), Error> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.expected(what))
        }
    }

    fn expected(&self, what: &'static str) -> Error {
        Error::new(self.at, Kind::Expected(what))
    }
}
