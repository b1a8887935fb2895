//! Takes a key apart into words, so that each spelling of a secret's name is known.

use crate::key::key_hash;

/// The words of a key: see [`push_words`].
pub(crate) fn words(key: &str) -> String {
    let mut words = String::new();
    push_words(&mut words, key);
    words
}

/// Appends the words of a key in lower case, a NUL before each: split where it is not a letter or
/// digit, and before a capital that follows a small letter or digit. The words of `a.b` are those of
/// `a`, then those of `b`.
pub(crate) fn push_words(words: &mut String, key: &str) {
    let (mut begins, mut after_small) = (true, false);
    for c in key.chars() {
        let (letter, capital) = match c {
            'a'..='z' | '0'..='9' => (true, false),
            _ => (c.is_alphanumeric(), c.is_uppercase()),
        };
        begins |= !letter || (capital && after_small);
        if letter {
            if std::mem::take(&mut begins) {
                words.push('\0');
            }
            if capital || !c.is_ascii() {
                words.extend(c.to_lowercase());
            } else {
                words.push(c);
            }
        }
        after_small = letter && !capital;
    }
}

/// FNV-1a over the last of the words.
pub(crate) fn last_word(words: &str) -> u32 {
    let last = words.rfind('\0').map_or(words, |at| &words[at..]);
    key_hash(last.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_split_at_signs_and_capitals_wherever_they_are_put_together() {
        for (key, expected) in [
            ("", ""),
            ("..", ""),
            ("accessToken", "\0access\0token"),
            ("ACCESS_TOKEN", "\0access\0token"),
            ("user.db-Password2", "\0user\0db\0password2"),
            ("a1B", "\0a1\0b"),
            ("ÉtatÇa.身份证", "\0état\0ça\0身份证"),
        ] {
            assert_eq!(words(key), expected, "{key}");
            if let Some((parent, child)) = key.split_once('.') {
                let mut parts = words(parent);
                push_words(&mut parts, child);
                assert_eq!(parts, expected, "{key}");
            }
        }
    }
}
