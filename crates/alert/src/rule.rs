//! One rule: which events it counts, how many are too many, and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dogwatch_line::{Equals, Fields, Level, Value};
use regex::Regex;

use crate::Severity;
use crate::error::Place;
use crate::view::View;

/// A rule that was read and found sound.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) conditions: Conditions,
    pub(crate) threshold: usize,
    pub(crate) window: Duration,
    pub(crate) resolve_after: Duration,
    pub(crate) severity: Severity,
    pub(crate) actions: Vec<Named>,
    pub(crate) playbook: Option<Call>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A name in the rules, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// A playbook to run while the rule fires.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) run: Named,
    pub(crate) lease: Duration,
}

/// What an event must be like. All that is said must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) level: Option<LevelIs>,
    pub(crate) target: Option<String>,
    pub(crate) fields: Vec<Equals>,
    pub(crate) pattern: Option<Regex>,
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

/// An event, and behind it the fields that every line of the service carries.
pub(crate) struct Seen<'a> {
    pub(crate) view: &'a mut View,
    pub(crate) fixed: &'a [(String, String)],
}

impl Fields for Seen<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let fixed = |name: &str| self.fixed.iter().find(|(key, _)| key == name);
        if let Some((_, value)) = fixed(name) {
            return Some(Value::from(&**value));
        }
        // A field of that name stands in a line with a `_` behind it.
        let posing = name.strip_suffix('_').filter(|name| fixed(name).is_some());
        self.view.field(posing.unwrap_or(name))
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
