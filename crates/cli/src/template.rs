//! Makes one text of messages that differ in numbers, ids and quoted names only. Pure.

/// The text with `*` for what varies from line to line: numbers, with a unit or without; hexadecimal
/// ids of eight digits or more; words with four digits or more; what stands in quotes. `[5xx]` and
/// `utf8` stay. At most [`MAX`] bytes of the text are looked at.
pub(crate) fn template(text: &str) -> String {
    let mut end = text.len().min(MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut rest = &text[..end];
    let mut out = String::with_capacity(rest.len());
    while let Some(char) = rest.chars().next() {
        if let Some(after) = quoted(rest, char) {
            out.extend([char, '*', char]);
            rest = after;
        } else if char.is_ascii_alphanumeric() {
            let length = rest.find(|char| !joins(char)).unwrap_or(rest.len());
            // A full stop behind a word ends the sentence.
            let word = rest[..length].trim_end_matches(['.', ':', '-', '_']);
            if varies(word) {
                out.push('*');
            } else {
                out.push_str(word);
            }
            rest = &rest[word.len()..];
        } else {
            // A line of a log is one line, and a sign before a number belongs to it.
            let signed = matches!(char, '-' | '+')
                && rest[1..].starts_with(|char: char| char.is_ascii_digit());
            if !signed {
                out.push(char);
            }
            rest = &rest[char.len_utf8()..];
        }
    }
    if end < text.len() {
        out.push('…');
    }
    out
}

/// What follows a text in quotes, if one begins here and ends on this line.
fn quoted(text: &str, quote: char) -> Option<&str> {
    if !matches!(quote, '"' | '`') {
        return None;
    }
    let inside = &text[1..];
    let length = inside.find(quote)?;
    Some(&inside[length + 1..])
}

/// Whether a character may stand inside a word, a number, an address or a time.
fn joins(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '.' | ':' | '-' | '_')
}

fn varies(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || is_class(word) {
        return false;
    }
    let plain = word.bytes().filter(u8::is_ascii_alphanumeric).count();
    let hexadecimal = word.bytes().filter(u8::is_ascii_hexdigit).count() == plain;
    let unit = word.trim_start_matches(|char: char| !char.is_ascii_alphabetic());
    let number = word.starts_with(|char: char| char.is_ascii_digit())
        && unit.len() <= 3
        && unit.bytes().all(|byte| byte.is_ascii_alphabetic());
    number || digits >= 4 || (hexadecimal && plain >= 8) || word.starts_with("0x")
}

/// `5xx`: a class of statuses, which is no number.
fn is_class(word: &str) -> bool {
    matches!(word.as_bytes(), [b'1'..=b'5', b'x' | b'X', b'x' | b'X'])
}

/// Longer messages differ in what nobody groups them by.
const MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::{MAX, template};

    #[test]
    fn what_varies_becomes_a_star() {
        for (text, expected) in [
            ("request failed [5xx]", "request failed [5xx]"),
            ("took 217.3ms at 10:00:03", "took * at *"),
            ("user 42 paid 5 KiB, -3 left.", "user * paid * KiB, * left."),
            ("order T3f82978e890649c3 of 10.0.0.7:8080", "order * of *"),
            ("id 6f1c2b44-0a1b-4c5d-8e9f-001122334455 gone", "id * gone"),
            ("deadbeef01 and decade", "* and decade"),
            (
                "unknown level `warm`, or \"x y\"",
                "unknown level `*`, or \"*\"",
            ),
            ("utf8 in http2 over tls1.3", "utf8 in http2 over tls1.3"),
            ("can't open 'a'", "can't open 'a'"),
            ("支付失败 订单79", "支付失败 订单*"),
            ("pointer 0x7f", "pointer *"),
            ("an open ` quote", "an open ` quote"),
            ("", ""),
        ] {
            assert_eq!(template(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "日".repeat(MAX);
        assert_eq!(template(&text), format!("{}…", "日".repeat(MAX / 3)));
    }

    proptest::proptest! {
        #[test]
        fn numbers_alone_never_make_two_templates(a in 0_u64.., b in 0_u64..) {
            let text = |number| template(&format!("order {number} (of {number}): {number}ms"));
            proptest::prop_assert_eq!(text(a), text(b));
        }

        #[test]
        fn any_text_has_a_template(text in "\\PC*") {
            template(&text);
        }
    }
}
