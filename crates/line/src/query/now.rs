//! The moment and the zone in which a query's times are meant; both are given, there is no clock here.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::civil::{DAY, SECOND};

/// What `now` is, and what time of day it is for the user at any moment.
///
/// ```
/// use std::time::SystemTime;
/// use dogwatch_line::Now;
///
/// let utc = Now::utc(SystemTime::now());
/// let shanghai = Now::zoned(SystemTime::now(), |_unix_seconds| 8 * 3600);
/// ```
pub struct Now {
    nanos: i128,
    offset: Box<dyn Fn(i64) -> i32 + Send + Sync>,
}

impl Now {
    /// Times without a zone are UTC.
    pub fn utc(now: SystemTime) -> Self {
        Self::zoned(now, |_| 0)
    }

    /// Times without a zone are the user's: the closure gives how many seconds the user's clock is
    /// ahead of UTC at a moment, in seconds since 1970 UTC. It is asked again for each moment, so
    /// that a change of the clock is right on both sides.
    pub fn zoned(now: SystemTime, offset: impl Fn(i64) -> i32 + Send + Sync + 'static) -> Self {
        let nanos = match now.duration_since(UNIX_EPOCH) {
            Ok(since) => since.as_nanos() as i128,
            Err(before) => -(before.duration().as_nanos() as i128),
        };
        Self {
            nanos,
            offset: Box::new(offset),
        }
    }

    pub(crate) fn nanos(&self) -> i128 {
        self.nanos
    }

    /// The midnight before now, on the user's clock.
    pub(crate) fn local_midnight(&self) -> i128 {
        let local = self.nanos + self.offset_at(self.nanos);
        local - local.rem_euclid(DAY)
    }

    /// The moment at which the user's clock shows this. Of two the later; where the clock jumps
    /// over it, as if it had not yet jumped.
    pub(crate) fn to_utc(&self, local: i128) -> i128 {
        // The zone is asked a day before and after: no clock changes twice in that time.
        let (before, after) = (self.offset_at(local - DAY), self.offset_at(local + DAY));
        let late = local - after;
        if self.offset_at(late) == after {
            late
        } else {
            local - before
        }
    }

    fn offset_at(&self, nanos: i128) -> i128 {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).unwrap_or(0);
        i128::from((self.offset)(seconds)) * SECOND
    }
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Now")
            .field("nanos", &self.nanos)
            .finish_non_exhaustive()
    }
}
