//! Reads what events are told apart by, within bounds.

use crate::error::Error;
use crate::read::node::Node;
use crate::rule::Kind;

/// `group_by` and `max_groups`.
pub(crate) struct Groups {
    pub(crate) names: Vec<Box<str>>,
    pub(crate) max: usize,
}

pub(crate) fn read(node: &Node<'_>, kind: &Kind, default: usize) -> Result<Groups, Error> {
    let mut names: Vec<Box<str>> = Vec::new();
    let group_by = node.get("group_by");
    for (name, node) in group_by
        .map(|node| node.texts())
        .transpose()?
        .unwrap_or_default()
    {
        if UNBOUNDED.contains(&&*name) {
            return Err(node.error(format!(
                "`{name}` differs from event to event: such groups have no bound; group by what \
                 many events have in common"
            )));
        }
        if matches!(&*name, "alertname" | "severity") {
            return Err(node.error(format!("the label `{name}` is taken by the rule itself")));
        }
        if names.iter().any(|known| **known == *name) {
            return Err(node.error(format!("`{name}` is named twice")));
        }
        names.push(name.into());
    }
    if names.len() > MAX_NAMES {
        let node = node.need("group_by")?;
        return Err(node.error(format!("{} fields; at most {MAX_NAMES} group", names.len())));
    }
    if let Kind::NewValue { field, .. } = kind {
        // Each new value is an alert of its own.
        if !names.contains(field) {
            names.push(field.clone());
        }
    }
    if let (
        Kind::Absence {
            from_start: true, ..
        },
        false,
    ) = (kind, names.is_empty())
    {
        let node = node.need("expect_from_start")?;
        return Err(node.error("no group is known from the start; take away `group_by`"));
    }
    let said = max(node)?;
    if let (Some(_), true) = (said, names.is_empty() && !kind.by_template()) {
        let node = node.need("max_groups")?;
        return Err(node.error("there are no groups: say `group_by` too"));
    }
    Ok(Groups {
        names,
        max: said.unwrap_or(default),
    })
}

/// Refuses different values that no group could have, and more than there is room for.
pub(crate) fn fit(
    node: &Node<'_>,
    kind: &Kind,
    threshold: usize,
    groups: &Groups,
) -> Result<(), Error> {
    let Kind::Cardinality { field } = kind else {
        return Ok(());
    };
    if groups.names.contains(field) {
        return Err(node.need("field")?.error(format!(
            "a group has one value of `{field}`: take it away from `group_by`"
        )));
    }
    let many = if groups.names.is_empty() {
        1
    } else {
        groups.max
    };
    if threshold * many > MAX_VALUES {
        return Err(node.need("threshold")?.error(format!(
            "{many} groups of {threshold} values are more than {MAX_VALUES}: lower `threshold` or \
             `max_groups`"
        )));
    }
    Ok(())
}

pub(crate) fn max(node: &Node<'_>) -> Result<Option<usize>, Error> {
    let Some(node) = node.get("max_groups") else {
        return Ok(None);
    };
    let number = node
        .value()
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    let bounded = number.filter(|number| (1..=MAX_GROUPS).contains(number));
    bounded
        .map(Some)
        .ok_or_else(|| node.expected("a bound from 1 to 10000 groups"))
}

/// What each event, or each request, has for itself alone.
const UNBOUNDED: [&str; 7] = [
    "timestamp",
    "message",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "latency_ms",
];

/// As many labels as a notification can show.
const MAX_NAMES: usize = 8;

pub(crate) const DEFAULT_GROUPS: usize = 1000;

/// Of all groups of a rule of the type `cardinality`: some 10 MB.
const MAX_VALUES: usize = 200_000;

/// Some 5 MB, if all of them count a threshold of ten.
const MAX_GROUPS: usize = 10_000;
