//! One notifier's thread: what waits goes out at its pace, tried again until there is no hope.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::alert::{Alert, Deliveries};
use crate::clock::{Clock, Wake, until};
use crate::dead_letters::DeadLetters;
use crate::error::Error;
use crate::notify::{Notify, NotifyError};
use crate::pace::{Meter, Pace};
use crate::queue::{MAX_WAITING, Queue};
use crate::resends::{MAX_STANDING, Resends};
use crate::tries::Tries;

/// Alerts on their way to one notifier.
pub(crate) struct Outbox {
    name: String,
    notifier: Arc<dyn Notify>,
    pub(crate) clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    dead_letters: Option<Arc<DeadLetters>>,
    state: Mutex<State>,
}

pub(crate) struct State {
    queue: Queue,
    /// Instead of the queue, for a receiver that forgets.
    resends: Option<Resends>,
    ending: Option<u64>,
    /// It ends since the rules that a reload brought do not name it.
    pub(crate) retired: bool,
}

impl Outbox {
    pub(crate) fn new(name: String, notifier: Arc<dyn Notify>, clock: Arc<dyn Clock>) -> Self {
        let wake = Arc::new(Wake::default());
        clock.watch(&wake);
        let state = State {
            queue: Queue::default(),
            resends: notifier.resend().map(Resends::new),
            ending: None,
            retired: false,
        };
        Self {
            name,
            notifier,
            clock,
            wake,
            dead_letters: None,
            state: Mutex::new(state),
        }
    }

