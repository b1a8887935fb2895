//! What of one rule is kept, and a rule that goes on from it.

use std::sync::Arc;

use crate::about::About;
use crate::clock::{Clock, nanos, since_epoch};
use crate::group::{Group, Occurrence};
use crate::meter::{Meter, Weight};
use crate::overflow::beyond;
use crate::rule::Rule;
use crate::slot::Slot;
use crate::snapshot::counts;
use crate::snapshot::definition::definition;
use crate::snapshot::kept::{KeptAlert, KeptFiring, KeptGroup, KeptRule, KeptStage};
use crate::watch::{Firing, Stage};

/// What is copied under the rule's lock, in times of the steady clock; the rest takes its time.
pub(crate) struct Copied {
    groups: Vec<CopiedGroup>,
    overflow: Option<CopiedGroup>,
    born: Option<u64>,
    known: Vec<(u64, u64)>,
}

struct CopiedGroup {
    key: Arc<str>,
    stage: Stage,
    counts: Vec<(u64, u32, u32)>,
    repeat_at: Option<u64>,
    firing: Option<Occurrence>,
}

impl Slot {
    pub(crate) fn copy(&self, now: u64) -> Copied {
        let mut groups: Vec<_> = self
            .groups
            .iter()
            .filter(|(_, group)| matters(group, now))
            .map(|(key, group)| CopiedGroup::new(key, group, false))
            .collect();
        groups.sort_by(|a, b| a.key.cmp(&b.key));
        let overflow = self.overflow.as_ref().filter(|group| matters(group, now));
        let mut known: Vec<_> = self.known.iter().flat_map(|known| known.values()).collect();
        known.sort_unstable();
        Copied {
            groups,
            overflow: overflow.map(|group| CopiedGroup::new(&"".into(), group, true)),
            born: self.born.filter(|_| self.known.is_some()),
            known,
        }
    }

    /// Goes on from what was so at `saved_at`, a time of the wall's. What was due since then is
    /// judged by the next turn, each at its own time.
    pub(crate) fn recall(
        &mut self,
        rule: &Rule,
        kept: &KeptRule,
        saved_at: u64,
        clock: &dyn Clock,
    ) {
        if let Some(known) = &mut self.known {
            self.born = kept.born.map(|born| clock.time_at(born));
            for &(value, last) in &kept.known {
                known.is_new(value, clock.time_at(last));
            }
        }
        for kept in &kept.groups {
            let (key, group): (Arc<str>, _) = (
                kept.key.as_str().into(),
                recalled(rule, kept, saved_at, clock),
            );
            self.remember_last(&key, &group, false);
            self.groups.insert(key, group);
        }
        if let Some(kept) = &kept.overflow {
            let group = recalled(&beyond(rule), kept, saved_at, clock);
            self.remember_last(&"".into(), &group, true);
            self.overflow = Some(group);
        }
        self.due = Some(0);
    }

    /// The latest firing is what is told of how the rule stands.
    fn remember_last(&mut self, key: &Arc<str>, group: &Group, overflow: bool) {
        let Some(current) = group.current(key, false) else {
            return;
        };
        if self
            .last
            .as_ref()
            .is_none_or(|last| last.at() <= current.at())
        {
            self.last = Some(Occurrence {
                overflow,
                ..current
            });
        }
    }
}

/// Whether an alert hangs on the group: it fires or is about to, or waits for a sound.
fn matters(group: &Group, now: u64) -> bool {
    let waits = matches!(group.watch.meter, Meter::Silence(_)) && !group.watch.is_idle(now);
    waits || group.watch.stage != Stage::Inactive
}

impl CopiedGroup {
    fn new(key: &Arc<str>, group: &Group, overflow: bool) -> Self {
        let current = group.current(key, false);
        Self {
            key: key.clone(),
            stage: group.watch.stage,
            counts: counts::of(&group.watch.meter),
            repeat_at: group.repeat_at,
            firing: current.map(|current| Occurrence {
                overflow,
                ..current
            }),
        }
    }

