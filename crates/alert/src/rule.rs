//! One rule: which events it counts, how many are too many, and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dogwatch_line::{Level, Value};

use crate::anomaly::UNUSUAL;
use crate::conditions::Conditions;
use crate::error::Place;
use crate::leases::Limits;
use crate::meter::Weight;
use crate::mute::Mute;
use crate::seen::Judged;
use crate::shift::{Limits as Shares, Way};
use crate::stat::{Limit, Side, Statistic};
use crate::template::Template;
use crate::{Severity, span_of_time, variety};

/// A rule that was read and found sound. Two are equal if they say the same, wherever they stand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) conditions: Conditions,
    /// Among which events a ratio's are.
    pub(crate) among: Option<Conditions>,
    /// Which events say that all is well.
    pub(crate) clears: Option<Conditions>,
    pub(crate) threshold: usize,
    /// Fewer than this many are few enough again.
    pub(crate) below: usize,
    pub(crate) window: Duration,
    pub(crate) hold_for: Duration,
    pub(crate) resolve_after: Option<Duration>,
    pub(crate) group_by: Vec<Box<str>>,
    pub(crate) max_groups: usize,
    pub(crate) repeat_interval: Option<Duration>,
    pub(crate) samples: usize,
    pub(crate) mute: Vec<Mute>,
    pub(crate) severity: Severity,
    pub(crate) actions: Vec<Named>,
    pub(crate) playbook: Option<Call>,
    pub(crate) labels: Vec<(String, Template)>,
    pub(crate) annotations: Vec<(String, Template)>,
}

/// What is bad about events.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// That there is one.
    Any,
    /// That there are so many.
    Threshold,
    /// That they are such a share of others.
    Ratio {
        above: f64,
        below: f64,
        min_total: u64,
    },
    /// That there is none any more.
    Absence {
        from_start: bool,
        forget_after: Option<Duration>,
    },
    /// That there are so many times as many as before.
    Spike {
        factor: f64,
        below: f64,
        min_count: u64,
        min_reference: u64,
        reference: Duration,
    },
    /// That there are so many more, or fewer, than as long before.
    Change {
        limits: Shares,
        min_reference: u64,
        offset: Duration,
    },
    /// That a number which they carry comes to so much.
    FieldStat {
        field: Box<str>,
        of: Statistic,
        limit: Limit,
        min_count: u64,
    },
    /// That a field has so many different values.
    Cardinality { field: Box<str> },
    /// That a field has a value which it never had.
    NewValue { field: Box<str>, news: News },
    /// That there is a message of a kind which there never was.
    NewTemplate { news: News },
    /// That there are more of a kind than there ever are at that time of day.
    Anomaly {
        /// How long from a kind's first event on it is learned and does not fire.
        learn: Duration,
        min_count: u64,
    },
}

impl Kind {
    /// Whether each kind of message is a group.
    pub(crate) fn by_template(&self) -> bool {
        matches!(self, Self::NewTemplate { .. } | Self::Anomaly { .. })
    }
}

/// What is new, and what is only new to the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// How long from the first event on all is learned and nothing fires.
    pub(crate) learn: Duration,
    pub(crate) max_values: usize,
}

/// A name in the rules, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// The name alone: a line more above it makes it no other.
impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A playbook to run while the rule fires.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) run: Named,
    pub(crate) limits: Limits,
    /// What it is to act with.
    pub(crate) with: BTreeMap<String, String>,
    /// What the rule or the file says; else the builder decides.
    pub(crate) dry_run: Option<bool>,
}

/// What an event is to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It counts.
    Counts,
    /// It is one of those that a ratio's are among, and a good one.
    Among,
    /// It says that all is well.
    Clears,
}

impl Rule {
    /// Whether an event of this level and target may be something to the rule.
    pub(crate) fn may_hold(&self, level: Level, target: Option<&str>) -> bool {
        let may = |conditions: &Conditions| conditions.may_hold(level, target);
        let counts = self.among.as_ref().unwrap_or(&self.conditions);
        may(counts) || self.clears.as_ref().is_some_and(may)
    }

    /// What an event is to the rule. `no_text`: its text matches no pattern, as is known already.
    pub(crate) fn role(&self, event: &mut impl Judged, no_text: bool) -> Option<Role> {
        let among = match &self.among {
            Some(among) => among.hold(event),
            None => false,
        };
        let counts = (among || self.among.is_none())
            && !(no_text && self.conditions.pattern.is_some())
            && self.conditions.hold(event)
            && self.weight(event).is_some();
        if counts {
            return Some(Role::Counts);
        }
        if (self.clears.as_ref()).is_some_and(|clears| clears.hold(event)) {
            return Some(Role::Clears);
        }
        among.then_some(Role::Among)
    }

