//! Reads what a rule counts: a pattern, a map of fields, a query.

use std::sync::Arc;
use std::time::SystemTime;

use dogwatch_line::{Equals, Now, Query, Value as Literal};
use regex::RegexBuilder;
use serde_norway::Value;

use crate::conditions::{Asked, Conditions, LevelIs};
use crate::error::Error;
use crate::read::node::Node;

/// `pattern` and `match` of a rule; one of them must be there.
pub(crate) fn conditions(node: &Node<'_>) -> Result<Conditions, Error> {
    let mut out = Conditions::default();
    if let Some(pattern) = node.get("pattern") {
        let text = pattern.str()?;
        if text.is_empty() {
            return Err(pattern.error("an empty pattern matches every event; say what to count"));
        }
        let regex = RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
        out.pattern = Some(regex.map_err(|error| {
            pattern
                .error("`pattern` is no regular expression")
                .caused_by(error)
        })?);
    }
    if let Some(matches) = node.get("match") {
        matching(&matches, &mut out)?;
    }
    if out.is_empty() {
        return Err(node.error("says neither `pattern` nor `match`; it would count every event"));
    }
    Ok(out)
}

/// Other events than those that count: all of them with `*`.
pub(crate) fn events(node: &Node<'_>) -> Result<Conditions, Error> {
    let mut out = Conditions::default();
    matching(node, &mut out)?;
    Ok(out)
}

/// `match`, or another key of its kind: a map of fields, or a query.
fn matching(node: &Node<'_>, out: &mut Conditions) -> Result<(), Error> {
    if let Some(text) = node.value().as_str() {
        out.query = Some(Arc::new(asked(node, text)?));
        return Ok(());
    }
    if !node.value().is_mapping() {
        return Err(node.expected("a query, or a map of fields and what they must equal"));
    }
    for (key, value) in node.entries()? {
        match key {
            "level" => out.level = Some(level(&value)?),
            "target" => out.target = Some(value.str()?.into()),
            field => out.fields.push(Equals::new(field, literal(&value)?)),
        }
    }
    Ok(())
}

fn asked(node: &Node<'_>, text: &str) -> Result<Asked, Error> {
    let query = Query::parse(text).map_err(|error| node.error(error.to_string()))?;
    if query.summary().is_some() {
        return Err(
            node.error("a rule counts by itself: take away the pipe and what stands behind it")
        );
    }
    let query = query.texts_in("message");
    // No rule is about the time of its own start: `since=-1h` means what it meant when it was read.
    let matcher = query.matcher(Now::utc(SystemTime::now()));
    Ok(Asked { query, matcher })
}

fn level(node: &Node<'_>) -> Result<LevelIs, Error> {
    let known = "a level: trace, debug, info, warn or error, or `>=` and one of them";
    LevelIs::parse(node.str()?).ok_or_else(|| node.expected(known))
}

fn literal(node: &Node<'_>) -> Result<Literal<'static>, Error> {
    match node.value() {
        Value::String(text) => Ok(text.clone().into()),
        Value::Bool(bool) => Ok((*bool).into()),
        Value::Number(number) => {
            let int = number
                .as_i64()
                .map(Literal::from)
                .or(number.as_u64().map(Literal::from));
            int.or(number.as_f64().map(Literal::from))
                .ok_or_else(|| node.expected("a number"))
        }
        _ => Err(node.expected("text, a number, true or false to compare the field with")),
    }
}

/// Compiled, in bytes; the `regex` crate's own default is five times this.
const MAX_PATTERN: usize = 2 << 20;
