//! One rule at work: its groups, what it knows, and what it has not yet told.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::clock::nanos;
use crate::group::{Group, Occurrence, values, write_key};
use crate::known::{Known, hash};
use crate::meter::Weight;
use crate::rule::{Kind, Role, Rule};
use crate::samples::Samples;
use crate::seen::Judged;
use crate::watch::Change;

/// Everything that changes about one rule. Lives behind a lock that is held for moments.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) groups: HashMap<Arc<str>, Group>,
    /// Stands for the groups beyond the bound.
    pub(crate) overflow: Option<Group>,
    /// Before this moment no group is at rest that could make room.
    pub(crate) full_until: u64,
    pub(crate) known: Option<Known>,
    /// When the first event came.
    pub(crate) born: Option<u64>,
    samples: Samples,
    pub(crate) last: Option<Occurrence>,
    pending: VecDeque<Occurrence>,
    pub(crate) due: Option<u64>,
    pub(crate) tally: Tally,
    /// Its rule is no more at work: whoever still holds it counts nothing.
    pub(crate) gone: bool,
    key: String,
}

/// What a rule has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) matched: u64,
    pub(crate) fired: u64,
    pub(crate) resolved: u64,
    pub(crate) muted: u64,
    pub(crate) learning: u64,
    pub(crate) overflowed: u64,
    /// Changes that were dropped since nobody took them.
    pub(crate) untold: u64,
}

impl Slot {
    /// `now` is when the rule begins to watch.
    pub(crate) fn new(rule: &Rule, now: u64) -> Self {
        let grouped = rule.is_grouped();
        let mut slot = Self {
            groups: HashMap::new(),
            overflow: None,
            full_until: 0,
            known: rule.news().map(|news| Known::new(news.max_values)),
            born: None,
            samples: Samples::new(rule.samples, grouped),
            last: None,
            pending: VecDeque::new(),
            due: None,
            tally: Tally::default(),
            gone: false,
            key: String::new(),
        };
        if matches!(
            rule.kind,
            Kind::Absence {
                from_start: true,
                ..
            }
        ) {
            let mut group = Group::new(rule);
            group.watch.hit(now, true, &mut |_| {});
            slot.due = group.due();
            slot.groups.insert("".into(), group);
        }
        slot
    }

    /// An event that is something to the rule. Tells whether somebody should look at
    /// [`take`](Self::take), or come earlier than was said.
    pub(crate) fn hit(
        &mut self,
        rule: &Rule,
        now: u64,
        role: Role,
        event: &mut impl Judged,
    ) -> bool {
        if self.gone {
            return false;
        }
        let counts = role == Role::Counts;
        self.tally.matched += u64::from(counts);
        let born = *self.born.get_or_insert(now);
        let mut key = std::mem::take(&mut self.key);
        key.clear();
        write_key(rule, event, &mut key);
        let ring = if counts && !self.is_news(rule, now, born, &key) {
            false
        } else {
            self.counted(rule, now, role, &key, event)
        };
        self.key = key;
        ring
    }

    fn counted(
        &mut self,
        rule: &Rule,
        now: u64,
        role: Role,
        key: &str,
        event: &mut impl Judged,
    ) -> bool {
        if !self.groups.contains_key(key) {
            if role == Role::Clears {
                return false;
            }
            if self.groups.len() >= rule.max_groups && !self.make_room(now) {
                return self.overflows(rule, now, event);
            }
            self.groups.insert(key.into(), Group::new(rule));
        }
        let Some((key, _)) = self.groups.get_key_value(key) else {
            return false;
        };
        let key = key.clone();
        let Some(group) = self.groups.get_mut(&key) else {
            return false;
        };
        let weight = match role {
            Role::Counts => rule.weight(event).unwrap_or(Weight::None),
            _ => Weight::None,
        };
        let mut changes = Vec::new();
        group.watch.turn(now, &mut |change| changes.push(change));
        // While it fires the evidence is taken already: a storm costs no copying.
        if role == Role::Counts && group.watch.firing().is_none() {
            self.samples.push(&key, event);
        }
        match role {
            Role::Clears => group.watch.clear(now, &mut |change| changes.push(change)),
            _ => group
                .watch
                .hit(now, weight, &mut |change| changes.push(change)),
        }
        self.changed(rule, &key, changes)
    }

