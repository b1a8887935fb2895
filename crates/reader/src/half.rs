//! Tells half a line from one that only has no line end. Pure.

use dogwatch_line::Line;

use crate::blocks::trimmed;

/// Whether the last line of a file, which has no end, is half of a JSON object: one that is right as
/// far as it goes. A text may be whole.
pub(crate) fn is_half(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(trimmed(line));
    let text = text.trim_end();
    let begins = text.trim_start().starts_with('{');
    begins
        && Line::parse_repeating(text)
            .is_err_and(|error| text.get(error.offset()..).is_none_or(is_cut_off))
}

/// Whether the rest of a text, from where it is no JSON, may become one: a half word or escape.
fn is_cut_off(rest: &str) -> bool {
    let word = ["true", "false", "null"];
    let escape = rest.starts_with('\\') && rest.len() < r"\ud83d\ude00".len();
    escape || word.iter().any(|word| word.starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::is_half;

    #[test]
    fn an_object_is_half_until_it_is_whole() {
        let whole = r#" {"a":[1.5e3,true,null,{"b":"支\n\u00e4\ud83d\ude00"}],"a":-2}"#.as_bytes();
        for end in 2..whole.len() {
            let half = &whole[..end];
            assert!(is_half(half), "{}", String::from_utf8_lossy(half));
        }
        let text = [
            "",
            " ",
            "no end",
            "[1",
            "{braces} are text",
            "{}",
            "{\"a\":1} ",
            "{\"a\" b",
        ];
        for text in text {
            assert!(!is_half(text.as_bytes()), "{text}");
        }
        assert!(!is_half(whole));
        assert!(is_half(b"\xef\xbb\xbf{"));
    }
}
