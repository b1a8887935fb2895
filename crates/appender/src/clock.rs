//! The time of day and the time since start, swapped in tests.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// Where the time comes from.
pub(crate) trait Clock: Send + Sync + 'static {
    /// The time of day. It may jump in both directions.
    fn now(&self) -> Timestamp;
    /// The time since some fixed moment. It never goes back.
    fn uptime(&self) -> Duration;
}

/// The clocks of the operating system.
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn uptime(&self) -> Duration {
        self.start.elapsed()
    }
}
