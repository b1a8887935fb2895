//! Decides when a playbook acts, is refused and is taken back. Pure: no thread, no clock of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{nanos, until};

/// What a rule allows its playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) lease: Duration,
    /// How long after it was taken back it may act again.
    pub(crate) cooldown: Duration,
    /// How often it may begin to act within any hour; a renewal is no beginning.
    pub(crate) max_per_hour: usize,
    /// How long it acts at most for one firing of the rule.
    pub(crate) ttl: Option<Duration>,
}

/// Why a playbook did not act though a rule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Playbooks are turned off.
    Off,
    /// It was taken back a moment ago.
    Cooldown,
    /// It began as often as allowed in the last hour.
    MaxPerHour,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Cooldown => "cooldown",
            Self::MaxPerHour => "max_per_hour",
        }
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// For this rule; it holds for so long.
    Apply(Arc<str>, Duration),
    /// Longer: it is at work.
    Renew(Duration),
    Refuse(Arc<str>, Reason),
    Revert,
    Wait(Option<Duration>),
    End,
}

/// Which rules want the playbook and until when, and what it did before.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    wants: Vec<Want>,
    renewed: bool,
    applied: bool,
    reverted_at: Option<u64>,
    /// When it began to act, the latest hour, oldest first.
    begun: VecDeque<u64>,
    off: bool,
    ending: bool,
}

#[derive(Debug)]
struct Want {
    rule: Arc<str>,
    until: u64,
    /// When its time to live is over, once the playbook acts. Then it waits for its release: a rule
    /// that goes on firing begins nothing again.
    ends: Option<u64>,
    limits: Limits,
    /// The refusal that was told, so that one reason is told once while the rule fires.
    refused: Option<Reason>,
}

impl Leases {
    /// Takes or renews a rule's lease.
    pub(crate) fn hold(&mut self, rule: &Arc<str>, limits: Limits, now: u64) {
        let until = now.saturating_add(nanos(limits.lease));
        self.forget(now);
        self.renewed = true;
        match self.wants.iter_mut().find(|want| want.rule == *rule) {
            Some(want) => (want.until, want.limits) = (until, limits),
            None => self.wants.push(Want {
                rule: rule.clone(),
                until,
                ends: None,
                limits,
                refused: None,
            }),
        }
    }

    pub(crate) fn release(&mut self, rule: &str) {
        self.wants.retain(|want| *want.rule != *rule);
    }

    /// Turned off, it is taken back, and refused until it is turned on again.
    pub(crate) fn turn_off(&mut self, off: bool) {
        self.off = off;
    }

    pub(crate) fn end(&mut self) {
        self.ending = true;
    }

    pub(crate) fn next(&mut self, now: u64) -> Act {
        if self.ending {
            self.wants.clear();
        }
        self.forget(now);
        if self.applied {
            self.wants.iter_mut().for_each(|want| want.begins(now));
        }
        let renewed = std::mem::take(&mut self.renewed);
        let last = self.wants.iter().filter_map(|want| want.last(now)).max();
        match last {
            Some(last) if self.applied && !self.off => match renewed {
                true => Act::Renew(until(now, last)),
                false => Act::Wait(Some(until(now, last))),
            },
            _ if self.applied => {
                self.applied = false;
                self.reverted_at = Some(now);
                for want in self.wants.iter_mut().filter(|want| !want.is_spent(now)) {
                    want.ends = None;
                }
                Act::Revert
            }
            Some(last) => self.begin(now, last),
            None if self.ending => Act::End,
            None => Act::Wait(None),
        }
    }

    /// Forgets who did not renew in time. A time to live that was over before stays known.
    fn forget(&mut self, now: u64) {
        let spent = |want: &Want| want.ends.is_some_and(|ends| ends <= want.until.min(now));
        self.wants.retain(|want| want.until > now || spent(want));
    }

    /// The first rule that may have it gets it; each other is told once why not.
    fn begin(&mut self, now: u64, last: u64) -> Act {
        self.begun.retain(|begun| now - begun < HOUR);
        let mut soonest = last;
        let mut refuse = None;
        for at in 0..self.wants.len() {
            if self.wants[at].is_spent(now) {
                continue;
            }
            let Some((reason, over)) = self.refusal(now, self.wants[at].limits) else {
                return self.apply(now, at, last);
            };
            soonest = soonest.min(over.unwrap_or(last)).min(self.wants[at].until);
            if refuse.is_none() && self.wants[at].refused != Some(reason) {
                refuse = Some((at, reason));
            }
        }
        match refuse {
            Some((at, reason)) => {
                self.wants[at].refused = Some(reason);
                Act::Refuse(self.wants[at].rule.clone(), reason)
            }
            None => Act::Wait(Some(until(now, soonest))),
        }
    }

