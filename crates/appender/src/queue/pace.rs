//! Decides how long the writer waits between two looks at the queue. Pure: no clock, no lock.

use std::time::Duration;

use crate::batch::FIRST;

/// While lines come fast the writer looks by itself, often enough to find a piece each time: to wake
/// a sleeping thread costs the caller microseconds. While they come slowly it waits for the flush
/// interval, or until it is woken.
pub(crate) struct Pace {
    flush_interval: Duration,
    wait: Duration,
    /// So many looks in a row found few lines.
    calm: u32,
}

impl Pace {
    pub(crate) fn new(flush_interval: Duration) -> Self {
        Self {
            flush_interval,
            wait: flush_interval,
            calm: 0,
        }
    }

    /// Until the next look.
    pub(crate) fn wait(&self) -> Duration {
        self.wait
    }

    /// Lines come fast enough that the writer looks by itself.
    pub(crate) fn is_fast(&self) -> bool {
        self.wait < self.flush_interval
    }

    /// Lines have come slowly for a while: what they once took is not needed soon.
    pub(crate) fn is_calm(&self) -> bool {
        self.calm >= CALM
    }

    /// Learns from what a look found; `waited`: for the whole time, and was not woken before.
    pub(crate) fn found(&mut self, bytes: usize, waited: bool) {
        let next = match bytes {
            0 => self.flush_interval,
            // By steps: a short pause in the flow shall not end it.
            bytes if waited => {
                let share = (PIECE as f64 / bytes as f64).min(2.0);
                Duration::try_from_secs_f64(self.wait.as_secs_f64() * share)
                    .unwrap_or(self.flush_interval)
            }
            bytes if bytes >= FIRST => SHORTEST,
            _ => self.wait,
        };
        self.wait = next.max(SHORTEST).min(self.flush_interval);
        self.calm = if self.is_fast() {
            0
        } else {
            self.calm.saturating_add(1)
        };
    }
}

/// What a look shall find: half of what wakes the writer.
const PIECE: usize = FIRST / 2;

/// So many looks are a while: 5 s at the default flush interval.
const CALM: u32 = 50;

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_writer_looks_as_often_as_a_piece_has_come_together() {
        // (bytes found, after the whole wait, wait until the next look)
        let looks = [
            (5_000, true, ms(100)),
            (FIRST, false, ms(1)),
            (PIECE, true, ms(1)),
            (PIECE / 4, true, ms(2)),
            (PIECE / 2, true, ms(4)),
            // An ERROR line, a flush: they tell nothing of the pace.
            (300, false, ms(4)),
            (PIECE * 2, true, ms(2)),
            (300, true, ms(4)),
            (0, true, ms(100)),
            (PIECE * 2, true, ms(50)),
            (PIECE / 2, true, ms(100)),
        ];
        let mut pace = Pace::new(INTERVAL);
        for (nth, (bytes, waited, next)) in looks.into_iter().enumerate() {
            pace.found(bytes, waited);
            assert_eq!(pace.wait(), next, "{nth}");
            assert_eq!(pace.is_fast(), next < INTERVAL, "{nth}");
        }
    }

    #[test]
    fn lines_that_come_slowly_for_a_while_are_calm_until_they_come_fast() {
        let mut pace = Pace::new(INTERVAL);
        for look in 0..100 {
            assert_eq!(pace.is_calm(), look >= 50, "{look}");
            pace.found(300, true);
        }
        pace.found(FIRST, false);
        assert!(!pace.is_calm());
    }

    #[test]
    fn no_look_comes_later_than_the_flush_interval_allows() {
        for interval in [
            Duration::ZERO,
            Duration::from_micros(10),
            ms(100),
            Duration::MAX,
        ] {
            let mut pace = Pace::new(interval);
            for (bytes, waited) in [(1, true), (FIRST, false), (1, true), (usize::MAX, true)] {
                pace.found(bytes, waited);
                assert!(pace.wait() <= interval);
            }
        }
    }
}
