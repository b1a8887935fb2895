//! Reads the notifiers that a rules file declares, their secrets taken from variables or files.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::read::declared::{Declared, Settings};
use crate::read::node::Node;

pub(crate) fn read(
    node: &Node<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Declared>, Error> {
    node.entries()?
        .into_iter()
        .map(|(name, node)| one(name, &node, variable))
        .collect()
}

/// A type of notifier and the keys that it knows, besides `type` and `timeout`.
struct Kind {
    name: &'static str,
    needs: &'static [&'static str],
    may: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "alertmanager",
        needs: &[],
        may: &["url", "urls", "resend", "headers"],
    },
    Kind {
        name: "dingtalk",
        needs: &["url"],
        may: &["secret"],
    },
    Kind {
        name: "email",
        needs: &["server", "from", "to"],
        may: &["user", "password", "ca"],
    },
    Kind {
        name: "feishu",
        needs: &["url"],
        may: &["secret"],
    },
    Kind {
        name: "pagerduty",
        needs: &["routing_key"],
        may: &["server"],
    },
    Kind {
        name: "slack",
        needs: &["url"],
        may: &[],
    },
    Kind {
        name: "teams",
        needs: &["url"],
        may: &[],
    },
    Kind {
        name: "telegram",
        needs: &["token", "chat"],
        may: &["server"],
    },
    Kind {
        name: "webhook",
        needs: &["url"],
        may: &["secret", "headers"],
    },
    Kind {
        name: "wecom",
        needs: &["url"],
        may: &[],
    },
];

fn one(
    name: &str,
    node: &Node<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Declared, Error> {
    let node = node.clone().owned_by(format!("notifier `{name}`"));
    if name == "log" {
        return Err(node.error("the name `log` is taken by the notifier that is always there"));
    }
    let kind = node.need("type")?;
    let named = kind.str()?;
    let Some(known) = KINDS.iter().find(|kind| kind.name == named) else {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        return Err(kind.expected(&format!("one of {}", names.join(", "))));
    };
    let all = [&["type", "timeout"], known.needs, known.may].concat();
    node.keys(&all)?;
    for key in known.needs {
        node.need(key)?;
    }
    let mut texts = BTreeMap::new();
    for key in known.needs.iter().chain(known.may) {
        let plain = !["urls", "to", "resend", "headers"].contains(key);
        if let Some(node) = node.get(key).filter(|_| plain) {
            texts.insert(*key, expanded(&node, variable)?);
        }
    }
    if let Some(alone) = ["user", "password"]
        .iter()
        .find(|key| texts.contains_key(*key))
        .filter(|_| texts.contains_key("user") != texts.contains_key("password"))
    {
        let what = format!("`{alone}` alone logs nobody in; `user` and `password` go together");
        return Err(node.need(alone)?.error(what));
    }
    let span = |key| node.get(key).map(|node| node.span()).transpose();
    let settings = Settings {
        kind: known.name,
        urls: urls(&node, &texts, variable)?,
        to: to(&node, variable)?,
        texts,
        headers: headers(&node, variable)?,
        timeout: span("timeout")?,
        resend: span("resend")?,
    };
    Ok(Declared {
        name: name.into(),
        settings,
    })
}

/// Of a cluster: `url` is one, `urls` several.
fn urls(
    node: &Node<'_>,
    texts: &BTreeMap<&'static str, String>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, Error> {
    match (texts.get("url"), node.get("urls")) {
        (Some(_), Some(urls)) => Err(urls.error("`url` and `urls` exclude each other")),
        (Some(url), None) => Ok(vec![url.clone()]),
        (None, Some(urls)) => urls
            .items()?
            .iter()
            .map(|url| expanded(url, variable))
            .collect(),
        // A type that needs one has been asked for it.
        (None, None) if texts.is_empty() => Err(node.error("`url` or `urls` is missing")),
        (None, None) => Ok(Vec::new()),
    }
}

/// One address, or a list.
fn to(node: &Node<'_>, variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, Error> {
    match node.get("to") {
        Some(to) if to.value().is_sequence() => {
            let all = to.items()?;
            all.iter().map(|to| expanded(to, variable)).collect()
        }
        Some(to) => Ok(vec![expanded(&to, variable)?]),
        None => Ok(Vec::new()),
    }
}

fn headers(
    node: &Node<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, Error> {
    let Some(headers) = node.get("headers") else {
        return Ok(Vec::new());
    };
    let header = |(name, value): (&str, Node<'_>)| {
        let value = expanded(&value, variable)?;
        Ok((name.to_owned(), value))
    };
    headers.entries()?.into_iter().map(header).collect()
}

/// Text with each `${NAME}` replaced by that variable and each `${file:PATH}` by what that file holds. The value is
/// a secret: no error shows it.
fn expanded(node: &Node<'_>, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Error> {
    let mut rest = node.str()?;
    let mut out = String::new();
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let Some((name, after)) = rest[at + 2..].split_once('}') else {
            return Err(node.error("`${` without its `}`"));
        };
        match name.strip_prefix("file:") {
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let text = text.map_err(|error| {
                    node.error(format!("cannot read the file `{path}`"))
                        .caused_by(error)
                })?;
                out.push_str(text.trim_end());
            }
            None => out.push_str(&variable(name).ok_or_else(|| {
                node.error(format!(
                    "the variable `{name}` is not set, or variables were not passed in"
                ))
            })?),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
