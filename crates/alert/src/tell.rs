//! Tells of failures without flooding: the first at once, then at most one in a while.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::error::Error;

/// Where failures after the start are told.
pub(crate) struct Tell {
    on_error: Arc<dyn Fn(&Error) + Send + Sync>,
    clock: Arc<dyn Clock>,
    state: Mutex<(Option<u64>, u64)>,
}

impl Tell {
    pub(crate) fn new(on_error: Arc<dyn Fn(&Error) + Send + Sync>, clock: Arc<dyn Clock>) -> Self {
        Self {
            on_error,
            clock,
            state: Mutex::default(),
        }
    }

    pub(crate) fn tell(&self, error: Error) {
        let more = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            if state
                .0
                .is_some_and(|last| now.saturating_sub(last) < INTERVAL)
            {
                state.1 += 1;
                return;
            }
            state.0 = Some(now);
            std::mem::take(&mut state.1)
        };
        self.say(&error.and_more(more));
    }

    /// Tells of a failure of which there cannot be many, whatever else was told.
    pub(crate) fn at_once(&self, error: &Error) {
        self.say(error);
    }

    /// Tells how many failures went untold; for the end.
    pub(crate) fn rest(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let more = std::mem::take(&mut state.1);
        drop(state);
        if more > 0 {
            self.say(&Error::delivery(format!(
                "{more} more failures in the alerts were not told"
            )));
        }
    }

    fn say(&self, error: &Error) {
        // There is nobody left to tell of a panic in here.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.on_error)(error)));
    }
}

/// The default: one line on stderr, causes included.
pub(crate) fn to_stderr(error: &Error) {
    let line = format!("dogwatch-alert: {}\n", error.with_causes());
    // A closed stderr is no reason to panic, and there is nowhere else to say so.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A minute, in nanoseconds.
const INTERVAL: u64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::Tell;
    use crate::clock::tests::HandClock;
    use crate::error::Error;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    #[test]
    fn the_first_failure_is_told_at_once_and_the_rest_as_a_number() {
        let clock = Arc::new(HandClock::default());
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let on_error = move |error: &Error| sink.lock().unwrap().push(error.to_string());
        let tell = Tell::new(Arc::new(on_error), clock.clone());
        for _ in 0..3 {
            tell.tell(Error::delivery("no"));
        }
        clock.turn(Duration::from_secs(60));
        tell.tell(Error::delivery("no"));
        tell.tell(Error::delivery("no"));
        tell.rest();
        tell.rest();
        let rest = "1 more failures in the alerts were not told";
        assert_eq!(
            *told.lock().unwrap(),
            ["no", "no (and 2 more since the last report)", rest]
        );
    }
}
