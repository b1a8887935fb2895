//! Decides when a rule fires and when it resolves. Pure: it is told the time.

use crate::anomaly::Odds;
use crate::clock::nanos;
use crate::meter::{Level, Meter, Weight};
use crate::rule::Rule;

/// One group's state over time. Times are nanoseconds of one steady clock.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) meter: Meter,
    /// How long it must be bad before it fires.
    hold_for: u64,
    /// How long it must be good before it resolves; `None` waits for an event that says so.
    resolve_after: Option<u64>,
    pub(crate) stage: Stage,
    /// The moment up to which all is decided.
    at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stage {
    Inactive,
    /// It is bad, and not yet for long enough.
    Pending {
        since: u64,
        firing: Firing,
    },
    Firing(Firing),
}

/// A firing that is not over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Firing {
    /// The first of the events that reached the limit.
    pub(crate) first_bad: u64,
    /// The moment at which it fired.
    pub(crate) fired_at: u64,
    /// Matching events since the first bad one, it included.
    pub(crate) count: u64,
    /// Among how many, or after how many.
    pub(crate) total: Option<u64>,
    /// How unusual that is, where that is what is measured.
    pub(crate) odds: Option<Odds>,
    /// What was measured, where that is no count.
    pub(crate) value: Option<f64>,
    /// Since when it is good.
    pub(crate) good_since: Option<u64>,
}

/// What a step brought about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    Fired(Firing),
    Resolved { firing: Firing, at: u64 },
}

impl Watch {
    pub(crate) fn new(rule: &Rule) -> Self {
        Self {
            meter: Meter::new(rule),
            hold_for: nanos(rule.hold_for),
            resolve_after: rule.resolve_after.map(nanos),
            stage: Stage::Inactive,
            at: 0,
        }
    }

    /// A matching event. What was due before it comes first, so that the outcome hangs on the
    /// times of the events alone and never on how often anybody looked.
    pub(crate) fn hit(
        &mut self,
        now: u64,
        weight: impl Into<Weight>,
        changed: &mut impl FnMut(Change),
    ) {
        self.turn(now, changed);
        let now = self.at.max(now);
        let weight = weight.into();
        self.meter.push(now, weight);
        if let (Stage::Pending { firing, .. } | Stage::Firing(firing), true) =
            (&mut self.stage, weight != Weight::None)
        {
            firing.count += 1;
        }
        self.judge(now, changed);
    }

    /// An event that says that all is well.
    pub(crate) fn clear(&mut self, now: u64, changed: &mut impl FnMut(Change)) {
        self.turn(now, changed);
        self.meter.clear();
        if let Stage::Firing(firing) = std::mem::replace(&mut self.stage, Stage::Inactive) {
            changed(Change::Resolved { firing, at: now });
        }
    }

    /// Time has gone by: each moment at which something was due is judged as if it were now.
    pub(crate) fn turn(&mut self, now: u64, changed: &mut impl FnMut(Change)) {
        while let Some(due) = self.due().filter(|&due| due <= now) {
            self.at = self.at.max(due);
            self.judge(self.at, changed);
        }
        self.at = self.at.max(now);
    }

    /// When to call [`turn`](Self::turn) next.
    pub(crate) fn due(&self) -> Option<u64> {
        let level = || self.meter.next(self.at);
        let timer = match &self.stage {
            Stage::Inactive if !self.meter.rises_by_itself() => return None,
            Stage::Inactive => None,
            Stage::Pending { since, .. } => Some(since.saturating_add(self.hold_for)),
            Stage::Firing(firing) => firing
                .good_since
                .zip(self.resolve_after)
                .map(|(since, after)| since.saturating_add(after)),
        };
        level().into_iter().chain(timer).min()
    }

    pub(crate) fn firing(&self) -> Option<Firing> {
        match self.stage {
            Stage::Firing(firing) => Some(firing),
            _ => None,
        }
    }

    /// Goes on from what was so at `at`, with the meter as it was then, as far as it was kept.
    pub(crate) fn recall(&mut self, mut stage: Stage, at: u64) {
        if let (Stage::Firing(firing), None) = (&mut stage, self.meter.next(at)) {
            // Nothing will change: looked at once more, so that no alert lasts for ever.
            firing.good_since.get_or_insert(at);
        }
        self.stage = stage;
        self.at = at;
    }

