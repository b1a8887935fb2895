//! Tells in one pass that none of many patterns matches, which is true of nearly every event.

use regex::{RegexSet, RegexSetBuilder};

use crate::rule::Rule;

/// All patterns of a set of rules as one automaton; nothing where they are few.
#[derive(Debug, Default)]
pub(crate) struct Prefilter(Option<RegexSet>);

impl Prefilter {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let patterns = rules
            .iter()
            .filter_map(|rule| rule.conditions.pattern.as_ref());
        let patterns: Vec<&str> = patterns.map(|pattern| pattern.as_str()).collect();
        if patterns.len() < FEW {
            return Self(None);
        }
        // Too large for one automaton: each pattern is asked in turn, as with few.
        Self(
            RegexSetBuilder::new(patterns)
                .size_limit(MAX_BYTES)
                .build()
                .ok(),
        )
    }

    /// Whether the question pays for so many rules.
    pub(crate) fn pays(&self, rules: usize) -> bool {
        self.0.is_some() && rules >= FEW
    }

    /// Whether some pattern matches; yes if it is not known.
    pub(crate) fn may_match(&self, text: &str) -> bool {
        self.0.as_ref().is_none_or(|set| set.is_match(text))
    }
}

/// One pass over a set costs what 2 to 17 patterns in turn cost, by their kind (measured on messages
/// of 100 to 200 bytes, regex 1.13), and hardly grows with their number.
const FEW: usize = 12;

/// Compiled, in bytes: a thousand patterns of the usual length.
const MAX_BYTES: usize = 32 << 20;
