//! How the ticker comes to other rules: what goes on, what is over, and who is new.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::clock::nanos;
use crate::set::{Roster, is_among};
use crate::ticker::{Ticker, Told};

impl Ticker {
    /// Looks at the rules file, if it is time to.
    pub(crate) fn look(&mut self) {
        let now = self.shared.clock.now();
        if self.look.is_none_or(|due| due > now) {
            return;
        }
        if let Some(reloads) = self.shared.reloads.as_ref() {
            reloads.look(&self.shared);
        }
        self.look_later();
    }

    pub(crate) fn look_later(&mut self) {
        let reloads = self.shared.reloads.as_ref();
        let pause = reloads.and_then(|reloads| reloads.pause());
        self.look = pause.map(|pause| self.shared.clock.now().saturating_add(nanos(pause)));
    }

    /// Takes up the rules that follow these.
    pub(crate) fn adopt(&mut self, next: Arc<Roster>) {
        let mut rules: Vec<Told> = next.set.rules.iter().map(|_| Told::default()).collect();
        for rule in 0..self.set.rules.len() {
            match next.set.place_of(&self.set.slots[rule]) {
                Some(place) => {
                    // What is not yet told is told to those who were there then.
                    self.tell_changes(rule, self.shared.clock.now());
                    self.introduce(rule, &next, place);
                    rules[place] = std::mem::take(&mut self.rules[rule]);
                }
                None => self.retire(rule),
            }
        }
        let (set, before) = (next.set.clone(), std::mem::replace(&mut self.roster, next));
        (self.set, self.rules) = (set, rules);
        let outboxes = self.roster.outboxes();
        for outbox in before.outboxes() {
            if !is_among(&outboxes, &outbox) {
                outbox.retire();
            }
        }
        let keepers = self.roster.keepers();
        for keeper in before.keepers() {
            if !is_among(&keepers, &keeper) {
                keeper.end();
            }
        }
    }

    /// Tells a rule's new notifiers of what fires already, unless nobody wants to hear of it now.
    fn introduce(&self, rule: usize, next: &Roster, place: usize) {
        let known = &self.roster.routes[rule].outboxes;
        let all = next.routes[place].outboxes.iter();
        let new: Vec<_> = all.filter(|outbox| !is_among(known, outbox)).collect();
        if new.is_empty() {
            return;
        }
        let about = self.shared.about();
        let firing = self.set.slot(rule).active(&self.set.rules[rule], &about);
        for alert in firing.into_iter().map(Arc::new) {
            if self.rules[rule].muted.contains_key(&alert.fingerprint()) {
                continue;
            }
            for outbox in &new {
                if let Err(error) = outbox.push(alert.clone()) {
                    self.shared.tell.tell(error);
                }
            }
        }
    }

    /// A rule that is gone or says something else is over: those who heard of it hear that.
    fn retire(&mut self, rule: usize) {
        let now = self.shared.clock.now();
        self.set.slot(rule).retire(&self.set.rules[rule], now);
        self.tell_changes(rule, now);
        let untold = self.set.slot(rule).tally.untold;
        self.shared.unheard.fetch_add(untold, Ordering::Relaxed);
    }
}