    /// Where alerts that nobody takes are written.
    pub(crate) fn dead_letters(mut self, dead_letters: Option<Arc<DeadLetters>>) -> Self {
        self.dead_letters = dead_letters;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes an alert, or says that there is no room.
    pub(crate) fn push(&self, alert: Arc<Alert>) -> Result<(), Error> {
        let now = self.clock.now();
        let taken = self.with(|state| match &mut state.resends {
            None => state.queue.push(alert.clone()),
            Some(resends) => {
                let taken = resends.take(alert.clone(), now);
                state.queue.counts.dropped += u64::from(!taken);
                taken
            }
        });
        if taken {
            self.wake.ring();
            return Ok(());
        }
        let (rule, name) = (&alert.rule, &self.name);
        let most = match self.notifier.resend() {
            Some(_) => MAX_STANDING,
            None => MAX_WAITING,
        };
        let what = format!("cannot queue an alert of `{rule}` for `{name}`: it has {most} already");
        self.bury(&[alert], &what)?;
        Err(Error::delivery(what))
    }

    /// Takes what an earlier process had told: a receiver that forgets is told again at once, no
    /// other is.
    pub(crate) fn take_up(&self, alert: Arc<Alert>) -> Result<(), Error> {
        match self.notifier.resend() {
            Some(_) => self.push(alert),
            None => Ok(()),
        }
    }

    /// What is on its way, in order.
    pub(crate) fn waiting(&self) -> Vec<Arc<Alert>> {
        self.with(|state| match &state.resends {
            None => state.queue.batch(MAX_WAITING),
            Some(resends) => resends.waiting(),
        })
    }

    /// Sends what waits until the deadline, a moment of the steady clock, then ends the thread.
    pub(crate) fn end(&self, deadline: u64) {
        self.with(|state| {
            let before = state.ending.unwrap_or(u64::MAX);
            state.ending = Some(deadline.min(before));
        });
        self.wake.ring();
    }

    pub(crate) fn counts(&self) -> Deliveries {
        self.with(|state| {
            let mut counts = state.queue.counts();
            counts.pending += state.resends.as_ref().map_or(0, Resends::untold);
            counts
        })
    }

    /// The thread's work. `tell` hears of each failure, `tried` of each call.
    pub(crate) fn run(&self, tell: impl Fn(Error), tried: impl Fn()) {
        let pace = self.notifier.pace();
        let mut meter = Meter::new(&pace);
        let mut tries = Tries::default();
        let mut last_call = false;
        loop {
            let now = self.clock.now();
            let ending = self.with(|state| state.ending);
            if ending.is_some() {
                if !last_call {
                    last_call = true;
                    meter.forget();
                }
                tries.hurry(now);
            }
            let paced = meter.wait(now);
            // At the end whatever waits goes together, where calls are few.
            let together = meter.is_scarce(now) || (ending.is_some() && pace != Pace::unlimited());
            let most = if together { MAX_DIGEST } else { 1 };
            let (batch, due) = self.with(|state| state.due(most, now));
            if batch.is_empty() && ending.is_some() {
                return;
            }
            if ending.is_some_and(|deadline| deadline <= now) {
                return;
            }
            let Some(due) = due else {
                self.wake.wait(None);
                continue;
            };
            let due = (due > now).then(|| until(now, due));
            if let Some(wait) = [due, paced, tries.wait(now)].into_iter().flatten().max() {
                self.wake.wait(Some(wait));
                continue;
            }
            meter.called(now);
            self.attempt(&batch, now, &mut tries, &tell);
            tried();
        }
    }

    fn attempt(&self, batch: &[Arc<Alert>], now: u64, tries: &mut Tries, tell: &impl Fn(Error)) {
        // No lock is held here: this may take as long as the notifier likes.
        let sent = catch_unwind(AssertUnwindSafe(|| match batch {
            [only] if self.notifier.resend().is_none() => self.notifier.notify(only),
            _ => self.notifier.digest(batch),
        }));
        let panicked = sent.is_err();
        let sent = sent.unwrap_or_else(|_| Err(NotifyError::permanent("the notifier panicked")));
        let Err(error) = sent else {
            tries.reset();
            return self.with(|state| state.sent(batch, now));
        };
        if error.is_partly() {
            tries.reset();
            self.with(|state| state.sent(batch, now));
            let partly = self.failure(batch, "it is not told again");
            return tell(partly.caused_by(error));
        }
        // The wait begins when it failed, which may be a time-out later.
        if tries.failed(&error, self.clock.now(), RandomState::new().hash_one(())) {
            let again = self.failure(batch, "it is tried again");
            return tell(again.caused_by(error));
        }
        tries.reset();
        let lost = self.with(|state| {
            state.queue.counts.panics += u64::from(panicked);
            state.give_up(batch, error.is_permanent(), now)
        });
        let given_up = self.failure(batch, "it is given up");
        if let Err(error) = self.bury(&lost, &given_up.to_string()) {
            tell(error);
        }
        tell(given_up.caused_by(error));
    }

    pub(crate) fn failure(&self, batch: &[Arc<Alert>], then: &str) -> Error {
        let rule = batch.first().map_or("", |alert| &alert.rule);
        let more = match batch.len() {
            0 | 1 => String::new(),
            all => format!(" and {} more", all - 1),
        };
        let name = &self.name;
        let what = format!("cannot send an alert of `{rule}`{more} to `{name}`, {then}");
        Error::delivery(what)
    }

    pub(crate) fn bury(&self, lost: &[Arc<Alert>], why: &str) -> Result<(), Error> {
        let Some(letters) = &self.dead_letters else {
            return Ok(());
        };
        letters.write(&self.name, lost, why, self.clock.wall())?;
        self.with(|state| state.queue.counts.dead_lettered += lost.len() as u64);
        Ok(())
    }

    pub(crate) fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What goes next, and from when on; `None` while there is nothing.
    pub(crate) fn due(&mut self, most: usize, now: u64) -> (Vec<Arc<Alert>>, Option<u64>) {
        let Some(resends) = &mut self.resends else {
            let batch = self.queue.batch(most);
            let due = (!batch.is_empty()).then_some(0);
            return (batch, due);
        };
        // A process that ends tells what is new, and nothing again.
        if self.ending.is_some() && resends.untold() == 0 {
            return (Vec::new(), None);
        }
        let batch = resends.batch(now);
        (batch, resends.due())
    }

    fn sent(&mut self, batch: &[Arc<Alert>], now: u64) {
        match &mut self.resends {
            None => {
                if batch.len() > 1 {
                    self.queue.counts.digested += batch.len() as u64;
                }
                self.queue.sent(batch);
            }
            Some(resends) => self.queue.counts.sent += resends.told(batch, now).len() as u64,
        }
    }

    /// Returns those that are lost.
    pub(crate) fn give_up(
        &mut self,
        batch: &[Arc<Alert>],
        refused: bool,
        now: u64,
    ) -> Vec<Arc<Alert>> {
        let Some(resends) = &mut self.resends else {
            self.queue.give_up(batch);
            return batch.to_vec();
        };
        let lost = match refused {
            true => resends.refused(batch, now),
            // After an hour: what fires is told again all the same, should somebody be there.
            false => resends.told(batch, now),
        };
        self.queue.counts.failed += lost.len() as u64;
        lost
    }
}

/// How many go in one digest.
pub(crate) const MAX_DIGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::Outbox;
    use crate::clock::tests::HandClock;
    use crate::notify::{Notify, NotifyError};
    use crate::pace::Pace;
    use crate::queue::tests::alert;
    use crate::{Alert, Deliveries, State};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    const BOUND: Duration = Duration::from_secs(20);

    /// Says what it was called with, and answers as told.
    struct Called {
        calls: Sender<Vec<(String, State)>>,
        answers: Mutex<Vec<NotifyError>>,
        pace: Pace,
        resend: Option<Duration>,
    }

    impl Called {
        fn new() -> (Self, Receiver<Vec<(String, State)>>) {
            let (calls, called) = channel();
            let answers = Mutex::default();
            let (pace, resend) = (Pace::unlimited(), None);
            let notifier = Self {
                calls,
                answers,
                pace,
                resend,
            };
            (notifier, called)
        }
    }

    impl Notify for Called {
        fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
            self.digest(&[Arc::new(alert.clone())])
        }

        fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
            let call = alerts.iter().map(|a| (a.rule.to_string(), a.state));
            self.calls.send(call.collect()).unwrap();
            self.answers.lock().unwrap().pop().map_or(Ok(()), Err)
        }

        fn pace(&self) -> Pace {
            self.pace.clone()
        }

        fn resend(&self) -> Option<Duration> {
            self.resend
        }
    }

    struct Ends<'a>(&'a Outbox);

    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.end(u64::MAX);
        }
    }

    /// The outbox at work, until `test` is done with it and its clock.
    fn with(
        notifier: Called,
        test: impl FnOnce(&Outbox, &HandClock, &Receiver<String>),
    ) -> Deliveries {
        let clock = Arc::new(HandClock::default());
        let outbox = Outbox::new("am".into(), Arc::new(notifier), clock.clone());
        let (tell, told) = channel();
        thread::scope(|scope| {
            let outbox = &outbox;
            scope.spawn(move || outbox.run(|error| drop(tell.send(error.to_string())), || ()));
            // Also when the test fails: the scope waits for the thread.
            let _ends = Ends(outbox);
            test(outbox, &clock, &told);
        });
        let counts = outbox.counts();
        assert_eq!(counts.pending, 0);
        counts
    }

    fn call(rules: &[&str], state: State) -> Vec<(String, State)> {
        rules
            .iter()
            .map(|rule| ((*rule).to_owned(), state))
            .collect()
    }

    #[test]
    fn the_last_call_of_a_span_takes_along_what_waits() {
        let (mut notifier, called) = Called::new();
        notifier.pace = Pace::unlimited().at_most(1, Duration::from_secs(60));
        with(notifier, |outbox, clock, _| {
            let next = || called.recv_timeout(BOUND).unwrap();
            outbox.push(alert("a", State::Firing)).unwrap();
            assert_eq!(next(), call(&["a"], State::Firing));
            for rule in ["b", "c", "d"] {
                outbox.push(alert(rule, State::Firing)).unwrap();
            }
            clock.turn(Duration::from_secs(59));
            assert!(called.try_recv().is_err());
            clock.turn(Duration::from_secs(1));
            assert_eq!(next(), call(&["b", "c", "d"], State::Firing));
            // The end waits for no pace.
            outbox.push(alert("e", State::Firing)).unwrap();
            outbox.push(alert("f", State::Firing)).unwrap();
            outbox.end(u64::MAX);
            assert_eq!(next(), call(&["e", "f"], State::Firing));
        });
    }

    #[test]
    fn a_digest_that_failed_goes_again_with_what_came_meanwhile() {
        let (mut notifier, called) = Called::new();
        notifier.pace = Pace::unlimited().at_most(1, Duration::from_secs(60));
        let minute = || NotifyError::retry("no").after(Duration::from_secs(60));
        notifier.answers = Mutex::new(vec![minute()]);
        with(notifier, |outbox, clock, told| {
            let next = || called.recv_timeout(BOUND).unwrap();
            outbox.push(alert("a", State::Firing)).unwrap();
            assert_eq!(next(), call(&["a"], State::Firing));
            let again = "cannot send an alert of `a` to `am`, it is tried again";
            assert_eq!(told.recv_timeout(BOUND).unwrap(), again);
            outbox.push(alert("b", State::Firing)).unwrap();
            clock.turn(Duration::from_secs(60));
            assert_eq!(next(), call(&["a", "b"], State::Firing));
        });
    }

    #[test]
    fn a_receiver_that_forgets_is_told_again_of_all_that_stands() {
        let (mut notifier, called) = Called::new();
        notifier.resend = Some(Duration::from_secs(60));
        let counts = with(notifier, |outbox, clock, _| {
            let next = || called.recv_timeout(BOUND).unwrap();
            outbox.push(alert("a", State::Firing)).unwrap();
            assert_eq!(next(), call(&["a"], State::Firing));
            clock.turn(Duration::from_secs(60));
            assert_eq!(next(), call(&["a"], State::Firing));
            outbox.push(alert("a", State::Resolved)).unwrap();
            assert_eq!(next(), call(&["a"], State::Resolved));
            for _ in 0..4 {
                clock.turn(Duration::from_secs(60));
                assert_eq!(next(), call(&["a"], State::Resolved));
            }
            clock.turn(Duration::from_secs(60));
            outbox.push(alert("b", State::Firing)).unwrap();
            assert_eq!(next(), call(&["b"], State::Firing));
        });
        // Each state counts once, however often it was told.
        assert_eq!(counts.sent, 3);
        assert!(called.try_recv().is_err(), "the end tells nothing again");
    }

    #[test]
    fn one_that_was_told_in_part_counts_as_told() {
        let (mut notifier, called) = Called::new();
        notifier.answers = Mutex::new(vec![NotifyError::partly("one of two is down")]);
        with(notifier, |outbox, _, told| {
            outbox.push(alert("a", State::Firing)).unwrap();
            called.recv_timeout(BOUND).unwrap();
            let part = "cannot send an alert of `a` to `am`, it is not told again";
            assert_eq!(told.recv_timeout(BOUND).unwrap(), part);
            outbox.push(alert("a", State::Resolved)).unwrap();
            called.recv_timeout(BOUND).unwrap();
        });
        assert!(called.try_recv().is_err());
    }
}