    fn apply(&mut self, now: u64, at: usize, last: u64) -> Act {
        self.applied = true;
        self.begun.push_back(now);
        if self.begun.len() > MAX_PER_HOUR {
            self.begun.pop_front();
        }
        for want in &mut self.wants {
            want.refused = None;
            want.begins(now);
        }
        let lived = self.wants.iter().filter_map(|want| want.last(now)).max();
        let last = lived.unwrap_or(last);
        Act::Apply(self.wants[at].rule.clone(), until(now, last))
    }

    /// Why it may not act now, and when that is over, if time alone decides.
    fn refusal(&self, now: u64, limits: Limits) -> Option<(Reason, Option<u64>)> {
        if self.off {
            return Some((Reason::Off, None));
        }
        let cool = self
            .reverted_at
            .map(|at| at.saturating_add(nanos(limits.cooldown)))
            .filter(|&cool| cool > now);
        if cool.is_some() {
            return Some((Reason::Cooldown, cool));
        }
        let nth = self.begun.len().checked_sub(limits.max_per_hour)?;
        let over = self.begun.get(nth)?.saturating_add(HOUR);
        Some((Reason::MaxPerHour, Some(over)))
    }
}

impl Want {
    /// The playbook acts, for this rule too: its time to live runs from now.
    fn begins(&mut self, now: u64) {
        if let (None, Some(ttl)) = (self.ends, self.limits.ttl) {
            self.ends = Some(now.saturating_add(nanos(ttl)));
        }
    }

    fn is_spent(&self, now: u64) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    /// Until when it holds the playbook, if it still may.
    fn last(&self, now: u64) -> Option<u64> {
        let last = self.ends.map_or(self.until, |ends| ends.min(self.until));
        (!self.is_spent(now)).then_some(last)
    }
}

/// In nanoseconds.
const HOUR: u64 = 3_600_000_000_000;

/// The most that a rule may allow, and so all that need be remembered: 8 kB.
pub(crate) const MAX_PER_HOUR: usize = 1000;

#[cfg(test)]
mod tests {
    use super::{Act, HOUR, Leases, Limits, Reason};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    const SECOND: u64 = 1_000_000_000;

    fn limits(lease: u64, cooldown: u64, max_per_hour: usize) -> Limits {
        Limits {
            lease: Duration::from_secs(lease),
            cooldown: Duration::from_secs(cooldown),
            max_per_hour,
            ttl: None,
        }
    }

    fn alive(lease: u64, ttl: u64) -> Limits {
        Limits {
            ttl: Some(Duration::from_secs(ttl)),
            ..limits(lease, 0, 9)
        }
    }

    /// Leases asked at a second.
    #[derive(Default)]
    struct Rig(Leases);

    impl Rig {
        fn hold(&mut self, second: u64, rule: &str, limits: Limits) {
            self.0.hold(&Arc::from(rule), limits, second * SECOND);
        }

        /// All acts of that second in words, with how long it then waits.
        fn at(&mut self, second: u64) -> Vec<String> {
            let mut acts = Vec::new();
            loop {
                let act = self.0.next(second * SECOND);
                let is_last = matches!(act, Act::Wait(_) | Act::End);
                acts.push(match act {
                    Act::Apply(rule, lease) => format!("{rule} applies {}", lease.as_secs()),
                    Act::Renew(lease) => format!("renews {}", lease.as_secs()),
                    Act::Refuse(rule, reason) => format!("{rule} refused {}", reason.as_str()),
                    Act::Revert => "reverts".into(),
                    Act::Wait(Some(time)) => format!("waits {}", time.as_secs()),
                    Act::Wait(None) => "waits".into(),
                    Act::End => "ends".into(),
                });
                if is_last {
                    return acts;
                }
            }
        }
    }

    #[test]
    fn leases_follow_the_table() {
        let mut rig = Rig::default();
        let free = limits(30, 0, 9);
        assert_eq!(rig.at(0), ["waits"]);
        rig.hold(0, "a", free);
        assert_eq!(rig.at(10), ["a applies 20", "waits 20"]);
        rig.hold(15, "a", free);
        assert_eq!(rig.at(25), ["renews 20", "waits 20"]);
        assert_eq!(rig.at(44), ["waits 1"]);
        assert_eq!(rig.at(45), ["reverts", "waits"], "not renewed in time");
    }

