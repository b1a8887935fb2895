//! Stops a text where its line stops it: counted in bytes of the line, where some characters are spelled out.

use std::fmt::{self, Write};

/// Stops a value that is too long where a line stops it, at a character's border.
pub(crate) struct Bounded<'a> {
    pub(crate) out: &'a mut String,
    /// How many bytes of a line it may still take.
    pub(crate) left: usize,
}

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (fits, taken) = fitting(text, self.left);
        self.out.push_str(fits);
        if fits.len() == text.len() {
            self.left -= taken;
            return Ok(());
        }
        // An error stops the formatting of 10 MB that nobody will see.
        self.left = 0;
        Err(fmt::Error)
    }
}

/// The longest beginning of at most so many bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    if text.len() <= max {
        return text;
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The longest beginning of a text that takes at most `room` bytes in a line, and how many it takes.
pub(crate) fn fitting(text: &str, room: usize) -> (&str, usize) {
    if text.len() <= room && text.bytes().all(is_plain) {
        return (text, text.len());
    }
    let mut taken = 0;
    for (at, character) in text.char_indices() {
        let width = width(character);
        if taken + width > room {
            return (&text[..at], taken);
        }
        taken += width;
    }
    (text, taken)
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// As `dogwatch-json` spells it: RFC 8259 section 7, and as `\uXXXX` what steers a terminal or hides
/// text. That both agree is held by a test of the facade.
fn width(character: char) -> usize {
    match character {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => 6,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            6
        }
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_where_the_line_cuts_it() {
        let table = [
            ("", 0, "", 0),
            ("plain", 5, "plain", 5),
            ("plain", 4, "plai", 4),
            ("a\"b", 3, "a\"", 3),
            ("a\"b", 4, "a\"b", 4),
            ("\u{1}\u{1}", 11, "\u{1}", 6),
            ("汉字", 5, "汉", 3),
            ("汉\u{2028}字", 12, "汉\u{2028}字", 12),
            ("é\u{9b}", 7, "é", 2),
            ("\u{a0}", 2, "\u{a0}", 2),
        ];
        for (text, room, fits, taken) in table {
            assert_eq!(fitting(text, room), (fits, taken), "{text:?} in {room}");
        }
    }
}
