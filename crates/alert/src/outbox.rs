//! One notifier's queue and thread: in order, bounded, tried again until there is no hope.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::alert::{Alert, Deliveries, State};
use crate::clock::{Clock, Wake, nanos, until};
use crate::error::Error;
use crate::notify::{Notify, NotifyError};

/// Alerts on their way to one notifier.
pub(crate) struct Outbox {
    name: String,
    notifier: Arc<dyn Notify>,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Arc<Alert>>,
    /// Fingerprints of what was given up or dropped: its "resolved" would only puzzle.
    unheard: HashSet<String>,
    counts: Deliveries,
    ending: Option<u64>,
}

impl Queue {
    /// The front, a firing, is given up: the "resolved" that follows, waiting or to come, is kept
    /// back.
    fn unheard(&mut self, name: String) {
        let same = |alert: &Arc<Alert>| alert.fingerprint() == name;
        match self.waiting.iter().position(same) {
            Some(next) if self.waiting[next].state == State::Resolved => {
                self.waiting.remove(next);
                self.counts.suppressed += 1;
            }
            Some(_) => {}
            None => drop(self.unheard.insert(name)),
        }
    }
}

impl Outbox {
    pub(crate) fn new(name: String, notifier: Arc<dyn Notify>, clock: Arc<dyn Clock>) -> Self {
        let wake = Arc::new(Wake::default());
        clock.watch(&wake);
        Self {
            name,
            notifier,
            clock,
            wake,
            queue: Mutex::default(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes an alert, or says that the queue is full.
    pub(crate) fn push(&self, alert: Arc<Alert>) -> Result<(), Error> {
        self.with(|queue| {
            let name = alert.fingerprint();
            if alert.state == State::Firing {
                queue.unheard.remove(&name);
            } else if queue.unheard.remove(&name) {
                queue.counts.suppressed += 1;
                return Ok(());
            }
            if queue.waiting.len() == MAX_WAITING {
                queue.counts.dropped += 1;
                if alert.state == State::Firing {
                    queue.unheard.insert(name);
                }
                return Err(Error::delivery(format!(
                    "cannot queue an alert of `{}` for `{}`: {MAX_WAITING} wait already",
                    alert.rule, self.name
                )));
            }
            queue.waiting.push_back(alert);
            Ok(())
        })?;
        self.wake.ring();
        Ok(())
    }

    /// Sends what waits until the deadline, a moment of the steady clock, then ends the thread.
    pub(crate) fn end(&self, deadline: u64) {
        self.with(|queue| queue.ending = Some(deadline));
        self.wake.ring();
    }

    pub(crate) fn counts(&self) -> Deliveries {
        self.with(|queue| Deliveries {
            pending: queue.waiting.len() as u64,
            ..queue.counts
        })
    }

    /// The thread's work. `tell` hears of each failure.
    pub(crate) fn run(&self, tell: impl Fn(Error)) {
        let mut tries = Tries::default();
        loop {
            let (front, ending) = self.with(|queue| (queue.waiting.front().cloned(), queue.ending));
            let Some(alert) = front else {
                if ending.is_some() {
                    return;
                }
                self.wake.wait(None);
                continue;
            };
            let now = self.clock.now();
            if ending.is_some_and(|deadline| deadline <= now) {
                return;
            }
            if ending.is_some() {
                tries.hurry(now);
            }
            if let Some(wait) = tries.wait(now) {
                self.wake.wait(Some(wait));
                continue;
            }
            self.attempt(&alert, &mut tries, &tell);
        }
    }

    fn attempt(&self, alert: &Arc<Alert>, tries: &mut Tries, tell: &impl Fn(Error)) {
        // No lock is held here: this may take as long as the notifier likes.
        let sent = catch_unwind(AssertUnwindSafe(|| self.notifier.notify(alert)));
        let panicked = sent.is_err();
        let sent = sent.unwrap_or_else(|_| Err(NotifyError::permanent("the notifier panicked")));
        let Err(error) = sent else {
            tries.reset();
            return self.with(|queue| {
                queue.waiting.pop_front();
                queue.counts.sent += 1;
            });
        };
        let again = tries.failed(&error, self.clock.now(), RandomState::new().hash_one(()));
        let rule = &alert.rule;
        if !again {
            tries.reset();
            self.with(|queue| {
                queue.waiting.pop_front();
                queue.counts.failed += 1;
                queue.counts.panics += u64::from(panicked);
                if alert.state == State::Firing {
                    queue.unheard(alert.fingerprint());
                }
            });
        }
        let then = if again {
            "it is tried again"
        } else {
            "it is given up"
        };
        let what = format!(
            "cannot send an alert of `{rule}` to `{}`, {then}",
            self.name
        );
        tell(Error::delivery(what).caused_by(error));
    }

    fn with<T>(&self, run: impl FnOnce(&mut Queue) -> T) -> T {
        run(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// When to try again. Pure.
#[derive(Debug, Default)]
struct Tries {
    failures: u32,
    hurried: bool,
    since: Option<u64>,
    next: u64,
}

impl Tries {
    /// How long to wait before the next try.
    fn wait(&self, now: u64) -> Option<Duration> {
        (self.next > now).then(|| until(now, self.next))
    }

    /// The process is ending: the next try is now, and each further one soon.
    fn hurry(&mut self, now: u64) {
        if !self.hurried {
            self.hurried = true;
            self.next = now;
        }
    }

    /// The next alert's tries begin.
    fn reset(&mut self) {
        *self = Self {
            hurried: self.hurried,
            ..Self::default()
        };
    }

    /// Notes a failure; `false` gives up.
    fn failed(&mut self, error: &NotifyError, now: u64, random: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        if error.is_permanent() || now.saturating_sub(since) >= nanos(GIVE_UP) {
            return false;
        }
        let most = FIRST
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST);
        // Full jitter above a floor, so that a fleet does not come back in step.
        let jitter = random % (nanos(most) / 2 + 1);
        let wait = error
            .retry_after()
            .map_or(nanos(most) / 2 + jitter, |wait| nanos(wait.min(GIVE_UP)));
        self.failures += 1;
        let wait = if self.hurried {
            wait.min(nanos(HURRY))
        } else {
            wait
        };
        self.next = now.saturating_add(wait);
        true
    }
}

/// How many alerts wait for one notifier: hours of a storm, some 500 kB with their samples.
const MAX_WAITING: usize = 256;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
const GIVE_UP: Duration = Duration::from_secs(3600);
const HURRY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::{FIRST, GIVE_UP, HURRY, LONGEST, MAX_WAITING, Outbox, Tries};
    use crate::alert::tests::example;
    use crate::clock::nanos;
    use crate::clock::tests::HandClock;
    use crate::notify::NotifyError;
    use crate::{Alert, State};
    use std::sync::Arc;
    use std::time::Duration;

    fn alert(rule: &str, state: State) -> Arc<Alert> {
        Arc::new(Alert {
            rule: rule.into(),
            state,
            ..example()
        })
    }

    #[test]
    fn waits_double_up_to_five_minutes_with_jitter_above_a_half() {
        let error = NotifyError::retry("no");
        for random in [0, u64::MAX, 12_345_678_901] {
            let mut tries = Tries::default();
            let mut most = FIRST;
            for _ in 0..12 {
                assert!(tries.failed(&error, 0, random));
                let wait = tries.wait(0).unwrap();
                assert!(wait >= most / 2 && wait <= most, "{wait:?} of {most:?}");
                assert_eq!(tries.wait(tries.next), None);
                most = (most * 2).min(LONGEST);
            }
        }
    }

    #[test]
    fn the_receivers_wish_goes_before_the_own_wait() {
        let mut tries = Tries::default();
        assert!(tries.failed(
            &NotifyError::retry("no").after(Duration::from_secs(7)),
            0,
            0
        ));
        assert_eq!(tries.wait(0), Some(Duration::from_secs(7)));
        assert!(tries.failed(&NotifyError::retry("no").after(Duration::ZERO), 5, 0));
        assert_eq!(tries.wait(5), None);
    }

    #[test]
    fn a_refusal_or_an_hour_is_the_end_of_it() {
        let mut tries = Tries::default();
        assert!(!tries.failed(&NotifyError::permanent("no"), 0, 0));
        tries.reset();
        assert!(tries.failed(&NotifyError::retry("no"), 10, 0));
        assert!(tries.failed(&NotifyError::retry("no"), 9 + nanos(GIVE_UP), 0));
        assert!(!tries.failed(&NotifyError::retry("no"), 10 + nanos(GIVE_UP), 0));
    }

    #[test]
    fn a_process_that_ends_tries_at_once_and_then_every_moment() {
        let mut tries = Tries::default();
        for _ in 0..9 {
            tries.failed(&NotifyError::retry("no"), 0, 0);
        }
        assert!(tries.wait(0).is_some());
        tries.hurry(0);
        assert_eq!(tries.wait(0), None);
        tries.failed(&NotifyError::retry("no"), 0, 0);
        tries.hurry(0);
        assert_eq!(tries.wait(0), Some(HURRY));
    }

    #[test]
    fn a_full_queue_drops_the_new_alert_counts_it_and_keeps_back_its_resolved() {
        let notifier = |_: &Alert| Ok(());
        let clock = Arc::new(HandClock::default());
        let outbox = Outbox::new("am".into(), Arc::new(notifier), clock);
        for n in 0..MAX_WAITING {
            outbox.push(alert(&format!("r{n}"), State::Firing)).unwrap();
        }
        let error = outbox.push(alert("late", State::Firing)).unwrap_err();
        let what = "cannot queue an alert of `late` for `am`: 256 wait already";
        assert_eq!(error.to_string(), what);
        outbox.push(alert("late", State::Resolved)).unwrap();
        let counts = outbox.counts();
        assert_eq!(
            (counts.pending, counts.dropped, counts.suppressed),
            (256, 1, 1)
        );
        outbox.end(1);
        outbox.run(|error| panic!("{error}"));
        let counts = outbox.counts();
        assert_eq!((counts.pending, counts.sent), (0, 256));
        // The next firing is heard, and so is its end.
        outbox.push(alert("late", State::Firing)).unwrap();
        outbox.push(alert("late", State::Resolved)).unwrap();
        assert_eq!(outbox.counts().pending, 2);
    }

    #[test]
    fn a_firing_given_up_takes_its_waiting_resolved_along_and_no_other() {
        let refuses_a = |alert: &Alert| match &*alert.rule {
            "a" if alert.state == State::Firing => Err(NotifyError::permanent("no")),
            _ => Ok(()),
        };
        let outbox = Outbox::new(
            "am".into(),
            Arc::new(refuses_a),
            Arc::new(HandClock::default()),
        );
        for (rule, state) in [
            ("a", State::Firing),
            ("b", State::Firing),
            ("a", State::Resolved),
            ("b", State::Resolved),
        ] {
            outbox.push(alert(rule, state)).unwrap();
        }
        outbox.end(1);
        outbox.run(|_| {});
        let counts = outbox.counts();
        assert_eq!((counts.sent, counts.failed, counts.suppressed), (2, 1, 1));
        assert_eq!(counts.pending, 0);
    }
}
