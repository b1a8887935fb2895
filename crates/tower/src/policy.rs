//! Decides the level and message of a closing line, and whether it is written at all. Pure.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;

use crate::panics::survive;
use crate::{Finished, Outcome, grpc};

#[derive(Clone, Default)]
#[expect(
    clippy::type_complexity,
    reason = "the closure's type stands once; an alias would hide it"
)]
pub(crate) struct Policy {
    pub(crate) slow: Option<Duration>,
    /// By route, or by path where there is no route: one line in so many.
    pub(crate) samples: HashMap<String, NonZeroU64>,
    pub(crate) level: Option<Arc<dyn Fn(&Finished) -> Option<Level> + Send + Sync>>,
}

impl Policy {
    /// The level and the message, or `None` when sampling leaves the line out.
    pub(crate) fn judge(&self, finished: &Finished) -> Option<(Level, &'static str)> {
        let (level, message) = self.verdict(finished);
        // Whatever is worth a warning is kept.
        let dull = level >= Level::INFO;
        if dull && !self.keeps(finished) {
            return None;
        }
        let level_of = self.level.as_ref();
        let chosen = level_of.and_then(|level_of| survive(|| level_of(finished)).flatten());
        Some((chosen.unwrap_or(level), message))
    }

    /// The message is constant per class, for grouping.
    fn verdict(&self, finished: &Finished) -> (Level, &'static str) {
        let blamed = finished.grpc_status.is_some_and(grpc::blames_the_server);
        match finished.outcome {
            Outcome::Shed => (Level::INFO, "request shed"),
            Outcome::Panicked => (Level::ERROR, "request panicked [5xx]"),
            Outcome::Error => (Level::ERROR, "request failed [5xx]"),
            // The status that went out was another one.
            Outcome::BodyError => (Level::ERROR, "request failed in body"),
            // Leaving is how a client ends an event stream.
            Outcome::CancelledInBody if finished.event_stream => (Level::INFO, "request cancelled"),
            Outcome::CancelledBeforeHeaders | Outcome::CancelledInBody => {
                (Level::WARN, "request cancelled")
            }
            Outcome::Completed | Outcome::Upgraded => match finished.status {
                500.. => (Level::ERROR, "request failed [5xx]"),
                400.. => (Level::WARN, "request rejected [4xx]"),
                _ if blamed => (Level::ERROR, "request failed [5xx]"),
                _ if finished.grpc_status.is_some_and(|code| code != 0) => {
                    (Level::WARN, "request rejected [4xx]")
                }
                _ if self.is_slow(finished) => (Level::WARN, "request slow"),
                _ => (Level::INFO, "request completed"),
            },
        }
    }

    /// A conversation or an event stream is as long as its client likes.
    fn is_slow(&self, finished: &Finished) -> bool {
        let plain = finished.outcome == Outcome::Completed && !finished.event_stream;
        plain && self.slow.is_some_and(|slow| finished.latency >= slow)
    }

    /// By the trace id, so that every service with the same rate keeps the same traces.
    fn keeps(&self, finished: &Finished) -> bool {
        if self.samples.is_empty() {
            return true;
        }
        let route = finished.route().unwrap_or(finished.path());
        let Some(&one_in) = self.samples.get(route) else {
            return true;
        };
        let bytes = finished.trace_id().to_bytes();
        let low = bytes[8..]
            .iter()
            .fold(0, |low, &byte| (low << 8) | u64::from(byte));
        low % one_in == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Route, TraceContext};

    fn finished(outcome: Outcome, status: u16, latency_ms: u64) -> Finished {
        let mut finished = Finished::blank();
        finished.outcome = outcome;
        finished.status = status;
        finished.latency = Duration::from_millis(latency_ms);
        finished
    }

    #[test]
    fn each_class_of_ending_has_its_level_and_message() {
        use Outcome::{BodyError, CancelledBeforeHeaders, CancelledInBody, Completed};
        use Outcome::{Error, Panicked, Shed, Upgraded};
        let policy = Policy {
            slow: Some(Duration::from_secs(1)),
            ..Policy::default()
        };
        let table = [
            (Completed, 200, 999, "INFO request completed"),
            (Completed, 200, 1000, "WARN request slow"),
            (Completed, 399, 0, "INFO request completed"),
            (Completed, 400, 0, "WARN request rejected [4xx]"),
            (Completed, 499, 9999, "WARN request rejected [4xx]"),
            (Completed, 500, 9999, "ERROR request failed [5xx]"),
            (Upgraded, 101, 9999, "INFO request completed"),
            (Error, 500, 0, "ERROR request failed [5xx]"),
            (BodyError, 200, 0, "ERROR request failed in body"),
            (Panicked, 500, 0, "ERROR request panicked [5xx]"),
            (Shed, 503, 0, "INFO request shed"),
            (CancelledBeforeHeaders, 499, 0, "WARN request cancelled"),
            (CancelledInBody, 499, 0, "WARN request cancelled"),
        ];
        for (outcome, status, latency_ms, expected) in table {
            let (level, message) = policy
                .judge(&finished(outcome, status, latency_ms))
                .unwrap();
            assert_eq!(
                format!("{level} {message}"),
                expected,
                "{outcome} {status} {latency_ms}"
            );
        }
        for (code, expected) in [
            (0, "INFO request completed"),
            (5, "WARN request rejected [4xx]"),
        ]
        .into_iter()
        .chain([
            (13, "ERROR request failed [5xx]"),
            (2, "ERROR request failed [5xx]"),
        ]) {
            let mut call = finished(Completed, 200, 0);
            call.grpc_status = Some(code);
            let (level, message) = policy.judge(&call).unwrap();
            assert_eq!(format!("{level} {message}"), expected, "gRPC {code}");
        }
        let mut stream = finished(CancelledInBody, 499, 9999);
        stream.event_stream = true;
        assert_eq!(
            policy.judge(&stream),
            Some((Level::INFO, "request cancelled"))
        );
    }

    #[test]
    fn sampling_keeps_one_in_n_by_trace_and_all_that_went_wrong() {
        let policy = Policy {
            samples: HashMap::from([("/feed/{id}".to_owned(), NonZeroU64::new(10).unwrap())]),
            ..Policy::default()
        };
        let kept = |status, route: Option<&str>, low: u8| {
            let mut finished = finished(Outcome::Completed, status, 0);
            let trace = format!("00-{}{low:016x}-b7ad6b7169203331-01", "a".repeat(16));
            finished.context = TraceContext::parse(&trace).unwrap();
            finished.route = route.map(Route::new);
            policy.judge(&finished).is_some()
        };
        let of_hundred = |status, route| (0..100).filter(|&low| kept(status, route, low)).count();
        assert_eq!(of_hundred(200, Some("/feed/{id}")), 10);
        assert_eq!(of_hundred(404, Some("/feed/{id}")), 100);
        assert_eq!(of_hundred(500, Some("/feed/{id}")), 100);
        assert_eq!(of_hundred(200, Some("/other")), 100);
        assert_eq!(of_hundred(200, None), 100);
    }
}
