//! How long a span has been open, and how long of that a thread was inside it. No clock of its own.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Busy {
    opened: Instant,
    /// Threads inside, and since when there is one.
    inside: u32,
    entered: Instant,
    busy: Duration,
}

impl Busy {
    pub(crate) fn open(now: Instant) -> Self {
        Busy {
            opened: now,
            inside: 0,
            entered: now,
            busy: Duration::ZERO,
        }
    }

    pub(crate) fn enter(&mut self, now: Instant) {
        if self.inside == 0 {
            self.entered = now;
        }
        self.inside += 1;
    }

    pub(crate) fn exit(&mut self, now: Instant) {
        // An exit without an enter: the layer was added while the span was entered.
        let Some(left) = self.inside.checked_sub(1) else {
            return;
        };
        self.inside = left;
        if left == 0 {
            self.busy += now.saturating_duration_since(self.entered);
        }
    }

    /// Milliseconds open and milliseconds busy.
    pub(crate) fn close(&self, now: Instant) -> (f64, f64) {
        let millis = |time: Duration| time.as_micros() as f64 / 1000.0;
        (
            millis(now.saturating_duration_since(self.opened)),
            millis(self.busy),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_busy_while_at_least_one_thread_is_inside() {
        let start = Instant::now();
        let at = |micros| start + Duration::from_micros(micros);
        let mut busy = Busy::open(at(0));
        busy.exit(at(500));
        busy.enter(at(1000));
        busy.enter(at(2000));
        busy.exit(at(3000));
        busy.exit(at(4001));
        busy.enter(at(6000));
        busy.exit(at(6500));
        assert_eq!(busy.close(at(10_000)), (10.0, 3.501));
    }
}
