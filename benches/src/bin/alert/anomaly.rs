//! Judges simulated traffic by a rule of the type `anomaly`, and counts what it finds and what it makes up.

use crate::traffic::{BASES, BURST, DAY, Spread, series};
use dogwatch_alert::{Replay, Rules, State};
use dogwatch_benches::{print, quick};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What became of the bursts of one spread.
struct Score {
    /// Template-days on which the rule had learned.
    days: usize,
    bursts: [usize; BASES.len()],
    found: [usize; BASES.len()],
    false_alarms: usize,
    /// Minutes from a burst's first to the alert, of each that was found.
    delays: Vec<usize>,
}

/// `--seed N`: the traffic's.
pub(crate) fn seed() -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--seed");
    let seed = arguments.nth(1);
    seed.map_or(SEED, |seed| seed.parse().expect("--seed takes a number"))
}

/// Prints the table and the figures of a seed.
pub(crate) fn run(seed: u64) {
    let mut table = print::Table::new(&[
        "traffic",
        "template-days",
        "bursts found",
        "of 0.2/min",
        "1/min",
        "5/min",
        "20/min",
        "false alarms a day",
        "delay p50",
        "p90",
    ]);
    let scores = [
        ("Poisson", "", Spread::Poisson),
        ("variance 3 × mean", "od_", Spread::Wider(3.0)),
    ]
    .map(|(name, prefix, spread)| (name, prefix, score(seed, spread)));
    for (name, _, score) in &scores {
        let mut cells = vec![
            (*name).to_owned(),
            score.days.to_string(),
            print::short(score.recall()),
        ];
        let by_base = score.found.iter().zip(score.bursts);
        cells.extend(by_base.map(|(found, all)| format!("{found}/{all}")));
        cells.push(format!("{:.4}", score.false_per_day()));
        cells.extend([0.5, 0.9].map(|share| format!("{} min", score.delay(share))));
        table.row(cells);
    }
    table.print(&format!("Bursts in simulated traffic, seed {seed}"));
    println!();
    for (_, prefix, score) in &scores {
        let name = |what: &str| format!("alert.anomaly.{prefix}{what}");
        print::figure(&name("recall"), Some(score.recall()), "share");
        // A share of thousandths has no three digits otherwise.
        let false_per_day = score.false_per_day();
        println!(
            "figure {} {false_per_day:.4} alerts/day",
            name("false_per_day")
        );
    }
}

fn score(seed: u64, spread: Spread) -> Score {
    let mut score = Score {
        days: 0,
        bursts: [0; BASES.len()],
        found: [0; BASES.len()],
        false_alarms: 0,
        delays: Vec::new(),
    };
    let (of_a_base, days) = if quick() { (1, 2) } else { (40, 8) };
    for number in 0..of_a_base * BASES.len() as u64 {
        let base = number as usize % BASES.len();
        let traffic = series(seed, number, spread, days);
        let mut found = vec![false; traffic.bursts.len()];
        for minute in fired(&traffic.minutes) {
            // As long as the burst is within the longest window, an alert is about it.
            let about = |from: &usize| (*from..*from + BURST + 15).contains(&minute);
            match traffic.bursts.iter().position(about) {
                // The same twice is one too many.
                Some(burst) if !found[burst] => {
                    found[burst] = true;
                    score.delays.push(minute - traffic.bursts[burst]);
                }
                _ => score.false_alarms += 1,
            }
        }
        score.days += days - 1;
        score.bursts[base] += found.len();
        score.found[base] += found.iter().filter(|&&found| found).count();
    }
    score.delays.sort_unstable();
    score
}

/// The minutes in which the rule fired.
fn fired(minutes: &[u32]) -> Vec<usize> {
    let rules = Rules::parse("[{name: unusual, type: anomaly, match: 'level=error'}]");
    let mut replay = Replay::new(&rules.expect("the rule loads"));
    let line = r#"{"level":"ERROR","target":"shop::pay","message":"the channel refused"}"#;
    let begin = UNIX_EPOCH + Duration::from_secs(20_000 * DAY as u64 * 60);
    let at =
        |minute: usize, share: f64| begin + Duration::from_secs_f64((minute as f64 + share) * 60.0);
    let mut fired = Vec::new();
    let mut events = 0;
    for (minute, &count) in minutes.iter().enumerate() {
        for event in 0..count {
            // Evenly over the minute.
            let share = (f64::from(event) + 0.5) / f64::from(count);
            replay.line_at(at(minute, share), line, &mut |alert| {
                if alert.state == State::Firing {
                    fired.push(minute_of(begin, alert.fired_at));
                }
            });
        }
        events += u64::from(count);
    }
    assert_eq!(replay.rules()[0].matched, events, "all were judged");
    fired
}

fn minute_of(begin: SystemTime, at: SystemTime) -> usize {
    let since = at.duration_since(begin).expect("after the beginning");
    (since.as_secs() / 60) as usize
}

impl Score {
    fn recall(&self) -> f64 {
        let [found, all] = [self.found, self.bursts].map(|each| each.iter().sum::<usize>() as f64);
        found / all
    }

    fn false_per_day(&self) -> f64 {
        self.false_alarms as f64 / self.days as f64
    }

    fn delay(&self, share: f64) -> usize {
        let at = (self.delays.len() as f64 * share) as usize;
        self.delays.get(at).copied().unwrap_or_default()
    }
}

/// One that the detector's numbers were not chosen on: those were 101 and 102.
const SEED: u64 = 1;
