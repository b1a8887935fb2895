//! Reads the notifiers that a rules file declares, their secrets taken from variables.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Notify;
use crate::error::Error;
use crate::read::node::Node;

/// A notifier that the file declares. Its URL may be a secret and is never shown.
pub(crate) struct Declared {
    pub(crate) name: String,
    #[cfg_attr(
        not(feature = "webhook"),
        expect(dead_code, reason = "checked all the same")
    )]
    url: String,
    pub(crate) timeout: Duration,
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, timeout, .. } = self;
        f.debug_struct("Webhook")
            .field("name", name)
            .field("timeout", timeout)
            .finish()
    }
}

impl Declared {
    #[cfg(feature = "webhook")]
    pub(crate) fn notifier(&self) -> Result<Arc<dyn Notify>, Error> {
        let webhook = crate::Webhook::new(&self.url)?;
        Ok(Arc::new(
            webhook.timeout(self.timeout).receiver(&*self.name),
        ))
    }

    #[cfg(not(feature = "webhook"))]
    pub(crate) fn notifier(&self) -> Result<Arc<dyn Notify>, Error> {
        let name = &self.name;
        Err(Error::setup(format!(
            "cannot use the notifier `{name}`: it needs the feature `webhook` of dogwatch-alert"
        )))
    }
}

pub(crate) fn read(
    node: &Node<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Declared>, Error> {
    node.entries()?
        .into_iter()
        .map(|(name, node)| one(name, &node, variable))
        .collect()
}

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
    if kind.str()? != "webhook" {
        return Err(kind.expected("webhook, the type that a file can declare"));
    }
    node.keys(&["type", "url", "timeout"])?;
    let url = expanded(&node.need("url")?, variable)?;
    let timeout = node.get("timeout").map(|node| node.span()).transpose()?;
    Ok(Declared {
        name: name.into(),
        url,
        timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
    })
}

/// Text with each `${NAME}` replaced. The value is a secret: no error shows it.
fn expanded(node: &Node<'_>, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Error> {
    let mut rest = node.str()?;
    let mut out = String::new();
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let Some((name, after)) = rest[at + 2..].split_once('}') else {
            return Err(node.error("`${` without its `}`"));
        };
        let value = variable(name);
        out.push_str(&value.ok_or_else(|| {
            node.error(format!(
                "the variable `{name}` is not set, or variables were not passed in"
            ))
        })?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Longer than any healthy receiver needs, short enough to leave a shutdown time.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
