//! What a service does about an alert by itself: turn something off for as long as it fires.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// An action that helps while a rule fires, and is taken back.
///
/// It runs on a thread of its own. A panic in it is caught and counted. A rule that names it only
/// says what it would have done until `dry_run: false` arms it.
pub trait Playbook: Send + Sync {
    /// Acts, for this long: unless `apply` is called again before, `revert` follows. While the rule
    /// fires it is called again whenever half of the lease is over.
    fn apply(&self, lease: Duration);

    /// Takes it back: the rule resolved, the lease ran out, playbooks were turned off, or the process
    /// is ending.
    fn revert(&self);

    /// How long it acts at most for one firing, where the rules say no `ttl`. Default: as long as
    /// the rule fires.
    fn ttl(&self) -> Option<Duration> {
        None
    }

    /// The playbook as rules want it that say `with: {key: value, …}`, asked once for each
    /// different `with` before the rules start; `None` is this one as it is. What acts for one
    /// `with` has leases and limits of its own. An error stops the start, told with its place in
    /// the file. Default: a playbook has no settings, and refuses any.
    fn configured(
        &self,
        with: &BTreeMap<String, String>,
    ) -> Result<Option<Arc<dyn Playbook>>, Box<dyn Error + Send + Sync>> {
        match with.keys().next() {
            Some(key) => Err(format!("it has no setting `{key}`").into()),
            None => Ok(None),
        }
    }
}

impl<P: Playbook + ?Sized> Playbook for Arc<P> {
    fn apply(&self, lease: Duration) {
        (**self).apply(lease);
    }

    fn revert(&self) {
        (**self).revert();
    }

    fn ttl(&self) -> Option<Duration> {
        (**self).ttl()
    }

    fn configured(
        &self,
        with: &BTreeMap<String, String>,
    ) -> Result<Option<Arc<dyn Playbook>>, Box<dyn Error + Send + Sync>> {
        (**self).configured(with)
    }
}

/// Turns on the switch that a shedding layer looks at, and off again.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
/// use std::time::Duration;
/// use dogwatch_alert::{Playbook, Shed};
///
/// let switch = Arc::new(AtomicBool::new(false));
/// let shed = Shed::new(switch.clone());
/// shed.apply(Duration::from_secs(30));
/// assert!(switch.load(Ordering::Relaxed));
/// shed.revert();
/// assert!(!switch.load(Ordering::Relaxed));
/// ```
#[derive(Clone, Debug)]
pub struct Shed {
    switch: Arc<AtomicBool>,
}

impl Shed {
    /// Works this switch.
    pub fn new(switch: Arc<AtomicBool>) -> Self {
        Self { switch }
    }
}

impl Playbook for Shed {
    fn apply(&self, _lease: Duration) {
        self.switch.store(true, Ordering::Relaxed);
    }

    fn revert(&self) {
        self.switch.store(false, Ordering::Relaxed);
    }
}

/// Stands in for a playbook that is not armed: its leases are kept, and nothing is done.
pub(crate) struct DryRun {
    pub(crate) ttl: Option<Duration>,
}

impl Playbook for DryRun {
    fn apply(&self, _lease: Duration) {}

    fn revert(&self) {}

    fn ttl(&self) -> Option<Duration> {
        self.ttl
    }
}