    /// Takes note of a group's changes, and of when it is due.
    fn changed(&mut self, rule: &Rule, key: &Arc<str>, changes: Vec<Change>) -> bool {
        let Some(group) = self.groups.get_mut(key) else {
            return false;
        };
        let news = !changes.is_empty();
        let mut told = Vec::with_capacity(changes.len());
        for change in changes {
            let evidence = |count| self.samples.evidence(key, count);
            told.push(group.note(rule, key, change, evidence));
        }
        let due = group.due();
        told.into_iter().for_each(|one| self.push(rule, one));
        let earlier = due.is_some_and(|due| self.due.is_none_or(|known| due < known));
        if earlier {
            self.due = due;
        }
        news || earlier
    }

    /// Time has gone by.
    pub(crate) fn turn(&mut self, rule: &Rule, now: u64) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let mut told = Vec::new();
        for (key, group) in &mut self.groups {
            let mut changes = Vec::new();
            group.watch.turn(now, &mut |change| changes.push(change));
            for change in changes {
                let evidence = |count| self.samples.evidence(key, count);
                told.push(group.note(rule, key, change, evidence));
            }
            told.extend(group.repeat(rule, key, now));
        }
        if let Some(group) = &mut self.overflow {
            let key: Arc<str> = "".into();
            let mut changes = Vec::new();
            group.watch.turn(now, &mut |change| changes.push(change));
            for change in changes {
                let mut one = group.note(rule, &key, change, |_| Default::default());
                one.overflow = true;
                told.push(one);
            }
        }
        // The order of a map is no order to tell in.
        told.sort_by(|a, b| (a.at(), &a.group).cmp(&(b.at(), &b.group)));
        told.into_iter().for_each(|one| self.push(rule, one));
        let groups = self.groups.values().chain(&self.overflow);
        self.due = groups.filter_map(Group::due).min();
    }

    /// The oldest change that was not told yet.
    pub(crate) fn take(&mut self) -> Option<Occurrence> {
        self.pending.pop_front()
    }

    /// When to call [`turn`](Self::turn) next.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due
    }

    /// How many groups fire.
    pub(crate) fn firing(&self) -> usize {
        let firing = |group: &&Group| group.watch.firing().is_some();
        self.groups
            .values()
            .chain(&self.overflow)
            .filter(firing)
            .count()
    }

    pub(crate) fn push(&mut self, rule: &Rule, occurrence: Occurrence) {
        if !occurrence.again {
            match occurrence.resolved_at {
                Some(_) => self.tally.resolved += 1,
                None => self.tally.fired += 1,
            }
            self.last = Some(occurrence.clone());
        }
        // Only a listener that never returns lets these grow; then the oldest pair is old news.
        let most = MAX_PENDING
            + if rule.is_grouped() {
                2 * rule.max_groups
            } else {
                0
            };
        if self.pending.len() >= most {
            if let Some(oldest) = self.pending.pop_front() {
                let pair =
                    |one: &Occurrence| one.group == oldest.group && one.overflow == oldest.overflow;
                let other = self.pending.iter().position(pair);
                let other = other.and_then(|at| self.pending.remove(at));
                self.tally.untold += 1 + u64::from(other.is_some());
            }
        }
        self.pending.push_back(occurrence);
    }

    /// Whether a value or a kind of message is new; always, if the rule does not ask.
    fn is_news(&mut self, rule: &Rule, now: u64, born: u64, key: &str) -> bool {
        let Some((known, news)) = self.known.as_mut().zip(rule.news()) else {
            return true;
        };
        // A field that is not there has no value, new or old.
        let empty = values(key).last().is_none_or(str::is_empty);
        if empty || !known.is_new(hash([key]), now) {
            return false;
        }
        let learning = now < born.saturating_add(nanos(news.learn));
        self.tally.learning += u64::from(learning);
        !learning
    }
}

const MAX_PENDING: usize = 16;

#[cfg(test)]
pub(crate) mod tests {
    use super::{MAX_PENDING, Slot};
    use crate::Rules;
    use crate::rule::{Role, Rule};
    use crate::seen::Judged;
    use dogwatch_line::{Fields, Level, Value};
    use std::borrow::Cow;

