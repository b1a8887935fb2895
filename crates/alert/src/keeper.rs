//! Keeps one playbook's leases, on a thread that nothing else can hold up: a lease that is not
//! renewed runs out even if whoever should renew it hangs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Wake};
use crate::leases::{Act, Leases, Limits, Reason};
use crate::playbook::{DryRun, Playbook};

/// One playbook at work, or what stands in for it in a dry run.
pub(crate) struct Keeper {
    name: String,
    /// The settings that it acts by, as the log shows them; empty without.
    with: String,
    dry_run: bool,
    playbook: Arc<dyn Playbook>,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    leases: Mutex<Leases>,
}

/// What a playbook did, or would have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Acted {
    Applied(Arc<str>, Duration),
    Refused(Arc<str>, Reason),
    Reverted,
}

impl Keeper {
    pub(crate) fn new(
        name: String,
        with: String,
        playbook: Arc<dyn Playbook>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let wake = Arc::new(Wake::default());
        clock.watch(&wake);
        Self {
            name,
            with,
            dry_run: false,
            playbook,
            clock,
            wake,
            leases: Mutex::default(),
        }
    }

    /// Keeps leases by the same rules and never calls a playbook.
    pub(crate) fn into_dry_run(self) -> Self {
        let ttl = self.playbook.ttl();
        Self {
            dry_run: true,
            playbook: Arc::new(DryRun { ttl }),
            ..self
        }
    }

    /// Takes or renews a rule's lease.
    pub(crate) fn hold(&self, rule: &Arc<str>, limits: Limits) {
        let now = self.clock.now();
        let ttl = limits.ttl.or_else(|| self.playbook.ttl());
        let limits = Limits { ttl, ..limits };
        self.change(|leases| leases.hold(rule, limits, now));
    }

    /// Gives a rule's lease back.
    pub(crate) fn release(&self, rule: &str) {
        self.change(|leases| leases.release(rule));
    }

    /// Takes the playbook back and refuses it until it is turned on again.
    pub(crate) fn turn_off(&self, off: bool) {
        self.change(|leases| leases.turn_off(off));
    }

    /// Takes the playbook back and ends the thread.
    pub(crate) fn end(&self) {
        self.change(Leases::end);
    }

    fn change(&self, change: impl FnOnce(&mut Leases)) {
        change(&mut self.leases.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.ring();
    }

    /// The name that rules call the playbook by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its settings, `key=value` with a space between them, if rules give it any.
    pub(crate) fn with(&self) -> Option<&str> {
        Some(&*self.with).filter(|with| !with.is_empty())
    }

    /// Whether it only says what it would have done.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The thread's work. `acted` is told what was done, a renewal of the lease left aside, and
    /// `panicked` of each panic.
    pub(crate) fn run(&self, acted: impl Fn(Acted), panicked: impl Fn()) {
        // Told as applied: what failed to apply is told by a renewal that succeeds.
        let mut told = false;
        let mut rule = Arc::from("");
        loop {
            let act = {
                let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
                leases.next(self.clock.now())
            };
            let (news, done) = match act {
                Act::Apply(by, lease) => {
                    rule = by;
                    (Acted::Applied(Arc::clone(&rule), lease), self.apply(lease))
                }
                Act::Renew(lease) => (Acted::Applied(rule.clone(), lease), self.apply(lease)),
                Act::Refuse(by, reason) => (Acted::Refused(by, reason), true),
                Act::Revert => (Acted::Reverted, caught(|| self.playbook.revert())),
                Act::Wait(time) => {
                    self.wake.wait(time);
                    continue;
                }
                Act::End => return,
            };
            let again = told && matches!(news, Acted::Applied(..));
            match news {
                Acted::Applied(..) => told |= done,
                Acted::Reverted => told = false,
                Acted::Refused(..) => {}
            }
            // The news go through the application's own layers: their panic must not end the one
            // thread that takes the playbook back.
            let heard = !done || again || caught(|| acted(news));
            if !done || !heard {
                panicked();
            }
        }
    }

    fn apply(&self, lease: Duration) -> bool {
        caught(|| self.playbook.apply(lease))
    }
}

/// Whether it ended without a panic.
fn caught(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_ok()
}
