//! Decides when a rule fires and when it resolves. Pure: it is told the time.

use crate::window::Window;

/// One rule's state over time. Times are nanoseconds of one steady clock.
#[derive(Debug)]
pub(crate) struct Watch {
    window: Window,
    resolve_after: u64,
    firing: Option<Firing>,
}

/// A firing that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Firing {
    /// The first of the events that reached the threshold.
    pub(crate) first_bad: u64,
    /// The event that reached it.
    pub(crate) fired_at: u64,
    /// Matching events since the first bad one, it included.
    pub(crate) count: u64,
    /// Since when the count in the window is below the threshold.
    below_since: Option<u64>,
}

/// What a step brought about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Fired(Firing),
    Resolved { firing: Firing, at: u64 },
}

impl Watch {
    pub(crate) fn new(window: Window, resolve_after: u64) -> Self {
        Self {
            window,
            resolve_after,
            firing: None,
        }
    }

    /// A matching event. What was due before it comes first, so that the outcome hangs on the
    /// times of the events alone and never on how often anybody looked.
    pub(crate) fn hit(&mut self, now: u64) -> [Option<Change>; 2] {
        let resolved = self.turn(now);
        self.window.push(now);
        let reached = self.window.reached_until().is_some_and(|until| now < until);
        let Some(firing) = &mut self.firing else {
            if reached {
                let first_bad = self.window.first().unwrap_or(now);
                let count = self.window.threshold() as u64;
                let new = Firing {
                    first_bad,
                    fired_at: now,
                    count,
                    below_since: None,
                };
                self.firing = Some(new);
                return [resolved, Some(Change::Fired(new))];
            }
            return [resolved, None];
        };
        firing.count += 1;
        if reached {
            firing.below_since = None;
        }
        [resolved, None]
    }

    /// Time has gone by.
    pub(crate) fn turn(&mut self, now: u64) -> Option<Change> {
        let firing = self.firing.as_mut()?;
        if firing.below_since.is_none() {
            firing.below_since = self.window.reached_until().filter(|&until| until <= now);
        }
        let at = firing.below_since?.saturating_add(self.resolve_after);
        if at > now {
            return None;
        }
        let firing = self.firing.take()?;
        Some(Change::Resolved { firing, at })
    }

    /// When to call [`turn`](Self::turn) next: when the rule resolves if no event comes.
    pub(crate) fn due(&self) -> Option<u64> {
        let firing = self.firing.as_ref()?;
        let below = firing.below_since.or_else(|| self.window.reached_until())?;
        Some(below.saturating_add(self.resolve_after))
    }

    pub(crate) fn firing(&self) -> Option<Firing> {
        self.firing
    }

    pub(crate) fn count(&self, now: u64) -> usize {
        self.window.count(now)
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Watch};
    use crate::window::Window;
    use proptest::prelude::*;

    /// `h` hit, `t` turn; what each step shows: `F` fired, `R@n` resolved at n, `RF`, `-` nothing.
    fn run(
        threshold: usize,
        length: u64,
        resolve_after: u64,
        steps: &[(char, u64)],
    ) -> Vec<String> {
        let mut watch = Watch::new(Window::new(length, threshold), resolve_after);
        let show = |changes: &[Option<Change>]| {
            let text: String = changes
                .iter()
                .flatten()
                .map(|change| match change {
                    Change::Fired(firing) => format!("F{}..{}", firing.first_bad, firing.fired_at),
                    Change::Resolved { firing, at } => format!("R@{at}x{}", firing.count),
                })
                .collect();
            if text.is_empty() {
                String::from("-")
            } else {
                text
            }
        };
        steps
            .iter()
            .map(|&(step, now)| match step {
                'h' => show(&watch.hit(now)),
                _ => show(&[watch.turn(now)]),
            })
            .collect()
    }

    #[test]
    fn the_states_follow_the_table() {
        // (threshold, length, resolve_after), the steps, what each shows.
        let check = |limits: (usize, u64, u64), steps: &[(char, u64)], shown: &[&str]| {
            assert_eq!(
                run(limits.0, limits.1, limits.2, steps),
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
            let mut seldom = Watch::new(Window::new(length, threshold), resolve_after);
            let mut often = Watch::new(Window::new(length, threshold), resolve_after);
            let (mut a, mut b) = (Vec::new(), Vec::new());
            let mut now = 0;
            for gap in gaps {
                for _ in 0..gap {
                    now += 1;
                    b.extend(often.turn(now));
                }
                a.extend(seldom.hit(now).into_iter().flatten());
                b.extend(often.hit(now).into_iter().flatten());
            }
            a.extend(seldom.turn(u64::MAX));
            b.extend(often.turn(u64::MAX));
            prop_assert_eq!(a, b);
        }

        #[test]
        fn it_resolves_exactly_when_it_says_it_is_due(
            threshold in 1_usize..5, length in 1_u64..30, resolve_after in 0_u64..30,
            gaps in prop::collection::vec(0_u64..10, 5..40),
        ) {
            let mut watch = Watch::new(Window::new(length, threshold), resolve_after);
            let mut now = 0;
            for gap in gaps {
                now += gap;
                watch.hit(now);
            }
            if let Some(due) = watch.due() {
                prop_assert_eq!(watch.turn(due - 1), None);
                let resolved = matches!(watch.turn(due), Some(Change::Resolved { at, .. }) if at == due);
                prop_assert!(resolved);
            } else {
                prop_assert_eq!(watch.firing(), None);
            }
        }
    }
}
