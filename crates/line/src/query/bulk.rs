//! Tells of many lines together, unread, that a query holds for none of them.

use super::check::Check;
use super::expr::Op;
use super::matcher::{Matcher, Node};
use super::names::{Kind, Names};
use super::when::Moments;
use crate::Level;

/// What is known of many lines together: by an index, without reading them.
///
/// Each answer may say too much and never too little: `true`, or a wider range, where it is not sure.
pub trait Bulk {
    /// The earliest and the latest time of the lines that have one, in nanoseconds since 1970 UTC,
    /// as [`Gist`](crate::Gist) reads them; `None` if no line has.
    fn times(&self) -> Option<(i128, i128)>;

    /// Whether a line may be of this level.
    fn may_have_level(&self, level: Level) -> bool;

    /// Whether a text may stand in a line: as the whole of a value, or of what stands behind a slash
    /// in it, if `whole`; else anywhere.
    fn may_have_text(&self, text: &str, whole: bool) -> bool;
}

impl Matcher {
    /// Whether the query may hold for one of many lines. `false` is certain.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use dogwatch_line::{Bulk, Level, Now, Query};
    ///
    /// /// Lines of one morning, none above INFO.
    /// struct Quiet;
    ///
    /// impl Bulk for Quiet {
    ///     fn times(&self) -> Option<(i128, i128)> {
    ///         Some((1_795_500_000_000_000_000, 1_795_514_400_000_000_000))
    ///     }
    ///     fn may_have_level(&self, level: Level) -> bool {
    ///         level <= Level::Info
    ///     }
    ///     fn may_have_text(&self, _: &str, _: bool) -> bool {
    ///         true
    ///     }
    /// }
    ///
    /// let may = |query: &str| Ok::<_, dogwatch_line::Error>(
    ///     Query::parse(query)?.matcher(Now::utc(SystemTime::UNIX_EPOCH)).may_hold_in(&Quiet));
    /// assert!(!may("level>=warn")?);
    /// assert!(!may("status>=500 since=2026-11-25")?);
    /// assert!(may("level>=warn or timeout")?);
    /// # Ok::<(), dogwatch_line::Error>(())
    /// ```
    pub fn may_hold_in(&self, bulk: &(impl Bulk + ?Sized)) -> bool {
        self.root().may_hold_in(self.slots(), bulk)
    }
}

impl Node {
    fn may_hold_in(&self, slots: &[Names], bulk: &(impl Bulk + ?Sized)) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.may_hold_in(slots, bulk)),
            Node::Or(parts) => parts.iter().any(|part| part.may_hold_in(slots, bulk)),
            // What all lines have is not known, only what none has.
            Node::Not(_) | Node::Field { isnt: true, .. } => true,
            Node::Field { slot, check, .. } => check.may_hold_in(&slots[*slot], bulk),
            Node::Anywhere {
                check: Check::Contains(text),
                ..
            } => bulk.may_have_text(text, false),
            Node::Anywhere { .. } => true,
        }
    }
}

impl Check {
    fn may_hold_in(&self, names: &Names, bulk: &(impl Bulk + ?Sized)) -> bool {
        // Under another of its names first, a line may have another time or level.
        let is_first = |kind, name: &str| names.kind == kind && &*names.names[0].path == name;
        match self {
            Check::When(op, moments) if is_first(Kind::Time, "timestamp") => bulk
                .times()
                .is_some_and(|(earliest, latest)| overlaps(*op, *moments, earliest, latest)),
            Check::Level(op, wanted) if is_first(Kind::Level, "level") => Level::ALL
                .into_iter()
                .any(|level| op.holds(level.cmp(wanted)) && bulk.may_have_level(level)),
            Check::Text(text) => bulk.may_have_text(text, true),
            Check::Any(checks) => checks.iter().any(|check| check.may_hold_in(names, bulk)),
            _ => true,
        }
    }
}

/// Whether a moment between the earliest and the latest stands so to a stretch of time.
fn overlaps(op: Op, moments: Moments, earliest: i128, latest: i128) -> bool {
    match op {
        Op::Is => latest >= moments.from && earliest < moments.to,
        Op::Isnt => true,
        Op::Less => earliest < moments.from,
        Op::AtMost => earliest < moments.to,
        Op::More => latest >= moments.to,
        Op::AtLeast => latest >= moments.from,
    }
}
