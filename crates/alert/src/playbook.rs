//! What a service does about an alert by itself: turn something off for as long as it fires.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Wake, nanos, until};

/// An action that helps while a rule fires, and is taken back.
///
/// It runs on a thread of its own. A panic in it is caught and counted.
pub trait Playbook: Send + Sync {
    /// Acts, for this long: unless `apply` is called again before, `revert` follows. While the rule
    /// fires it is called again whenever half of the lease is over.
    fn apply(&self, lease: Duration);

    /// Takes it back: the rule resolved, the lease ran out, or the process is ending.
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

/// Keeps one playbook's leases, on a thread that nothing else can hold up: a lease that is not
/// renewed runs out even if whoever should renew it hangs.
pub(crate) struct Keeper {
    name: String,
    playbook: Arc<dyn Playbook>,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    leases: Mutex<Leases>,
}

/// What a playbook did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acted {
    Applied(Duration),
    Reverted,
}

/// Which rules want the playbook, and until when. Pure.
#[derive(Debug, Default)]
struct Leases {
    held: Vec<(usize, u64)>,
    renewed: bool,
    applied: bool,
    ending: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Act {
    Apply(Duration),
    Revert,
    Wait(Option<Duration>),
    End,
}

impl Leases {
    fn hold(&mut self, rule: usize, until: u64) {
        self.held.retain(|&(other, _)| other != rule);
        self.held.push((rule, until));
        self.renewed = true;
    }

    fn next(&mut self, now: u64) -> Act {
        if self.ending {
            self.held.clear();
        }
        self.held.retain(|&(_, until)| until > now);
        let last = self.held.iter().map(|&(_, until)| until).max();
        let renewed = std::mem::take(&mut self.renewed);
        match last {
            Some(last) if renewed => {
                self.applied = true;
                Act::Apply(until(now, last))
            }
            Some(last) => Act::Wait(Some(until(now, last))),
            None if self.applied => {
                self.applied = false;
                Act::Revert
            }
            None if self.ending => Act::End,
            None => Act::Wait(None),
        }
    }
}

impl Keeper {
    pub(crate) fn new(name: String, playbook: Arc<dyn Playbook>, clock: Arc<dyn Clock>) -> Self {
        let wake = Arc::new(Wake::default());
        clock.watch(&wake);
        Self {
            name,
            playbook,
            clock,
            wake,
            leases: Mutex::default(),
        }
    }

    /// Takes or renews a rule's lease.
    pub(crate) fn hold(&self, rule: usize, lease: Duration) {
        let until = self.clock.now().saturating_add(nanos(lease));
        self.change(|leases| leases.hold(rule, until));
    }

    /// Gives a rule's lease back.
    pub(crate) fn release(&self, rule: usize) {
        self.change(|leases| leases.held.retain(|&(other, _)| other != rule));
    }

    /// Takes the playbook back and ends the thread.
    pub(crate) fn end(&self) {
        self.change(|leases| leases.ending = true);
    }

    fn change(&self, change: impl FnOnce(&mut Leases)) {
        change(&mut self.leases.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.ring();
    }

    /// The name that rules call the playbook by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The thread's work. `acted` is told what was done, a renewal of the lease left aside, and
    /// `panicked` of each panic.
    pub(crate) fn run(&self, acted: impl Fn(Acted), panicked: impl Fn()) {
        let mut on = false;
        loop {
            let act = {
                let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
                leases.next(self.clock.now())
            };
            let done = match act {
                Act::Apply(lease) => catch_unwind(AssertUnwindSafe(|| self.playbook.apply(lease))),
                Act::Revert => catch_unwind(AssertUnwindSafe(|| self.playbook.revert())),
                Act::Wait(time) => {
                    self.wake.wait(time);
                    continue;
                }
                Act::End => return,
            };
            let news = match (&done, act) {
                (Ok(()), Act::Apply(lease)) => (!on).then_some(Acted::Applied(lease)),
                (Ok(()), _) => Some(Acted::Reverted),
                (Err(_), _) => None,
            };
            on = on && news.is_none() || matches!(news, Some(Acted::Applied(_)));
            // The news go through the application's own layers: their panic must not end the one
            // thread that takes the playbook back.
            let told = catch_unwind(AssertUnwindSafe(|| news.map(&acted)));
            if done.is_err() || told.is_err() {
                panicked();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, Leases};
    use std::time::Duration;

    #[test]
    fn leases_follow_the_table() {
        let nanos = Duration::from_nanos;
        let mut leases = Leases::default();
        assert_eq!(leases.next(0), Act::Wait(None));
        leases.hold(1, 30);
        assert_eq!(leases.next(10), Act::Apply(nanos(20)));
        assert_eq!(leases.next(10), Act::Wait(Some(nanos(20))));
        leases.hold(1, 45);
        assert_eq!(leases.next(25), Act::Apply(nanos(20)), "renewed");
        assert_eq!(leases.next(44), Act::Wait(Some(nanos(1))));
        assert_eq!(leases.next(45), Act::Revert, "not renewed in time");
        assert_eq!(leases.next(45), Act::Wait(None));
    }

    #[test]
    fn a_playbook_ends_when_the_last_rule_lets_go() {
        let mut leases = Leases::default();
        leases.hold(1, 30);
        leases.hold(2, 90);
        assert_eq!(leases.next(0), Act::Apply(Duration::from_nanos(90)));
        leases.held.retain(|&(rule, _)| rule != 2);
        assert_eq!(leases.next(1), Act::Wait(Some(Duration::from_nanos(29))));
        leases.held.clear();
        assert_eq!(leases.next(2), Act::Revert);
    }

    #[test]
    fn the_end_takes_back_what_is_applied_and_only_then_ends() {
        let mut leases = Leases::default();
        leases.hold(1, 30);
        leases.next(0);
        leases.ending = true;
        assert_eq!(leases.next(1), Act::Revert);
        assert_eq!(leases.next(1), Act::End);
    }
}
