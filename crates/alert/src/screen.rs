//! Tells from the bytes of a line which rules cannot want it, before anything is read.

use std::collections::HashMap;

use dogwatch_line::{Level, Query};
use memchr::memmem::Finder;

use crate::TARGET;
use crate::about::quoted;
use crate::rule::Rule;

/// What is known of rules before a line is read.
pub(crate) struct Screen {
    /// For each rule texts of which a line must have one; none if every line may do.
    needles: Vec<Vec<Finder<'static>>>,
    /// Any character may be spelled so, those of a needle too.
    escape: Finder<'static>,
    /// Which rules may want a line of a level and target.
    callsites: HashMap<(Level, Box<str>), Vec<usize>>,
}

impl Screen {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        Self {
            needles: rules.iter().map(needles).collect(),
            escape: Finder::new("\\u"),
            callsites: HashMap::new(),
        }
    }

    /// The rules that may want the line.
    pub(crate) fn candidates(
        &mut self,
        rules: &[Rule],
        line: &str,
        level: Level,
        target: &str,
        out: &mut Vec<usize>,
    ) {
        out.clear();
        if self.callsites.len() >= MAX_CALLSITES {
            self.callsites.clear();
        }
        let wanted = |rule: &Rule| !is_own(target) && rule.may_hold(level, Some(target));
        let may = |(at, rule): (usize, &Rule)| wanted(rule).then_some(at);
        let may = self
            .callsites
            .entry((level, target.into()))
            .or_insert_with(|| rules.iter().enumerate().filter_map(may).collect());
        if may.is_empty() {
            return;
        }
        let line = line.as_bytes();
        let escaped = self.escape.find(line).is_some();
        out.extend(may.iter().copied().filter(|&at| {
            let needles = &self.needles[at];
            escaped
                || needles.is_empty()
                || needles.iter().any(|needle| needle.find(line).is_some())
        }));
    }
}

/// Our own events and their lines, whoever wrote them: never matched, so that no alert feeds itself.
pub(crate) fn is_own(target: &str) -> bool {
    target
        .strip_prefix(TARGET)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn needles(rule: &Rule) -> Vec<Finder<'static>> {
    // Other events than those that count are something to these rules.
    if rule.among.is_some() || rule.clears.is_some() {
        return Vec::new();
    }
    let by_query = rule
        .conditions
        .query()
        .map(|query| finders(&query, |_| true));
    let by_query = by_query.unwrap_or_default();
    match &rule.conditions.pattern {
        Some(pattern) if by_query.is_empty() => finders(
            &format!("x~{}", quoted(pattern.as_str())),
            is_within_one_field,
        ),
        _ => by_query,
    }
}

fn finders(query: &str, fits: impl Fn(&[u8]) -> bool) -> Vec<Finder<'static>> {
    let Ok(query) = Query::parse(query) else {
        return Vec::new();
    };
    let literals = query.literals();
    let usable = literals.sets().find(|set| {
        let mut texts = set.iter().map(|needle| needle.bytes());
        set.iter().any(|needle| !needle.bytes().starts_with(b"\\u"))
            && texts.all(|text| text.starts_with(b"\\u") || fits(text))
    });
    let texts = usable
        .unwrap_or_default()
        .iter()
        .map(|needle| needle.bytes());
    texts
        .filter(|text| !text.starts_with(b"\\u"))
        .map(|text| Finder::new(text).into_owned())
        .collect()
}

/// Whether a piece of an event's text stands in its line as it is: not over the border between two
/// fields, and neither a level nor a number, which a line may spell otherwise.
fn is_within_one_field(text: &[u8]) -> bool {
    let border = |byte: &u8| matches!(byte, b' ' | b':' | b'=');
    let word = |byte: &u8| byte.is_ascii_lowercase() || !byte.is_ascii();
    !text.iter().any(border) && text.iter().filter(|byte| word(byte)).count() > 1
}

const MAX_CALLSITES: usize = 10_000;
