//! What an event must be like for a rule to count it.

use std::sync::Arc;

use dogwatch_line::{Equals, Level, Matcher, Query, Value};
use regex::Regex;

use crate::about::quoted;
use crate::seen::Judged;

/// What an event must be like. All that is said must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) level: Option<LevelIs>,
    pub(crate) target: Option<String>,
    pub(crate) fields: Vec<Equals>,
    pub(crate) query: Option<Arc<Asked>>,
    pub(crate) pattern: Option<Regex>,
}

/// By what is said: a pattern and a query are equal if their texts are.
impl PartialEq for Conditions {
    fn eq(&self, other: &Self) -> bool {
        let pattern = |conditions: &Self| conditions.pattern.as_ref().map(Regex::to_string);
        let asked = |conditions: &Self| {
            let asked = conditions.query.as_ref();
            asked.map(|asked| asked.query.to_string())
        };
        (self.level, &self.target, &self.fields) == (other.level, &other.target, &other.fields)
            && pattern(self) == pattern(other)
            && asked(self) == asked(other)
    }
}

/// A query as a rule asks it: texts without a field are looked for in the message.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) query: Query,
    pub(crate) matcher: Matcher,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LevelIs {
    Exactly(Level),
    AtLeast(Level),
}

impl LevelIs {
    /// Reads `error` or `>=warn`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(">=") {
            Some(level) => Level::parse(level.trim()).map(Self::AtLeast),
            None => Level::parse(text).map(Self::Exactly),
        }
    }

    fn holds(self, level: Level) -> bool {
        match self {
            Self::Exactly(wanted) => level == wanted,
            Self::AtLeast(least) => level >= least,
        }
    }
}

impl Conditions {
    /// Whether nothing is said, so that every event would match.
    pub(crate) fn is_empty(&self) -> bool {
        let unasked = self.query.as_ref().is_none_or(|asked| {
            // The canonical form of a query that holds for everything.
            asked.query.to_string() == "*"
        });
        self.pattern.is_none()
            && self.fields.is_empty()
            && self.level.is_none()
            && self.target.is_none()
            && unasked
    }

    /// What is counted, as a query; `None` if only a pattern says it. A pattern that stands beside
    /// is left out: the query shows more.
    pub(crate) fn query(&self) -> Option<String> {
        let mut parts = Vec::new();
        match self.level {
            Some(LevelIs::Exactly(level)) => parts.push(format!("level={level}")),
            Some(LevelIs::AtLeast(level)) => parts.push(format!("level>={level}")),
            None => {}
        }
        if let Some(target) = &self.target {
            parts.push(format!("target={}", quoted(target)));
        }
        for equals in &self.fields {
            let name = quoted(equals.field());
            parts.push(match equals.literal() {
                Value::Str(text) => format!("{name}={}", quoted(text)),
                plain => format!("{name}={plain}"),
            });
        }
        if let Some(asked) = &self.query {
            parts.push(asked.query.to_string());
        }
        if parts.is_empty() {
            return None;
        }
        Query::parse(&parts.join(" "))
            .ok()
            .map(|query| query.to_string())
    }

    /// Whether an event of this level and target may match; decided once for each callsite.
    /// A target that is known only with the event is `None`.
    pub(crate) fn may_hold(&self, level: Level, target: Option<&str>) -> bool {
        let pattern_level = self.pattern.as_ref().and_then(anchored_level);
        self.level.is_none_or(|wanted| wanted.holds(level))
            && pattern_level.is_none_or(|wanted| level == wanted)
            && match (&self.target, target) {
                (Some(wanted), Some(target)) => wanted == target,
                _ => true,
            }
            && self
                .query
                .as_ref()
                .is_none_or(|asked| asked.matcher.may_hold(level, target))
    }

    /// Whether the event matches. The text is rendered only if the fields left the question open.
    pub(crate) fn hold(&self, event: &mut impl Judged) -> bool {
        self.level.is_none_or(|wanted| wanted.holds(event.level()))
            && self
                .target
                .as_ref()
                .is_none_or(|target| event.target() == target)
            && self.fields.iter().all(|equals| equals.holds(&*event))
            && self
                .query
                .as_ref()
                .is_none_or(|asked| asked.matcher.holds(&*event))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(event.text()))
    }
}

/// The level in a pattern such as `^ERROR shop`, which no other level can match.
fn anchored_level(pattern: &Regex) -> Option<Level> {
    let word = pattern.as_str().strip_prefix('^')?.split_once(' ')?.0;
    // An alternative could stand outside the anchor: `^ERROR x|y`.
    let plain = !pattern.as_str().contains('|');
    Level::ALL
        .into_iter()
        .find(|level| plain && level.as_str() == word)
}
