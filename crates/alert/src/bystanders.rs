//! Keeps callsites alive that a thread of alerts is the first to come by.

use std::time::Duration;

use tracing_core::callsite;
use tracing_core::dispatcher::Dispatch;
use tracing_core::subscriber::NoSubscriber;

use crate::clock::nanos;

/// The threads of alerts log into nothing. Where a process has one dispatcher, tracing-core 0.1.36
/// asks the thread's own default about a new callsite (`callsite::register`), and what a notifier
/// and the service both log would be off for the whole process. Where there was ever a second one, it
/// asks all that live: so there is one, for a moment.
#[derive(Debug, Default)]
pub(crate) struct Bystanders {
    spared_at: Option<u64>,
}

impl Bystanders {
    /// Before others run on a thread of alerts. The log may have come, or another one, since the last
    /// time.
    pub(crate) fn spare(&mut self, now: u64) {
        let is_old = |at: u64| now.saturating_sub(at) >= nanos(Duration::from_secs(60));
        if self.spared_at.is_none_or(is_old) {
            self.spared_at = Some(now);
            ask_all();
        }
    }
}

/// Has every callsite ask anew all the dispatchers that live, whatever thread this is.
pub(crate) fn ask_all() {
    drop(Dispatch::new(NoSubscriber::new()));
    // The second asked for nothing, and is gone: all are asked without it.
    callsite::rebuild_interest_cache();
}
