//! Measures for how long nothing came. Pure.

use crate::meter::Level;

/// How long nothing came, once something had.
#[derive(Debug)]
pub(crate) struct Silence {
    pub(crate) window: u64,
    pub(crate) forget_after: Option<u64>,
    pub(crate) last: Option<u64>,
}

impl Silence {
    fn over(&self) -> Option<u64> {
        Some(self.last?.saturating_add(self.window))
    }

    fn forgotten(&self) -> Option<u64> {
        Some(self.over()?.saturating_add(self.forget_after?))
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        let over = self.over().is_some_and(|over| now >= over);
        let forgotten = self.forgotten().is_some_and(|at| now >= at);
        if over && !forgotten {
            Level::Over
        } else {
            Level::Under
        }
    }

    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let both = [self.over(), self.forgotten()];
        both.into_iter().flatten().find(|&at| at > now)
    }

    pub(crate) fn waits(&self, now: u64) -> bool {
        self.next(now).is_some()
    }
}
