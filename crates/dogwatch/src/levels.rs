//! Decides what is logged now: the base, what was added for a time, and when that is over. Pure.

use std::time::{Duration, Instant};

/// Filter directives with their time to live.
#[derive(Debug)]
pub(crate) struct Levels {
    base: String,
    added: Vec<(String, Instant)>,
}

impl Levels {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            added: Vec::new(),
        }
    }

    pub(crate) fn set_base(&mut self, base: &str) {
        base.clone_into(&mut self.base);
    }

    /// Adds on top of the base. The same directives again: their time begins anew.
    pub(crate) fn add(&mut self, directives: &str, until: Instant) {
        self.added.retain(|(other, _)| other != directives);
        self.added.push((directives.to_owned(), until));
    }

    /// Forgets what is over at `now`.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.added.retain(|(_, until)| *until > now);
    }

    /// How long until the next of them is over.
    pub(crate) fn due(&self, now: Instant) -> Option<Duration> {
        let next = self.added.iter().map(|(_, until)| *until).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// All directives as one text: of two for one target, the later stands.
    pub(crate) fn directives(&self) -> String {
        let added = self.added.iter().map(|(directives, _)| directives.as_str());
        std::iter::once(self.base.as_str())
            .chain(added)
            .collect::<Vec<_>>()
            .join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_over_after_its_time_and_the_base_is_back() {
        let now = Instant::now();
        let minutes = |n: u64| now + Duration::from_secs(60 * n);
        let mut levels = Levels::new("info");
        levels.add("shop::pay=debug", minutes(10));
        levels.add("shop=trace", minutes(5));
        assert_eq!(levels.directives(), "info,shop::pay=debug,shop=trace");
        assert_eq!(levels.due(minutes(1)), Some(Duration::from_secs(240)));
        levels.expire(minutes(5));
        assert_eq!(levels.directives(), "info,shop::pay=debug");
        levels.set_base("warn");
        levels.expire(minutes(10));
        assert_eq!(
            (levels.directives().as_str(), levels.due(minutes(10))),
            ("warn", None)
        );
    }

    #[test]
    fn the_same_directives_again_begin_their_time_anew() {
        let now = Instant::now();
        let mut levels = Levels::new("info");
        levels.add("shop=debug", now + Duration::from_secs(1));
        levels.add("shop=debug", now + Duration::from_secs(9));
        levels.expire(now + Duration::from_secs(1));
        assert_eq!(levels.directives(), "info,shop=debug");
    }
}
