//! Decides when lines leave a file that fails for the fallback, and when the file is tried again.
//! Pure: it is told the time.

use std::time::{Duration, SystemTime};

use crate::{Gap, account::slot};

/// Where a log stands whose lines may have to go to the fallback.
#[derive(Default)]
pub(crate) struct Detour {
    /// There is a fallback.
    available: bool,
    failing_since: Option<Duration>,
    tries: Option<Tries>,
    gap: Option<Gap>,
}

/// While lines go to the fallback: when the file is tried next, and how long after that.
struct Tries {
    next: Duration,
    pause: Duration,
}

impl Detour {
    pub(crate) fn new(available: bool) -> Self {
        Self {
            available,
            ..Self::default()
        }
    }

    /// Goes to the fallback from the first line on.
    pub(crate) fn begin(&mut self, uptime: Duration) {
        self.tries = Some(Tries {
            next: uptime + FIRST_PAUSE,
            pause: FIRST_PAUSE,
        });
    }

    /// Whether the next lines are for the file.
    pub(crate) fn tries_file(&self, uptime: Duration) -> bool {
        self.tries.as_ref().is_none_or(|tries| uptime >= tries.next)
    }

    /// The file took none. True: the lines go to the fallback.
    pub(crate) fn failed(&mut self, uptime: Duration) -> bool {
        let since = *self.failing_since.get_or_insert(uptime);
        match &mut self.tries {
            Some(tries) => {
                tries.pause = (tries.pause * 2).min(LAST_PAUSE);
                tries.next = uptime + tries.pause;
            }
            None if self.available && uptime - since >= PATIENCE => self.begin(uptime),
            None => return false,
        }
        true
    }

    /// The file took some.
    pub(crate) fn worked(&mut self) {
        self.failing_since = None;
        self.tries = None;
    }

    /// So many lines went to the fallback.
    pub(crate) fn took(&mut self, lines: u64, now: SystemTime) {
        self.gap
            .get_or_insert_with(|| Gap::at(now))
            .add_fallback(slot(None), lines, now);
    }

    /// What the file lacks and was not told of.
    pub(crate) fn gap(&self) -> Option<Gap> {
        self.gap
    }

    pub(crate) fn told(&mut self) {
        self.gap = None;
    }

    /// The line that told of it was not written whole.
    pub(crate) fn untold(&mut self, gap: Gap) {
        self.gap = Some(self.gap.map_or(gap, |later| gap.and(later)));
    }
}

/// A file that fails for so long is left for the fallback.
const PATIENCE: Duration = Duration::from_secs(1);

/// The first pause between two tries of the file, doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between two tries.
const LAST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_file_that_fails_for_a_second_is_left_and_tried_again_after_one_two_four_and_five() {
        let mut detour = Detour::new(true);
        assert!(!detour.failed(seconds(10)));
        assert!(!detour.failed(seconds(10) + PATIENCE / 2));
        assert!(detour.failed(seconds(11)));
        let mut at = seconds(11);
        for pause in [1, 2, 4, 5, 5] {
            let next = at + seconds(pause);
            assert!(!detour.tries_file(next - Duration::from_millis(1)));
            assert!(detour.tries_file(next));
            assert!(detour.failed(next));
            at = next;
        }
        detour.worked();
        assert!(detour.tries_file(at));
        assert!(!detour.failed(at), "patience begins anew");
    }

    #[test]
    fn a_success_in_between_begins_the_patience_anew() {
        let mut detour = Detour::new(true);
        assert!(!detour.failed(seconds(1)));
        detour.worked();
        assert!(!detour.failed(seconds(5)));
        assert!(detour.failed(seconds(6)));
    }

    #[test]
    fn without_a_fallback_lines_wait_for_the_file() {
        let mut detour = Detour::new(false);
        assert!(!detour.failed(seconds(1)));
        assert!(!detour.failed(seconds(1000)));
        assert!(detour.tries_file(seconds(1000)));
    }

    #[test]
    fn a_gap_sums_up_what_went_to_the_fallback_until_it_is_told() {
        let mut detour = Detour::new(true);
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        detour.took(2, at(5));
        detour.took(3, at(9));
        let gap = detour.gap().unwrap();
        assert_eq!((gap.since(), gap.until()), (at(5), at(9)));
        assert_eq!(gap.lines().total(), 5);
        assert_eq!(gap.reasons().collect::<Vec<_>>(), [("fallback", 5)]);
        detour.told();
        assert_eq!(detour.gap(), None);
    }
}
