//! Tells from a level and a target alone that a query cannot hold, whatever else there will be.

use super::matcher::{Matcher, Node};
use super::names::Names;
use super::now::Now;
use crate::{Level, Value};

impl Matcher {
    /// Whether the query may hold for something that is logged at this level from this target: what
    /// can be decided once for each place in a program that logs. A target that is not known yet is
    /// `None`.
    ///
    /// Only the fields `level` and `target` by these names are looked at.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use dogwatch_line::{Level, Now, Query};
    ///
    /// let query = Query::parse("level>=warn target=shop status>=500")?;
    /// let matcher = query.matcher(Now::utc(SystemTime::now()));
    /// assert!(matcher.may_hold(Level::Error, Some("shop")));
    /// assert!(!matcher.may_hold(Level::Info, Some("shop")));
    /// assert!(!matcher.may_hold(Level::Error, Some("hyper")));
    /// # Ok::<(), dogwatch_line::Error>(())
    /// ```
    pub fn may_hold(&self, level: Level, target: Option<&str>) -> bool {
        let known = Known {
            level,
            target,
            slots: &self.slots,
            now: &self.now,
        };
        known.of(&self.root) != Some(false)
    }
}

struct Known<'a> {
    level: Level,
    target: Option<&'a str>,
    slots: &'a [Names],
    now: &'a Now,
}

impl Known<'_> {
    /// What a node comes to; `None` if the rest decides.
    fn of(&self, node: &Node) -> Option<bool> {
        match node {
            Node::And(parts) => self.decided(parts, false),
            Node::Or(parts) => self.decided(parts, true),
            Node::Not(inner) => self.of(inner).map(|holds| !holds),
            Node::Anywhere { .. } => None,
            Node::Field { slot, check, isnt } => {
                let value = match &*self.slots[*slot].names[0].path {
                    "level" => Value::from(self.level.as_str()),
                    "target" => Value::from(self.target?),
                    _ => return None,
                };
                Some(check.holds(&value, 1.0, self.now) != *isnt)
            }
        }
    }

    /// One part that comes to `decides` decides for all; else all must be known.
    fn decided(&self, parts: &[Node], decides: bool) -> Option<bool> {
        let mut all_known = true;
        for part in parts {
            match self.of(part) {
                Some(holds) if holds == decides => return Some(decides),
                Some(_) => {}
                None => all_known = false,
            }
        }
        all_known.then_some(!decides)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Level, Line, Now, Query};
    use proptest::prelude::*;
    use std::time::SystemTime;

    fn may(query: &str, level: Level, target: Option<&str>) -> bool {
        let now = Now::utc(SystemTime::UNIX_EPOCH);
        let query = Query::parse(query).unwrap();
        query.matcher(now).may_hold(level, target)
    }

    #[test]
    fn what_level_and_target_decide_is_decided_and_nothing_else() {
        for (query, level, target, expected) in [
            ("", Level::Info, None, true),
            ("level>=warn", Level::Info, Some("a"), false),
            ("level>=warn", Level::Warn, Some("a"), true),
            ("-level>=warn", Level::Warn, Some("a"), false),
            ("level!=warn", Level::Warn, Some("a"), false),
            ("level in (warn, error)", Level::Info, Some("a"), false),
            ("level=warn or x=1", Level::Info, Some("a"), true),
            ("level=warn or target=b", Level::Info, Some("a"), false),
            ("level=warn or target=b", Level::Info, None, true),
            ("target=shop*", Level::Info, Some("shop::pay"), true),
            ("-target=hyper timeout", Level::Info, Some("hyper"), false),
            ("not (x=1 target=a)", Level::Info, Some("b"), true),
            ("not (x=1 or target=a)", Level::Info, Some("a"), false),
            // A field called `severity` of one's own would be asked first.
            ("severity=error", Level::Info, Some("a"), true),
            ("target exists", Level::Info, Some("a"), true),
        ] {
            assert_eq!(may(query, level, target), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_query_that_holds_for_a_line_may_hold_for_its_level_and_target(
            level in prop::sample::select(Level::ALL.to_vec()), target in "[ab]", x in 0..3_i64,
            parts in prop::collection::vec(prop::sample::select(vec![
                "level>=warn", "level=info", "-level=error", "level!=fatal", "target=a", "-target=b",
                "x=1", "-x=2", "x exists", "or", "b",
            ]), 1..6),
        ) {
            if let Ok(query) = Query::parse(&parts.join(" ")) {
                let matcher = query.matcher(Now::utc(SystemTime::UNIX_EPOCH));
                let line = format!(r#"{{"level":"{level}","target":"{target}","x":{x},"message":"b"}}"#);
                if matcher.holds(&Line::parse(&line).unwrap()) {
                    prop_assert!(matcher.may_hold(level, Some(&target)), "{query} {line}");
                    prop_assert!(matcher.may_hold(level, None));
                }
            }
        }
    }
}
