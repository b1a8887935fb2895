//! A text with wildcards: each `*` stands for any text, none included.

/// Compared as a whole: `/api/*` begins with `/api/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    text: Box<str>,
}

impl Glob {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The texts between the stars.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.text.split('*').filter(|piece| !piece.is_empty())
    }

    /// Whether the whole of a text is like this.
    pub(crate) fn is_like(&self, text: &str) -> bool {
        let mut pieces = self.text.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        // The leftmost place of each piece leaves the most for those behind it.
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// Whether some part of a text is like this.
    pub(crate) fn is_within(&self, text: &str) -> bool {
        let mut rest = text;
        self.pieces().all(|piece| match rest.find(piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn a_star_stands_for_any_text() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", "x", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*ba", "aba", false),
            ("支*付", "支付", true),
            ("/api/*/pay", "/api/orders/79/pay", true),
            ("**a**", "cab", true),
            ("x", "xy", false),
        ] {
            assert_eq!(Glob::new(glob).is_like(text), expected, "{glob} {text}");
        }
    }

    #[test]
    fn within_a_text_neither_end_is_held() {
        assert!(Glob::new("time*out").is_within("it timed out again"));
        assert!(!Glob::new("out*time").is_within("it timed out"));
    }
}
