//! A place in a query's text: words, quotes, operators, and errors that point at a column.

use super::quote::{ends_value, ends_word};
use crate::Error;

#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// A word or a value, and where it begins.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) quoted: bool,
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Where the next word begins.
    pub(crate) fn at(&mut self) -> usize {
        self.space();
        self.at
    }

    /// The next character that is no space.
    pub(crate) fn peek(&mut self) -> Option<char> {
        self.space();
        self.rest().chars().next()
    }

    pub(crate) fn eat(&mut self, char: char) -> bool {
        let there = self.peek() == Some(char);
        if there {
            self.at += char.len_utf8();
        }
        there
    }

    /// Whether this word comes next, whole and without quotes, in any case.
    pub(crate) fn at_keyword(&mut self, keyword: &str) -> bool {
        self.space();
        let rest = self.rest();
        rest.get(..keyword.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
            && rest[keyword.len()..]
                .chars()
                .next()
                .is_none_or(|char| char.is_whitespace() || matches!(char, '(' | ')' | '|' | '"'))
    }

    pub(crate) fn eat_keyword(&mut self, keyword: &str) -> bool {
        let there = self.at_keyword(keyword);
        if there {
            self.at += keyword.len();
        }
        there
    }

    /// Whether a list of values comes next: `in (`.
    pub(crate) fn at_list(&mut self) -> bool {
        self.at_keyword("in") && self.rest()["in".len()..].trim_start().starts_with('(')
    }

    /// Whether an operator comes next; `:` is one only right behind a name.
    pub(crate) fn at_operator(&mut self) -> bool {
        self.rest().starts_with(':') || matches!(self.peek(), Some('=' | '<' | '>' | '!' | '~'))
    }

    /// All the signs that stand together.
    pub(crate) fn operator(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        let end = rest
            .find(|char| !"=<>!~:".contains(char))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A name or a word to look for.
    pub(crate) fn word(&mut self) -> Result<Word, Error> {
        self.space();
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        let mut end = 0;
        for (at, char) in rest.char_indices() {
            if at < end {
                continue;
            }
            if char == ':' {
                let more = &rest[at + 1..];
                // `shop::pay`, `http://…` and `10:30` are words; `status:500` is a comparison.
                let path = more.starts_with(':');
                let word = path
                    || more.starts_with("//")
                    || more.chars().next().is_none_or(ends_value)
                    || rest.starts_with(|char: char| char.is_ascii_digit());
                if !word || at == 0 {
                    break;
                }
                end = at + 1 + usize::from(path);
            } else if ends_word(char) {
                break;
            } else {
                end = at + char.len_utf8();
            }
        }
        self.bare(end, "a word")
    }

    /// The right side of an operator, an element of a list.
    pub(crate) fn value(&mut self) -> Result<Word, Error> {
        self.space();
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let rest = self.rest();
        // After a space a sign would be read as part of the operator when it is written again.
        let end = match rest.starts_with(SIGNS) {
            true => 0,
            false => rest.find(ends_value).unwrap_or(rest.len()),
        };
        self.bare(end, "a value")
    }

    fn bare(&mut self, end: usize, what: &str) -> Result<Word, Error> {
        if end == 0 {
            return Err(match self.rest().chars().next() {
                Some(found @ ('(' | ',')) => self.here(format!(
                    "{what} that begins with `{found}` stands in quotes"
                )),
                Some(found) => self.here(format!("expected {what}, found `{found}`")),
                None => self.here(format!("{what} is missing")),
            });
        }
        let (text, at) = (self.rest()[..end].to_owned(), self.at);
        self.at += end;
        Ok(Word {
            text,
            quoted: false,
            at,
        })
    }

    /// `\"` is a quote and `\\` a backslash; any other backslash stays, so that a pattern reads as
    /// it is meant: `"\d+"`.
    fn quoted(&mut self) -> Result<Word, Error> {
        let at = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += offset + 1;
                    return Ok(Word {
                        text,
                        quoted: true,
                        at,
                    });
                }
                '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, next)) => text.push(next),
                    None => text.push('\\'),
                },
                other => text.push(other),
            }
        }
        Err(self.error(at, "this quote is never closed"))
    }

    pub(crate) fn here(&mut self, message: impl Into<Box<str>>) -> Error {
        let at = self.at();
        self.error(at, message)
    }

    pub(crate) fn error(&self, at: usize, message: impl Into<Box<str>>) -> Error {
        let column = self
            .text
            .char_indices()
            .take_while(|(offset, _)| *offset < at)
            .count()
            + 1;
        Error::query(at, column, message.into())
    }
}

/// What operators are made of.
const SIGNS: [char; 6] = ['=', '<', '>', '!', '~', ':'];
