//! Decides whether a kind of message comes more often than it is used to. Pure: it is told the time.

use crate::meter::Level;
use crate::tail::tail;
use crate::usual::{Usual, WINDOWS};

/// The last minutes of one kind of message, and what is usual for it.
#[derive(Clone, Debug)]
pub(crate) struct Anomaly {
    learn: u64,
    min_count: u64,
    /// The minute of the first event from which on is learned.
    born: Option<u64>,
    /// The minute of the latest event.
    at: u64,
    /// Events of the latest minutes, each at its number's place.
    minutes: [u32; RING as usize],
    usual: Usual,
    /// The last minute that belongs to something unusual; it and those before it teach nothing.
    frozen: Option<u64>,
    /// Since which minute it is unusual without a break.
    since: Option<u64>,
    /// The minute in which an event made it so, until the minute's end.
    over: Option<u64>,
    /// In this minute a window's count is worth a closer look from so many on.
    gates: [u64; WINDOWS.len()],
}

/// How unusual a count is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Odds {
    pub(crate) count: u64,
    /// The window's minutes.
    pub(crate) minutes: u64,
    /// How many are usual.
    pub(crate) expected: f64,
    /// The chance of so many or more.
    pub(crate) tail: f64,
}

impl Anomaly {
    pub(crate) fn new(learn: u64, min_count: u64) -> Self {
        Self {
            learn: learn / MINUTE,
            min_count,
            born: None,
            at: 0,
            minutes: [0; RING as usize],
            usual: Usual::new(),
            frozen: None,
            since: None,
            over: None,
            gates: [0; WINDOWS.len()],
        }
    }

    /// An event. Time never steps back.
    pub(crate) fn push(&mut self, now: u64) {
        let minute = now / MINUTE;
        let born = *self.born.get_or_insert(minute);
        if minute > self.at {
            if born == minute || minute - self.at > FORGOTTEN {
                self.begin(minute);
            }
            while self.at < minute {
                self.step();
            }
            self.look();
        }
        let count = &mut self.minutes[(self.at % RING) as usize];
        *count = count.saturating_add(1);
        // In a minute the count only grows, and so does the doubt: a storm is judged once.
        if self.over != Some(self.at) && self.judge(self.at).0 == Level::Over {
            self.over = Some(self.at);
            self.frozen = Some(self.at);
            self.since.get_or_insert(self.at);
        }
    }

    pub(crate) fn level(&self, now: u64) -> Level {
        let minute = now / MINUTE;
        match self.over == Some(minute) {
            true => Level::Over,
            false => self.judge(minute).0,
        }
    }

    /// What is most unusual now; only what is unusual enough.
    pub(crate) fn odds(&self, now: u64) -> Option<Odds> {
        self.judge(now / MINUTE).1
    }

