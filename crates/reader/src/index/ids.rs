//! Finds the ids in a text: 32 hexadecimal digits, or a UUID with its dashes.

use memchr::memmem::Finder;

/// What a text is searched with.
pub(crate) struct Ids {
    escape: Finder<'static>,
}

/// What else a text has, because of which an id may hide in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hiding {
    /// A character of an id, or one that may stand beside it, may be written as `\u0034`.
    pub(crate) spelled: bool,
    /// 32 digits in a row stand in a longer word, of which an id may be a part.
    pub(crate) longer: bool,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self {
            escape: Finder::new(b"\\u00"),
        }
    }

    /// Calls back with each id of the text; not with those that are part of a longer word.
    pub(crate) fn of(&self, text: &[u8], mut id: impl FnMut(&[u8])) -> Hiding {
        let mut hiding = Hiding {
            spelled: self.escape.find_iter(text).any(|at| hides(&text[at + 4..])),
            longer: false,
        };
        words(text, |word| in_word(word, &mut id, &mut hiding.longer));
        hiding
    }
}

/// Whether a text is an id of which a filter knows.
pub(crate) fn is_id(text: &str) -> bool {
    let text = text.as_bytes();
    match text.len() {
        DIGITS => text.iter().all(u8::is_ascii_hexdigit),
        UUID => is_uuid(text),
        _ => false,
    }
}

/// Calls back with each word of letters, digits and dashes that is as long as an id. A word of that
/// length has one of its characters at each 32nd place: the others need not be looked at.
fn words(text: &[u8], mut each: impl FnMut(&[u8])) {
    let mut start = 0;
    while let Some(window) = text.get(start..start + DIGITS) {
        match window.iter().rposition(|byte| !is_of_word(*byte)) {
            Some(other) => start += other + 1,
            None => {
                let rest = &text[start + DIGITS..];
                let more = rest.iter().position(|byte| !is_of_word(*byte));
                let end = start + DIGITS + more.unwrap_or(rest.len());
                each(&text[start..end]);
                start = end;
            }
        }
    }
}

fn in_word(word: &[u8], id: &mut impl FnMut(&[u8]), longer: &mut bool) {
    let mut at = 0;
    for run in word.split(|byte| *byte == b'-') {
        if run.len() == DIGITS && run.iter().all(u8::is_ascii_hexdigit) {
            id(run);
        } else if run.len() > DIGITS {
            *longer |= has_digits(run);
        }
        // The last five parts of a UUID, be it within a word: its first may end one, its last begin
        // one.
        let end = at + LAST_PART;
        if let (true, Some(start)) = (run.len() >= LAST_PART, end.checked_sub(UUID)) {
            if is_uuid(&word[start..end]) {
                id(&word[start..end]);
            }
        }
        at += run.len() + 1;
    }
}

/// Whether 32 hexadecimal digits stand in a row.
fn has_digits(run: &[u8]) -> bool {
    run.split(|byte| !byte.is_ascii_hexdigit())
        .any(|digits| digits.len() >= DIGITS)
}

/// `4bf92f35-77b3-4da6-a3ce-929d0e0e4736`, RFC 9562 section 4.
fn is_uuid(text: &[u8]) -> bool {
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == UUID && text.iter().enumerate().all(fits)
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// Whether `\u00` with these digits behind it stands for a character that an id has, or for one that
/// may stand just before or behind it in JSON: a quote, a slash, a backslash.
fn hides(digits: &[u8]) -> bool {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    match (digit(0), digit(1)) {
        (Some(high), Some(low)) => {
            let byte = (high * 16 + low) as u8;
            is_of_word(byte) || matches!(byte, b'"' | b'/' | b'\\')
        }
        _ => false,
    }
}

/// Of a trace id: W3C Trace Context, section 3.2.2.3.
const DIGITS: usize = 32;
const UUID: usize = 36;
const LAST_PART: usize = 12;

#[cfg(test)]
mod tests {
    use super::{Hiding, Ids, is_id};
    use proptest::prelude::*;

    const A: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const U: &str = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736";

    fn found(text: &str) -> (Vec<String>, Hiding) {
        let mut ids = Vec::new();
        let hiding = Ids::new().of(text.as_bytes(), |id| {
            ids.push(String::from_utf8(id.to_vec()).unwrap())
        });
        (ids, hiding)
    }

    #[test]
    fn ids_are_found_whole_and_what_may_hide_one_is_told() {
        let plain = Hiding::default();
        let longer = Hiding {
            longer: true,
            ..plain
        };
        let spelled = Hiding {
            spelled: true,
            ..plain
        };
        let b = A.to_uppercase();
        for (text, ids, hiding) in [
            (format!(r#"{{"trace_id":"{A}","n":1}}"#), vec![A], plain),
            (format!("projects/p/traces/{A}"), vec![A], plain),
            (format!("00-{A}-00f067aa0ba902b7-01"), vec![A], plain),
            (format!("{A}{A}"), vec![], longer),
            (format!("x{A}"), vec![], longer),
            (format!("{A} {b}"), vec![A, &b], plain),
            (
                "not-hex-but-as-long-as-an-id-that-has-32".to_owned(),
                vec![],
                plain,
            ),
            (format!("\"{U}\""), vec![U], plain),
            (format!("x-{U}-y"), vec![U], plain),
            (format!("abc{U}abc"), vec![U], plain),
            (r"\u0034bf92f".to_owned(), vec![], spelled),
            (r"a\u002fb".to_owned(), vec![], spelled),
            // What Go writes for `<`, and a terminal's escape: no id has these.
            (r"\u003cb\u003e \u001b[31m \u00e9".to_owned(), vec![], plain),
            (r"\u00".to_owned(), vec![], plain),
            (A[1..].to_owned(), vec![], plain),
        ] {
            let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
            assert_eq!(found(&text), (ids, hiding), "{text}");
        }
        assert!(is_id(A) && is_id(U) && is_id(&b));
        for text in ["", &A[1..], "4bf92f35-77b3-4da6-a3ce-929d0e0e473z", "支付"] {
            assert!(!is_id(text), "{text}");
        }
    }

    proptest! {
        /// Whatever stands around an id: it is found, or what hides it is told.
        #[test]
        fn an_id_that_stands_in_a_text_is_found_or_may_hide(
            before in "[-a-g0-9/\" ]{0,40}", after in "[-a-g0-9/\" ]{0,40}", dashes in any::<bool>(),
        ) {
            let id = if dashes { U } else { A };
            let (ids, hiding) = found(&format!("{before}{id}{after}"));
            prop_assert!(ids.iter().any(|found| found == id) || !dashes && hiding.longer);
        }
    }
}
