//! Judges old lines by rules as if they happened now: the same engine on the lines' own time.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dogwatch_line::{Lens, Level, Now};

use crate::about::About;
use crate::alert::{Alert, AlertState};
use crate::clock::{Clock as _, EventClock, since_epoch};
use crate::group::Occurrence;
use crate::report::{RuleReport, Tallied};
use crate::rule::{Kind, Rule};
use crate::rules::Rules;
use crate::screen::{Screen, is_own};
use crate::slot::Slot;
use crate::written::Written;

/// Rules at work on lines that were written before.
///
/// ```
/// use dogwatch_alert::{Replay, Rules, State};
///
/// let rules = Rules::parse("- {name: r, match: 'level=error', threshold: 2/10s}")?;
/// let mut replay = Replay::new(&rules);
/// let mut told = Vec::new();
/// for second in [0, 3, 40] {
///     let line = format!(r#"{{"timestamp":"2026-11-24T10:00:{second:02}Z","level":"ERROR"}}"#);
///     replay.line(&line, &mut |alert| told.push(alert.state));
/// }
/// assert_eq!(told, [State::Firing, State::Resolved]);
/// assert_eq!(replay.rules()[0].matched, 3);
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
pub struct Replay {
    rules: Vec<Rule>,
    slots: Vec<Slot>,
    /// For each rule the same with other thresholds.
    sweeps: Vec<Vec<(Rule, Slot)>>,
    tallied: Vec<Tallied>,
    screen: Screen,
    candidates: Vec<usize>,
    lens: Lens,
    clock: EventClock,
    due: Option<u64>,
    from: Option<u64>,
    counts: Lines,
}

/// What became of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lines {
    /// All of them.
    pub lines: u64,
    /// No JSON object.
    pub no_json: u64,
    /// Without a time that can be read.
    pub no_time: u64,
    /// Older than a line before them, by 30 seconds at most: judged at the time of that line.
    pub out_of_order: u64,
    /// Older by more: not judged.
    pub late: u64,
}

impl Replay {
    /// Puts rules to work. Notifiers and playbooks are left alone.
    pub fn new(rules: &Rules) -> Self {
        let rules = rules.document.rules.clone();
        Self {
            slots: rules.iter().map(|rule| Slot::new(rule, 0)).collect(),
            sweeps: rules.iter().map(|_| Vec::new()).collect(),
            tallied: rules.iter().map(|_| Tallied::default()).collect(),
            screen: Screen::new(&rules),
            rules,
            candidates: Vec::new(),
            lens: Lens::new(Now::utc(UNIX_EPOCH)),
            clock: EventClock::default(),
            due: None,
            from: None,
            counts: Lines::default(),
        }
    }

    /// Tries other thresholds beside: half, twice and five times that of each rule of the type
    /// `threshold`. Before the first line.
    pub fn sweep(mut self) -> Self {
        for (rule, sweep) in self.rules.iter().zip(&mut self.sweeps) {
            if rule.kind != Kind::Threshold {
                continue;
            }
            let mut tried = vec![rule.threshold / 2, rule.threshold * 2, rule.threshold * 5];
            tried.retain(|threshold| (1..=MAX_SWEPT).contains(threshold));
            sweep.extend(tried.into_iter().map(|threshold| {
                let rule = Rule {
                    below: (rule.below * threshold / rule.threshold).clamp(1, threshold),
                    threshold,
                    ..rule.clone()
                };
                let slot = Slot::new(&rule, 0);
                (rule, slot)
            }));
        }
        self
    }

    /// Judges a line at its own time. `tell` hears of each change, in the order of time.
    pub fn line(&mut self, line: &str, tell: &mut dyn FnMut(&Alert)) {
        self.counts.lines += 1;
        let seen = self.lens.look(line);
        let Some(at) = seen.nanos() else {
            let is_json = line.trim_start().starts_with('{');
            match is_json {
                true => self.counts.no_time += 1,
                false => self.counts.no_json += 1,
            }
            return;
        };
        let (level, target) = (seen.level(), seen.target());
        let at = u64::try_from(at).unwrap_or(0);
        let now = self.clock.now();
        if at < now {
            if now - at > LATE {
                self.counts.late += 1;
                return;
            }
            self.counts.out_of_order += 1;
        }
        let at = at.max(now);
        let mut candidates = std::mem::take(&mut self.candidates);
        let level = level.unwrap_or(Level::Info);
        let target = target.unwrap_or_default();
        let screen = &mut self.screen;
        screen.candidates(&self.rules, line, level, &target, &mut candidates);
        self.judge(at, line, &candidates, tell);
        self.candidates = candidates;
    }

    /// Judges a line at a time of the caller's.
    pub fn line_at(&mut self, at: SystemTime, line: &str, tell: &mut dyn FnMut(&Alert)) {
        self.counts.lines += 1;
        let target = self.lens.look(line).target();
        let all: Vec<usize> = match target.is_some_and(|target| is_own(&target)) {
            true => Vec::new(),
            false => (0..self.rules.len()).collect(),
        };
        let at = since_epoch(at).max(self.clock.now());
        self.judge(at, line, &all, tell);
    }

