//! Reads a rules file strictly: what it does not know, it refuses, with line and column.

mod anomaly;
mod conditions;
mod declared;
mod defaults;
mod groups;
mod kind;
mod limits;
mod locate;
mod mute;
mod node;
mod notifiers;
mod playbook;
mod rule;
mod shift;
mod stat;
pub(crate) mod tests;
mod texts;

use std::collections::HashSet;

use serde_norway::Value;

use crate::error::Error;
use crate::rule::Rule;
pub(crate) use declared::Declared;
use defaults::Defaults;
pub(crate) use kind::type_name;
use node::Node;

/// What a rules file says.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) rules: Vec<Rule>,
    pub(crate) notifiers: Vec<Declared>,
}

/// Reads a document, a list of rules, or one rule. `variable` looks up `${NAME}`.
pub(crate) fn document(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Document, Error> {
    let value = yaml(text)?;
    let root = Node::root(text, &value);
    if value.is_sequence() {
        return Ok(Document {
            rules: rules(&root, &Defaults::default())?,
            ..Document::default()
        });
    }
    // One rule alone, as people paste it.
    if root.get("name").is_some() {
        let rule = rule::read(&root, &Defaults::default())?;
        return Ok(Document {
            rules: vec![rule],
            ..Document::default()
        });
    }
    root.keys(&[
        "version",
        "defaults",
        "notifiers",
        "playbooks",
        "rules",
        "tests",
    ])?;
    if let Some(version) = root.get("version") {
        if version.value().as_u64() != Some(1) {
            return Err(version.expected("version 1"));
        }
    }
    let defaults = Defaults::read(root.get("defaults"), root.get("playbooks"))?;
    let notifiers = match root.get("notifiers") {
        Some(node) => notifiers::read(&node, variable)?,
        None => Vec::new(),
    };
    Ok(Document {
        rules: rules(&root.need("rules")?, &defaults)?,
        notifiers,
    })
}

fn yaml(text: &str) -> Result<Value, Error> {
    serde_norway::from_str(text).map_err(|error| {
        // The parser gives no place for a second document in one file: told at the file's start.
        let place = locate::place(&error).or(Some(locate::START));
        Error::rules(place, "the YAML is broken").caused_by(error)
    })
}

fn rules(list: &Node<'_>, defaults: &Defaults) -> Result<Vec<Rule>, Error> {
    let items = list.items()?;
    if items.len() > MAX_RULES {
        return Err(list.error(format!("{} rules; at most {MAX_RULES} load", items.len())));
    }
    let mut names = HashSet::new();
    let mut rules = Vec::with_capacity(items.len());
    for item in items {
        let rule = rule::read(&item, defaults)?;
        if !names.insert(rule.name.clone()) {
            let name = item.need("name")?;
            return Err(name.error(format!("a rule named `{}` stands above", rule.name)));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// How many rules one file may hold: each costs every event that it cannot rule out.
const MAX_RULES: usize = 1000;
