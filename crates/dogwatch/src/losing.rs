//! Counts the lines that an output did not take, and tells of them: the first at once, then a sum now and then.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::tell::Tell;

/// What an output without a buffer lost. It is written to by whoever logs, so that nothing waits and
/// nothing can be tried again.
#[derive(Default)]
pub(crate) struct Losing {
    tell: Tell,
    lost: Mutex<Lost>,
}

#[derive(Default)]
struct Lost {
    lines: u64,
    /// Lost since the last word about it.
    untold: u64,
    told: Option<Instant>,
}

impl Losing {
    pub(crate) fn new(tell: Tell) -> Self {
        Self {
            tell,
            lost: Mutex::default(),
        }
    }

    /// Takes the result of writing one line. A sink never fails its caller.
    pub(crate) fn note(&self, result: io::Result<()>, now: Instant) {
        let Err(error) = result else { return };
        // Told without the lock: what is told may log, and lose a line again.
        let more = self.lost().lose(now);
        if let Some(more) = more {
            self.tell.of("stdout", &NotWritten { more, error });
        }
    }

    pub(crate) fn lines(&self) -> u64 {
        self.lost().lines
    }

    fn lost(&self) -> std::sync::MutexGuard<'_, Lost> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lost {
    /// How many lines went untold before this one, if it is time to tell.
    fn lose(&mut self, now: Instant) -> Option<u64> {
        self.lines += 1;
        let due = self
            .told
            .is_none_or(|told| now.saturating_duration_since(told) >= INTERVAL);
        if !due {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[derive(Debug)]
struct NotWritten {
    more: u64,
    error: io::Error,
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log line was not written")?;
        if self.more > 0 {
            write!(f, ", and {} before it", self.more)?;
        }
        Ok(())
    }
}

impl std::error::Error for NotWritten {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// As the buffered outputs do: often enough to be seen, too seldom to flood.
const INTERVAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn the_first_lost_line_is_told_at_once_and_the_others_once_an_interval() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let keep = Arc::clone(&told);
        let losing = Losing::new(Tell::by(move |text| {
            keep.lock().unwrap().push(text.to_owned());
        }));
        let start = Instant::now();
        let lose = |seconds| {
            let full = Err(io::Error::other("盘满"));
            losing.note(full, start + Duration::from_secs(seconds));
        };
        losing.note(Ok(()), start);
        assert_eq!(losing.lines(), 0);
        for seconds in [0, 1, 9, 10, 11, 30] {
            lose(seconds);
        }
        assert_eq!(losing.lines(), 6);
        let expected = [
            "stdout: a log line was not written: 盘满",
            "stdout: a log line was not written, and 2 before it: 盘满",
            "stdout: a log line was not written, and 1 before it: 盘满",
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }

    #[test]
    fn what_is_told_may_lose_a_line_itself() {
        let losing: Arc<Mutex<Option<Arc<Losing>>>> = Arc::default();
        let inner = Arc::clone(&losing);
        let made = Arc::new(Losing::new(Tell::by(move |_| {
            let losing = inner.lock().unwrap().clone().unwrap();
            losing.note(Err(io::Error::other("again")), Instant::now());
        })));
        *losing.lock().unwrap() = Some(Arc::clone(&made));
        made.note(Err(io::Error::other("once")), Instant::now());
        assert_eq!(made.lines(), 2);
    }
}
