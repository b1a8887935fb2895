//! Reads one rule.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Severity;
use crate::error::Error;
use crate::read::conditions::conditions;
use crate::read::limits::{DEFAULT_LEASE, bounded, lease, threshold, window_span};
use crate::read::node::Node;
use crate::rule::{Call, Named, Rule};

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
