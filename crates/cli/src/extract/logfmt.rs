//! Reads lines of `key=value` (<https://brandur.org/logfmt>). Pure.

use super::object::Object;

/// The line as JSON; `None` if a word of it is no key, or none has a value.
pub(crate) fn line(text: &str) -> Option<String> {
    let mut object = Object::new();
    let mut any = false;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let length = rest.find(|char: char| char == '=' || char.is_whitespace() || char == '"');
        let (key, after) = rest.split_at(length.unwrap_or(rest.len()));
        if key.is_empty() {
            return None;
        }
        let Some(value) = after.strip_prefix('=') else {
            if after.starts_with('"') {
                return None;
            }
            // A key alone is true.
            object.yes(key);
            rest = after.trim_start();
            continue;
        };
        any = true;
        if let Some(quoted) = value.strip_prefix('"') {
            let (value, after) = unquoted(quoted)?;
            object.text(key, &value);
            rest = after;
        } else {
            let length = value.find(char::is_whitespace).unwrap_or(value.len());
            object.add(key, &value[..length]);
            rest = &value[length..];
        }
        if rest.starts_with(|char: char| !char.is_whitespace()) {
            return None;
        }
        rest = rest.trim_start();
    }
    any.then(|| object.end())
}

/// A value up to its closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}
