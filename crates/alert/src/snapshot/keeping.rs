//! Decides when the state is saved, gathers it, and takes it up again at the start.

use std::sync::Arc;

use crate::alert::Alert;
use crate::clock::since_epoch;
use crate::error::Error;
use crate::known::hash;
use crate::set::{Roster, Set};
use crate::shared::Shared;
use crate::snapshot::definition::definition;
use crate::snapshot::file::{MAX_BYTES, StateFile};
use crate::snapshot::frame;
use crate::snapshot::kept::{Kept, KeptAlert, KeptRule, OnWay};
use crate::snapshot::writer::Writer;

/// The ticker's part of it.
pub(crate) struct Keeping {
    pub(crate) writer: Arc<Writer>,
    /// What fired and was kept back in a mute window when the process before ended, by rule.
    pub(crate) muted: Vec<(usize, Arc<Alert>)>,
    /// When to save next if nothing changes.
    due: u64,
    /// From when on it may be saved if something does.
    free: u64,
    changed: bool,
    pending: u64,
    /// Of what is in the file, its time left aside.
    sum: u64,
}

impl Keeping {
    /// Takes up what an earlier process left. What cannot be taken up is told, and nothing else
    /// comes of it.
    pub(crate) fn take_up(file: StateFile, shared: &Shared) -> Self {
        let now = since_epoch(shared.clock.wall());
        let kept = match file.read(now) {
            Ok(kept) => kept.unwrap_or_default(),
            Err(error) => {
                shared.tell.tell(error);
                Kept::default()
            }
        };
        for OnWay { to, alert } in &kept.on_way {
            send(shared, to, alert.alert());
        }
        let mut muted = Vec::new();
        let roster = shared.current.roster();
        let set = &roster.set;
        for rule in &kept.rules {
            let same = |known: &&crate::rule::Rule| {
                *known.name == *rule.name && definition(known) == rule.definition
            };
            match set.rules.iter().position(|known| same(&known)) {
                Some(at) => muted.extend(go_on(shared, &roster, at, rule, kept.saved_at)),
                None => end(shared, rule, now),
            }
        }
        Self {
            writer: Arc::new(Writer::new(file)),
            muted,
            due: 0,
            free: 0,
            changed: true,
            pending: 0,
            sum: 0,
        }
    }

