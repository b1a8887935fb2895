//! The notifier `log`: one event per alert, in the application's own log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::Dispatch;
use tracing::dispatcher::{self, WeakDispatch};
use tracing_core::subscriber::NoSubscriber;

use crate::alert::{Alert, State};
use crate::keeper::{Acted, Keeper};
use crate::notify::{Notify, NotifyError};
use crate::{Severity, TARGET};

/// Writes into the log that the layer belongs to. The layer itself never looks at these events.
#[derive(Clone, Default)]
pub(crate) struct Logged {
    /// Weak: the subscriber owns the layer, which owns this.
    dispatch: Arc<Mutex<Option<WeakDispatch>>>,
}

impl Logged {
    pub(crate) fn log_into(&self, dispatch: WeakDispatch) {
        *self.dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatch);
    }

    /// One line when a playbook acts, is refused or is taken back, whoever else is told.
    pub(crate) fn playbook(&self, keeper: &Keeper, acted: &Acted) {
        // Nobody is told if there is no log: the line is all that this is about.
        let Ok(dispatch) = self.dispatch() else {
            return;
        };
        let (name, with) = (keeper.name(), keeper.with());
        dispatcher::with_default(&dispatch, || match keeper.is_dry_run() {
            true => would_act(name, with, acted),
            false => acts(name, with, acted),
        });
    }

    fn dispatch(&self) -> Result<Dispatch, NotifyError> {
        let known = self
            .dispatch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(weak) = known {
            let gone = "the subscriber that the layer belongs to is gone";
            return weak.upgrade().ok_or_else(|| NotifyError::permanent(gone));
        }
        // A layer inside a `Vec` or an `Option` is not told where it belongs.
        let everybodys = everybodys().ok_or_else(|| NotifyError::retry("nothing logs yet"))?;
        self.log_into(everybodys.downgrade());
        Ok(everybodys)
    }
}

impl Notify for Logged {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        dispatcher::with_default(&self.dispatch()?, || log(alert));
        Ok(())
    }
}

/// The process-wide subscriber, if there is one. This thread has one of its own, which hides it.
fn everybodys() -> Option<Dispatch> {
    let bare = std::thread::Builder::new();
    let bare = bare
        .spawn(|| dispatcher::get_default(Dispatch::clone))
        .ok()?;
    bare.join()
        .ok()
        .filter(|dispatch| !dispatch.is::<NoSubscriber>())
}

fn acts(name: &str, with: Option<&str>, acted: &Acted) {
    match acted {
        Acted::Applied(rule, lease) => tracing::warn!(
            target: TARGET,
            parent: None,
            event = "playbook_applied",
            playbook = name,
            with,
            rule = &**rule,
            lease_s = seconds(*lease),
            "playbook `{name}` acts"
        ),
        Acted::Refused(rule, reason) => tracing::warn!(
            target: TARGET,
            parent: None,
            event = "playbook_refused",
            playbook = name,
            with,
            rule = &**rule,
            reason = reason.as_str(),
            "playbook `{name}` is refused"
        ),
        Acted::Reverted => tracing::info!(
            target: TARGET,
            parent: None,
            event = "playbook_reverted",
            playbook = name,
            with,
            "playbook `{name}` is taken back"
        ),
    }
}

/// An event of its own name: nobody who counts what was done counts what was not.
fn would_act(name: &str, with: Option<&str>, acted: &Acted) {
    match acted {
        Acted::Applied(rule, lease) => tracing::info!(
            target: TARGET,
            parent: None,
            event = "playbook_dry_run",
            would = "apply",
            playbook = name,
            with,
            rule = &**rule,
            lease_s = seconds(*lease),
            "playbook `{name}` would act; `dry_run: false` arms it"
        ),
        Acted::Refused(rule, reason) => tracing::info!(
            target: TARGET,
            parent: None,
            event = "playbook_dry_run",
            would = "refuse",
            playbook = name,
            with,
            rule = &**rule,
            reason = reason.as_str(),
            "playbook `{name}` would be refused"
        ),
        Acted::Reverted => tracing::info!(
            target: TARGET,
            parent: None,
            event = "playbook_dry_run",
            would = "revert",
            playbook = name,
            with,
            "playbook `{name}` would be taken back"
        ),
    }
}

/// To the millisecond: what is left of a lease when it was taken.
fn seconds(lease: Duration) -> f64 {
    (lease.as_secs_f64() * 1e3).round() / 1e3
}

/// A macro's level is fixed where it stands, hence the three.
fn log(alert: &Alert) {
    macro_rules! event {
        ($level:ident, $event:literal) => {
            tracing::event!(
                target: TARGET,
                parent: None,
                tracing::Level::$level,
                event = $event,
                rule = &*alert.rule,
                severity = alert.level.as_str(),
                count = alert.count,
                threshold = alert.threshold,
                trace_id = alert.trace_id.as_deref(),
                "{}",
                alert.summary()
            )
        };
    }
    match (alert.state, alert.level) {
        (State::Firing, Severity::Critical | Severity::Error) => event!(ERROR, "alert_fired"),
        (State::Firing, Severity::Warning) => event!(WARN, "alert_fired"),
        (State::Firing, Severity::Info) => event!(INFO, "alert_fired"),
        _ => event!(INFO, "alert_resolved"),
    }
}