    #[test]
    fn a_playbook_ends_when_the_last_rule_lets_go() {
        let mut rig = Rig::default();
        rig.hold(0, "a", limits(30, 0, 9));
        rig.hold(0, "b", limits(90, 0, 9));
        assert_eq!(rig.at(0), ["a applies 90", "waits 90"]);
        rig.0.release("b");
        assert_eq!(rig.at(1), ["waits 29"]);
        rig.0.release("a");
        assert_eq!(rig.at(2), ["reverts", "waits"]);
    }

    #[test]
    fn the_end_takes_back_what_is_applied_and_only_then_ends() {
        let mut rig = Rig::default();
        rig.hold(0, "a", limits(30, 0, 9));
        rig.at(0);
        rig.0.end();
        assert_eq!(rig.at(1), ["reverts", "ends"]);
    }

    #[test]
    fn within_its_cooldown_it_is_refused_once_and_acts_when_that_is_over() {
        let mut rig = Rig::default();
        let cool = limits(60, 20, 9);
        rig.hold(0, "a", cool);
        rig.at(0);
        rig.0.release("a");
        assert_eq!(rig.at(5), ["reverts", "waits"]);
        rig.hold(10, "a", cool);
        assert_eq!(rig.at(10), ["a refused cooldown", "waits 15"]);
        rig.hold(12, "a", cool);
        assert_eq!(rig.at(12), ["waits 13"], "told once");
        assert_eq!(rig.at(25), ["a applies 47", "waits 47"]);
    }

    #[test]
    fn a_rule_that_resolved_in_the_cooldown_gets_nothing_later() {
        let mut rig = Rig::default();
        rig.hold(0, "a", limits(60, 20, 9));
        rig.at(0);
        rig.0.release("a");
        rig.at(5);
        rig.hold(10, "a", limits(60, 20, 9));
        rig.at(10);
        rig.0.release("a");
        assert_eq!(rig.at(25), ["waits"]);
    }

    #[test]
    fn it_begins_so_often_in_any_hour_and_a_renewal_is_no_beginning() {
        let mut rig = Rig::default();
        let twice = limits(7200, 0, 2);
        for second in [0, 100] {
            rig.hold(second, "a", twice);
            assert_eq!(rig.at(second)[0], "a applies 7200");
            rig.hold(second + 10, "a", twice);
            assert_eq!(rig.at(second + 10)[0], "renews 7200");
            rig.0.release("a");
            assert_eq!(rig.at(second + 20)[0], "reverts");
        }
        rig.hold(200, "a", twice);
        assert_eq!(rig.at(200), ["a refused max_per_hour", "waits 3400"]);
        assert_eq!(rig.at(3599), ["waits 1"]);
        assert_eq!(rig.at(3600), ["a applies 3800", "waits 3800"]);
    }

    #[test]
    fn a_rule_with_wider_limits_is_not_held_back_by_anothers() {
        let mut rig = Rig::default();
        rig.hold(0, "a", limits(60, 600, 1));
        rig.at(0);
        rig.0.release("a");
        rig.at(1);
        rig.hold(2, "a", limits(60, 600, 1));
        rig.hold(2, "b", limits(60, 0, 9));
        assert_eq!(rig.at(2), ["b applies 60", "waits 60"]);
    }

    #[test]
    fn turned_off_it_is_taken_back_and_refused_until_it_is_turned_on() {
        let mut rig = Rig::default();
        let free = limits(60, 0, 9);
        rig.hold(0, "a", free);
        rig.at(0);
        rig.0.turn_off(true);
        assert_eq!(rig.at(5), ["reverts", "a refused off", "waits 55"]);
        rig.hold(30, "a", free);
        assert_eq!(rig.at(30), ["waits 60"]);
        rig.0.turn_off(false);
        assert_eq!(rig.at(31), ["a applies 59", "waits 59"]);
    }

    #[test]
    fn its_time_to_live_ends_it_though_the_rule_still_fires_until_that_is_over() {
        let mut rig = Rig::default();
        rig.hold(0, "a", alive(30, 40));
        assert_eq!(rig.at(0), ["a applies 30", "waits 30"]);
        rig.hold(15, "a", alive(30, 40));
        assert_eq!(rig.at(15), ["renews 25", "waits 25"]);
        rig.hold(30, "a", alive(30, 40));
        assert_eq!(rig.at(30), ["renews 10", "waits 10"]);
        assert_eq!(rig.at(40), ["reverts", "waits"]);
        for second in [45, 60, 300] {
            rig.hold(second, "a", alive(30, 40));
            assert_eq!(rig.at(second), ["waits"], "the rule still fires");
        }
        rig.0.release("a");
        rig.hold(400, "a", alive(30, 40));
        assert_eq!(rig.at(400), ["a applies 30", "waits 30"], "it fires anew");
    }

