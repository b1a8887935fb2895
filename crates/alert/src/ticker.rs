//! The thread that tells of changes: resolves in time, renews leases, fills the outboxes.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::alert::{Alert, State};
use crate::alerts::deadline;
use crate::bystanders::Bystanders;
use crate::clock::{nanos, until};
use crate::error::Error;
use crate::group::Occurrence;
use crate::mute;
use crate::set::{Roster, Set};
use crate::shared::Shared;
use crate::snapshot::Keeping;

/// The ticker's own memory; all else is shared.
pub(crate) struct Ticker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) roster: Arc<Roster>,
    pub(crate) set: Arc<Set>,
    pub(crate) rules: Vec<Told>,
    panics_told: u64,
    bystanders: Bystanders,
    keeping: Option<Keeping>,
    /// When to look at the rules file.
    pub(crate) look: Option<u64>,
}

/// What the ticker knows of one rule.
#[derive(Default)]
pub(crate) struct Told {
    /// When to renew the lease of its playbook, while it fires.
    renew: Option<u64>,
    /// When its mute window ends, if alerts wait for that.
    unmute: Option<u64>,
    /// What fires and was kept back, by fingerprint.
    pub(crate) muted: BTreeMap<String, Arc<Alert>>,
}

impl Ticker {
    pub(crate) fn new(shared: Arc<Shared>, mut keeping: Option<Keeping>) -> Self {
        let roster = shared.current.roster();
        let set = roster.set.clone();
        // A rule that fires at the start fired before it: its playbook acts at once.
        let told = |rule| Told {
            renew: (set.slot(rule).firing() > 0).then_some(0),
            ..Told::default()
        };
        let mut rules: Vec<Told> = (0..set.rules.len()).map(told).collect();
        let muted = keeping
            .iter_mut()
            .flat_map(|keeping| keeping.muted.drain(..));
        for (rule, alert) in muted {
            let told = &mut rules[rule];
            told.muted.insert(alert.fingerprint(), alert);
            told.unmute = Some(0);
        }
        let mut ticker = Self {
            rules,
            set,
            roster,
            shared,
            panics_told: 0,
            bystanders: Bystanders::default(),
            keeping,
            look: None,
        };
        ticker.look_later();
        ticker
    }

    /// Runs until the end is asked for. The last round tells what is left to tell.
    pub(crate) fn run(mut self) {
        loop {
            let ending = self.shared.is_ended();
            let next = self.round();
            if ending {
                return self.end();
            }
            let now = self.shared.clock.now();
            self.shared.wake.wait(next.map(|next| until(now, next)));
        }
    }

    /// Ends all others. What they sent until then is no longer on its way: that is saved last.
    fn end(mut self) {
        self.save();
        self.shared.end_workers();
        if self.keeping.is_some() {
            let ends_at = self.shared.ends_at.load(Ordering::Acquire);
            let left = until(self.shared.clock.now(), ends_at);
            // This thread is left, and the one that writes.
            self.shared
                .progress
                .wait_until(deadline(left), |threads| threads <= 2);
            self.save();
        }
        if let Some(keeping) = &self.keeping {
            keeping.writer.end();
        }
    }

    fn save(&mut self) {
        let (shared, set, rules) = (&self.shared, &self.set, &self.rules);
        if let Some(keeping) = &mut self.keeping {
            keeping.save(shared, set, |rule| rules[rule].muted.values());
        }
    }

    /// Does what is due, and says when to come again.
    fn round(&mut self) -> Option<u64> {
        self.look();
        let mut told = false;
        while let Some(roster) = self.shared.current.next() {
            self.adopt(roster);
            told = true;
        }
        let mut next: Option<u64> = self.look;
        for rule in 0..self.set.rules.len() {
            let now = self.shared.clock.now();
            self.set.slot(rule).turn(&self.set.rules[rule], now);
            told |= self.tell_changes(rule, now);
            self.renew(rule, now);
            self.unmute(rule, now);
            let due = self.set.slot(rule).due();
            let soonest = [next, due, self.rules[rule].renew, self.rules[rule].unmute];
            next = soonest.into_iter().flatten().min();
        }
        self.tell_of_panics();
        let (shared, set, rules) = (&self.shared, &self.set, &self.rules);
        if let Some(keeping) = &mut self.keeping {
            let due = keeping.round(shared, set, told, |rule| rules[rule].muted.values());
            next = Some(next.map_or(due, |next| next.min(due)));
        }
        if told {
            self.shared.progress.step();
        }
        next
    }

