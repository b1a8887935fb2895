//! Sums a run up, one `key: value` a line, and says what does not add up.

use std::fmt;

use crate::counts::Tally;
use crate::house::Closed;
use crate::readback::Book;

/// The figures of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Answers counted by the callers: visitors, the shop at the channel, the channel at the shop.
    pub(crate) requests: u64,
    /// These three are counted by reading the files.
    pub(crate) closing_lines: u64,
    pub(crate) lines_in_files: u64,
    pub(crate) traces_complete: u64,
    /// These two are the writer's own accounts.
    pub(crate) lines_written: u64,
    pub(crate) lines_dropped: u64,
    pub(crate) files: u64,
    pub(crate) payments_settled: u64,
    pub(crate) alerts_fired: u64,
    pub(crate) alerts_resolved: u64,
    /// Answers that a caller saw shed.
    pub(crate) degraded_requests: u64,
    pub(crate) orders_ok_in_storm: u64,
    /// Closing lines that say `shed`, from the files; compared, not printed.
    pub(crate) shed_lines: u64,
    /// Lines that no reader takes; compared, not printed.
    pub(crate) broken_lines: u64,
    pub(crate) crash: Option<Crash>,
}

/// What became of the lines of a life that was killed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Crash {
    /// By its own count, a moment before the kill: what was accepted.
    pub(crate) accepted: u64,
    /// In the files, counted by reading them.
    pub(crate) found: u64,
    /// Of these, what the next life wrote out of the crash ring.
    pub(crate) replayed: u64,
    pub(crate) doubled: u64,
}

impl Crash {
    /// At least so many lines were accepted and are not there.
    pub(crate) fn missing(&self) -> u64 {
        self.accepted.saturating_sub(self.found)
    }
}

impl Summary {
    /// Brings together what the callers, the log and the files say.
    pub(crate) fn new(
        tally: &Tally,
        closed: &Closed,
        book: &Book,
        accepted: Option<u64>,
    ) -> Summary {
        Summary {
            requests: tally.requests,
            closing_lines: book.closing,
            lines_in_files: book.lines,
            traces_complete: book.traces_complete(),
            lines_written: closed.log.written,
            lines_dropped: closed.log.dropped,
            files: book.files,
            payments_settled: closed.payments_settled,
            alerts_fired: closed.log.fired,
            alerts_resolved: closed.log.resolved,
            degraded_requests: tally.degraded,
            orders_ok_in_storm: tally.storm_ok,
            shed_lines: book.shed,
            broken_lines: book.broken,
            crash: accepted.map(|accepted| Crash {
                accepted,
                found: book.earlier,
                replayed: book.replayed,
                doubled: book.doubled,
            }),
        }
    }

    /// Every figure that contradicts another one; none if the run adds up.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let crash = self.crash.unwrap_or_default();
        let equal = [
            (
                "closing_lines",
                self.closing_lines,
                "requests",
                self.requests,
            ),
            (
                "lines_in_files",
                self.lines_in_files,
                "lines_written",
                self.lines_written,
            ),
            (
                "traces_complete",
                self.traces_complete,
                "payments_settled",
                self.payments_settled,
            ),
            (
                "alerts_resolved",
                self.alerts_resolved,
                "alerts_fired",
                self.alerts_fired,
            ),
            (
                "shed_lines",
                self.shed_lines,
                "degraded_requests",
                self.degraded_requests,
            ),
            ("lines_dropped", self.lines_dropped, "the bound", 0),
            ("broken_lines", self.broken_lines, "the bound", 0),
            ("crash_lines_missing", crash.missing(), "the bound", 0),
            ("crash_lines_doubled", crash.doubled, "the bound", 0),
        ];
        equal
            .into_iter()
            .filter(|(_, left, _, right)| left != right)
            .map(|(left, a, right, b)| format!("{left} is {a}, but {right} is {b}"))
            .collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in [
            ("requests", self.requests),
            ("closing_lines", self.closing_lines),
            ("lines_in_files", self.lines_in_files),
            ("traces_complete", self.traces_complete),
            ("lines_written", self.lines_written),
            ("lines_dropped", self.lines_dropped),
            ("files", self.files),
            ("payments_settled", self.payments_settled),
            ("alerts_fired", self.alerts_fired),
            ("alerts_resolved", self.alerts_resolved),
            ("degraded_requests", self.degraded_requests),
            ("orders_ok_in_storm", self.orders_ok_in_storm),
        ] {
            writeln!(f, "{key}: {value}")?;
        }
        let Some(crash) = &self.crash else {
            return Ok(());
        };
        for (key, value) in [
            ("crash_lines_accepted", crash.accepted),
            ("crash_lines_found", crash.found),
            ("crash_lines_replayed", crash.replayed),
            ("crash_lines_missing", crash.missing()),
            ("crash_lines_doubled", crash.doubled),
        ] {
            writeln!(f, "{key}: {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_add_up_is_said() {
        assert_eq!(Summary::default().contradictions(), [""; 0]);
        let odd = Summary {
            requests: 2,
            closing_lines: 1,
            lines_dropped: 3,
            ..Summary::default()
        };
        assert_eq!(
            odd.contradictions(),
            [
                "closing_lines is 1, but requests is 2",
                "lines_dropped is 3, but the bound is 0"
            ]
        );
    }
}