    #[test]
    fn another_rules_time_to_live_holds_it_on() {
        let mut rig = Rig::default();
        rig.hold(0, "a", alive(90, 10));
        assert_eq!(rig.at(0), ["a applies 10", "waits 10"]);
        rig.hold(5, "b", alive(90, 20));
        assert_eq!(rig.at(5), ["renews 20", "waits 20"]);
        assert_eq!(rig.at(10), ["waits 15"]);
        assert_eq!(rig.at(25), ["reverts", "waits"]);
    }

    #[test]
    fn turned_off_and_on_its_time_to_live_begins_anew() {
        let mut rig = Rig::default();
        rig.hold(0, "a", alive(90, 10));
        rig.at(0);
        rig.0.turn_off(true);
        assert_eq!(rig.at(5), ["reverts", "a refused off", "waits 85"]);
        rig.0.turn_off(false);
        assert_eq!(rig.at(20), ["a applies 10", "waits 10"]);
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Hold(usize),
        Release(usize),
        Off(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..3_usize).prop_map(Step::Hold),
            3 => (0..3_usize).prop_map(Step::Release),
            1 => any::<bool>().prop_map(Step::Off),
        ]
    }

    /// The acts of a run with their times. Asked after each step, and between steps each second or
    /// only when it said.
    fn run(
        steps: &[(u64, Step)],
        rules: &[Limits; 3],
        each_second: bool,
    ) -> Vec<(u64, Option<usize>)> {
        let mut leases = Leases::default();
        let mut acts = Vec::new();
        let mut due: Option<u64> = None;
        let mut now = 0;
        for &(pause, step) in steps {
            let then = now + pause;
            while now < then {
                now = match each_second {
                    true => now + 1,
                    false => due.unwrap_or(then).clamp(now + 1, then),
                };
                due = ask(&mut leases, now, &mut acts);
            }
            match step {
                Step::Hold(rule) => {
                    let name = Arc::from(rule.to_string());
                    leases.hold(&name, rules[rule], now * SECOND);
                }
                Step::Release(rule) => leases.release(&rule.to_string()),
                Step::Off(off) => leases.turn_off(off),
            }
            due = ask(&mut leases, now, &mut acts);
            assert!(!(leases.off && leases.applied));
            assert!(!leases.applied || leases.wants.iter().any(|want| want.until > now * SECOND));
        }
        acts
    }

    /// Begins (`Some` rule) and ends; what is told of refusals and renewals is left aside.
    fn ask(leases: &mut Leases, now: u64, acts: &mut Vec<(u64, Option<usize>)>) -> Option<u64> {
        loop {
            match leases.next(now * SECOND) {
                Act::Apply(rule, _) => acts.push((now, Some(rule.parse().unwrap()))),
                Act::Revert => acts.push((now, None)),
                Act::Wait(time) => return time.map(|time| now + time.as_secs()),
                Act::Renew(_) | Act::Refuse(..) | Act::End => {}
            }
        }
    }

    fn any_limits() -> impl Strategy<Value = Limits> {
        let ttl = prop::option::of(1..900_u64);
        let parts = (1..900_u64, 0..600_u64, 1..4_usize, ttl);
        parts.prop_map(|(lease, cooldown, most, ttl)| Limits {
            ttl: ttl.map(Duration::from_secs),
            ..limits(lease, cooldown, most)
        })
    }

    proptest! {
        #[test]
        fn no_limit_is_ever_passed_and_sleeping_misses_nothing(
            steps in prop::collection::vec((0..900_u64, step()), 1..60),
            rules in [any_limits(), any_limits(), any_limits()],
        ) {
            let acts = run(&steps, &rules, true);
            prop_assert_eq!(&run(&steps, &rules, false), &acts);
            for (at, &(now, rule)) in acts.iter().enumerate() {
                prop_assert_eq!(rule.is_some(), at % 2 == 0, "begins and ends take turns");
                let Some(rule) = rule else { continue };
                let begun = acts[..=at].iter().filter(|(then, begins)| {
                    begins.is_some() && (now - then) * SECOND < HOUR
                });
                prop_assert!(begun.count() <= rules[rule].max_per_hour);
                if let Some(before) = at.checked_sub(1) {
                    let apart = Duration::from_secs(now - acts[before].0);
                    prop_assert!(apart >= rules[rule].cooldown);
                }
            }
        }
    }

    #[test]
    fn reasons_are_told_in_the_words_of_the_rule() {
        let reasons = [Reason::Off, Reason::Cooldown, Reason::MaxPerHour];
        assert_eq!(
            reasons.map(Reason::as_str),
            ["off", "cooldown", "max_per_hour"]
        );
    }
}
