//! One rule at work: its state, its evidence, and what it has not yet told.

use std::collections::VecDeque;

use crate::alert::{Alert, AlertState, RuleCounts, State};
use crate::clock::{Clock, nanos};
use crate::rule::Rule;
use crate::watch::{Change, Firing, Watch};
use crate::width::cut;
use crate::window::Window;

/// Everything that changes about one rule. Lives behind a lock that is held for moments.
#[derive(Debug)]
pub(crate) struct Slot {
    watch: Watch,
    latest: VecDeque<Sample>,
    last: Option<Occurrence>,
    pending: VecDeque<Occurrence>,
    matched: u64,
    fired: u64,
    resolved: u64,
    untold: u64,
}

/// One firing, over or not, in times of the steady clock.
#[derive(Clone, Debug)]
pub(crate) struct Occurrence {
    firing: Firing,
    resolved_at: Option<u64>,
    samples: Vec<String>,
    trace_id: Option<String>,
}

#[derive(Debug, Default)]
struct Sample {
    text: String,
    trace_id: String,
}

impl Slot {
    pub(crate) fn new(rule: &Rule) -> Self {
        let window = Window::new(nanos(rule.window), rule.threshold);
        Self {
            watch: Watch::new(window, nanos(rule.resolve_after)),
            latest: VecDeque::new(),
            last: None,
            pending: VecDeque::new(),
            matched: 0,
            fired: 0,
            resolved: 0,
            untold: 0,
        }
    }

    /// A matching event. Tells whether somebody should look at [`take`](Self::take).
    pub(crate) fn hit(&mut self, now: u64, text: &str, trace_id: Option<&str>) -> bool {
        self.matched += 1;
        // While it fires the evidence is taken already: a storm costs no copying.
        if self
            .watch
            .firing()
            .is_none_or(|_| self.watch.due().is_some_and(|due| due <= now))
        {
            self.sample(text, trace_id);
        }
        let changes = self.watch.hit(now);
        changes.into_iter().flatten().fold(false, |_, change| {
            self.note(change);
            true
        })
    }

    /// Time has gone by.
    pub(crate) fn turn(&mut self, now: u64) {
        if let Some(change) = self.watch.turn(now) {
            self.note(change);
        }
    }

    /// The oldest change that was not told yet.
    pub(crate) fn take(&mut self) -> Option<Occurrence> {
        self.pending.pop_front()
    }

    /// When to call [`turn`](Self::turn) next.
    pub(crate) fn due(&self) -> Option<u64> {
        self.watch.due()
    }

    /// Changes that were dropped since nobody took them.
    pub(crate) fn untold(&self) -> u64 {
        self.untold
    }

    fn note(&mut self, change: Change) {
        let occurrence = match change {
            Change::Fired(firing) => {
                self.fired += 1;
                // A threshold of one is reached by one event: the samples before it are old.
                let fresh = usize::try_from(firing.count)
                    .unwrap_or(usize::MAX)
                    .min(self.latest.len());
                let latest = || self.latest.iter().skip(self.latest.len() - fresh);
                let traced = latest().rev().find(|sample| !sample.trace_id.is_empty());
                Occurrence {
                    firing,
                    resolved_at: None,
                    samples: latest().map(|sample| sample.text.clone()).collect(),
                    trace_id: traced.map(|sample| sample.trace_id.clone()),
                }
            }
            Change::Resolved { firing, at } => {
                self.resolved += 1;
                let evidence = self.last.take();
                let (samples, trace_id) = evidence
                    .map(|last| (last.samples, last.trace_id))
                    .unwrap_or_default();
                Occurrence {
                    firing,
                    resolved_at: Some(at),
                    samples,
                    trace_id,
                }
            }
        };
        self.last = Some(occurrence.clone());
        // Only a listener that never returns lets these grow; then the oldest pair is old news.
        if self.pending.len() == MAX_PENDING {
            self.pending.drain(..2);
            self.untold += 2;
        }
        self.pending.push_back(occurrence);
    }

    fn sample(&mut self, text: &str, trace_id: Option<&str>) {
        let mut sample = match self.latest.len() {
            MAX_SAMPLES => self.latest.pop_front().unwrap_or_default(),
            _ => Sample::default(),
        };
        sample.text.clear();
        clean(text, &mut sample.text);
        sample.trace_id.clear();
        sample
            .trace_id
            .push_str(cut(trace_id.unwrap_or(""), MAX_TRACE_ID));
        self.latest.push_back(sample);
    }

    pub(crate) fn state(&self, rule: &Rule, about: &About<'_>) -> AlertState {
        let now = about.clock.now();
        let alert = self.last.as_ref().map(|last| {
            // What has matched since the firing was told counts too.
            let firing = self.watch.firing().unwrap_or(last.firing);
            about.alert(
                rule,
                &Occurrence {
                    firing,
                    ..last.clone()
                },
            )
        });
        AlertState {
            rule: rule.name.clone(),
            level: rule.severity,
            state: alert.as_ref().map_or(State::Inactive, |alert| alert.state),
            count: self.watch.count(now) as u64,
            threshold: rule.threshold as u64,
            window: rule.window,
            since: alert
                .as_ref()
                .map(|alert| alert.resolved_at.unwrap_or(alert.fired_at)),
            alert,
        }
    }

