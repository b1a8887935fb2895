//! Reads the labels and annotations of a rule, the names in them checked.

use crate::about::{FACTS, label};
use crate::error::Error;
use crate::read::node::Node;
use crate::rule::{Kind, TEMPLATE};
use crate::template::Template;

/// A label is the same while the rule fires and when it resolves: it names the alert.
pub(crate) fn labels(
    node: &Node<'_>,
    kind: &Kind,
    group: &[&str],
) -> Result<Vec<(String, Template)>, Error> {
    let names = with_group(&["rule", "level"], kind, group);
    let mut labels = texts(node, "labels", &names)?;
    for (key, value) in entries(node, "labels")? {
        if matches!(key, "alertname" | "severity") {
            return Err(value.error(format!("the label `{key}` is taken by the rule itself")));
        }
        if group.iter().any(|name| label(name) == key) {
            return Err(value.error(format!("the label `{key}` is taken by `group_by`")));
        }
    }
    labels.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(labels)
}

pub(crate) fn annotations(
    node: &Node<'_>,
    kind: &Kind,
    group: &[&str],
) -> Result<Vec<(String, Template)>, Error> {
    texts(node, "annotations", &with_group(&FACTS, kind, group))
}

fn with_group<'a>(facts: &[&'a str], kind: &Kind, group: &[&'a str]) -> Vec<&'a str> {
    let template = kind.by_template().then_some(TEMPLATE);
    facts.iter().chain(group).copied().chain(template).collect()
}

fn texts(node: &Node<'_>, key: &str, names: &[&str]) -> Result<Vec<(String, Template)>, Error> {
    entries(node, key)?
        .into_iter()
        .map(|(key, value)| {
            let text = Template::parse(value.str()?, names).map_err(|why| value.error(why))?;
            Ok((key.to_owned(), text))
        })
        .collect()
}

fn entries<'a>(node: &Node<'a>, key: &str) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
    let node = node.get(key).map(|node| node.entries()).transpose()?;
    Ok(node.unwrap_or_default())
}