    /// An event of one field, `key`, whose message is the text.
    pub(crate) struct One<'a> {
        pub(crate) key: &'a str,
        pub(crate) text: &'a str,
        pub(crate) trace_id: Option<&'a str>,
    }

    impl Fields for One<'_> {
        fn field(&self, name: &str) -> Option<Value<'_>> {
            match name {
                "key" => Some(Value::from(self.key)),
                "message" => Some(Value::from(self.text)),
                _ => None,
            }
        }
    }

    impl Judged for One<'_> {
        fn level(&self) -> Level {
            Level::Error
        }

        fn target(&self) -> &str {
            "t"
        }

        fn text(&mut self) -> &str {
            self.text
        }

        fn trace_id(&self) -> Option<Cow<'_, str>> {
            self.trace_id.map(Cow::Borrowed)
        }
    }

    struct Tried {
        rule: Rule,
        slot: Slot,
    }

    impl Tried {
        fn new(keys: &str) -> Self {
            let yaml = format!("{{name: r, pattern: x, {keys}}}");
            let rule = Rules::parse(&yaml).unwrap().document.rules.remove(0);
            let slot = Slot::new(&rule, 0);
            Self { rule, slot }
        }

        fn hit(&mut self, now: u64, key: &str, text: &str, trace_id: Option<&str>) -> bool {
            let mut event = One {
                key,
                text,
                trace_id,
            };
            self.slot.hit(&self.rule, now, Role::Counts, &mut event)
        }

        /// Group, whether it fires, and samples, in the order of telling.
        fn told(&mut self) -> Vec<(String, bool, Vec<String>)> {
            let one = std::iter::from_fn(|| self.slot.take());
            one.map(|one| {
                let name = if one.overflow {
                    "(others)".into()
                } else {
                    one.group.to_string()
                };
                (name, one.resolved_at.is_none(), one.evidence.samples)
            })
            .collect()
        }
    }

    const MINUTE: u64 = 60_000_000_000;

    #[test]
    fn samples_are_the_latest_events_of_the_window_that_fired() {
        for (threshold, samples, trace) in [
            (1, &["e0"][..], Some("t0")),
            (2, &["e0", "e1"], Some("t0")),
            (5, &["e2", "e3", "e4"], Some("t4")),
        ] {
            let mut tried = Tried::new(&format!("threshold: {threshold}"));
            for event in 0..threshold {
                let trace_id = format!("t{event}");
                let trace_id = (event % 2 == 0).then_some(&*trace_id);
                tried.hit(event as u64, "", &format!("e{event}"), trace_id);
            }
            let fired = tried.slot.take().unwrap();
            assert_eq!(fired.evidence.samples, samples);
            assert_eq!(fired.evidence.trace_id.as_deref(), trace);
            let top = fired.evidence.top.unwrap();
            assert_eq!(&top[17..], "ERROR t: <*>", "one kind, whatever its number");
            assert!(tried.slot.take().is_none());
        }
    }

    #[test]
    fn a_second_episode_carries_its_own_evidence() {
        let mut tried = Tried::new("threshold: 1");
        assert!(tried.hit(0, "", "first", Some("a")));
        assert!(!tried.hit(1, "", "still the first", None));
        assert!(tried.hit(9 * MINUTE, "", "second", None));
        let group = String::new();
        let (first, second) = (vec!["first".to_owned()], vec!["second".to_owned()]);
        assert_eq!(
            tried.told(),
            [
                (group.clone(), true, first.clone()),
                (group.clone(), false, first),
                (group, true, second)
            ]
        );
    }

    #[test]
    fn groups_fire_alone_with_their_own_samples_and_resolve_by_time() {
        let mut tried = Tried::new("threshold: 2, group_by: [key], samples: 2");
        tried.hit(0, "a", "a0", None);
        tried.hit(1, "b", "b0", None);
        assert!(tried.hit(2, "a", "a1", None));
        assert!(!tried.hit(3, "a", "a2", None));
        let samples = vec!["a0".to_owned(), "a1".to_owned()];
        assert_eq!(tried.told(), [("a".into(), true, samples.clone())]);
        assert!(tried.hit(4, "支付\n", "c0", None) || tried.hit(5, "支付\n", "c1", None));
        tried.told();
        tried.slot.turn(&tried.rule, 9 * MINUTE);
        let told = tried.told();
        let names: Vec<_> = told.iter().map(|one| (&*one.0, one.1)).collect();
        assert_eq!(names, [("a", false), ("支付\\n", false)], "by time");
        assert_eq!(told[0].2, samples);
        assert_eq!(tried.slot.due(), None);
    }

    #[test]
    fn groups_beyond_the_bound_are_counted_and_one_alert_says_so() {
        let mut tried = Tried::new("threshold: 2, group_by: key, max_groups: 3");
        for key in ["a", "b", "c"] {
            assert!(!tried.hit(0, key, "", None));
        }
        assert!(tried.hit(1, "d", "d0", None), "the first beyond");
        assert!(!tried.hit(2, "e", "e0", None));
        assert!(tried.hit(3, "a", "a1", None), "those within are judged on");
        assert_eq!(tried.slot.tally.overflowed, 2);
        let told = tried.told();
        assert_eq!(
            (&*told[0].0, &*told[0].2),
            ("(others)", &["d0".to_owned()][..])
        );
        assert_eq!(&*told[1].0, "a");
        // At rest they make room, and the overflow resolves.
        tried.slot.turn(&tried.rule, 9 * MINUTE);
        assert!(!tried.hit(9 * MINUTE, "d", "", None));
        assert!(tried.hit(9 * MINUTE, "d", "", None));
        let names: Vec<_> = tried.told().into_iter().map(|one| (one.0, one.1)).collect();
        let name = |name: &str, fires| (name.to_owned(), fires);
        assert_eq!(
            names,
            [name("a", false), name("(others)", false), name("d", true)]
        );
        assert_eq!(tried.slot.tally.overflowed, 2);
    }

    #[test]
    fn what_is_new_fires_once_after_learning_and_each_new_value_for_itself() {
        let mut tried = Tried::new("type: new_value, field: key, learn: 1m");
        for (now, key, fires) in [
            (0, "a", false),
            (1, "b", false),
            (MINUTE, "a", false),
            (MINUTE, "c", true),
            (MINUTE + 1, "", false),
            (MINUTE + 2, "d", true),
            (9 * MINUTE, "c", false),
        ] {
            assert_eq!(tried.hit(now, key, "", None), fires, "{key} at {now}");
        }
        assert_eq!(tried.slot.tally.learning, 2);
        assert_eq!(tried.slot.tally.fired, 2);
        let mut tried = Tried::new("type: new_template, learn: 0s");
        let texts = [
            "order 1 failed",
            "order 22 failed",
            "支付 7 失败",
            "支付 8 失败",
        ];
        let fires = texts.map(|text| tried.hit(0, "", text, None));
        assert_eq!(fires, [true, false, true, false]);
    }

    #[test]
    fn a_firing_is_told_again_in_step_with_its_beginning() {
        let mut tried = Tried::new("threshold: 1, window: 1h, repeat_interval: 10m");
        tried.hit(7, "", "", None);
        tried.told();
        assert_eq!(tried.slot.due(), Some(10 * MINUTE + 7));
        tried.slot.turn(&tried.rule, 10 * MINUTE + 6);
        assert_eq!(tried.told().len(), 0);
        tried.slot.turn(&tried.rule, 35 * MINUTE);
        assert_eq!(tried.told().len(), 1, "what was missed is told once");
        assert_eq!(tried.slot.due(), Some(40 * MINUTE + 7));
        assert_eq!(tried.slot.tally.fired, 1);
    }

    #[test]
    fn what_nobody_takes_stays_bounded_and_ends_with_the_latest() {
        let mut tried = Tried::new("threshold: 1");
        for episode in 0..1000 {
            tried.hit(episode * 9 * MINUTE, "", &format!("e{episode}"), None);
        }
        let untold = tried.slot.tally.untold;
        let told = tried.told();
        assert!(told.len() <= MAX_PENDING);
        assert_eq!(told.len() as u64 + untold, 1999);
        assert_eq!(told.last().unwrap().2, ["e999"]);
        assert!(told.windows(2).all(|two| two[0].1 != two[1].1));
    }
}
