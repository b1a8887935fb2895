//! One rule: which events it counts, how many are too many, and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::Severity;
use crate::conditions::Conditions;
use crate::error::Place;

/// A rule that was read and found sound.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Arc<str>,
    pub(crate) conditions: Conditions,
    pub(crate) threshold: usize,
    pub(crate) window: Duration,
    pub(crate) resolve_after: Duration,
    pub(crate) severity: Severity,
    pub(crate) actions: Vec<Named>,
    pub(crate) playbook: Option<Call>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A name in the rules, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) place: Option<Place>,
}

/// A playbook to run while the rule fires.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) run: Named,
    pub(crate) lease: Duration,
}
