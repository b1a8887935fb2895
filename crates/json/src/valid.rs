//! Tells whether a text is one JSON value without line breaks and double keys. Pure.

/// Values inside values that are followed; deeper counts as no JSON.
const DEEPEST: usize = 64;

pub(crate) fn is_json(text: &str) -> bool {
    let text = text.trim();
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
    !text.contains(['\n', '\r']) && reader.value(0).is_some() && reader.at == reader.bytes.len()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

// `None` ends the reading: it is no JSON.
impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            _ if depth > DEEPEST => None,
            b'{' => self.object(depth),
            b'[' => self.items(b']', |reader| reader.value(depth + 1)),
            b'"' => self.string().map(drop),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let mut keys: Vec<&[u8]> = Vec::new();
        self.items(b'}', |reader| {
            let key = reader.string()?;
            // An escape can spell a key in two ways: such keys are not compared, but refused.
            if keys.contains(&key) || key.contains(&b'\\') {
                return None;
            }
            keys.push(key);
            reader.space();
            reader.word(b":")?;
            reader.space();
            reader.value(depth + 1)
        })
    }

    /// What stands between brackets, each item by `item`.
    fn items(&mut self, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == end {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            item(self)?;
            self.space();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                next if next == end => return Some(()),
                _ => return None,
            }
        }
    }

    /// A string; what stands between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.word(b"\"")?;
        let start = self.at;
        loop {
            let b = self.peek()?;
            self.at += 1;
            match b {
                b'"' => return Some(&self.bytes[start..self.at - 1]),
                b'\\' => self.escape()?,
                0x00..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let b = self.peek()?;
        self.at += 1;
        match b {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => {
                let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
                self.at += 4;
                let code = u16::from_str_radix(digits, 16).ok()?;
                // Half a surrogate pair is refused whole pairs included: write the character itself.
                (digits.as_bytes()[0] != b'+' && !(0xd800..=0xdfff).contains(&code)).then_some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.word(b"-");
        if self.word(b"0").is_none() {
            self.digits()?;
        }
        if self.word(b".").is_some() {
            self.digits()?;
        }
        if self.word(b"e").or_else(|| self.word(b"E")).is_some() {
            let _ = self.word(b"+").or_else(|| self.word(b"-"));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.bytes[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_told_from_what_is_not() {
        for good in [
            "null",
            " true ",
            "0",
            "-0.5e+10",
            "12E3",
            "\"a\\u00e9\\n汉\"",
            "[]",
            "[1, 2,[3]]",
            "{}",
            "{\"a\":1, \"b\" : {\"a\":[]}}",
        ] {
            assert!(is_json(good), "{good}");
        }
        for bad in [
            "",
            "nul",
            "01",
            "1.",
            "+1",
            ".5",
            "1e",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\ud800\"",
            "\"\t\"",
            "[1,]",
            "[1 2]",
            "{a:1}",
            "{\"a\":1,}",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":1,\"a\":2}",
            "1 2",
            "[1]\n[2]",
            "[\n1]",
            "{\"a\"}",
            "[",
            "]",
        ] {
            assert!(!is_json(bad), "{bad}");
        }
        assert!(is_json(&("[".repeat(64) + &"]".repeat(64))));
        assert!(!is_json(&("[".repeat(66) + &"]".repeat(66))));
    }

    proptest! {
        #[test]
        fn what_passes_is_read_by_serde_json(text in "[\\[\\]{}:,\"a\\\\u0-9 truefalsn.eE+-]{0,24}") {
            if is_json(&text) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
            }
        }
    }
}
