//! The alerts that wait for one notifier: in order, bounded, and of each its latest state. Pure.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::alert::{Alert, Deliveries, State};

#[derive(Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Arc<Alert>>,
    /// Fingerprints whose firing was given up or dropped: their "resolved" would only puzzle.
    unheard: HashSet<String>,
    /// Of these, `pending` is asked for.
    pub(crate) counts: Deliveries,
}

impl Queue {
    /// Takes an alert, or says that it is full.
    ///
    /// A firing takes the place of what waits of the same alert: a rule that goes to and fro tells only how it
    /// stands at last. A resolved waits behind its firing.
    pub(crate) fn push(&mut self, alert: Arc<Alert>) -> bool {
        if alert.state == State::Firing {
            self.unheard.remove(&alert.fingerprint());
            if let Some(place) = self.place(&alert) {
                let before = self.waiting.len();
                self.waiting.retain(|waiting| !same(waiting, &alert));
                self.counts.coalesced += (before - self.waiting.len()) as u64;
                self.waiting.insert(place, alert);
                return true;
            }
        } else if self.unheard.remove(&alert.fingerprint()) {
            self.counts.suppressed += 1;
            return true;
        }
        if self.waiting.len() == MAX_WAITING {
            self.counts.dropped += 1;
            if alert.state == State::Firing {
                self.unheard.insert(alert.fingerprint());
            }
            return false;
        }
        self.waiting.push_back(alert);
        true
    }

    /// The next, in order.
    pub(crate) fn batch(&self, most: usize) -> Vec<Arc<Alert>> {
        self.waiting.iter().take(most).cloned().collect()
    }

    pub(crate) fn sent(&mut self, batch: &[Arc<Alert>]) {
        self.counts.sent += batch.len() as u64;
        self.remove(batch);
    }

    /// Keeps back the "resolved" that follows a firing nobody will hear of, waiting or to come.
    pub(crate) fn give_up(&mut self, batch: &[Arc<Alert>]) {
        self.counts.failed += batch.len() as u64;
        self.remove(batch);
        for firing in batch.iter().filter(|alert| alert.state == State::Firing) {
            match self.place(firing) {
                Some(next) if self.waiting[next].state == State::Resolved => {
                    self.waiting.remove(next);
                    self.counts.suppressed += 1;
                }
                Some(_) => {}
                // Its "resolved" may be of this very batch.
                None if resolves(batch, firing) => {}
                None => drop(self.unheard.insert(firing.fingerprint())),
            }
        }
    }

    pub(crate) fn counts(&self) -> Deliveries {
        Deliveries {
            pending: self.waiting.len() as u64,
            ..self.counts
        }
    }

    /// Those that are still these: one that was replaced meanwhile stays.
    fn remove(&mut self, batch: &[Arc<Alert>]) {
        self.waiting
            .retain(|waiting| !batch.iter().any(|alert| Arc::ptr_eq(alert, waiting)));
    }

    fn place(&self, alert: &Alert) -> Option<usize> {
        self.waiting.iter().position(|waiting| same(waiting, alert))
    }
}

/// Whether both have one fingerprint.
pub(crate) fn same(one: &Alert, other: &Alert) -> bool {
    one.rule == other.rule && one.level == other.level && one.labels == other.labels
}

fn resolves(batch: &[Arc<Alert>], firing: &Alert) -> bool {
    batch
        .iter()
        .any(|alert| alert.state == State::Resolved && same(alert, firing))
}

/// How many alerts wait for one notifier: hours of a storm, some 500 kB with their samples.
pub(crate) const MAX_WAITING: usize = 256;

