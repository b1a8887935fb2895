//! How many bytes a text takes in a line, where some characters are spelled out. Pure.

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
