//! When to try again what could not be sent. Pure.

use std::time::Duration;

use crate::clock::{nanos, until};
use crate::notify::NotifyError;

#[derive(Debug, Default)]
pub(crate) struct Tries {
    failures: u32,
    hurried: bool,
    since: Option<u64>,
    next: u64,
}

impl Tries {
    /// How long to wait before the next try.
    pub(crate) fn wait(&self, now: u64) -> Option<Duration> {
        (self.next > now).then(|| until(now, self.next))
    }

    /// The process is ending: the next try is now, and each further one soon.
    pub(crate) fn hurry(&mut self, now: u64) {
        if !self.hurried {
            self.hurried = true;
            self.next = now;
        }
    }

    /// The next alert's tries begin.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            hurried: self.hurried,
            ..Self::default()
        };
    }

    /// Notes a failure; `false` gives up.
    pub(crate) fn failed(&mut self, error: &NotifyError, now: u64, random: u64) -> bool {
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

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
const GIVE_UP: Duration = Duration::from_secs(3600);
const HURRY: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::{FIRST, GIVE_UP, HURRY, LONGEST, Tries};
    use crate::clock::nanos;
    use crate::notify::NotifyError;
    use std::time::Duration;

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
}
