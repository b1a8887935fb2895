//! Escapes text for a JSON string, and spells out the characters that steer a terminal or hide text.
//!
//! Beyond what RFC 8259 demands, DEL, the C1 controls, line and paragraph separators and the
//! bidirectional marks are written as `\uXXXX`. A parser reads the same text back; a terminal shows
//! what was logged.

/// The longest escape of one input byte: `\u001f`.
const WIDEST: usize = 6;

/// Appends `text` escaped, without quotes.
pub(crate) fn escape(out: &mut Vec<u8>, text: &str) {
    if is_clean(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        escape_suspects(out, text.as_bytes());
    }
}

fn escape_suspects(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut copied = 0;
    let mut at = next_suspect(bytes, 0);
    while at < bytes.len() {
        let (code, width) = judge(bytes, at);
        if let Some(code) = code {
            out.extend_from_slice(&bytes[copied..at]);
            spell(out, code);
            copied = at + width;
        }
        at = next_suspect(bytes, at + width);
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Appends as much of `text` as fits until `out` is `end` bytes long, cut between characters.
/// True when all of it went in.
pub(crate) fn escape_until(out: &mut Vec<u8>, text: &str, end: usize) -> bool {
    let room = end.saturating_sub(out.len());
    if text.len() <= room && is_clean(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return true;
    }
    escape_some(out, text, end)
}

#[cold]
#[inline(never)]
fn escape_some(out: &mut Vec<u8>, mut text: &str, end: usize) -> bool {
    loop {
        let room = end.saturating_sub(out.len());
        if text.len() <= room / WIDEST {
            escape(out, text);
            return true;
        }
        let mut safe = (room / WIDEST).min(text.len());
        while !text.is_char_boundary(safe) {
            safe -= 1;
        }
        if safe == 0 {
            return text.is_empty() || escape_last(out, text, end);
        }
        escape(out, &text[..safe]);
        text = &text[safe..];
    }
}

/// The last few characters before the end, one at a time.
fn escape_last(out: &mut Vec<u8>, text: &str, end: usize) -> bool {
    for (at, c) in text.char_indices() {
        let before = out.len();
        escape(out, &text[at..at + c.len_utf8()]);
        if out.len() > end {
            out.truncate(before);
            return false;
        }
    }
    true
}

/// True if no byte may need an escape. Words and blocks overlap, so that no byte is looked at alone.
#[inline]
fn is_clean(bytes: &[u8]) -> bool {
    match *bytes {
        [] => true,
        [a] => is_clean_word([a; 8]),
        [a, .., z] if bytes.len() < 4 => is_clean_word([a, bytes[1], z, z, z, z, z, z]),
        [a, b, c, d, ..] if bytes.len() < 8 => {
            let [w, x, y, z] = *bytes.last_chunk().expect("at least four");
            is_clean_word([a, b, c, d, w, x, y, z])
        }
        _ if bytes.len() < 16 => {
            bytes.first_chunk().copied().is_none_or(is_clean_word)
                && bytes.last_chunk().copied().is_none_or(is_clean_word)
        }
        _ if bytes.len() < 32 => {
            bytes.first_chunk().is_none_or(is_clean_block)
                && bytes.last_chunk().is_none_or(is_clean_block)
        }
        _ => {
            let pair = |pair: &[u8]| pair.first_chunk::<32>().is_none_or(is_clean_pair);
            bytes[..bytes.len() - 1].chunks_exact(32).all(pair)
                && bytes.last_chunk::<32>().is_none_or(is_clean_pair)
        }
    }
}

#[inline]
fn is_clean_word(word: [u8; 8]) -> bool {
    is_plain(suspects(u64::from_le_bytes(word))) || !word.iter().any(|&b| SUSPECT[usize::from(b)])
}

#[inline]
fn is_clean_block(block: &[u8; 16]) -> bool {
    let words = u128::from_le_bytes(*block);
    is_plain(suspects(words as u64) | suspects((words >> 64) as u64))
        || is_clean_beyond_ascii(block)
}

/// Two blocks at once. Without a branch inside: the compiler turns the loop into vector compares.
#[inline]
fn is_clean_pair(pair: &[u8; 32]) -> bool {
    let mut found = 0_u8;
    for &b in pair {
        // What is not ASCII is negative.
        found |= u8::from((b as i8) < 0x20)
            | u8::from(b == b'"')
            | u8::from(b == b'\\')
            | u8::from(b == 0x7f);
    }
    found == 0
        || pair
            .chunks_exact(16)
            .all(|block| block.first_chunk().is_none_or(is_clean_beyond_ascii))
}

/// Eight bytes in one register: the high bit of each tells, if it is not ASCII or may need an escape. What a borrow
/// spoils stands above a true find.
#[inline]
fn suspects(w: u64) -> u64 {
    let below_space = w.wrapping_sub(EACH * 0x20);
    let delete = w.wrapping_add(EACH);
    let quote = (w ^ (EACH * 0x22)).wrapping_sub(EACH);
    let backslash = (w ^ (EACH * 0x5c)).wrapping_sub(EACH);
    w | below_space | delete | quote | backslash
}

#[inline]
fn is_plain(suspects: u64) -> bool {
    suspects & (EACH * 0x80) == 0
}

const EACH: u64 = 0x0101_0101_0101_0101;

/// Without a branch inside: the compiler turns the loop into vector compares.
fn is_clean_beyond_ascii(block: &[u8; 16]) -> bool {
    let mut found = 0_u8;
    for &b in block {
        found |= u8::from(b < 0x20)
            | u8::from(b == b'"')
            | u8::from(b == b'\\')
            | u8::from(b == 0x7f)
            | u8::from(b == 0xd8)
            // 0xc2 and 0xe2 differ in one bit.
            | u8::from(b & 0xdf == 0xc2);
    }
    found == 0
}

/// The index of the next byte that may need an escape, or the length.
fn next_suspect(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        if !is_clean_block(block) {
            break;
        }
        at += 16;
    }
    while at < bytes.len() && !SUSPECT[usize::from(bytes[at])] {
        at += 1;
    }
    at
}

/// The code unit to spell out at `at`, if any, and how many bytes it stands for.
fn judge(bytes: &[u8], at: usize) -> (Option<u16>, usize) {
    let follow = |n: usize| bytes.get(at + n).copied().unwrap_or(0);
    match bytes[at] {
        b @ (0x00..=0x1f | b'"' | b'\\' | 0x7f) => (Some(u16::from(b)), 1),
        // U+0080..=U+009F: C1 controls, among them a one-character CSI.
        0xc2 if follow(1) <= 0x9f => (Some(u16::from(follow(1))), 2),
        // U+061C: Arabic letter mark.
        0xd8 if follow(1) == 0x9c => (Some(0x061c), 2),
        0xe2 => match (follow(1), follow(2)) {
            // U+200E, U+200F; U+2028..=U+202E: separators, embeddings and overrides.
            (0x80, b @ (0x8e | 0x8f | 0xa8..=0xae)) => (Some(0x2000 + u16::from(b - 0x80)), 3),
            // U+2066..=U+2069: isolates.
            (0x81, b @ 0xa6..=0xa9) => (Some(0x2040 + u16::from(b - 0x80)), 3),
            _ => (None, 3),
        },
        _ => (None, 1),
    }
}

fn spell(out: &mut Vec<u8>, code: u16) {
    let short = match code {
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        0x22 => b'"',
        0x5c => b'\\',
        _ => {
            out.extend_from_slice(b"\\u");
            out.extend([12, 8, 4, 0].map(|shift| HEX[usize::from(code >> shift) & 0xf]));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

pub(crate) const HEX: &[u8; 16] = b"0123456789abcdef";

const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 0x20 {
        table[b] = true;
        b += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[0x7f] = true;
    table[0xc2] = true;
    table[0xd8] = true;
    table[0xe2] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn characters_that_steer_or_hide_are_spelled_out() {
        let table = [
            ("plain text, 汉字, émoji 👩‍👩‍👧", "plain text, 汉字, émoji 👩‍👩‍👧"),
            ("a\"b\\c", r#"a\"b\\c"#),
            ("\u{8}\t\n\u{c}\r", r"\b\t\n\f\r"),
            ("\0\u{1}\u{1b}[31m\u{7f}", r"\u0000\u0001\u001b[31m\u007f"),
            (
                "\u{80}\u{85}\u{9b}\u{9f}\u{a0}",
                "\\u0080\\u0085\\u009b\\u009f\u{a0}",
            ),
            (
                "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}",
                r"\u061c\u200e\u200f\u2028\u2029",
            ),
            (
                "\u{202a}\u{202e}\u{2066}\u{2069}",
                r"\u202a\u202e\u2066\u2069",
            ),
            (
                "\u{200d}\u{2027}\u{202f}\u{2065}\u{206a}",
                "\u{200d}\u{2027}\u{202f}\u{2065}\u{206a}",
            ),
            ("\u{6c4}\u{e2}\u{c2}", "\u{6c4}\u{e2}\u{c2}"),
        ];
        for (text, expected) in table {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn a_cut_falls_between_characters_and_never_inside_an_escape() {
        for (text, end, expected, whole) in [
            ("abcdef", 6, "abcdef", true),
            ("abcdef", 5, "abcde", false),
            ("汉字", 5, "汉", false),
            ("汉字", 6, "汉字", true),
            ("a\nb", 2, "a", false),
            ("a\nb", 3, "a\\n", false),
            ("\u{1}x", 5, "", false),
            ("", 0, "", true),
            ("x", 0, "", false),
        ] {
            let mut out = Vec::new();
            assert_eq!(
                escape_until(&mut out, text, end),
                whole,
                "{text:?} until {end}"
            );
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn each_byte_is_found_at_each_place_of_each_length() {
        for length in 1..40 {
            for place in 0..length {
                for b in 0..=255 {
                    for filler in [b'a', b' ', 0xe4] {
                        let mut bytes = vec![filler; length];
                        bytes[place] = b;
                        assert_eq!(is_clean(&bytes), !SUSPECT[usize::from(b)], "{bytes:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_was(text in any::<String>()) {
            let json = format!("\"{}\"", escaped(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn any_cut_is_a_prefix_within_its_room(text in any::<String>(), end in 0_usize..200) {
            let mut out = Vec::new();
            let whole = escape_until(&mut out, &text, end);
            prop_assert!(out.len() <= end);
            let json = format!("\"{}\"", String::from_utf8(out).unwrap());
            let read = serde_json::from_str::<String>(&json).unwrap();
            prop_assert!(text.starts_with(&read));
            prop_assert_eq!(whole, read == text);
        }
    }
}
