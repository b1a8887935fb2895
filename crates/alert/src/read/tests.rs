//! Reads tests of rules: events at their times, and what must fire when.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_norway::Value;

use crate::error::{Error, Place};
use crate::read::node::Node;
use crate::read::yaml;

/// A file of tests: whose rules, and the tests.
pub(crate) struct TestFile {
    /// Other files whose rules are tested; without one the rules of the file itself.
    pub(crate) rule_files: Vec<PathBuf>,
    pub(crate) tests: Vec<Test>,
}

/// One test: its rules begin with nothing, at the time zero.
pub(crate) struct Test {
    pub(crate) name: String,
    /// By their time, those of one time in the file's order.
    pub(crate) events: Vec<(Duration, String)>,
    /// By their time.
    pub(crate) expected: Vec<Expected>,
}

/// What must fire of a rule at a moment.
pub(crate) struct Expected {
    pub(crate) at: Duration,
    pub(crate) rule: String,
    /// Labels and annotations that each of them must have.
    pub(crate) firing: Vec<Firing>,
    pub(crate) place: Option<Place>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

pub(crate) fn read(text: &str) -> Result<TestFile, Error> {
    let value = yaml(text)?;
    let root = Node::root(text, &value);
    if root.get("rules").is_none() {
        root.keys(&["rule_files", "tests"])?;
    }
    let files = root
        .get("rule_files")
        .map(|node| node.texts())
        .transpose()?;
    let files = files.unwrap_or_default();
    if root.get("rules").is_none() && files.is_empty() {
        return Err(root.error("says neither `rules` nor `rule_files`: what is tested"));
    }
    let tests = root.need("tests")?.items()?;
    Ok(TestFile {
        rule_files: files.into_iter().map(|(file, _)| file.into()).collect(),
        tests: tests.iter().map(one).collect::<Result<_, _>>()?,
    })
}

fn one(node: &Node<'_>) -> Result<Test, Error> {
    node.keys(&["name", "events", "expect", "alert_rule_test"])?;
    let name = node.need("name")?.str()?;
    let node = &node.clone().owned_by(format!("test `{name}`"));
    let mut events = Vec::new();
    for event in node.need("events")?.items()? {
        repeated(&event, &mut events)?;
    }
    events.sort_by_key(|(at, _)| *at);
    let expected = either(node, "expect", "alert_rule_test")?
        .ok_or_else(|| node.error("`expect` is missing: what must fire, and when"))?;
    let mut expected: Vec<Expected> = expected
        .items()?
        .iter()
        .map(expectation)
        .collect::<Result<_, _>>()?;
    expected.sort_by_key(|one| one.at);
    Ok(Test {
        name: name.into(),
        events,
        expected,
    })
}

/// `{at: 0s, repeat: 12, every: 2s, line: {…}}`.
fn repeated(node: &Node<'_>, events: &mut Vec<(Duration, String)>) -> Result<(), Error> {
    node.keys(&["at", "repeat", "every", "line"])?;
    let at = node.need("at")?.span()?;
    let times = match node.get("repeat") {
        None => 1,
        Some(repeat) => {
            let times = repeat
                .value()
                .as_u64()
                .and_then(|times| u32::try_from(times).ok());
            let bounded = times.filter(|times| (1..=MAX_REPEAT).contains(times));
            bounded.ok_or_else(|| repeat.expected("how many times, from 1 to 100000"))?
        }
    };
    let every = node.get("every").map(|every| every.span()).transpose()?;
    if every.is_some() && times == 1 {
        let every = node.need("every")?;
        return Err(every.error("`every` without `repeat`: how often?"));
    }
    let line = node.need("line")?;
    let json = match line.value() {
        Value::String(json) => json.clone(),
        value if value.is_mapping() => serde_json::to_string(value)
            .map_err(|error| line.error("is no JSON").caused_by(error))?,
        _ => return Err(line.expected("a line: a map of fields, or JSON as text")),
    };
    dogwatch_line::Line::parse(&json).map_err(|error| line.error(error.to_string()))?;
    for turn in 0..times {
        let after = every.unwrap_or_default().saturating_mul(turn);
        events.push((at.saturating_add(after), json.clone()));
    }
    Ok(())
}

fn expectation(node: &Node<'_>) -> Result<Expected, Error> {
    node.keys(&[
        "at",
        "eval_time",
        "rule",
        "alertname",
        "firing",
        "exp_alerts",
    ])?;
    let need = |ours, theirs| {
        either(node, ours, theirs)?.ok_or_else(|| node.error(format!("`{ours}` is missing")))
    };
    let firing = either(node, "firing", "exp_alerts")?;
    let firing = firing
        .map(|node| node.items())
        .transpose()?
        .unwrap_or_default();
    Ok(Expected {
        at: need("at", "eval_time")?.span()?,
        rule: need("rule", "alertname")?.str()?.into(),
        firing: firing.iter().map(labels).collect::<Result<_, _>>()?,
        place: node.place(),
    })
}

/// `{tenant: a}`, or `{exp_labels: {tenant: a}, exp_annotations: {summary: …}}`.
fn labels(node: &Node<'_>) -> Result<Firing, Error> {
    let theirs = node
        .get("exp_labels")
        .or(node.get("exp_annotations"))
        .is_some();
    if !theirs {
        return Ok(Firing {
            labels: texts(node)?,
            ..Firing::default()
        });
    }
    node.keys(&["exp_labels", "exp_annotations"])?;
    let map = |key: &str| {
        node.get(key)
            .map_or(Ok(BTreeMap::new()), |node| texts(&node))
    };
    Ok(Firing {
        labels: map("exp_labels")?,
        annotations: map("exp_annotations")?,
    })
}

fn texts(node: &Node<'_>) -> Result<BTreeMap<String, String>, Error> {
    let text = |(key, value): (&str, Node<'_>)| {
        let text = match value.value() {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return Err(value.expected("text")),
        };
        Ok((key.to_owned(), text))
    };
    node.entries()?.into_iter().map(text).collect()
}

/// Our word for it, or that of promtool.
fn either<'a>(node: &Node<'a>, ours: &str, theirs: &str) -> Result<Option<Node<'a>>, Error> {
    match (node.get(ours), node.get(theirs)) {
        (Some(_), Some(second)) => Err(second.error(format!(
            "`{theirs}` is another word for `{ours}`; say one of them"
        ))),
        (ours, theirs) => Ok(ours.or(theirs)),
    }
}

const MAX_REPEAT: u32 = 100_000;
