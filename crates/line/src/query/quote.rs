//! Writes names and texts so that they are read back as the same: bare where that is safe, else quoted.

use std::fmt::{self, Write as _};

use super::literal::Literal;

/// Words that mean something where a term may stand.
pub(crate) const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "exists"];

pub(crate) fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// Where a name or a word ends when it is not in quotes.
pub(crate) fn ends_word(char: char) -> bool {
    char.is_whitespace()
        || matches!(
            char,
            '"' | '(' | ')' | ',' | '|' | '=' | '<' | '>' | '!' | '~'
        )
}

/// Where a value ends when it is not in quotes.
pub(crate) fn ends_value(char: char) -> bool {
    char.is_whitespace() || matches!(char, '"' | '(' | ')' | ',' | '|')
}

pub(crate) fn write_field(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    write_word(f, name)
}

/// A word that stands alone.
pub(crate) fn write_word(f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    let safe = |char: char| !ends_word(char) && char != ':' && char != '*';
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(safe) && !is_keyword(word) {
        f.write_str(word)
    } else {
        quoted(f, word)
    }
}

/// A value behind an operator: bare only if it would be read as a text again.
pub(crate) fn write_value(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '.' | '/' | '-' | ':');
    let safe = text.chars().all(plain)
        && text.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '/');
    if safe && matches!(Literal::guess(text), Literal::Text(_)) {
        f.write_str(text)
    } else {
        quoted(f, text)
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars() {
        if matches!(char, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(char)?;
    }
    f.write_char('"')
}
