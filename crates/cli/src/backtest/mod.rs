//! Tries alert rules on old logs.

mod incidents;
mod json;
mod limits;
mod page;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use dogwatch_alert::{Alert, Lines, Replay, RuleReport, Rules, State};
use dogwatch_line::Query;

use crate::command::{AS_JSON, FAIL_ON, Given, INCIDENTS, RULES};
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::session::{Session, say, with_source};
use incidents::{Incident, Score};

/// All that the run found.
pub(crate) struct Found {
    pub(crate) lines: Lines,
    pub(crate) span: Option<(SystemTime, SystemTime)>,
    /// Of lines without their ends.
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) rules: Vec<RuleReport>,
    pub(crate) score: Option<Score>,
}

/// One firing of a rule's group.
pub(crate) struct Firing {
    pub(crate) rule: String,
    pub(crate) from: SystemTime,
    /// The last line's time, if it goes on.
    pub(crate) to: SystemTime,
}

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let session = Session::open(given);
    let file = given
        .value(&RULES)
        .ok_or("which rules? `dogwatch backtest --rules rules.yaml logs/`")?;
    // Nobody is told anything: what stands for a secret may stay so.
    let itself = |name: &str| Some(format!("${{{name}}}"));
    let rules = Rules::load_with(file, itself).map_err(|error| with_source(&error))?;
    let limits = limits::read(given.value(&FAIL_ON).unwrap_or_default())?;
    let incidents = given.value(&INCIDENTS).map(incidents::load).transpose()?;
    let paths: Vec<PathBuf> = given.words().map(PathBuf::from).collect();
    let input = Input::find(&paths)?;
    let found = judge(&session, &rules, &input, incidents.as_deref())?;
    let page = match given.has(&AS_JSON) {
        true => json::page(&found),
        false => page::page(&found, &session.zone),
    };
    let written = io::stdout().write_all(page.as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    let beyond: Vec<String> = limits
        .iter()
        .flat_map(|limit| limit.beyond(&found))
        .collect();
    beyond.iter().for_each(|text| say(text));
    Ok(session.outcome(found.lines.lines > 0 && beyond.is_empty()))
}

fn judge(
    session: &Session,
    rules: &Rules,
    input: &Input,
    incidents: Option<&[Incident]>,
) -> Result<Found, String> {
    let mut replay = Replay::new(rules).sweep();
    let mut firings = Firings::default();
    let mut bytes = 0;
    let everything = Query::parse("").map_err(|error| error.to_string())?;
    let search = session.search(&everything);
    let begun = Instant::now();
    Stop::settled(input.by_time(session, &search, &mut |line, _| {
        bytes += line.len() as u64;
        replay.line(line, &mut |alert| firings.note(alert));
        Ok(())
    }))?;
    let span = replay.span();
    if let Some((_, last)) = span {
        replay.turn(last, &mut |alert| firings.note(alert));
    }
    let took = begun.elapsed();
    let score = incidents.zip(span).map(|(incidents, (from, to))| {
        let firings = firings.all(to);
        Score::new(incidents, &firings, days((from, to)))
    });
    Ok(Found {
        lines: replay.lines(),
        span,
        bytes,
        took,
        rules: replay.rules(),
        score,
    })
}

impl Found {
    /// How many days the logs count as.
    pub(crate) fn days(&self) -> f64 {
        self.span.map_or(1.0, days)
    }

    pub(crate) fn alerts_per_day(&self, rule: &RuleReport) -> f64 {
        rule.fired as f64 / self.days()
    }
}

/// A stretch of less than a day counts as one: two alerts within a minute are not 2880 a day.
fn days((from, to): (SystemTime, SystemTime)) -> f64 {
    let span = to.duration_since(from).unwrap_or_default();
    (span.as_secs_f64() / 86_400.0).max(1.0)
}

/// The firings, those that go on by fingerprint.
#[derive(Default)]
struct Firings {
    on: HashMap<String, (String, SystemTime)>,
    over: Vec<Firing>,
}

impl Firings {
    fn note(&mut self, alert: &Alert) {
        let began = (alert.rule.to_string(), alert.fired_at);
        match (alert.state, alert.resolved_at) {
            (State::Resolved, Some(to)) => {
                if let Some((rule, from)) = self.on.remove(&alert.fingerprint()) {
                    self.over.push(Firing { rule, from, to });
                }
            }
            _ => drop(self.on.insert(alert.fingerprint(), began)),
        }
    }

    fn all(mut self, end: SystemTime) -> Vec<Firing> {
        let still = self.on.into_values();
        self.over.extend(still.map(|(rule, from)| Firing {
            rule,
            from,
            to: end,
        }));
        self.over
    }
}