    /// Whether it is at rest and would count from nothing.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        self.stage == Stage::Inactive && self.meter.is_empty(now)
    }

    fn judge(&mut self, now: u64, changed: &mut impl FnMut(Change)) {
        self.meter.forget(now);
        let level = self.meter.level(now);
        if let (Stage::Inactive, Level::Over) = (&self.stage, level) {
            let (count, total) = self.meter.count(now);
            let firing = Firing {
                first_bad: self.meter.first(now).unwrap_or(now),
                fired_at: now,
                count,
                total,
                odds: self.meter.odds(now),
                value: self.meter.value(now),
                good_since: None,
            };
            self.stage = Stage::Pending { since: now, firing };
        }
        match &mut self.stage {
            Stage::Inactive => {}
            Stage::Pending { .. } if level != Level::Over => self.stage = Stage::Inactive,
            Stage::Pending { since, firing } => {
                if now >= since.saturating_add(self.hold_for) {
                    let firing = Firing {
                        fired_at: now,
                        // What it has come to in the wait.
                        value: self.meter.value(now).or(firing.value),
                        ..*firing
                    };
                    self.stage = Stage::Firing(firing);
                    changed(Change::Fired(firing));
                }
            }
            Stage::Firing(firing) => {
                firing.good_since = match level {
                    Level::Under => firing.good_since.or(Some(now)),
                    // Not good enough: what was good before counts for nothing.
                    Level::Over | Level::Between => None,
                };
                let over = firing
                    .good_since
                    .zip(self.resolve_after)
                    .is_some_and(|(since, after)| since.saturating_add(after) <= now);
                if over {
                    let firing = *firing;
                    self.stage = Stage::Inactive;
                    changed(Change::Resolved { firing, at: now });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Watch};
    use crate::Rules;
    use crate::meter::Weight;
    use proptest::prelude::*;

    /// A rule in milliseconds, so that a table can tell its times by the nanosecond: see [`MS`].
    fn watch(keys: &str) -> Watch {
        let yaml = format!("{{name: r, match: 'x=1', {keys}}}");
        Watch::new(&Rules::parse(&yaml).unwrap().document.rules[0])
    }

    fn plain(threshold: usize, length: u64, resolve_after: u64) -> Watch {
        watch(&format!(
            "threshold: {threshold}, window: {length}ms, resolve_after: {resolve_after}ms"
        ))
    }

    const MS: u64 = 1_000_000;

    /// `h` hit, a digit a number, a capital a value, `o` one of the others, `c` clear, `t` turn; what each step shows: `F` fired, from
    /// the first bad one, `R@n` resolved at n, `-` nothing.
    fn run(mut watch: Watch, steps: &[(char, u64)]) -> Vec<String> {
        let show = |changes: &[Change]| {
            let text: String = changes
                .iter()
                .map(|change| match change {
                    Change::Fired(firing) => {
                        format!("F{}..{}", firing.first_bad / MS, firing.fired_at / MS)
                    }
                    Change::Resolved { firing, at } => format!("R@{}x{}", at / MS, firing.count),
                })
                .collect();
            if text.is_empty() {
                String::from("-")
            } else {
                text
            }
        };
        let step = |&(step, now): &(char, u64)| {
            let mut changes = Vec::new();
            let mut note = |change| changes.push(change);
            match step {
                'h' => watch.hit(now * MS, true, &mut note),
                'o' => watch.hit(now * MS, false, &mut note),
                '0'..='9' => {
                    let number = f64::from(u32::from(step) - u32::from('0'));
                    watch.hit(now * MS, Weight::Number(number), &mut note);
                }
                'A'..='Z' => watch.hit(now * MS, Weight::Value(u64::from(step)), &mut note),
                'c' => watch.clear(now * MS, &mut note),
                _ => watch.turn(now * MS, &mut note),
            }
            show(&changes)
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn each_type_and_each_wait_follows_the_table() {
        let check = |keys: &str, steps: &[(char, u64)], shown: &[&str]| {
            assert_eq!(run(watch(keys), steps), shown, "{keys} {steps:?}");
        };
        // `for`: bad without a break for so long, and not a moment less.
        let held = "threshold: 1, window: 10ms, for: 8ms, resolve_after: 0s";
        check(
            held,
            &[('h', 0), ('t', 7), ('t', 8), ('t', 10)],
            &["-", "-", "F0..8", "R@10x1"],
        );
        let short = "threshold: 1, window: 10ms, for: 12ms";
        check(short, &[('h', 0), ('t', 99)], &["-", "-"]);
        check(
            short,
            &[('h', 0), ('h', 5), ('t', 99)],
            &["-", "-", "F0..12R@25x2"],
        );
        // Two limits: it fires at three and is good again below two.
        let two = "threshold: 3, window: 10ms, resolve_after: 0s, clear: {below: 2}";
        let steps = [('h', 0), ('h', 4), ('h', 8), ('t', 13), ('t', 14)];
        check(two, &steps, &["-", "-", "F0..8", "-", "R@14x3"]);
        // Between the limits is not good: the wait begins anew.
        let waits = "threshold: 3, window: 10ms, resolve_after: 5ms, clear: {below: 2}";
        let steps = [('h', 0), ('h', 1), ('h', 9), ('h', 12), ('t', 99)];
        check(waits, &steps, &["-", "-", "F0..9", "-", "R@24x4"]);
        // Only an event that says so ends it, and it counts from nothing then.
        let said = "threshold: 2, window: 10ms, clear: {match: 'x=2'}";
        let steps = [
            ('h', 0),
            ('h', 1),
            ('t', 9999),
            ('c', 10_000),
            ('h', 10_001),
        ];
        check(said, &steps, &["-", "F0..1", "-", "R@10000x2", "-"]);
        check(
            said,
            &[('h', 0), ('c', 1), ('h', 2), ('h', 3)],
            &["-", "-", "-", "F2..3"],
        );
        // Either ends it.
        let either = "threshold: 1, window: 10ms, resolve_after: 5ms, clear: {match: 'x=2'}";
        check(either, &[('h', 0), ('c', 1)], &["F0..0", "R@1x1"]);
        check(either, &[('h', 0), ('t', 15)], &["F0..0", "R@15x1"]);
        // Any: one is too many.
        let any = "type: any, window: 10ms";
        check(
            any,
            &[('h', 3), ('t', 22), ('t', 23)],
            &["F3..3", "-", "R@23x1"],
        );
        // Silence counts once something was heard, and ends with the next sound.
        let silent = "type: absence, window: 10ms";
        check(silent, &[('t', 99)], &["-"]);
        let steps = [
            ('h', 3),
            ('t', 12),
            ('t', 13),
            ('h', 20),
            ('h', 25),
            ('t', 35),
        ];
        check(
            silent,
            &steps,
            &["-", "-", "F3..13", "R@20x1", "-", "F25..35"],
        );
        let forgets = "type: absence, window: 10ms, forget_after: 7ms";
        check(
            forgets,
            &[('h', 0), ('t', 16), ('t', 99)],
            &["-", "F0..10", "R@17x0"],
        );
        // A share of enough.
        let ratio =
            "type: ratio, of: '*', threshold: 50%, min_total: 4, window: 60ms, resolve_after: 0s";
        let steps = [
            ('h', 0),
            ('o', 1),
            ('h', 2),
            ('h', 3),
            ('o', 4),
            ('o', 5),
            ('o', 6),
        ];
        check(ratio, &steps, &["-", "-", "-", "F0..3", "-", "-", "R@6x3"]);
        // What leaves the window can make the rest bad: at 60 the first good one is gone.
        let good = [('o', 0), ('o', 1), ('o', 2), ('o', 3)];
        let bad = [('h', 30), ('h', 31), ('h', 32), ('t', 59), ('t', 99)];
        let shown = ["-", "-", "-", "-", "-", "-", "-", "-", "F30..60R@63x3"];
        check(ratio, &[&good[..], &bad].concat(), &shown);
        // A mean of enough numbers, until it is small again.
        let mean = "type: field_stat, field: x, stat: avg, threshold: 7, min_count: 3, window: 12ms, clear: {below: 5}, resolve_after: 0s";
        let steps = [
            ('9', 0),
            ('9', 1),
            ('9', 2),
            ('0', 3),
            ('0', 4),
            ('0', 5),
            ('t', 99),
        ];
        check(mean, &steps, &["-", "-", "F0..2", "-", "-", "R@5x6", "-"]);
        // What leaves can make the rest bad, and what is left too few.
        let steps = [('0', 0), ('9', 1), ('9', 2), ('9', 3), ('t', 11), ('t', 99)];
        check(mean, &steps, &["-", "-", "-", "-", "-", "F1..12R@13x3"]);
        // The same value twice is one, and counts from the last time on.
        let values = "type: cardinality, field: x, threshold: 3, window: 10ms, clear: {below: 2}, resolve_after: 0s";
        let steps = [
            ('A', 0),
            ('B', 1),
            ('A', 2),
            ('C', 3),
            ('A', 11),
            ('t', 12),
            ('t', 13),
        ];
        check(
            values,
            &steps,
            &["-", "-", "-", "F1..3", "-", "-", "R@13x4"],
        );
        let steps = [('A', 0), ('B', 9), ('C', 10), ('A', 11)];
        check(values, &steps, &["-", "-", "-", "F9..11"]);
        // Half as many as as long before, until the time before was as poor.
        let falls =
            "type: change, threshold: -50%, min_reference: 2, window: 1200ms, resolve_after: 0s";
        let steps = [
            ('h', 0),
            ('h', 1200),
            ('h', 1300),
            ('h', 1400),
            ('t', 2500),
            ('t', 9999),
        ];
        let shown = ["-", "-", "-", "-", "F1400..2500", "R@3700x1"];
        check(falls, &steps, &shown);
        // As many as usual is no spike, and nothing is compared with what was not seen.
        let spike = "type: spike, factor: 2, min_count: 4, min_reference: 2, window: 1200ms, resolve_after: 0s";
        let steps = [('h', 0), ('h', 100), ('h', 200), ('h', 300), ('t', 1500)];
        check(spike, &steps, &["-", "-", "-", "-", "-"]);
        let steps = [
            ('h', 0),
            ('h', 1400),
            ('h', 1500),
            ('h', 2500),
            ('h', 2600),
            ('h', 2650),
            ('h', 2700),
            ('t', 9999),
        ];
        check(
            spike,
            &steps,
            &["-", "-", "-", "-", "-", "-", "F2500..2700", "R@3700x4"],
        );
    }

    #[test]
    fn the_states_follow_the_table() {
        // (threshold, length, resolve_after), the steps, what each shows.
        let check = |limits: (usize, u64, u64), steps: &[(char, u64)], shown: &[&str]| {
            assert_eq!(
                run(plain(limits.0, limits.1, limits.2), steps),
                shown,
                "{limits:?} {steps:?}"
            );
        };
        // The threshold's last event fires; one too late does not.
        check((2, 10, 10), &[('h', 0), ('h', 9)], &["-", "F0..9"]);
        check((2, 10, 10), &[('h', 0), ('h', 10)], &["-", "-"]);
        // A threshold of one fires at once and resolves a window and a wait later.
        check(
            (1, 10, 5),
            &[('h', 3), ('t', 17), ('t', 18)],
            &["F3..3", "-", "R@18x1"],
        );
        // A late look tells the time when it was due.
        check((1, 10, 5), &[('h', 3), ('t', 99)], &["F3..3", "R@18x1"]);
        // Reached again before the wait is over: it goes on firing, and fires once.
        check(
            (2, 10, 10),
            &[
                ('h', 0),
                ('h', 1),
                ('h', 12),
                ('h', 13),
                ('t', 31),
                ('t', 32),
            ],
            &["-", "F0..1", "-", "-", "-", "R@32x4"],
        );
        // A drip below the threshold does not hold the alert up.
        check(
            (2, 10, 10),
            &[('h', 0), ('h', 1), ('h', 12), ('t', 19), ('t', 20)],
            &["-", "F0..1", "-", "-", "R@20x3"],
        );
        // An event after the due time finds it resolved, and may fire anew.
        check(
            (1, 10, 0),
            &[('h', 0), ('h', 50)],
            &["F0..0", "R@10x1F50..50"],
        );
        // Nothing happens to a rule at rest.
        check(
            (2, 10, 10),
            &[('t', 5), ('h', 6), ('t', 100)],
            &["-", "-", "-"],
        );
    }

    proptest! {
        #[test]
        fn looking_more_often_changes_nothing(
            threshold in 1_usize..5, length in 1_u64..30, resolve_after in 0_u64..30,
            gaps in prop::collection::vec(0_u64..25, 1..60),
        ) {
            let mut seldom = plain(threshold, length, resolve_after);
            let mut often = plain(threshold, length, resolve_after);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let mut now = 0;
            for gap in gaps {
                for _ in 0..gap {
                    now += 1;
                    often.turn(now * MS, &mut |change| b.push(change));
                }
                seldom.hit(now * MS, true, &mut |change| a.push(change));
                often.hit(now * MS, true, &mut |change| b.push(change));
            }
            seldom.turn(u64::MAX, &mut |change| a.push(change));
            often.turn(u64::MAX, &mut |change| b.push(change));
            prop_assert_eq!(a, b);
        }

        #[test]
        fn it_resolves_exactly_when_it_says_it_is_due(
            threshold in 1_usize..5, length in 1_u64..30, resolve_after in 0_u64..30,
            gaps in prop::collection::vec(0_u64..10, 5..40),
        ) {
            let mut watch = plain(threshold, length, resolve_after);
            let mut now = 0;
            for gap in gaps {
                now += gap;
                watch.hit(now * MS, true, &mut |_| {});
            }
            if watch.firing().is_none() {
                return Ok(());
            }
            let mut changes = Vec::new();
            while let Some(due) = watch.due() {
                watch.turn(due - 1, &mut |change| changes.push(change));
                prop_assert_eq!(&changes[..], &[][..]);
                watch.turn(due, &mut |change| changes.push(change));
                if let Some(Change::Resolved { at, .. }) = changes.pop() {
                    prop_assert_eq!(at, due);
                    break;
                }
            }
            prop_assert_eq!(watch.firing(), None);
        }
    }
}
