//! Writes one JSON object with unique keys from texts (RFC 8259). Pure.

use std::fmt::Write as _;

/// An object that is being written.
pub(crate) struct Object {
    json: String,
    keys: Vec<String>,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self {
            json: String::from("{"),
            keys: Vec::new(),
        }
    }

    /// Adds a number where the text is one that a JSON reader would take, else a text. Of a key that
    /// comes twice the first stays.
    pub(crate) fn add(&mut self, key: &str, text: &str) {
        if self.key(key) {
            match is_number(text) {
                true => self.json.push_str(text),
                false => quoted(text, &mut self.json),
            }
        }
    }

    /// Adds a text, whatever it looks like.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if self.key(key) {
            quoted(text, &mut self.json);
        }
    }

    /// Adds `true`.
    pub(crate) fn yes(&mut self, key: &str) {
        if self.key(key) {
            self.json.push_str("true");
        }
    }

    pub(crate) fn end(mut self) -> String {
        self.json.push('}');
        self.json
    }

    fn key(&mut self, key: &str) -> bool {
        if self.keys.iter().any(|known| known == key) {
            return false;
        }
        if !self.keys.is_empty() {
            self.json.push(',');
        }
        quoted(key, &mut self.json);
        self.json.push(':');
        self.keys.push(key.to_owned());
        true
    }
}

/// `12`, `-1.5`; not `007`, `1.`, `0x1f`, nor what has more digits than a number keeps.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = match digits.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (digits, None),
    };
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 15
        && all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && part.is_none_or(all_digits)
}

fn quoted(text: &str, json: &mut String) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            // Writing to a string does not fail.
            char if u32::from(char) < 0x20 => {
                let _ = write!(json, "\\u{:04x}", u32::from(char));
            }
            char => json.push(char),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::Object;

    #[test]
    fn numbers_stay_numbers_and_keys_are_unique() {
        let mut object = Object::new();
        for (key, text) in [
            ("a", "1"),
            ("b", "-0.5"),
            ("c", "007"),
            ("d", "1."),
            ("e", ""),
            ("f", "-"),
            ("g", "1234567890123456"),
            ("a", "2"),
            ("h\"", "\u{1}\\"),
        ] {
            object.add(key, text);
        }
        object.text("i", "1");
        object.yes("j");
        assert_eq!(
            object.end(),
            r#"{"a":1,"b":-0.5,"c":"007","d":"1.","e":"","f":"-","g":"1234567890123456","h\"":"\u0001\\","i":"1","j":true}"#
        );
    }
}