    /// What an event brings that the rule counts; nothing, if it lacks what the rule measures.
    pub(crate) fn weight(&self, event: &impl Judged) -> Option<Weight> {
        match &self.kind {
            Kind::FieldStat { field, .. } => number(event.field(field)?).map(Weight::Number),
            Kind::Cardinality { field } => variety::hash(&event.field(field)?).map(Weight::Value),
            _ => Some(Weight::One),
        }
    }

    /// The least level that an event needs for a match.
    pub(crate) fn least_level(&self) -> Level {
        Level::ALL
            .into_iter()
            .find(|&level| self.may_hold(level, None))
            .unwrap_or(Level::Fatal)
    }

    /// Whether its events are told apart by what they hold.
    pub(crate) fn is_grouped(&self) -> bool {
        !self.group_by.is_empty() || self.kind.by_template()
    }

    /// The names of what they are told apart by, in the order of a group's values.
    pub(crate) fn group_names(&self) -> impl Iterator<Item = &str> {
        let template = self.kind.by_template().then_some(TEMPLATE);
        self.group_by.iter().map(|name| &**name).chain(template)
    }

    /// What is news to the rule, if it asks for news.
    pub(crate) fn news(&self) -> Option<News> {
        match self.kind {
            Kind::NewValue { news, .. } | Kind::NewTemplate { news } => Some(news),
            _ => None,
        }
    }

    /// The kinds' names in a file.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Any => "any",
            Kind::Threshold => "threshold",
            Kind::Ratio { .. } => "ratio",
            Kind::Absence { .. } => "absence",
            Kind::Spike { .. } => "spike",
            Kind::Change { .. } => "change",
            Kind::FieldStat { .. } => "field_stat",
            Kind::Cardinality { .. } => "cardinality",
            Kind::NewValue { .. } => "new_value",
            Kind::NewTemplate { .. } => "new_template",
            Kind::Anomaly { .. } => "anomaly",
        }
    }

    /// What makes it fire, in a few words: `10 within 1m`.
    pub(crate) fn limit(&self) -> String {
        let window = span_of_time::show(self.window);
        match &self.kind {
            Kind::Any => "any".into(),
            Kind::Threshold => format!("{} within {window}", self.threshold),
            Kind::Ratio {
                above, min_total, ..
            } => format!(
                "{}% of at least {min_total} within {window}",
                percent(*above)
            ),
            Kind::Absence { .. } => format!("none for {window}"),
            Kind::Spike {
                factor,
                min_count,
                reference,
                ..
            } => format!(
                "{factor} times the usual of {} before, at least {min_count} within {window}",
                span_of_time::show(*reference)
            ),
            Kind::Change {
                limits,
                min_reference,
                offset,
            } => {
                let (by, than) = match limits.way {
                    Way::Rise => (limits.fires - 1.0, "more"),
                    Way::Fall => (1.0 - limits.fires, "fewer"),
                };
                let offset = span_of_time::show(*offset);
                let by = percent(by);
                format!(
                    "{by}% {than} than {offset} before within {window}, of at least {min_reference}"
                )
            }
            Kind::FieldStat {
                field,
                of,
                limit,
                min_count,
            } => {
                let side = match limit.side {
                    Side::AtLeast => "at least",
                    Side::Below => "below",
                };
                let fires = limit.fires;
                format!("{of} of {field} {side} {fires} within {window}, of {min_count} or more")
            }
            Kind::Cardinality { field } => {
                let many = self.threshold;
                format!("{many} different values of {field} within {window}")
            }
            Kind::NewValue { field, .. } => format!("a new value of {field}"),
            Kind::NewTemplate { .. } => "a new kind of message".into(),
            Kind::Anomaly { .. } => format!("a chance below {UNUSUAL:e}"),
        }
    }
}

/// A finite number, or a text that is one, as the command's percentiles take it.
fn number(value: Value<'_>) -> Option<f64> {
    let number = match value {
        Value::I64(int) => int as f64,
        Value::U64(int) => int as f64,
        Value::F64(float) => float,
        Value::Str(text) => text.parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// Per cent without what binary fractions leave behind.
fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// What a new kind of message is called among the labels.
pub(crate) const TEMPLATE: &str = "template";