    fn keep(self, rule: &Rule, about: &About<'_>) -> KeptGroup {
        let wall = |time| since_epoch(about.clock.wall_at(time));
        let firing = |firing: Firing| KeptFiring {
            first_bad: wall(firing.first_bad),
            fired_at: wall(firing.fired_at),
            count: firing.count,
            total: firing.total,
            value: firing.value,
            good_since: firing.good_since.map(wall),
        };
        let stage = match self.stage {
            Stage::Inactive => {
                let last = self.counts.last().map_or(0, |&(last, ..)| last);
                KeptStage::Silent(about.clock.now().saturating_sub(last))
            }
            Stage::Pending { since, firing: of } => KeptStage::Pending {
                since: wall(since),
                firing: firing(of),
            },
            Stage::Firing(of) => KeptStage::Firing(firing(of)),
        };
        let every = rule.repeat_interval.map_or(0, nanos);
        let counts = match stage {
            KeptStage::Silent(_) => Vec::new(),
            _ => self.counts,
        };
        KeptGroup {
            key: self.key.to_string(),
            stage,
            counts: counts
                .into_iter()
                .map(|(at, counted, all)| (wall(at), counted, all))
                .collect(),
            told_at: self.repeat_at.map(|at| wall(at.saturating_sub(every))),
            alert: self
                .firing
                .map(|firing| KeptAlert::new(&about.alert(rule, &firing))),
        }
    }
}

impl Copied {
    pub(crate) fn keep<'a>(
        self,
        rule: &Rule,
        about: &About<'_>,
        muted: impl Iterator<Item = &'a Arc<crate::Alert>>,
    ) -> KeptRule {
        let wall = |time| since_epoch(about.clock.wall_at(time));
        let keep = |group: CopiedGroup| group.keep(rule, about);
        KeptRule {
            name: rule.name.to_string(),
            definition: definition(rule),
            actions: rule
                .actions
                .iter()
                .map(|action| action.name.clone())
                .collect(),
            groups: self.groups.into_iter().map(keep).collect(),
            overflow: self.overflow.map(keep),
            born: self.born.map(wall),
            known: self
                .known
                .into_iter()
                .map(|(value, last)| (value, wall(last)))
                .collect(),
            muted: muted.map(|alert| KeptAlert::new(alert)).collect(),
        }
    }
}

fn recalled(rule: &Rule, kept: &KeptGroup, saved_at: u64, clock: &dyn Clock) -> Group {
    let time = |wall| clock.time_at(wall);
    let firing = |kept: &KeptFiring| Firing {
        // Its kind is learned anew, and its odds were told.
        odds: None,
        first_bad: time(kept.first_bad),
        fired_at: time(kept.fired_at),
        count: kept.count,
        total: kept.total,
        value: kept.value,
        good_since: kept.good_since.map(time),
    };
    let mut group = Group::new(rule);
    counts::fill(&mut group.watch.meter, &kept.counts, clock);
    let stage = match &kept.stage {
        KeptStage::Silent(silent_for) => {
            // While the process was down nobody could have heard: that is no silence.
            let last = clock.now().saturating_sub(*silent_for);
            group.watch.meter.push(last, Weight::One);
            Stage::Inactive
        }
        KeptStage::Pending { since, firing: of } => Stage::Pending {
            since: time(*since),
            firing: firing(of),
        },
        KeptStage::Firing(of) => Stage::Firing(firing(of)),
    };
    group.watch.recall(stage, time(saved_at));
    group.evidence = kept.alert.as_ref().map(|alert| Box::new(alert.evidence()));
    let interval = rule.repeat_interval.map(nanos);
    let repeats = interval.zip(kept.alert.as_ref());
    group.repeat_at = repeats.map(|(every, _)| {
        let told_at = kept.told_at.map_or(clock.now(), time);
        told_at.saturating_add(every)
    });
    group
}