    /// One at a time: no lock is held while a change is told.
    pub(crate) fn tell_changes(&mut self, rule: usize, now: u64) -> bool {
        let mut told = false;
        while let Some((occurrence, alert)) = self.take(rule) {
            self.bystanders.spare(now);
            if self.fires(rule) {
                self.rules[rule].renew.get_or_insert(now);
            } else {
                self.rules[rule].renew = None;
                self.release(rule);
            }
            // The help first: a callback may take its time.
            self.renew(rule, now);
            self.tell(rule, &occurrence, &alert);
            told = true;
        }
        told
    }

    fn take(&self, rule: usize) -> Option<(Occurrence, Arc<Alert>)> {
        let occurrence = self.set.slot(rule).take()?;
        let about = self.shared.about();
        let alert = about.alert(&self.set.rules[rule], &occurrence);
        Some((occurrence, Arc::new(alert)))
    }

    fn fires(&self, rule: usize) -> bool {
        self.set.slot(rule).firing() > 0
    }

    fn tell(&mut self, rule: usize, occurrence: &Occurrence, alert: &Arc<Alert>) {
        if !self.mutes(rule, alert, occurrence.again) {
            self.send(rule, alert);
        }
        if occurrence.again {
            return;
        }
        let shared = &*self.shared;
        shared.publish(alert);
        for on_change in &shared.on_change {
            if catch_unwind(AssertUnwindSafe(|| on_change.0(alert))).is_err() {
                shared.panics.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn send(&self, rule: usize, alert: &Arc<Alert>) {
        for outbox in &self.roster.routes[rule].outboxes {
            if let Err(error) = outbox.push(alert.clone()) {
                self.shared.tell.tell(error);
            }
        }
    }

    /// Keeps an alert back if nobody wants to hear of the rule now, and what resolves unheard.
    fn mutes(&mut self, rule: usize, alert: &Arc<Alert>, again: bool) -> bool {
        let mute = &self.set.rules[rule].mute;
        if mute.is_empty() {
            return false;
        }
        let wall = self.shared.clock.wall();
        let ends = mute::until(mute, wall);
        let told = &mut self.rules[rule];
        let muted = match (alert.state, ends) {
            (State::Resolved, _) => told.muted.remove(&alert.fingerprint()).is_some(),
            (_, None) => false,
            (_, Some(ends)) => {
                let wait = ends.duration_since(wall).unwrap_or_default();
                let now = self.shared.clock.now();
                told.unmute = Some(now.saturating_add(nanos(wait)));
                if !again {
                    told.muted.insert(alert.fingerprint(), alert.clone());
                }
                true
            }
        };
        if muted {
            self.set.slot(rule).tally.muted += 1;
        }
        muted
    }

    /// What still fires when a mute window ends is told then.
    fn unmute(&mut self, rule: usize, now: u64) {
        let told = &mut self.rules[rule];
        if told.unmute.is_none_or(|due| due > now) {
            return;
        }
        let wall = self.shared.clock.wall();
        if let Some(ends) = mute::until(&self.set.rules[rule].mute, wall) {
            // The next window follows at once, or somebody set the clock.
            let wait = ends.duration_since(wall).unwrap_or_default();
            told.unmute = Some(now.saturating_add(nanos(wait).max(1)));
            return;
        }
        told.unmute = None;
        let waiting = std::mem::take(&mut told.muted);
        waiting.values().for_each(|alert| self.send(rule, alert));
    }

    fn release(&self, rule: usize) {
        if let Some(keeper) = &self.roster.routes[rule].keeper {
            keeper.release(&self.set.rules[rule].name);
        }
    }

    fn renew(&mut self, rule: usize, now: u64) {
        let call = self.set.rules[rule]
            .playbook
            .as_ref()
            .zip(self.roster.routes[rule].keeper.as_ref());
        let renew = &mut self.rules[rule].renew;
        let Some((call, keeper)) = call else {
            *renew = None;
            return;
        };
        if renew.is_some_and(|due| due <= now) {
            keeper.hold(&self.set.rules[rule].name, call.limits);
            *renew = Some(now.saturating_add(nanos(call.limits.lease) / 2));
        }
    }

    fn tell_of_panics(&mut self) {
        let panics = self.shared.panics.load(Ordering::Relaxed);
        let new = panics - self.panics_told;
        if new > 0 {
            self.panics_told = panics;
            self.shared.tell.tell(Error::delivery(format!(
                "{new} panics were caught in values, judges, playbooks or callbacks that alerts ran"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::alerts::AlertGuard;
    use crate::clock::tests::HandClock;
    use crate::{Alert, AlertLayer, Playbook, Rules, State};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};
    use tracing_subscriber::prelude::*;

    const BOUND: Duration = Duration::from_secs(20);

    struct Told(Sender<Option<Duration>>);

    impl Playbook for Told {
        fn apply(&self, lease: Duration) {
            self.0.send(Some(lease)).unwrap();
        }

        fn revert(&self) {
            self.0.send(None).unwrap();
        }
    }

    /// A rule on a clock that stands still: `x` twice in the window.
    fn start(
        on_change: impl Fn(&Alert) + Send + Sync + 'static,
        window: &str,
    ) -> (
        Arc<HandClock>,
        AlertLayer,
        AlertGuard,
        Receiver<Option<Duration>>,
    ) {
        let yaml = &format!(
            "- {{name: r, pattern: x, threshold: 2/{window}, resolve_after: 5s, playbook: {{run: p, lease: 30s, dry_run: false, cooldown: 0s}}}}"
        );
        let clock = Arc::new(HandClock::default());
        let (sender, played) = channel();
        let mut builder = AlertLayer::builder(Rules::parse(yaml).unwrap())
            .notifier("log", |_: &Alert| Ok(()))
            .playbook("p", Told(sender))
            .on_change(on_change);
        builder.clock = clock.clone();
        let (layer, guard) = builder.spawn().unwrap();
        (clock, layer, guard, played)
    }

    fn hit(layer: &AlertLayer) {
        let subscriber = tracing_subscriber::registry().with(layer.clone());
        tracing::subscriber::with_default(subscriber, || tracing::error!("x"));
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn an_alert_tells_when_it_began_fired_and_was_over() {
        let (clock, layer, guard, played) = start(|_| {}, "10s");
        let changes = guard.alerts().subscribe();
        clock.turn(Duration::from_secs(1));
        hit(&layer);
        clock.turn(Duration::from_secs(3));
        hit(&layer);
        let fired = changes.recv_timeout(BOUND).unwrap();
        assert_eq!(
            (fired.first_bad, fired.fired_at, fired.resolved_at),
            (at(1), at(4), None)
        );
        assert_eq!(
            played.recv_timeout(BOUND),
            Ok(Some(Duration::from_secs(30)))
        );
        assert_eq!(guard.alerts().states()[0].since, Some(at(4)));
        // Below the threshold from 11 on, and so for five seconds.
        clock.turn(Duration::from_secs(20));
        let resolved = changes.recv_timeout(BOUND).unwrap();
        assert_eq!(resolved.resolved_at, Some(at(16)));
        assert_eq!((resolved.first_bad, resolved.fired_at), (at(1), at(4)));
        assert_eq!(played.recv_timeout(BOUND), Ok(None));
        assert_eq!(guard.alerts().states()[0].since, Some(at(16)));
        guard.close(BOUND).unwrap();
    }

    #[test]
    fn a_lease_is_renewed_at_its_half() {
        let (clock, layer, guard, played) = start(|_| {}, "1h");
        hit(&layer);
        hit(&layer);
        assert_eq!(
            played.recv_timeout(BOUND),
            Ok(Some(Duration::from_secs(30)))
        );
        for _ in 0..3 {
            clock.turn(Duration::from_secs(15));
            assert_eq!(
                played.recv_timeout(BOUND),
                Ok(Some(Duration::from_secs(30)))
            );
        }
        guard.close(BOUND).unwrap();
        assert_eq!(played.recv_timeout(BOUND), Ok(None));
    }

    #[test]
    fn a_lease_runs_out_even_if_whoever_renews_it_hangs() {
        let (release, hang) = channel::<()>();
        let hang = Mutex::new(hang);
        let (clock, layer, guard, played) = start(
            move |_| {
                let _ = hang.lock().unwrap().recv();
            },
            "10s",
        );
        hit(&layer);
        hit(&layer);
        assert_eq!(
            played.recv_timeout(BOUND),
            Ok(Some(Duration::from_secs(30)))
        );
        clock.turn(Duration::from_secs(29));
        hit(&layer);
        hit(&layer);
        assert_eq!(guard.alerts().counts()[0].matched, 4, "judging never waits");
        clock.turn(Duration::from_secs(1));
        assert_eq!(played.recv_timeout(BOUND), Ok(None));
        // Meanwhile the rule resolved and fired again: it helps again as soon as it can.
        drop(release);
        assert_eq!(
            played.recv_timeout(BOUND),
            Ok(Some(Duration::from_secs(30)))
        );
        guard.close(BOUND).unwrap();
    }

    #[test]
    fn the_kill_switch_takes_back_what_is_applied_and_turned_on_it_acts_again() {
        let (_clock, layer, guard, played) = start(|_| {}, "1h");
        hit(&layer);
        hit(&layer);
        let applied = Ok(Some(Duration::from_secs(30)));
        assert_eq!(played.recv_timeout(BOUND), applied);
        guard.alerts().playbooks(false);
        assert_eq!(played.recv_timeout(BOUND), Ok(None));
        guard.alerts().playbooks(true);
        assert_eq!(played.recv_timeout(BOUND), applied, "the rule still fires");
        guard.close(BOUND).unwrap();
    }

    #[test]
    fn a_callback_that_panics_stops_nobody() {
        let (_clock, layer, guard, played) = start(|_| panic!("a callback that fails"), "10s");
        hit(&layer);
        hit(&layer);
        assert!(played.recv_timeout(BOUND).unwrap().is_some());
        assert!(
            guard
                .alerts()
                .wait(BOUND, |rules| rules[0].state == State::Firing)
        );
        guard.alerts().close(BOUND).unwrap();
        assert_eq!(guard.alerts().deliveries().panics, 1);
        assert_eq!(guard.alerts().deliveries().sent, 1);
    }

    #[test]
    fn a_reader_that_falls_behind_misses_changes_and_they_are_counted() {
        let (clock, layer, guard, _played) = start(|_| {}, "10s");
        let changes = guard.alerts().subscribe();
        let gone = guard.alerts().subscribe();
        drop(gone);
        for times in 1..=130 {
            hit(&layer);
            hit(&layer);
            // Told, not only fired: each change is one round of the ticker.
            assert!(
                guard
                    .alerts()
                    .wait(BOUND, |rules| rules[0].state == State::Firing)
            );
            clock.turn(Duration::from_secs(60));
            assert!(
                guard
                    .alerts()
                    .wait(BOUND, |_| guard.alerts().counts()[0].resolved == times)
            );
        }
        guard.alerts().close(BOUND).unwrap();
        assert_eq!(guard.alerts().deliveries().dropped, 4);
        assert_eq!(changes.try_iter().count(), 256);
    }
}