    /// When the level may change next if no event comes: minutes leave at a minute's end.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let minute = now / MINUTE;
        let falls = self.level(now) != Level::Under;
        falls.then(|| (minute + 1).saturating_mul(MINUTE))
    }

    /// The beginning of the first minute with an event that is part of it.
    pub(crate) fn first(&self, now: u64) -> Option<u64> {
        let minute = now / MINUTE;
        let length = self.odds(now)?.minutes;
        let all = (minute + 1).saturating_sub(length)..=minute;
        let first = all.into_iter().find(|&minute| self.minute(minute) > 0)?;
        Some(first.saturating_mul(MINUTE))
    }

    /// Whether all that it knows is too old to be of use.
    pub(crate) fn is_empty(&self, now: u64) -> bool {
        self.born.is_none() || (now / MINUTE).saturating_sub(self.at) > FORGOTTEN
    }

    /// What was in the latest minutes is over, and was nothing to learn from.
    pub(crate) fn clear(&mut self) {
        self.minutes = [0; RING as usize];
        self.frozen = Some(self.at);
        self.since = None;
        self.over = None;
    }

    /// Learns from nothing on.
    fn begin(&mut self, minute: u64) {
        *self = Self {
            born: Some(minute),
            at: minute,
            ..Self::new(self.learn * MINUTE, self.min_count)
        };
    }

    /// A minute is over: what has left all windows is learned, unless it was unusual.
    fn step(&mut self) {
        if self.since.is_some_and(|since| self.at - since >= ACCEPTED) {
            self.begin(self.at);
        }
        let old = (self.at + 1).checked_sub(RING);
        let learned = |minute: &u64| {
            self.born.is_some_and(|born| born <= *minute)
                && self.frozen.is_none_or(|frozen| frozen < *minute)
        };
        if let Some(old) = old.filter(learned) {
            for (window, &length) in WINDOWS.iter().enumerate() {
                if old % length == 0 {
                    let events = self.sum(old + length - 1, length);
                    self.usual.learn_spread(old + length / 2, window, events);
                }
            }
            self.usual.learn(old, self.minute(old));
        }
        self.at += 1;
        self.minutes[(self.at % RING) as usize] = 0;
        if self.since.is_some() {
            match self.closely(self.at).0 {
                Level::Under => self.since = None,
                Level::Between | Level::Over => self.frozen = Some(self.at),
            }
        }
    }

    /// Finds from which counts on this minute's windows are worth a closer look.
    fn look(&mut self) {
        for (window, gate) in self.gates.iter_mut().enumerate() {
            let expected = self.usual.expected(self.at, window);
            let far = expected.mean + GATE * expected.variance.sqrt();
            *gate = self.min_count.max(far as u64);
        }
    }

    fn judge(&self, minute: u64) -> (Level, Option<Odds>) {
        let within = |window: usize| self.sum(minute, WINDOWS[window]) >= self.gates[window];
        match minute == self.at && !(0..WINDOWS.len()).any(within) {
            true => (Level::Under, None),
            false => self.closely(minute),
        }
    }

    fn closely(&self, minute: u64) -> (Level, Option<Odds>) {
        let learned = self.born.is_some_and(|born| minute >= born + self.learn);
        if !learned {
            return (Level::Under, None);
        }
        let mut most: Option<Odds> = None;
        for (window, &length) in WINDOWS.iter().enumerate() {
            let count = self.sum(minute, length);
            if count < self.min_count {
                continue;
            }
            let expected = self.usual.expected(minute, window);
            if (count as f64) < expected.mean + GATE * expected.variance.sqrt() {
                continue;
            }
            let odds = Odds {
                count,
                minutes: length,
                expected: expected.mean,
                tail: tail(count, expected.mean, expected.variance),
            };
            if most.is_none_or(|most| odds.tail < most.tail) {
                most = Some(odds);
            }
        }
        match most {
            Some(odds) if odds.tail < UNUSUAL => (Level::Over, most),
            Some(odds) if odds.tail < USUAL => (Level::Between, most),
            _ => (Level::Under, None),
        }
    }

    /// The events of so many minutes, this one the last; none of a minute that is too long ago.
    fn sum(&self, minute: u64, length: u64) -> u64 {
        let all = (minute + 1).saturating_sub(length)..=minute;
        all.map(|minute| u64::from(self.minute(minute))).sum()
    }

    fn minute(&self, minute: u64) -> u32 {
        let kept = minute <= self.at && self.at - minute < RING;
        if kept {
            self.minutes[(minute % RING) as usize]
        } else {
            0
        }
    }
}

const MINUTE: u64 = 60_000_000_000;

/// The longest window and the minute that is learned.
const RING: u64 = 16;

/// A chance so small is an anomaly: of three tests a minute that hang together, one in weeks.
pub(crate) const UNUSUAL: f64 = 1e-6;

/// A chance so large is none any more.
const USUAL: f64 = 1e-3;

/// So many standard deviations above the mean no chance is as large as [`USUAL`].
const GATE: f64 = 2.5;

/// What goes on for a day is the new usual: minutes.
const ACCEPTED: u64 = 1_440;

/// Of what was not seen for two weeks nothing is known: minutes.
const FORGOTTEN: u64 = 14 * 1_440;

#[cfg(test)]
mod tests {
    use super::{ACCEPTED, Anomaly, FORGOTTEN, MINUTE, UNUSUAL};
    use crate::meter::Level;

    const DAY: u64 = 1_440;

    /// So many events in each minute from one to before another.
    fn fed(anomaly: &mut Anomaly, minutes: std::ops::Range<u64>, events: u64) {
        for minute in minutes {
            for event in 0..events {
                anomaly.push(minute * MINUTE + event);
            }
        }
    }

    fn used_to(events: u64, days: u64) -> Anomaly {
        let mut anomaly = Anomaly::new(DAY * MINUTE, 4);
        fed(&mut anomaly, DAY..(1 + days) * DAY, events);
        anomaly
    }

    #[test]
    fn nothing_is_unusual_on_the_day_that_is_learned() {
        let mut anomaly = Anomaly::new(DAY * MINUTE, 4);
        fed(&mut anomaly, DAY..DAY + 1_000, 2);
        fed(&mut anomaly, DAY + 1_000..DAY + 1_001, 500);
        assert_eq!(anomaly.level((DAY + 1_000) * MINUTE), Level::Under);
    }

