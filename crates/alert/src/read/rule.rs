//! Reads one rule.

use std::time::Duration;

use crate::Severity;
use crate::error::Error;
use crate::read::conditions::{conditions, events};
use crate::read::defaults::Defaults;
use crate::read::kind::{self, Measured};
use crate::read::limits::bounded;
use crate::read::node::Node;
use crate::read::{groups, mute, playbook, texts};
use crate::rule::{Kind, Named, Rule};

pub(crate) fn read(node: &Node<'_>, defaults: &Defaults) -> Result<Rule, Error> {
    node.entries()?;
    let name = node.need("name")?.str()?;
    if name.trim().is_empty() {
        return Err(node.need("name")?.error("a rule needs a name"));
    }
    let node = &node.clone().owned_by(format!("rule `{name}`"));
    node.keys(&KEYS)?;
    let conditions = conditions(node)?;
    let Measured {
        kind,
        threshold,
        below,
        window,
        hold_for,
    } = kind::read(node, defaults.window)?;
    let clears = node.get("clear").and_then(|clear| clear.get("match"));
    let clears = clears.map(|node| events(&node)).transpose()?;
    let resolve_after = resolve_after(node)?.or(match (&kind, &clears) {
        // What came back came back; who waits for a sign waits for it.
        (Kind::Absence { .. }, _) => Some(Duration::ZERO),
        (_, Some(_)) => None,
        (_, None) => defaults.resolve_after.or(Some(window)),
    });
    let groups = groups::read(node, &kind, defaults.max_groups)?;
    groups::fit(node, &kind, threshold, &groups)?;
    let names: Vec<&str> = groups.names.iter().map(|name| &**name).collect();
    Ok(Rule {
        name: name.into(),
        among: node.get("of").map(|of| events(&of)).transpose()?,
        conditions,
        clears,
        threshold,
        below,
        window,
        hold_for,
        resolve_after,
        max_groups: groups.max,
        repeat_interval: repeat(node)?.or(defaults.repeat_interval),
        samples: samples(node)?,
        mute: mute::read(node)?,
        severity: severity(node)?.unwrap_or(defaults.severity),
        actions: actions(node)?.unwrap_or_else(|| defaults.actions.clone()),
        playbook: node
            .get("playbook")
            .map(|node| playbook::call(&node, &defaults.playbooks))
            .transpose()?,
        labels: texts::labels(node, &kind, &names)?,
        annotations: texts::annotations(node, &kind, &names)?,
        group_by: groups.names,
        kind,
    })
}

/// `resolve_after`, or `keep_firing_for` as Prometheus calls it.
pub(super) fn resolve_after(node: &Node<'_>) -> Result<Option<Duration>, Error> {
    let clear = node.get("clear");
    let keeps = clear
        .as_ref()
        .and_then(|clear| clear.get("keep_firing_for"));
    let said = [
        node.get("resolve_after"),
        node.get("keep_firing_for"),
        keeps,
    ];
    let mut said = said.into_iter().flatten();
    let first = said.next();
    if let Some(second) = said.next() {
        return Err(second.error(
            "how long it must be good before it resolves is said twice: `keep_firing_for` is \
             another word for `resolve_after`",
        ));
    }
    first.map(|node| bounded(&node)).transpose()
}

pub(super) fn repeat(node: &Node<'_>) -> Result<Option<Duration>, Error> {
    let Some(node) = node.get("repeat_interval") else {
        return Ok(None);
    };
    let span = bounded(&node)?;
    if span < MIN_REPEAT {
        return Err(node.expected("a span from 1s to 30d"));
    }
    Ok(Some(span))
}

fn samples(node: &Node<'_>) -> Result<usize, Error> {
    let Some(node) = node.get("samples") else {
        return Ok(3);
    };
    let number = node
        .value()
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    number
        .filter(|&number| number <= MAX_SAMPLES)
        .ok_or_else(|| node.expected("a number of sample lines from 0 to 10"))
}

pub(super) fn severity(node: &Node<'_>) -> Result<Option<Severity>, Error> {
    let level = match (node.get("level"), node.get("severity")) {
        (Some(_), Some(severity)) => {
            return Err(severity.error("`severity` is another word for `level`; say one of them"));
        }
        (Some(level), None) | (None, Some(level)) => level,
        (None, None) => return Ok(None),
    };
    let severity = level.value().as_str().and_then(Severity::parse);
    let known = "critical, error, warning or info (the level of events is `match: {level: …}`)";
    severity.map(Some).ok_or_else(|| level.expected(known))
}

pub(super) fn actions(node: &Node<'_>) -> Result<Option<Vec<Named>>, Error> {
    let action = match (node.get("action"), node.get("notify")) {
        (Some(_), Some(notify)) => {
            return Err(notify.error("`notify` is another word for `action`; say one of them"));
        }
        (Some(action), None) | (None, Some(action)) => action,
        (None, None) => return Ok(None),
    };
    let mut named: Vec<Named> = Vec::new();
    if action.value().as_sequence().is_some_and(Vec::is_empty) {
        return Err(action.error("an empty list tells nobody; name a notifier, such as `log`"));
    }
    for (name, node) in action.texts()? {
        if named.iter().any(|other| other.name == name) {
            return Err(node.error(format!("`{name}` is named twice")));
        }
        named.push(Named {
            name,
            place: node.place(),
        });
    }
    Ok(Some(named))
}

const KEYS: [&str; 35] = [
    "name",
    "type",
    "pattern",
    "match",
    "of",
    "field",
    "stat",
    "threshold",
    "min_total",
    "factor",
    "min_count",
    "reference",
    "offset",
    "min_reference",
    "expect_from_start",
    "forget_after",
    "learn",
    "max_values",
    "window",
    "group_by",
    "max_groups",
    "for",
    "clear",
    "resolve_after",
    "keep_firing_for",
    "repeat_interval",
    "level",
    "severity",
    "action",
    "notify",
    "playbook",
    "labels",
    "annotations",
    "samples",
    "mute",
];

/// A shorter one would be a storm of its own.
const MIN_REPEAT: Duration = Duration::from_secs(1);

/// Ten of 512 bytes still fit the smallest sink.
const MAX_SAMPLES: usize = 10;
