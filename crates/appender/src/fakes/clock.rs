//! A clock that is turned by hand.

use std::{sync::Mutex, time::Duration};

use jiff::Timestamp;

use crate::clock::Clock;

pub(crate) struct ManualClock(Mutex<(Timestamp, Duration)>);

impl ManualClock {
    pub(crate) fn at(now: &str) -> Self {
        Self(Mutex::new((now.parse().unwrap(), Duration::ZERO)))
    }

    /// Time goes by.
    pub(crate) fn advance(&self, time: Duration) {
        let mut clock = self.0.lock().unwrap();
        clock.0 += time;
        clock.1 += time;
    }

    /// Somebody sets the time of day.
    pub(crate) fn set(&self, now: &str) {
        self.0.lock().unwrap().0 = now.parse().unwrap();
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn uptime(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}