    #[test]
    fn ten_times_the_usual_is_an_anomaly_until_it_has_left_the_windows() {
        let mut anomaly = used_to(2, 2);
        let (from, at) = (3 * DAY, (3 * DAY) * MINUTE);
        fed(&mut anomaly, from..from + 1, 20);
        assert_eq!(anomaly.level(at), Level::Over);
        let odds = anomaly.odds(at).unwrap();
        assert_eq!((odds.count, odds.minutes), (20, 1));
        assert!(
            (odds.expected - 2.0).abs() < 0.1 && odds.tail < UNUSUAL,
            "{odds:?}"
        );
        assert_eq!(anomaly.first(at), Some(at));
        assert_eq!(anomaly.next(at), Some(at + MINUTE));
        assert_ne!(
            anomaly.level(at + 14 * MINUTE),
            Level::Over,
            "alone it is less in 15 minutes"
        );
        assert_eq!(anomaly.level(at + 15 * MINUTE), Level::Under);
        assert_eq!(anomaly.next(at + 15 * MINUTE), None);
        assert!(!anomaly.is_empty(at + FORGOTTEN * MINUTE));
        assert!(anomaly.is_empty(at + (FORGOTTEN + 1) * MINUTE));
    }

    #[test]
    fn a_little_more_for_long_shows_in_fifteen_minutes_and_not_in_one() {
        let mut anomaly = used_to(10, 3);
        let from = 4 * DAY;
        let mut first = None;
        for minute in from..from + 30 {
            fed(&mut anomaly, minute..minute + 1, 19);
            if first.is_none() && anomaly.level(minute * MINUTE) == Level::Over {
                first = anomaly
                    .odds(minute * MINUTE)
                    .map(|odds| (minute - from, odds.minutes));
            }
        }
        let (after, minutes) = first.unwrap();
        assert!((1..15).contains(&after) && minutes > 1, "{after} {minutes}");
    }

    #[test]
    fn three_are_too_few_however_rare() {
        let mut anomaly = Anomaly::new(DAY * MINUTE, 4);
        anomaly.push(DAY * MINUTE);
        fed(&mut anomaly, 4 * DAY..4 * DAY + 1, 3);
        assert_eq!(anomaly.level(4 * DAY * MINUTE), Level::Under);
        fed(&mut anomaly, 4 * DAY..4 * DAY + 1, 1);
        assert_eq!(anomaly.level(4 * DAY * MINUTE), Level::Over);
    }

    #[test]
    fn an_incident_is_not_learned_and_one_like_it_a_day_later_is_found() {
        let mut anomaly = used_to(5, 2);
        let usual = |anomaly: &Anomaly, minute| anomaly.usual.expected(minute, 1).mean;
        let before = usual(&anomaly, 3 * DAY + 600);
        fed(&mut anomaly, 3 * DAY..3 * DAY + 570, 5);
        fed(&mut anomaly, 3 * DAY + 570..3 * DAY + 630, 60);
        fed(&mut anomaly, 3 * DAY + 630..4 * DAY + 600, 5);
        let after = usual(&anomaly, 4 * DAY + 600);
        assert!((after / before - 1.0).abs() < 0.02, "{before} {after}");
        fed(&mut anomaly, 4 * DAY + 600..4 * DAY + 601, 60);
        assert_eq!(anomaly.level((4 * DAY + 600) * MINUTE), Level::Over);
    }

    #[test]
    fn what_goes_on_for_a_day_is_learned_anew_and_is_usual_then() {
        let mut anomaly = used_to(5, 2);
        let from = 3 * DAY;
        fed(&mut anomaly, from..from + ACCEPTED, 60);
        assert_eq!(anomaly.level((from + ACCEPTED - 1) * MINUTE), Level::Over);
        fed(&mut anomaly, from + ACCEPTED..from + 2 * ACCEPTED + 60, 60);
        assert_eq!(
            anomaly.level((from + 2 * ACCEPTED + 59) * MINUTE),
            Level::Under
        );
        assert!((anomaly.usual.expected(from + 2 * ACCEPTED, 0).mean - 60.0).abs() < 2.0);
    }

    #[test]
    fn minutes_without_an_event_are_learned_too() {
        let mut anomaly = Anomaly::new(DAY * MINUTE, 4);
        for minute in (DAY..5 * DAY).step_by(90) {
            anomaly.push(minute * MINUTE);
        }
        let mean = anomaly.usual.expected(5 * DAY, 2).mean;
        assert!(
            (0.12..0.25).contains(&mean),
            "one in 90 minutes is 0.17 in 15: {mean}"
        );
    }
}
