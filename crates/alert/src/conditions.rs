//! What an event must be like for a rule to count it.

use std::sync::Arc;

use dogwatch_line::{Equals, Level, Matcher, Query};
use regex::Regex;

use crate::seen::Seen;

/// What an event must be like. All that is said must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) level: Option<LevelIs>,
    pub(crate) target: Option<String>,
    pub(crate) fields: Vec<Equals>,
    pub(crate) query: Option<Arc<Asked>>,
    pub(crate) pattern: Option<Regex>,
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
    pub(crate) fn hold(&self, seen: &mut Seen<'_>) -> bool {
        self.level
            .is_none_or(|wanted| wanted.holds(seen.view.level()))
            && self
                .target
                .as_ref()
                .is_none_or(|target| seen.view.target() == target)
            && self.fields.iter().all(|equals| equals.holds(&*seen))
            && self
                .query
                .as_ref()
                .is_none_or(|asked| asked.matcher.holds(&*seen))
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(seen.view.text()))
    }

    /// The least level that an event needs for a match.
    pub(crate) fn least_level(&self) -> Level {
        Level::ALL
            .into_iter()
            .find(|&level| self.may_hold(level, None))
            .unwrap_or(Level::Fatal)
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
