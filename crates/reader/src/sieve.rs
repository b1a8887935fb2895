//! Skips the lines that cannot match, by bytes that every matching line has.

use dogwatch_line::{Literals, Needle};
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// Looks through a block for the next line that may match.
pub(crate) enum Sieve {
    /// Every line may.
    Open,
    Few(Vec<Finder<'static>>),
    Many(Regex),
}

impl Sieve {
    pub(crate) fn new(literals: &Literals) -> Self {
        let needles = literals.best();
        match needles.len() {
            0 => Sieve::Open,
            1..=FEW if !needles.iter().any(Needle::ends_number) => {
                let finders = needles
                    .iter()
                    .map(|needle| Finder::new(needle.bytes()).into_owned());
                Sieve::Few(finders.collect())
            }
            _ => Self::many(needles).unwrap_or(Sieve::Open),
        }
    }

    /// One search for all, as `regex` does for a choice of texts. More than it has a fast search for
    /// are not worth while.
    fn many(needles: &[Needle]) -> Option<Self> {
        if needles.len() > MANY {
            return None;
        }
        let mut pattern = String::new();
        for needle in needles {
            pattern.push_str(if pattern.is_empty() { "" } else { "|" });
            pattern.push_str(&regex::escape(std::str::from_utf8(needle.bytes()).ok()?));
            pattern.push_str(if needle.ends_number() {
                r"[,}\x20\t\r\n]"
            } else {
                ""
            });
        }
        RegexBuilder::new(&pattern)
            .unicode(false)
            .build()
            .ok()
            .map(Sieve::Many)
    }

    /// Calls back with each line of a block that may match, with its end.
    pub(crate) fn lines(&self, block: &[u8], mut each: impl FnMut(std::ops::Range<usize>)) {
        let mut at = 0;
        let mut next = vec![
            0;
            if let Sieve::Few(finders) = self {
                finders.len()
            } else {
                0
            }
        ];
        while at < block.len() {
            let hit = match self {
                Sieve::Open => Some(at),
                Sieve::Many(regex) => regex.find_at(block, at).map(|found| found.start()),
                Sieve::Few(finders) => {
                    for (finder, next) in finders.iter().zip(&mut next) {
                        if *next <= at {
                            // Not found before the end is found nowhere from here.
                            *next = finder
                                .find(&block[at..])
                                .map_or(usize::MAX, |found| at + found + 1);
                        }
                    }
                    // Places are kept one too large, so that 0 is none yet.
                    next.iter()
                        .min()
                        .filter(|next| **next != usize::MAX)
                        .map(|next| next - 1)
                }
            };
            let Some(hit) = hit else { return };
            let start =
                memchr::memrchr(b'\n', &block[at..hit]).map_or(at, |newline| at + newline + 1);
            let end = memchr::memchr(b'\n', &block[hit..])
                .map_or(block.len(), |newline| hit + newline + 1);
            each(start..end);
            at = end;
        }
    }
}

/// So many are searched for one by one, each at the speed of memory.
const FEW: usize = 4;

/// What `regex` searches for with vector instructions, at most.
const MANY: usize = 60;

#[cfg(test)]
mod tests {
    use dogwatch_line::Query;
    use proptest::prelude::*;

    use super::Sieve;

    fn sifted(query: &str, block: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let sieve = Sieve::new(&Query::parse(query).unwrap().literals());
        sieve.lines(block.as_bytes(), |line| lines.push(block[line].to_owned()));
        lines
    }

    #[test]
    fn only_lines_with_a_needle_are_seen_and_each_once() {
        let block = "a needle\nhay\nneedle needle\n\\u0041\nlast needle";
        assert_eq!(
            sifted("needle", block),
            ["a needle\n", "needle needle\n", "\\u0041\n", "last needle"]
        );
        assert_eq!(sifted("-needle", "x\n\ny"), ["x\n", "\n", "y"]);
        assert_eq!(
            sifted(
                "level=error",
                "INFO\nERROR\nerr\n{\"level\":50}\n{\"l\":5}\n"
            )
            .len(),
            3
        );
    }

    proptest! {
        #[test]
        fn a_line_is_seen_if_it_has_a_needle(text in "[xy\n]{0,40}", query in "[xy]{2,4}( or [xy]{2,4}){0,5}") {
            let needles: Vec<&str> = query.split(" or ").collect();
            let expected: Vec<String> = text.split_inclusive('\n')
                .filter(|line| needles.iter().any(|needle| line.contains(needle))).map(str::to_owned).collect();
            prop_assert_eq!(sifted(&query, &text), expected);
        }
    }
}
