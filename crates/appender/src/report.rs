//! Tells failures to one callback: the first at once, then one summary an interval.

use std::{
    error::Error as _,
    io::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{Error, clock::Clock, guarded::guarded};

/// At most one report in this time, after the first: a dead disk must not fill stderr as well.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// An `on_error`.
#[derive(Clone)]
pub(crate) struct Callback(Arc<dyn Fn(&Error) + Send + Sync>);

impl Callback {
    pub(crate) fn new(on_error: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        Self(Arc::new(on_error))
    }

    /// One line on stderr. A closed stderr has nobody to complain to.
    pub(crate) fn to_stderr() -> Self {
        Self::new(|error| {
            let mut line = format!("dogwatch-appender: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                line.push_str(": ");
                line.push_str(&error.to_string());
                cause = error.source();
            }
            let _ = writeln!(std::io::stderr(), "{line}");
        })
    }
}

pub(crate) struct Reporter {
    callback: Callback,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    panics: AtomicU64,
}

#[derive(Default)]
struct Held {
    not_before: Option<Duration>,
    last: Option<Error>,
    count: u64,
}

impl Reporter {
    pub(crate) fn new(callback: Callback, clock: Arc<dyn Clock>) -> Self {
        Self {
            callback,
            clock,
            held: Mutex::default(),
            panics: AtomicU64::new(0),
        }
    }

    /// Calls back now, or keeps the error for the next summary.
    pub(crate) fn report(&self, error: Error) {
        {
            let mut held = self.lock();
            held.count += 1 + error.more();
            held.last = Some(error);
        }
        self.summary();
    }

    /// Tells what was held back, if its interval is over.
    pub(crate) fn summary(&self) {
        let now = self.clock.uptime();
        let mut held = self.lock();
        if held.not_before.is_none_or(|not_before| now >= not_before) {
            let due = take(&mut held);
            if due.is_some() {
                held.not_before = Some(now + INTERVAL);
            }
            drop(held);
            self.tell(due);
        }
    }

    /// Tells what was held back, now: nothing comes after.
    pub(crate) fn finish(&self) {
        let due = take(&mut self.lock());
        self.tell(due);
    }

    /// Whether a failure waits for the next summary.
    pub(crate) fn holds(&self) -> bool {
        self.lock().last.is_some()
    }

    /// How often the callback itself panicked.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    // Called without the lock: the callback may do anything, log included.
    fn tell(&self, error: Option<Error>) {
        if let Some(error) = error {
            if guarded(|| (self.callback.0)(&error)).is_none() {
                self.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(held: &mut Held) -> Option<Error> {
    let error = held.last.take()?;
    let more = held.count - 1;
    held.count = 0;
    Some(error.and_more(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::Kind, fakes::ManualClock};

    #[test]
    fn the_first_failure_is_told_at_once_and_the_rest_as_one_summary_an_interval() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let clock = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
        let sink = Arc::clone(&told);
        let reporter = Reporter::new(
            Callback::new(move |error| sink.lock().unwrap().push(error.to_string())),
            clock.clone(),
        );
        for n in 1..=4 {
            reporter.report(Error::new(Kind::Loss, format!("failure {n}")));
        }
        assert_eq!(*told.lock().unwrap(), ["failure 1"]);
        clock.advance(INTERVAL);
        reporter.summary();
        reporter.summary();
        reporter.report(Error::new(Kind::Loss, "failure 5"));
        reporter.finish();
        assert_eq!(
            *told.lock().unwrap(),
            [
                "failure 1",
                "failure 4 (and 2 more failures since the last report)",
                "failure 5",
            ]
        );
    }

    #[test]
    fn a_callback_that_panics_is_counted_and_called_again_later() {
        let clock = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
        let reporter = Reporter::new(Callback::new(|_| panic!("callback")), clock.clone());
        reporter.report(Error::new(Kind::Loss, "one"));
        clock.advance(INTERVAL);
        reporter.report(Error::new(Kind::Loss, "two"));
        assert_eq!(reporter.panics(), 2);
    }
}
