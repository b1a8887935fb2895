//! Writes texts of a log so that no terminal acts on them. Pure.

use std::fmt::Write as _;

/// A text without what a terminal would act on: control characters, and those that turn the
/// direction of text (Unicode 16, bidirectional formatting characters). In a field it is quoted if it
/// would not read as one word.
pub(crate) fn safe(text: &str, word: bool, out: &mut String) {
    let quoted = word && (text.is_empty() || text.contains([' ', '"', '=', '\n', '\t']));
    if quoted {
        out.push('"');
    }
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '"' if quoted => out.push_str("\\\""),
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                put(out, format_args!("\\u{{{:x}}}", u32::from(char)));
            }
            control if control.is_control() => {
                put(out, format_args!("\\u{{{:x}}}", u32::from(control)))
            }
            plain => out.push(plain),
        }
    }
    if quoted {
        out.push('"');
    }
}

/// A text in which nothing moves the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::new();
    safe(text, false, &mut out);
    out
}

/// Writing to a string does not fail.
pub(crate) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::{one_line, safe};

    #[test]
    fn what_would_not_read_as_one_word_is_quoted() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("a=\"b\"", "\"a=\\\"b\\\"\""),
            ("a\tb\r\n", "\"a\\tb\\r\\n\""),
            ("\u{1b}[1m", "\\u{1b}[1m"),
            ("支付", "支付"),
        ] {
            let mut out = String::new();
            safe(text, true, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn what_turns_the_direction_of_text_is_shown_as_its_number() {
        assert_eq!(
            one_line("a\u{202e}b\u{2066}c\u{9b}d\u{7f}"),
            "a\\u{202e}b\\u{2066}c\\u{9b}d\\u{7f}"
        );
    }
}
