//! Reads what rules take that do not say it themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Severity;
use crate::error::Error;
use crate::read::limits::window_span;
use crate::read::node::Node;
use crate::read::playbook::Said;
use crate::read::rule::{actions, repeat, resolve_after, severity};
use crate::read::{groups, playbook};
use crate::rule::Named;

/// What rules take that do not say it themselves.
#[derive(Debug)]
pub(crate) struct Defaults {
    pub(crate) window: Duration,
    pub(crate) resolve_after: Option<Duration>,
    pub(crate) severity: Severity,
    pub(crate) repeat_interval: Option<Duration>,
    pub(crate) max_groups: usize,
    pub(crate) actions: Vec<Named>,
    pub(crate) playbooks: BTreeMap<String, Said>,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            // A bare threshold counts per minute.
            window: Duration::from_secs(60),
            resolve_after: None,
            severity: Severity::Warning,
            repeat_interval: None,
            max_groups: groups::DEFAULT_GROUPS,
            actions: vec![Named {
                name: "log".into(),
                place: None,
            }],
            playbooks: BTreeMap::new(),
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
            node.keys(&[
                "window",
                "resolve_after",
                "keep_firing_for",
                "level",
                "severity",
                "action",
                "notify",
                "repeat_interval",
                "max_groups",
            ])?;
            if let Some(window) = node.get("window") {
                out.window = window_span(&window)?;
            }
            out.resolve_after = resolve_after(&node)?;
            out.repeat_interval = repeat(&node)?;
            out.max_groups = groups::max(&node)?.unwrap_or(out.max_groups);
            out.severity = severity(&node)?.unwrap_or(out.severity);
            out.actions = actions(&node)?.unwrap_or(out.actions);
        }
        for (name, node) in playbooks
            .map(|node| node.entries())
            .transpose()?
            .unwrap_or_default()
        {
            node.keys(&playbook::KEYS)?;
            out.playbooks.insert(name.into(), Said::read(&node)?);
        }
        Ok(out)
    }
}
