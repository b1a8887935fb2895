//! The alerts that stand, for a receiver that forgets those it is not told of again. Pure.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::{Alert, State};
use crate::clock::nanos;
use crate::queue::same;

/// What is told at each change and again and again: all that fires, and what resolved a while ago.
pub(crate) struct Resends {
    every: u64,
    entries: Vec<Entry>,
    /// When to tell all again.
    next: u64,
}

struct Entry {
    alert: Arc<Alert>,
    /// The receiver knows of this state.
    told: bool,
    /// Until when a resolved is told.
    until: Option<u64>,
}

impl Resends {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every: nanos(every),
            entries: Vec::new(),
            next: 0,
        }
    }

    /// Takes a new state in the place of the one before. False: there is no room.
    pub(crate) fn take(&mut self, alert: Arc<Alert>, now: u64) -> bool {
        let resolved = alert.state == State::Resolved;
        let entry = Entry {
            until: resolved.then(|| now.saturating_add(nanos(RESOLVED_FOR))),
            alert,
            told: false,
        };
        let same = |known: &Entry| same(&known.alert, &entry.alert);
        match self.entries.iter().position(same) {
            Some(known) => self.entries[known] = entry,
            None if self.entries.len() == MAX_STANDING => return false,
            None => self.entries.push(entry),
        }
        true
    }

    /// When to tell the next time; `None` while there is nothing.
    pub(crate) fn due(&self) -> Option<u64> {
        match self.untold() {
            0 if self.entries.is_empty() => None,
            0 => Some(self.next),
            _ => Some(0),
        }
    }

    /// All that is to be told.
    pub(crate) fn batch(&mut self, now: u64) -> Vec<Arc<Alert>> {
        let stands = |entry: &Entry| !entry.told || entry.until.is_none_or(|until| now < until);
        self.entries.retain(stands);
        let alerts = self.entries.iter().map(|entry| entry.alert.clone());
        alerts.collect()
    }

    /// What the receiver does not know of.
    pub(crate) fn waiting(&self) -> Vec<Arc<Alert>> {
        let untold = self.entries.iter().filter(|entry| !entry.told);
        untold.map(|entry| entry.alert.clone()).collect()
    }

    pub(crate) fn untold(&self) -> u64 {
        self.entries.iter().filter(|entry| !entry.told).count() as u64
    }

    /// The receiver has these. Returns those that it did not know of.
    pub(crate) fn told(&mut self, batch: &[Arc<Alert>], now: u64) -> Vec<Arc<Alert>> {
        self.next = now.saturating_add(self.every);
        let known = |entry: &&mut Entry| batch.iter().any(|told| Arc::ptr_eq(told, &entry.alert));
        let new = self.entries.iter_mut().filter(|entry| !entry.told);
        new.filter(known)
            .map(|entry| {
                entry.told = true;
                entry.alert.clone()
            })
            .collect()
    }

    /// The receiver will never take these: those that it did not know of are forgotten.
    pub(crate) fn refused(&mut self, batch: &[Arc<Alert>], now: u64) -> Vec<Arc<Alert>> {
        let refused = self.told(batch, now);
        self.entries
            .retain(|entry| !refused.iter().any(|gone| Arc::ptr_eq(gone, &entry.alert)));
        refused
    }
}

/// Prometheus tells that long of a resolved alert what it has to say; Alertmanager asks clients for the same.
const RESOLVED_FOR: Duration = Duration::from_secs(300);

/// Some 8 MB with their samples.
pub(crate) const MAX_STANDING: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::{MAX_STANDING, RESOLVED_FOR, Resends};
    use crate::State;
    use crate::clock::nanos;
    use crate::queue::tests::alert;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    fn states(resends: &mut Resends, now: u64) -> Vec<&'static str> {
        let batch = resends.batch(now);
        batch.iter().map(|alert| alert.state.as_str()).collect()
    }

    #[test]
    fn what_fires_is_told_for_ever_and_what_resolved_for_five_minutes() {
        let mut resends = Resends::new(MINUTE);
        assert_eq!(resends.due(), None);
        assert!(resends.take(alert("r", State::Firing), 0));
        assert_eq!(resends.due(), Some(0));
        let batch = resends.batch(0);
        assert_eq!(resends.told(&batch, 7).len(), 1);
        assert_eq!(resends.due(), Some(7 + nanos(MINUTE)));
        let later = nanos(RESOLVED_FOR) * 1_000;
        assert_eq!(states(&mut resends, later), ["firing"]);
        let batch = resends.batch(later);
        assert_eq!(resends.told(&batch, later), []);

        resends.take(alert("r", State::Resolved), later);
        assert_eq!((resends.due(), resends.untold()), (Some(0), 1));
        // Nobody was there: it waits until it was told once.
        let end = later + nanos(RESOLVED_FOR);
        assert_eq!(states(&mut resends, end), ["resolved"]);
        let batch = resends.batch(end - 1);
        resends.told(&batch, end - 1);
        assert_eq!(states(&mut resends, end - 1), ["resolved"]);
        assert_eq!(states(&mut resends, end), [""; 0]);
        assert_eq!(resends.due(), None);
    }

    #[test]
    fn what_was_refused_is_forgotten_and_what_was_known_stays() {
        let mut resends = Resends::new(MINUTE);
        resends.take(alert("known", State::Firing), 0);
        let batch = resends.batch(0);
        resends.told(&batch, 0);
        resends.take(alert("bad", State::Firing), 0);
        let batch = resends.batch(0);
        let refused = resends.refused(&batch, 0);
        assert_eq!(refused.len(), 1);
        assert_eq!(&*refused[0].rule, "bad");
        assert_eq!(states(&mut resends, 0), ["firing"]);
        assert_eq!(resends.due(), Some(nanos(MINUTE)));
    }

    #[test]
    fn a_state_that_came_while_another_was_on_its_way_is_told_next() {
        let mut resends = Resends::new(MINUTE);
        resends.take(alert("r", State::Firing), 0);
        let on_its_way = resends.batch(0);
        resends.take(alert("r", State::Resolved), 0);
        assert_eq!(resends.told(&on_its_way, 0), []);
        assert_eq!(
            (resends.due(), states(&mut resends, 0)),
            (Some(0), vec!["resolved"])
        );
    }

    #[test]
    fn there_is_room_for_so_many_and_for_news_of_those() {
        let mut resends = Resends::new(MINUTE);
        for n in 0..MAX_STANDING {
            assert!(resends.take(alert(&format!("r{n}"), State::Firing), 0));
        }
        assert!(!resends.take(alert("more", State::Firing), 0));
        assert!(resends.take(alert("r7", State::Resolved), 0));
    }
}
