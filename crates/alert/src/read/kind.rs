//! Reads what a rule measures: its type, and the keys that belong to it.

use std::time::Duration;

use serde_norway::Value;

use crate::error::Error;
use crate::read::anomaly::{WIDEST, anomaly};
use crate::read::limits::{bounded, threshold, window_span};
use crate::read::node::Node;
use crate::read::{shift, stat};
use crate::rule::{Kind, News};
use crate::spike::SPIKE_STEPS;

/// What a rule measures, and by which limits.
pub(crate) struct Measured {
    pub(crate) kind: Kind,
    pub(crate) threshold: usize,
    pub(crate) below: usize,
    pub(crate) window: Duration,
    pub(crate) hold_for: Duration,
}

pub(crate) fn read(node: &Node<'_>, default: Duration) -> Result<Measured, Error> {
    let kind = node.get("type");
    let name = kind.as_ref().map_or(Ok("threshold"), |kind| kind.str())?;
    let (_, keys) = TYPES
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| {
            let known = TYPES.map(|(known, _)| known).join(", ");
            let at = kind.as_ref().unwrap_or(node);
            at.expected(&format!("a type of rule: {known}"))
        })?;
    belongs(node, name, keys)?;
    let hold_for = node.get("for").map(|node| bounded(&node)).transpose()?;
    let mut out = Measured {
        kind: Kind::Any,
        threshold: 1,
        below: 1,
        window: default,
        hold_for: hold_for.unwrap_or_default(),
    };
    let clear = node.get("clear");
    if let Some(clear) = &clear {
        clear.keys(&["below", "above", "match", "keep_firing_for"])?;
        if let (Some(above), false) = (clear.get("above"), name == "field_stat") {
            return Err(above.error("`above` is for a `field_stat` that fires below its threshold"));
        }
    }
    let below = clear.as_ref().and_then(|clear| clear.get("below"));
    if matches!(name, "threshold" | "cardinality") {
        (out.threshold, out.window) = threshold(node, default)?;
        out.below = fewer(below.as_ref(), out.threshold)?;
        out.kind = match name {
            "cardinality" => Kind::Cardinality {
                field: node.need("field")?.str()?.into(),
            },
            _ => Kind::Threshold,
        };
        return Ok(out);
    }
    if let Some(window) = node.get("window") {
        out.window = window_span(&window)?;
    }
    out.kind = match name {
        "ratio" => ratio(node, below.as_ref())?,
        "absence" => Kind::Absence {
            from_start: flag(node, "expect_from_start")?,
            forget_after: node
                .get("forget_after")
                .map(|node| bounded(&node))
                .transpose()?,
        },
        "spike" => spike(node, below.as_ref(), out.window)?,
        "change" => shift::read(node, below.as_ref(), out.window)?,
        "field_stat" => stat::read(node, clear.as_ref())?,
        "new_value" => Kind::NewValue {
            field: node.need("field")?.str()?.into(),
            news: news(node)?,
        },
        "new_template" => Kind::NewTemplate { news: news(node)? },
        "anomaly" => {
            out.window = WIDEST;
            anomaly(node)?
        }
        _ => Kind::Any,
    };
    if let (Some(below), false) = (
        &below,
        matches!(name, "ratio" | "spike" | "change" | "field_stat"),
    ) {
        return Err(below.error(format!("the type `{name}` has no number to fall below")));
    }
    Ok(out)
}

/// Refuses keys that are another type's.
fn belongs(node: &Node<'_>, name: &str, keys: &[&str]) -> Result<(), Error> {
    for key in TYPES.iter().flat_map(|(_, keys)| *keys) {
        if let (Some(found), false) = (node.get(key), keys.contains(key)) {
            let of: Vec<&str> = TYPES
                .iter()
                .filter(|(_, keys)| keys.contains(key))
                .map(|(name, _)| *name)
                .collect();
            return Err(found.error(format!(
                "`{key}` belongs to the type {}; this rule is of the type {name}",
                of.join(" or ")
            )));
        }
    }
    Ok(())
}

fn fewer(below: Option<&Node<'_>>, threshold: usize) -> Result<usize, Error> {
    let Some(below) = below else {
        return Ok(threshold);
    };
    let number = below
        .value()
        .as_u64()
        .and_then(|number| usize::try_from(number).ok());
    number
        .filter(|number| (1..=threshold).contains(number))
        .ok_or_else(|| below.expected(&format!("a number from 1 to the threshold, {threshold}")))
}

/// `threshold: 5%`, `min_total: 50`, `of: …`.
fn ratio(node: &Node<'_>, below: Option<&Node<'_>>) -> Result<Kind, Error> {
    node.need("of").map_err(|_| {
        node.error("`of` is missing: among which events, such as `event=request` or `*`")
    })?;
    let threshold = node.need("threshold")?;
    let above = share(&threshold)?;
    let falls = below.map(share).transpose()?.unwrap_or(above);
    if let Some(below) = below.filter(|_| falls > above) {
        return Err(below.error("is above the threshold: it would resolve while it fires"));
    }
    Ok(Kind::Ratio {
        above,
        below: falls,
        min_total: count(node, "min_total")?.unwrap_or(MIN_TOTAL),
    })
}