    /// Lets time go by: what is due up to this moment is told.
    pub fn turn(&mut self, at: SystemTime, tell: &mut dyn FnMut(&Alert)) {
        let at = since_epoch(at).max(self.clock.now());
        self.begin(at);
        self.turn_to(at, tell);
        for (rule, slot) in self.sweeps.iter_mut().flatten() {
            slot.turn(rule, at);
            while slot.take().is_some() {}
        }
    }

    /// What fires now.
    pub fn active(&self) -> Vec<Alert> {
        let about = self.about();
        let rules = self.rules.iter().zip(&self.slots);
        rules
            .flat_map(|(rule, slot)| slot.active(rule, &about))
            .collect()
    }

    /// How each rule stands now.
    pub fn states(&self) -> Vec<AlertState> {
        let about = self.about();
        let rules = self.rules.iter().zip(&self.slots);
        rules.map(|(rule, slot)| slot.state(rule, &about)).collect()
    }

    /// What became of the lines.
    pub fn lines(&self) -> Lines {
        self.counts
    }

    /// The time of the first line and of the latest.
    pub fn span(&self) -> Option<(SystemTime, SystemTime)> {
        let from = UNIX_EPOCH + Duration::from_nanos(self.from?);
        Some((from, self.clock.wall()))
    }

    /// What each rule has done up to now.
    pub fn rules(&self) -> Vec<RuleReport> {
        let now = self.clock.wall();
        let about = self.about();
        let all = self.rules.iter().zip(&self.slots).zip(&self.tallied);
        all.zip(&self.sweeps)
            .map(|(((rule, slot), tallied), sweep)| {
                let sweep = sweep
                    .iter()
                    .map(|(rule, slot)| (rule.threshold, slot.tally.fired));
                tallied.report(rule, slot, &slot.active(rule, &about), now, sweep.collect())
            })
            .collect()
    }

    fn judge(&mut self, at: u64, line: &str, candidates: &[usize], tell: &mut dyn FnMut(&Alert)) {
        self.begin(at);
        self.turn_to(at, tell);
        if candidates.is_empty() {
            return;
        }
        let seen = self.lens.look(line);
        let Some(mut event) = Written::new(line, &seen) else {
            self.counts.no_json += 1;
            return;
        };
        let mut changed = false;
        for &rule in candidates {
            let (slot, rule, sweeps) = (
                &mut self.slots[rule],
                &self.rules[rule],
                &mut self.sweeps[rule],
            );
            if let Some(role) = rule.role(&mut event, false) {
                changed |= slot.hit(rule, at, role, &mut event);
                for (rule, slot) in sweeps {
                    slot.hit(rule, at, role, &mut event);
                    while slot.take().is_some() {}
                }
            }
        }
        if changed {
            self.tell(tell);
        }
    }

    /// Time begins with the first line.
    fn begin(&mut self, at: u64) {
        if self.from.is_none() {
            self.from = Some(at);
            self.clock.set(at);
            for (slot, rule) in self.slots.iter_mut().zip(&self.rules) {
                *slot = Slot::new(rule, at);
            }
            self.due = self.slots.iter().filter_map(Slot::due).min();
        }
    }

    /// Moment by moment, so that what is told again is told as often as live.
    fn turn_to(&mut self, at: u64, tell: &mut dyn FnMut(&Alert)) {
        while let Some(due) = self.due.filter(|&due| due <= at) {
            self.clock.set(due.max(self.clock.now()));
            for (slot, rule) in self.slots.iter_mut().zip(&self.rules) {
                slot.turn(rule, due);
            }
            self.tell(tell);
        }
        self.clock.set(at);
    }

    /// Tells what the slots have to tell, the oldest first.
    fn tell(&mut self, tell: &mut dyn FnMut(&Alert)) {
        let mut told: Vec<(usize, Occurrence)> = Vec::new();
        for (rule, slot) in self.slots.iter_mut().enumerate() {
            told.extend(std::iter::from_fn(|| slot.take()).map(|one| (rule, one)));
        }
        // Stable: of one moment in the order of the rules.
        told.sort_by_key(|(_, one)| one.at());
        let now = self.clock.wall();
        for (rule, one) in told {
            let alert = self.about().alert(&self.rules[rule], &one);
            let muted =
                self.tallied[rule].tell(&self.rules[rule], &alert, one.again.then_some(now));
            self.slots[rule].tally.muted += u64::from(muted);
            if !one.again {
                tell(&alert);
            }
        }
        self.due = self.slots.iter().filter_map(Slot::due).min();
    }

    fn about(&self) -> About<'_> {
        About {
            clock: &self.clock,
            fields: &[],
        }
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("rules", &self.rules.len())
            .field("lines", &self.counts)
            .finish_non_exhaustive()
    }
}

/// Threads and rolled files are out of step by less: 30 s.
const LATE: u64 = 30_000_000_000;

/// The largest threshold that a rule may have.
const MAX_SWEPT: usize = 100_000;
