//! Reads one rule.

use std::collections::BTreeMap;
use std::time::Duration;

use dogwatch_line::{Equals, Value as Literal};
use regex::RegexBuilder;
use serde_norway::Value;

use crate::Severity;
use crate::error::Error;
use crate::read::limits::{DEFAULT_LEASE, bounded, lease, threshold, window_span};
use crate::read::node::Node;
use crate::rule::{Call, Conditions, LevelIs, Named, Rule};

/// What rules take that do not say it themselves.
#[derive(Debug)]
pub(crate) struct Defaults {
    window: Duration,
    resolve_after: Option<Duration>,
    severity: Severity,
    actions: Vec<Named>,
    leases: BTreeMap<String, Duration>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            // A bare threshold counts per minute.
            window: Duration::from_secs(60),
            resolve_after: None,
            severity: Severity::Warning,
            actions: vec![Named {
                name: "log".into(),
                place: None,
            }],
            leases: BTreeMap::new(),
        }
    }
}

impl Defaults {
    pub(crate) fn read(
        defaults: Option<Node<'_>>,
        playbooks: Option<Node<'_>>,
    ) -> Result<Self, Error> {
        let mut out = Self::default();
        if let Some(node) = defaults {
            node.keys(&["window", "resolve_after", "level", "action", "notify"])?;
            if let Some(window) = node.get("window") {
                out.window = window_span(&window)?;
            }
            out.resolve_after = node
                .get("resolve_after")
                .map(|node| bounded(&node))
                .transpose()?;
            out.severity = severity(&node)?.unwrap_or(out.severity);
            out.actions = actions(&node)?.unwrap_or(out.actions);
        }
        for (name, node) in playbooks
            .map(|node| node.entries())
            .transpose()?
            .unwrap_or_default()
        {
            node.keys(&["lease"])?;
            out.leases.insert(name.into(), lease(&node.need("lease")?)?);
        }
        Ok(out)
    }
}

pub(crate) fn read(node: &Node<'_>, defaults: &Defaults) -> Result<Rule, Error> {
    node.entries()?;
    let name = node.need("name")?.str()?;
    if name.trim().is_empty() {
        return Err(node.need("name")?.error("a rule needs a name"));
    }
    let node = &node.clone().owned_by(format!("rule `{name}`"));
    node.keys(&[
        "name",
        "pattern",
        "match",
        "threshold",
        "window",
        "resolve_after",
        "level",
        "action",
        "notify",
        "playbook",
        "labels",
    ])?;
    let conditions = conditions(node)?;
    let (threshold, window) = threshold(node, defaults.window)?;
    let resolve_after = node
        .get("resolve_after")
        .map(|node| bounded(&node))
        .transpose()?;
    Ok(Rule {
        name: name.into(),
        conditions,
        threshold,
        window,
        resolve_after: resolve_after.or(defaults.resolve_after).unwrap_or(window),
        severity: severity(node)?.unwrap_or(defaults.severity),
        actions: actions(node)?.unwrap_or_else(|| defaults.actions.clone()),
        playbook: node
            .get("playbook")
            .map(|node| playbook(&node, defaults))
            .transpose()?,
        labels: labels(node)?,
    })
}

fn conditions(node: &Node<'_>) -> Result<Conditions, Error> {
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
    let fields = node
        .get("match")
        .map(|node| node.entries())
        .transpose()?
        .unwrap_or_default();
    for (key, value) in fields {
        match key {
            "level" => out.level = Some(level(&value)?),
            "target" => out.target = Some(value.str()?.into()),
            field => out.fields.push(Equals::new(field, literal(&value)?)),
        }
    }
    if out.pattern.is_none() && out.fields.is_empty() && out.level.is_none() && out.target.is_none()
    {
        return Err(node.error("says neither `pattern` nor `match`; it would count every event"));
    }
    Ok(out)
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

fn severity(node: &Node<'_>) -> Result<Option<Severity>, Error> {
    let Some(level) = node.get("level") else {
        return Ok(None);
    };
    let severity = level.value().as_str().and_then(Severity::parse);
    let known = "critical, error, warning or info (the level of events is `match: {level: …}`)";
    severity.map(Some).ok_or_else(|| level.expected(known))
}

fn actions(node: &Node<'_>) -> Result<Option<Vec<Named>>, Error> {
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

/// `playbook: shed` or `playbook: {run: shed, lease: 30s}`.
fn playbook(node: &Node<'_>, defaults: &Defaults) -> Result<Call, Error> {
    let (run, said) = if node.value().is_string() {
        (node.clone(), None)
    } else {
        node.keys(&["run", "lease"])?;
        (
            node.need("run")?,
            node.get("lease").map(|node| lease(&node)).transpose()?,
        )
    };
    let name = run.str()?;
    let lease = said
        .or(defaults.leases.get(name).copied())
        .unwrap_or(DEFAULT_LEASE);
    Ok(Call {
        run: Named {
            name: name.into(),
            place: run.place(),
        },
        lease,
    })
}

fn labels(node: &Node<'_>) -> Result<BTreeMap<String, String>, Error> {
    let entries = node
        .get("labels")
        .map(|node| node.entries())
        .transpose()?
        .unwrap_or_default();
    let mut labels = BTreeMap::new();
    for (key, value) in entries {
        if matches!(key, "alertname" | "severity") {
            return Err(value.error(format!("the label `{key}` is taken by the rule itself")));
        }
        labels.insert(key.into(), value.str()?.into());
    }
    Ok(labels)
}

/// Compiled, in bytes; the `regex` crate's own default is five times this.
const MAX_PATTERN: usize = 2 << 20;
