//! Tries alert rules on old logs.

mod incidents;
mod json;
mod limits;
mod page;

use std::collections::{BTreeMap, HashMap};
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
    /// In the order of their beginning.
    pub(crate) firings: Vec<Firing>,
    pub(crate) score: Option<Score>,
}

/// One firing of a rule's group.
#[derive(Clone)]
pub(crate) struct Firing {
    pub(crate) rule: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) from: SystemTime,
    /// None if it goes on.
    pub(crate) to: Option<SystemTime>,
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
    let firings = firings.all();
    let score = incidents.zip(span);
    let score = score.map(|(incidents, span)| Score::new(incidents, &firings, days(span)));
    Ok(Found {
        lines: replay.lines(),
        span,
        bytes,
        took,
        rules: replay.rules(),
        firings,
        score,
    })
}

impl Found {
    /// How many days the logs count as.
    pub(crate) fn days(&self) -> f64 {
        self.span.map_or(1.0, days)
    }

    /// How many messages each notifier would have had, before its provider's limits make digests of them.
    pub(crate) fn notified(&self) -> BTreeMap<&str, u64> {
        let mut notified = BTreeMap::new();
        for rule in &self.rules {
            for name in &rule.notifiers {
                *notified.entry(name.as_str()).or_default() += rule.messages;
            }
        }
        notified
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
    on: HashMap<String, Firing>,
    over: Vec<Firing>,
}

impl Firings {
    fn note(&mut self, alert: &Alert) {
        let name = alert.fingerprint();
        if alert.state == State::Resolved {
            let over = self.on.remove(&name);
            self.over.extend(over.map(|firing| Firing {
                to: alert.resolved_at,
                ..firing
            }));
            return;
        }
        let firing = Firing {
            rule: alert.rule.to_string(),
            labels: alert.labels.clone(),
            from: alert.fired_at,
            to: None,
        };
        self.on.insert(name, firing);
    }

    fn all(mut self) -> Vec<Firing> {
        self.over.extend(self.on.into_values());
        let name = |firing: &Firing| (firing.from, firing.rule.clone(), firing.labels.clone());
        self.over.sort_by_cached_key(name);
        self.over
    }
}
