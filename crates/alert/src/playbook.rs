//! What a service does about an alert by itself: turn something off for as long as it fires.

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
}

impl<P: Playbook + ?Sized> Playbook for Arc<P> {
    fn apply(&self, lease: Duration) {
        (**self).apply(lease);
    }

    fn revert(&self) {
        (**self).revert();
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
pub(crate) struct DryRun;

impl Playbook for DryRun {
    fn apply(&self, _lease: Duration) {}

    fn revert(&self) {}
}