fn share(node: &Node<'_>) -> Result<f64, Error> {
    let text = node
        .value()
        .as_str()
        .and_then(|text| text.strip_suffix('%'));
    let percent = text.and_then(|text| text.trim().parse::<f64>().ok());
    percent
        .filter(|percent| *percent > 0.0 && *percent <= 100.0)
        .map(|percent| percent / 100.0)
        .ok_or_else(|| node.expected("a share of more than 0% and at most 100%, such as 5%"))
}

fn spike(node: &Node<'_>, below: Option<&Node<'_>>, window: Duration) -> Result<Kind, Error> {
    let times = |node: &Node<'_>| {
        let factor = node.value().as_f64();
        factor
            .filter(|factor| *factor > 1.0 && *factor <= 1e6)
            .ok_or_else(|| node.expected("how many times the usual, more than 1, such as 3"))
    };
    let factor = times(&node.need("factor")?)?;
    let falls = below.map(times).transpose()?.unwrap_or(factor);
    if let Some(below) = below.filter(|_| falls > factor) {
        return Err(below.error("is above the factor: it would resolve while it fires"));
    }
    let reference = node.get("reference");
    let span = reference
        .as_ref()
        .map(window_span)
        .transpose()?
        .unwrap_or(window);
    if let Some(reference) = reference.filter(|_| span < window || span > MAX_REFERENCE * window) {
        return Err(reference.error(format!(
            "the reference must be from one window to {MAX_REFERENCE} windows long"
        )));
    }
    if window < MIN_SPIKE {
        let at = node.get("window").unwrap_or_else(|| node.clone());
        return Err(at.error("a spike needs a window of a second at least"));
    }
    Ok(Kind::Spike {
        factor,
        below: falls,
        // A factor of nothing is nothing: both counts have a least that is worth a look.
        min_count: count(node, "min_count")?.unwrap_or(MIN_COUNT),
        min_reference: count(node, "min_reference")?.unwrap_or(MIN_REFERENCE),
        reference: span,
    })
}

fn news(node: &Node<'_>) -> Result<News, Error> {
    if let Some(hold) = node.get("for") {
        return Err(hold.error("what is new is so for a moment: `for` would keep it from firing"));
    }
    let learn = node.get("learn").map(|node| bounded(&node)).transpose()?;
    let max = count(node, "max_values")?.unwrap_or(MAX_VALUES);
    let fits = usize::try_from(max).ok().filter(|max| *max <= MOST_VALUES);
    Ok(News {
        learn: learn.unwrap_or(LEARN),
        max_values: fits.ok_or_else(|| {
            let node = node.get("max_values").unwrap_or_else(|| node.clone());
            node.expected("a bound from 1 to 100000 values")
        })?,
    })
}

pub(super) fn count(node: &Node<'_>, key: &str) -> Result<Option<u64>, Error> {
    let Some(node) = node.get(key) else {
        return Ok(None);
    };
    let number = node.value().as_u64().filter(|number| *number > 0);
    let number = number.ok_or_else(|| node.expected("a number from 1 on"))?;
    Ok(Some(number))
}

fn flag(node: &Node<'_>, key: &str) -> Result<bool, Error> {
    match node.get(key) {
        None => Ok(false),
        Some(node) => match node.value() {
            Value::Bool(flag) => Ok(*flag),
            _ => Err(node.expected("true or false")),
        },
    }
}

/// The name of a type of rule as this program has it.
pub(crate) fn type_name(name: &str) -> Option<&'static str> {
    let known = TYPES.iter().map(|(known, _)| *known);
    known.into_iter().find(|known| *known == name)
}

/// The types, each with the keys that not all have.
const TYPES: [(&str, &[&str]); 11] = [
    ("any", &[]),
    ("threshold", &["threshold"]),
    ("ratio", &["threshold", "of", "min_total"]),
    ("absence", &["expect_from_start", "forget_after"]),
    (
        "spike",
        &["factor", "min_count", "reference", "min_reference"],
    ),
    ("change", &["threshold", "offset", "min_reference"]),
    ("field_stat", &["field", "stat", "threshold", "min_count"]),
    ("cardinality", &["field", "threshold"]),
    ("new_value", &["field", "learn", "max_values"]),
    ("new_template", &["learn", "max_values"]),
    ("anomaly", &["learn", "min_count"]),
];

/// Of fewer events a share says little.
const MIN_TOTAL: u64 = 20;

const MIN_COUNT: u64 = 10;
const MIN_REFERENCE: u64 = 5;

/// So many times as long as the window the reference may be: a day of hours.
pub(super) const MAX_REFERENCE: u32 = 24;

/// Its twelfth is what is counted by.
pub(super) const MIN_SPIKE: Duration = Duration::from_secs(1);
const _: () = assert!(SPIKE_STEPS == 12, "as documented");

/// In an hour a service has shown most of what it says.
const LEARN: Duration = Duration::from_secs(3_600);

/// 16 bytes each and the map's own room: some 400 kB.
const MAX_VALUES: u64 = 10_000;
const MOST_VALUES: usize = 100_000;