#[cfg(test)]
pub(crate) mod tests {
    use super::{MAX_WAITING, Queue};
    use crate::alert::tests::example;
    use crate::{Alert, State};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    pub(crate) fn alert(rule: &str, state: State) -> Arc<Alert> {
        Arc::new(Alert {
            rule: rule.into(),
            state,
            first_bad: SystemTime::UNIX_EPOCH,
            fired_at: SystemTime::UNIX_EPOCH,
            resolved_at: (state == State::Resolved)
                .then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(90)),
            ..example()
        })
    }

    fn waiting(queue: &Queue) -> Vec<(String, &'static str)> {
        let waiting = queue.batch(usize::MAX);
        waiting
            .iter()
            .map(|alert| (alert.rule.to_string(), alert.state.as_str()))
            .collect()
    }

    #[test]
    fn a_rule_that_goes_to_and_fro_waits_as_one_firing_and_one_resolved() {
        let mut queue = Queue::default();
        for _ in 0..1_000 {
            for rule in ["a", "b"] {
                assert!(queue.push(alert(rule, State::Firing)));
                assert!(queue.push(alert(rule, State::Resolved)));
            }
        }
        let counts = queue.counts();
        let want = [
            ("a", "firing"),
            ("b", "firing"),
            ("a", "resolved"),
            ("b", "resolved"),
        ];
        assert_eq!(
            waiting(&queue),
            want.map(|(rule, state)| (rule.to_owned(), state))
        );
        assert_eq!(
            (counts.pending, counts.coalesced, counts.dropped),
            (4, 3_996, 0)
        );
    }

    #[test]
    fn labels_tell_two_alerts_of_one_rule_apart() {
        let mut queue = Queue::default();
        let mut other = alert("r", State::Firing);
        Arc::make_mut(&mut other)
            .labels
            .insert("tenant".into(), "b".into());
        queue.push(alert("r", State::Firing));
        queue.push(other);
        assert_eq!(queue.counts().pending, 2);
    }

    #[test]
    fn what_replaced_an_alert_on_its_way_is_still_to_send() {
        let mut queue = Queue::default();
        queue.push(alert("r", State::Firing));
        let on_its_way = queue.batch(1);
        queue.push(alert("r", State::Resolved));
        queue.push(alert("r", State::Firing));
        queue.sent(&on_its_way);
        assert_eq!(waiting(&queue), [("r".to_owned(), "firing")]);
        assert_eq!((queue.counts().sent, queue.counts().coalesced), (1, 2));
    }

    #[test]
    fn a_full_queue_drops_the_new_alert_counts_it_and_keeps_back_its_resolved() {
        let mut queue = Queue::default();
        for n in 0..MAX_WAITING {
            assert!(queue.push(alert(&format!("r{n}"), State::Firing)));
        }
        assert!(!queue.push(alert("late", State::Firing)));
        assert!(queue.push(alert("late", State::Resolved)));
        let counts = queue.counts();
        assert_eq!(
            (counts.pending, counts.dropped, counts.suppressed),
            (256, 1, 1)
        );
        queue.sent(&queue.batch(usize::MAX));
        // The next firing is heard, and so is its end.
        queue.push(alert("late", State::Firing));
        queue.push(alert("late", State::Resolved));
        assert_eq!(queue.counts().pending, 2);
    }

    #[test]
    fn a_firing_given_up_takes_its_resolved_along_and_no_other() {
        let mut queue = Queue::default();
        for (rule, state) in [
            ("a", State::Firing),
            ("b", State::Firing),
            ("a", State::Resolved),
            ("b", State::Resolved),
        ] {
            queue.push(alert(rule, state));
        }
        queue.give_up(&queue.batch(1));
        let left = ["firing", "resolved"].map(|state| ("b".to_owned(), state));
        assert_eq!(waiting(&queue), left);
        // Given up together, nothing is left to keep back.
        queue.give_up(&queue.batch(2));
        queue.push(alert("b", State::Firing));
        queue.give_up(&queue.batch(1));
        queue.push(alert("b", State::Resolved));
        let counts = queue.counts();
        assert_eq!(
            (counts.failed, counts.suppressed, counts.pending),
            (4, 2, 0)
        );
    }
}