    /// Saves if it is time to, and says when to come again. `told`: something has changed.
    pub(crate) fn round<'a, M>(
        &mut self,
        shared: &Shared,
        set: &Set,
        told: bool,
        muted: impl Fn(usize) -> M,
    ) -> u64
    where
        M: Iterator<Item = &'a Arc<Alert>>,
    {
        let now = shared.clock.now();
        let outboxes = shared.workers.outboxes();
        let pending = outboxes.iter().map(|outbox| outbox.counts().pending).sum();
        self.changed |= told || pending != self.pending;
        self.pending = pending;
        let due = |keeping: &Self| match keeping.changed {
            true => keeping.free,
            false => keeping.due,
        };
        if due(self) <= now {
            self.save(shared, set, muted);
            self.changed = false;
        }
        due(self)
    }

    /// Saves, whenever it was saved before.
    pub(crate) fn save<'a, M>(&mut self, shared: &Shared, set: &Set, muted: impl Fn(usize) -> M)
    where
        M: Iterator<Item = &'a Arc<Alert>>,
    {
        let now = shared.clock.now();
        let about = shared.about();
        let mut left_out = 0;
        let mut room = MAX_BYTES - ROOM_FOR_THE_REST;
        let on_way = on_way(shared);
        let on_way = fitting(on_way.into_iter(), &mut room, &mut left_out);
        let rules = set.rules.iter().enumerate().map(|(at, rule)| {
            let copied = set.slot(at).copy(now);
            copied.keep(rule, &about, muted(at))
        });
        let rules = fitting(rules, &mut room, &mut left_out);
        if left_out > 0 {
            shared.tell.tell(Error::delivery(format!(
                "cannot keep {left_out} parts of the alerts' state: all of it would be larger than \
                 {} MiB",
                MAX_BYTES >> 20
            )));
        }
        let body = format!(r#""rules":[{rules}],"on_way":[{on_way}]"#);
        let paced = 1 + (body.len() as u64 >> 20);
        self.free = now.saturating_add(MIN_BETWEEN.saturating_mul(paced));
        self.due = now.saturating_add(MAX_BETWEEN.max(MIN_BETWEEN.saturating_mul(paced)));
        let sum = hash([&*body]);
        if sum == self.sum && !self.writer.has_failed() {
            return;
        }
        self.sum = sum;
        let saved_at = since_epoch(shared.clock.wall_at(now));
        let json = format!(r#"{{"saved_at":{saved_at},{body}}}"#);
        self.writer.put(frame::write(&json));
    }
}

/// A rule goes on as it was; returns what of it was muted.
fn go_on(
    shared: &Shared,
    roster: &Roster,
    at: usize,
    kept: &KeptRule,
    saved_at: u64,
) -> Vec<(usize, Arc<Alert>)> {
    let set = &roster.set;
    let rule = &set.rules[at];
    let active = {
        let mut slot = set.slot(at);
        slot.recall(rule, kept, saved_at, &*shared.clock);
        slot.active(rule, &shared.about())
    };
    let muted: Vec<_> = kept.muted.iter().map(|one| Arc::new(one.alert())).collect();
    let is_muted = |alert: &Alert| {
        let fingerprint = alert.fingerprint();
        muted.iter().any(|muted| muted.fingerprint() == fingerprint)
    };
    let told = active.into_iter().filter(|alert| !is_muted(alert));
    for alert in told.map(Arc::new) {
        for outbox in &roster.routes[at].outboxes {
            if let Err(error) = outbox.take_up(alert.clone()) {
                shared.tell.tell(error);
            }
        }
    }
    muted.into_iter().map(|alert| (at, alert)).collect()
}

/// A rule that is gone or another: what fired is over, and those who were told hear of it.
fn end(shared: &Shared, kept: &KeptRule, now: u64) {
    for alert in kept.alerts() {
        let over = alert.over(now);
        let fingerprint = over.fingerprint();
        let is_it = |muted: &KeptAlert| muted.alert().fingerprint() == fingerprint;
        if !kept.muted.iter().any(is_it) {
            kept.actions
                .iter()
                .for_each(|to| send(shared, to, over.clone()));
        }
    }
}

fn send(shared: &Shared, to: &str, alert: Alert) {
    let outboxes = shared.workers.outboxes();
    let sent = match outboxes.iter().find(|outbox| outbox.name() == to) {
        Some(outbox) => outbox.push(Arc::new(alert)),
        None => Err(Error::delivery(format!(
            "cannot tell `{to}` that an alert of `{}` is {}: no rule names this notifier any more",
            alert.rule, alert.state
        ))),
    };
    if let Err(error) = sent {
        shared.tell.tell(error);
    }
}

fn on_way(shared: &Shared) -> Vec<OnWay> {
    let mut on_way = Vec::new();
    for outbox in shared.workers.outboxes() {
        let to = outbox.name();
        on_way.extend(outbox.waiting().iter().map(|alert| OnWay {
            to: to.to_owned(),
            alert: KeptAlert::new(alert),
        }));
    }
    on_way
}

/// As much as there is room for, and how many have none.
fn fitting<T: serde::Serialize>(
    parts: impl Iterator<Item = T>,
    room: &mut usize,
    left_out: &mut usize,
) -> String {
    let mut all = String::new();
    for part in parts {
        match serde_json::to_string(&part) {
            Ok(json) if json.len() < *room => {
                *room -= json.len() + 1;
                if !all.is_empty() {
                    all.push(',');
                }
                all.push_str(&json);
            }
            _ => *left_out += 1,
        }
    }
    all
}

/// For the file's first line and the names around the parts.
const ROOM_FOR_THE_REST: usize = 1_024;

/// A second for each MiB, in nanoseconds: what changes at once is saved at once, and a storm writes
/// no more than that.
const MIN_BETWEEN: u64 = 1_000_000_000;

/// A minute: what only counts is as old as that after a crash.
const MAX_BETWEEN: u64 = 60_000_000_000;
