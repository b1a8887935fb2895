//! The watcher thread: tells of missing lines while the writer hangs in a write and cannot.

use std::time::Duration;

use crate::{queue::Watch, report::INTERVAL, worker::Shared};

impl Shared {
    /// The life of the watcher thread. It sleeps for as long as no line is missing.
    pub(crate) fn watch(&self) {
        loop {
            let summary = self.reporter.holds().then_some(INTERVAL);
            match self.queue.watch(GRACE, summary) {
                Watch::Missing => self.tell_missing(),
                Watch::Quiet => self.reporter.summary(),
                Watch::Over => return,
            }
        }
    }
}

/// How long missing lines stay untold before the writer counts as hanging.
const GRACE: Duration = Duration::from_secs(1);
