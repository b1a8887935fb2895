//! The time, passed in: the real clock here, a clock turned by hand in tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// A steady clock in nanoseconds, and the wall's time beside it.
pub(crate) trait Clock: Send + Sync {
    fn now(&self) -> u64;
    fn wall(&self) -> SystemTime;

    /// The wall's time at a moment of the steady clock that lies in the past.
    fn wall_at(&self, time: u64) -> SystemTime {
        let ago = Duration::from_nanos(self.now().saturating_sub(time));
        self.wall()
            .checked_sub(ago)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The moment of the steady clock at a time of the wall's, in nanoseconds since 1970, that lies in
    /// the past; now, if it does not.
    fn time_at(&self, wall: u64) -> u64 {
        let ago = since_epoch(self.wall()).saturating_sub(wall);
        self.now().saturating_sub(ago)
    }

    /// Tells who wants to be woken when the time is turned. The real clock turns by itself.
    fn watch(&self, _wake: &Arc<Wake>) {}
}

pub(crate) struct RealClock {
    start: Instant,
    /// What it shows at the start. Not zero: what an earlier process remembers was before.
    shown: u64,
    anchor: Anchor,
}

impl RealClock {
    pub(crate) fn start() -> Self {
        let wall = since_epoch(SystemTime::now());
        // Whole days apart: minutes and half hours begin when the wall's do, as in old lines.
        let shown = wall - wall / 2 / DAY * DAY;
        Self {
            start: Instant::now(),
            shown,
            anchor: Anchor(AtomicU64::new(wall - shown)),
        }
    }
}

impl Clock for RealClock {
    fn now(&self) -> u64 {
        self.shown.saturating_add(nanos(self.start.elapsed()))
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    /// A moment is told alike however often, for receivers compare the times that they are told.
    fn wall_at(&self, time: u64) -> SystemTime {
        let (now, wall) = (self.now(), since_epoch(self.wall()));
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.anchor.wall_at(time, now, wall))
    }

    fn time_at(&self, wall: u64) -> u64 {
        let now = self.now();
        let anchor = self.anchor.settled(now, since_epoch(self.wall()));
        wall.saturating_sub(anchor).min(now)
    }
}

/// The wall's time where a steady clock shows zero, in nanoseconds since 1970.
///
/// Both clocks are slewed alike (clock_gettime(2), `CLOCK_MONOTONIC`): they part only where the wall's
/// is set, and then every moment is told anew by the clock that was set.
struct Anchor(AtomicU64);

impl Anchor {
    /// The two clocks are read one after the other, and the thread may rest between.
    const SET: u64 = 1_000_000_000;

    fn wall_at(&self, time: u64, now: u64, wall: u64) -> u64 {
        self.settled(now, wall).saturating_add(time)
    }

    fn settled(&self, now: u64, wall: u64) -> u64 {
        let mut anchor = self.0.load(Ordering::Relaxed);
        if anchor.saturating_add(now).abs_diff(wall) > Self::SET {
            anchor = wall.saturating_sub(now);
            self.0.store(anchor, Ordering::Relaxed);
        }
        anchor
    }
}

/// A moment of the wall's clock in nanoseconds since 1970; before that, 0.
pub(crate) fn since_epoch(wall: SystemTime) -> u64 {
    wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, nanos)
}

const DAY: u64 = 86_400_000_000_000;

/// Shows the time of the latest line, in nanoseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct EventClock(AtomicU64);

impl EventClock {
    pub(crate) fn set(&self, at: u64) {
        self.0.store(at, Ordering::Relaxed);
    }
}

impl Clock for EventClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.now())
    }
}

/// A bell for one thread that waits for work or for a time.
#[derive(Default)]
pub(crate) struct Wake {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Wake {
    /// Held by nobody while anything slow runs, so that an event's thread may ring.
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_all();
    }

    /// Returns when rung, or when the time is over; `None` waits for the bell alone.
    pub(crate) fn wait(&self, time: Option<Duration>) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        if !*rung {
            rung = match time {
                Some(time) => {
                    let waited = self.bell.wait_timeout_while(rung, time, |rung| !*rung);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.bell.wait_while(rung, |rung| !*rung);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
        *rung = false;
    }
}

/// How long from now until a moment of the steady clock.
pub(crate) fn until(now: u64, moment: u64) -> Duration {
    Duration::from_nanos(moment.saturating_sub(now))
}

/// A span of time on the steady clock.
pub(crate) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Anchor, Clock, Wake, nanos};
    use std::sync::atomic::AtomicU64;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    /// Stands still until a test turns it; then it wakes whoever waits.
    #[derive(Default)]
    pub(crate) struct HandClock {
        now: Mutex<u64>,
        /// At its start the wall's clock is so far beyond that of others.
        ahead: Duration,
        start: u64,
        waiting: Mutex<Vec<Arc<Wake>>>,
    }

    impl HandClock {
        /// As in a process that starts later, with a steady clock of its own.
        pub(crate) fn later(now: u64, ahead: Duration) -> Self {
            Self {
                now: Mutex::new(now),
                ahead,
                start: now,
                waiting: Mutex::default(),
            }
        }

        pub(crate) fn turn(&self, by: Duration) {
            *self.now.lock().unwrap() += nanos(by);
            self.waiting
                .lock()
                .unwrap()
                .iter()
                .for_each(|wake| wake.ring());
        }
    }

    impl Clock for HandClock {
        fn now(&self) -> u64 {
            *self.now.lock().unwrap()
        }

        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
                + Duration::from_secs(1_800_000_000)
                + self.ahead
                + Duration::from_nanos(self.now() - self.start)
        }

        fn watch(&self, wake: &Arc<Wake>) {
            self.waiting.lock().unwrap().push(wake.clone());
        }
    }

    #[test]
    fn a_moment_has_one_wall_time_until_somebody_sets_the_clock() {
        const S: u64 = 1_000_000_000;
        let anchor = Anchor(AtomicU64::new(1_000 * S));
        // Read late, read early: the same.
        for (now, wall) in [
            (9 * S, 1_009 * S),
            (9 * S, 1_009 * S + 7),
            (20 * S, 1_019 * S),
        ] {
            assert_eq!(anchor.wall_at(3 * S, now, wall), 1_003 * S);
        }
        // Set an hour on, then two back.
        assert_eq!(anchor.wall_at(3 * S, 30 * S, 4_630 * S), 4_603 * S);
        assert_eq!(anchor.wall_at(3 * S, 31 * S, 4_631 * S), 4_603 * S);
        assert_eq!(anchor.wall_at(3 * S, 40 * S, 40 * S), 3 * S);
    }
}
