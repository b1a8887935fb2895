//! Decides what is logged now: the base, what was added for a time, and when that is over. Pure.

use std::time::{Duration, Instant};

#[cfg(feature = "alert")]
use tracing_core::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Filter directives with their time to live.
#[derive(Debug)]
pub(crate) struct Levels {
    base: String,
    added: Vec<(String, Instant)>,
    /// What playbooks raised, beside what people added: neither takes back the other's.
    raised: Vec<(String, Instant)>,
}

impl Levels {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            added: Vec::new(),
            raised: Vec::new(),
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

    /// Logs at least this much until then. The same again: its time begins anew.
    #[cfg(feature = "alert")]
    pub(crate) fn raise(&mut self, directives: &str, until: Instant) {
        match self
            .raised
            .iter_mut()
            .find(|(other, _)| other == directives)
        {
            Some(known) => known.1 = until,
            None => self.raised.push((directives.to_owned(), until)),
        }
    }

    #[cfg(feature = "alert")]
    pub(crate) fn lower(&mut self, directives: &str) {
        self.raised.retain(|(other, _)| other != directives);
    }

    /// Forgets what is over at `now`.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.added.retain(|(_, until)| *until > now);
        self.raised.retain(|(_, until)| *until > now);
    }

    /// How long until the next of them is over.
    pub(crate) fn due(&self, now: Instant) -> Option<Duration> {
        let all = self.added.iter().chain(&self.raised);
        let next = all.map(|(_, until)| *until).min()?;
        Some(next.saturating_duration_since(now))
    }

    /// All directives as one text: of two for one target, the later stands.
    pub(crate) fn directives(&self) -> String {
        let added = self.added.iter().map(|(directives, _)| directives.as_str());
        let mut out = std::iter::once(self.base.as_str())
            .chain(added)
            .collect::<Vec<_>>()
            .join(",");
        for (directives, _) in &self.raised {
            for part in directives.split(',') {
                // A directive for the same target, or a nearer one, would also lower.
                if !enabled(&out, part) {
                    out.push(',');
                    out.push_str(part);
                }
            }
        }
        out
    }
}

/// Whether the directives log already all that `part`, one of [`raises`], asks for.
fn enabled(directives: &str, part: &str) -> bool {
    let Ok(part) = part.parse::<Targets>() else {
        return false;
    };
    // What looks at spans is no target's level; its commas are inside of brackets.
    let plain = directives
        .split(',')
        .filter(|one| !one.contains(['[', ']', '{', '}']));
    let known: Targets =
        plain
            .filter_map(|one| one.parse::<Targets>().ok())
            .fold(Targets::new(), |all, one| {
                let all = match one.default_level() {
                    Some(level) => all.with_default(level),
                    None => all,
                };
                all.with_targets(one)
            });
    let levels = part
        .iter()
        .map(|(target, level)| (target.to_owned(), level));
    let default = part.default_level().map(|level| (String::new(), level));
    levels.chain(default).all(|(target, level)| {
        level
            .into_level()
            .is_none_or(|level| known.would_enable(&target, &level))
    })
}

/// Whether these are `target=level` or `level`, one or several, each above `off`.
#[cfg(feature = "alert")]
pub(crate) fn raises(directives: &str) -> bool {
    let is_level = |part: &str| {
        let (target, level) = part.rsplit_once('=').unwrap_or(("", part));
        let level = level.parse::<LevelFilter>().ok();
        !target.contains(['[', ']', '{', '}', '=', ' '])
            // The parser takes nothing for `error`.
            && !part.ends_with('=') && !part.is_empty()
            && level.and_then(LevelFilter::into_level).is_some()
    };
    !directives.is_empty() && directives.split(',').all(is_level)
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

    #[cfg(feature = "alert")]
    #[test]
    fn what_is_raised_lowers_nothing_and_leaves_alone_what_others_added() {
        let now = Instant::now();
        let seconds = |n| now + Duration::from_secs(n);
        let directives = |base: &str, raised: &str| {
            let mut levels = Levels::new(base);
            levels.raise(raised, seconds(9));
            levels.directives()
        };
        for (base, raised, all) in [
            ("info", "shop=debug", "info,shop=debug"),
            ("info,shop=trace", "shop=debug", "info,shop=trace"),
            ("info,shop=trace", "shop::pay=debug", "info,shop=trace"),
            ("warn,shop=info", "debug", "warn,shop=info,debug"),
            ("debug", "shop=debug,pay=trace", "debug,pay=trace"),
            (
                "info,[s{a=1,b=2}]=trace",
                "s=debug",
                "info,[s{a=1,b=2}]=trace,s=debug",
            ),
            ("", "shop=debug", ",shop=debug"),
        ] {
            assert_eq!(directives(base, raised), all, "{base} raised by {raised}");
        }
        let mut levels = Levels::new("info");
        levels.add("shop=debug", seconds(5));
        levels.raise("shop=debug", seconds(9));
        levels.lower("shop=debug");
        assert_eq!(levels.directives(), "info,shop=debug", "added by hand");
        levels.raise("shop=debug", seconds(9));
        assert_eq!(levels.due(now), Some(Duration::from_secs(5)));
        levels.expire(seconds(5));
        assert_eq!(levels.directives(), "info,shop=debug", "still raised");
        levels.raise("shop=debug", seconds(12));
        levels.expire(seconds(9));
        assert_eq!(levels.directives(), "info,shop=debug", "its time anew");
        levels.expire(seconds(12));
        assert_eq!(
            (levels.directives().as_str(), levels.due(now)),
            ("info", None)
        );
    }

    #[cfg(feature = "alert")]
    #[test]
    fn only_levels_and_targets_with_a_level_raise() {
        for good in ["debug", "shop::pay=trace", "a=debug,b=INFO", "shop=5"] {
            assert!(raises(good), "{good}");
        }
        for bad in [
            "",
            "shop",
            "off",
            "shop=off",
            "shop=loud",
            "[s]=debug",
            "a[s{x=1}]=debug",
            "a=debug,",
            "=",
        ] {
            assert!(!raises(bad), "{bad}");
        }
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