    pub(crate) fn counts(&self, rule: &Rule) -> RuleCounts {
        let Self {
            matched,
            fired,
            resolved,
            ..
        } = *self;
        RuleCounts {
            rule: rule.name.clone(),
            matched,
            fired,
            resolved,
        }
    }
}

/// What an alert says besides its rule and its occurrence.
pub(crate) struct About<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) fields: &'a [(String, String)],
}

impl About<'_> {
    pub(crate) fn alert(&self, rule: &Rule, occurrence: &Occurrence) -> Alert {
        let Occurrence {
            firing,
            resolved_at,
            samples,
            trace_id,
        } = occurrence;
        let labels = self
            .fields
            .iter()
            .cloned()
            .chain(rule.labels.clone())
            .collect();
        Alert {
            rule: rule.name.clone(),
            level: rule.severity,
            state: if resolved_at.is_some() {
                State::Resolved
            } else {
                State::Firing
            },
            count: firing.count,
            threshold: rule.threshold as u64,
            window: rule.window,
            first_bad: self.clock.wall_at(firing.first_bad),
            fired_at: self.clock.wall_at(firing.fired_at),
            resolved_at: resolved_at.map(|at| self.clock.wall_at(at)),
            samples: samples.clone(),
            trace_id: trace_id.clone(),
            labels,
        }
    }
}

impl Occurrence {
    pub(crate) fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// Copies text so that it can do no harm where it is shown: no control characters, no bidi tricks.
fn clean(text: &str, out: &mut String) {
    for char in text.chars() {
        let start = out.len();
        let bidi = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if char.is_control() || bidi {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
        if out.len() > MAX_SAMPLE {
            out.truncate(start);
            return;
        }
    }
}

const MAX_SAMPLES: usize = 3;

/// In bytes: three of them fit the smallest sink beside their alert.
const MAX_SAMPLE: usize = 512;

/// In bytes: four times a W3C trace id.
const MAX_TRACE_ID: usize = 128;

const MAX_PENDING: usize = 16;

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLE, Slot, clean};
    use crate::Rules;

    fn slot(threshold: usize) -> Slot {
        let rules = Rules::parse(&format!(
            "- {{name: r, pattern: x, threshold: {threshold}}}"
        ));
        Slot::new(&rules.unwrap().document.rules[0])
    }

    #[test]
    fn samples_are_the_latest_events_of_the_window_that_fired() {
        for (threshold, samples, trace) in [
            (1, &["e0"][..], Some("t0")),
            (2, &["e0", "e1"], Some("t0")),
            (5, &["e2", "e3", "e4"], Some("t4")),
        ] {
            let mut slot = slot(threshold);
            for event in 0..threshold {
                let trace_id = format!("t{event}");
                let trace_id = (event % 2 == 0).then_some(&*trace_id);
                slot.hit(event as u64, &format!("e{event}"), trace_id);
            }
            let fired = slot.take().unwrap();
            assert_eq!(fired.samples, samples);
            assert_eq!(fired.trace_id.as_deref(), trace);
            assert!(slot.take().is_none());
        }
    }

    #[test]
    fn a_second_episode_carries_its_own_evidence() {
        let minute = 60_000_000_000;
        let mut slot = slot(1);
        assert!(slot.hit(0, "first", Some("a")));
        assert!(!slot.hit(1, "still the first", None));
        assert!(slot.hit(9 * minute, "second", None));
        let told: Vec<_> = std::iter::from_fn(|| slot.take()).collect();
        let samples: Vec<_> = told
            .iter()
            .map(|one| (&one.samples[..], one.is_firing()))
            .collect();
        let (first, second) = (["first".to_owned()], ["second".to_owned()]);
        assert_eq!(
            samples,
            [(&first[..], true), (&first[..], false), (&second[..], true)]
        );
        assert_eq!(told[1].firing.count, 2);
        assert_eq!(told[2].trace_id, None);
    }

    #[test]
    fn what_nobody_takes_stays_bounded_and_ends_with_the_latest() {
        let minute = 60_000_000_000;
        let mut slot = slot(1);
        for episode in 0..1000 {
            slot.hit(episode * 9 * minute, &format!("e{episode}"), None);
        }
        let told: Vec<_> = std::iter::from_fn(|| slot.take()).collect();
        assert!(told.len() <= super::MAX_PENDING);
        assert_eq!(told.last().unwrap().samples, ["e999"]);
        assert!(
            told.windows(2)
                .all(|two| two[0].is_firing() != two[1].is_firing())
        );
    }

    #[test]
    fn a_sample_is_cut_at_a_character_and_carries_no_control() {
        let mut out = String::new();
        clean(&"支".repeat(300), &mut out);
        assert_eq!(out, "支".repeat(MAX_SAMPLE / 3));
        out.clear();
        clean("a\u{1b}[31mred\nb\u{202e}c", &mut out);
        assert_eq!(out, "a\\u{1b}[31mred\\nb\\u{202e}c");
    }
}
