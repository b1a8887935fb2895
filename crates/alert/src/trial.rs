//! Tests rules on a clock of their own: what must fire, and what fires.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::alert::Alert;
use crate::error::Error;
use crate::read::tests::{self, Expected, Firing, Test};
use crate::replay::Replay;
use crate::rules::Rules;
use crate::span_of_time;

/// Tests of rules, from a file; the format is told in `docs/alerts.md`.
///
/// ```
/// use dogwatch_alert::RuleTests;
///
/// let tests = RuleTests::parse(r#"
/// rules:
///   - {name: pool, match: 'level=error "timed out"', threshold: 10/1m, group_by: tenant}
/// tests:
///   - name: ten timeouts page the tenant
///     events:
///       - {at: 0s, repeat: 10, every: 2s, line: {level: ERROR, message: pool timed out, tenant: a}}
///     expect:
///       - {at: 17s, rule: pool, firing: []}
///       - {at: 18s, rule: pool, firing: [{tenant: a}]}
/// "#)?;
/// assert_eq!(tests.run()[0].failures, Vec::<String>::new());
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
pub struct RuleTests {
    rules: Rules,
    tests: Vec<Test>,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestOutcome {
    /// The test's name.
    pub name: String,
    /// What was not as expected, each with its place in the file; empty if all was.
    pub failures: Vec<String>,
}

impl RuleTests {
    /// Reads text with `rules:` and `tests:`.
    pub fn parse(yaml: &str) -> Result<Self, Error> {
        Self::read(yaml, None)
    }

    /// Reads a file with `tests:`, and `rules:` or `rule_files:`, whose paths begin at its folder.
    /// A `${NAME}` in the settings of a notifier stands for itself: nobody is told anything.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let yaml = std::fs::read_to_string(path).map_err(|error| {
            let what = format!("cannot read the file `{}`", path.display());
            Error::rules(None, what).caused_by(error)
        })?;
        Self::read(&yaml, path.parent()).map_err(|error| error.in_file(path))
    }

    fn read(yaml: &str, folder: Option<&Path>) -> Result<Self, Error> {
        let file = tests::read(yaml)?;
        let mut rules = Rules::default();
        for path in &file.rule_files {
            let path = folder.unwrap_or(Path::new("")).join(path);
            let more = Rules::load_with(path, itself)?;
            if let Some(name) = more
                .names()
                .find(|name| rules.names().any(|known| known == *name))
            {
                let what = format!("two of the files have a rule named `{name}`");
                return Err(Error::rules(None, what));
            }
            rules.document.rules.extend(more.document.rules);
        }
        if file.rule_files.is_empty() {
            rules = Rules::parse_with(yaml, itself)?;
        }
        for expected in file.tests.iter().flat_map(|test| &test.expected) {
            if !rules.names().any(|name| name == expected.rule) {
                let known: Vec<&str> = rules.names().collect();
                let what = format!(
                    "no rule is named `{}`; there are {}",
                    expected.rule,
                    known.join(", ")
                );
                return Err(Error::rules(expected.place, what));
            }
        }
        Ok(Self {
            rules,
            tests: file.tests,
        })
    }

    /// Runs each test, in the file's order.
    pub fn run(&self) -> Vec<TestOutcome> {
        self.tests.iter().map(|test| self.one(test)).collect()
    }

    fn one(&self, test: &Test) -> TestOutcome {
        let mut replay = Replay::new(&self.rules);
        // Not the epoch: a minute before it is a time too.
        let zero = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
        replay.turn(zero, &mut |_| {});
        let mut events = test.events.iter().peekable();
        let mut failures = Vec::new();
        for expected in &test.expected {
            while let Some((at, line)) = events.next_if(|(at, _)| *at <= expected.at) {
                replay.line_at(zero + *at, line, &mut |_| {});
            }
            replay.turn(zero + expected.at, &mut |_| {});
            failures.extend(differs(expected, &replay.active()));
        }
        TestOutcome {
            name: test.name.clone(),
            failures,
        }
    }
}

impl std::fmt::Debug for RuleTests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleTests")
            .field("rules", &self.rules.len())
            .field("tests", &self.tests.len())
            .finish()
    }
}

/// What is not as expected. Each that fires must be one that is expected, and the other way round.
fn differs(expected: &Expected, active: &[Alert]) -> Option<String> {
    let of_rule = active.iter().filter(|alert| *alert.rule == *expected.rule);
    let mut left: Vec<&Alert> = of_rule.clone().collect();
    let mut missing = false;
    for firing in &expected.firing {
        match left.iter().position(|alert| has(alert, firing)) {
            Some(at) => drop(left.remove(at)),
            None => missing = true,
        }
    }
    if !missing && left.is_empty() {
        return None;
    }
    let place = expected.place.map(|place| format!("line {}: ", place.line));
    let got: Vec<String> = of_rule.map(|alert| shown(&alert.labels)).collect();
    let wanted: Vec<String> = expected.firing.iter().map(told).collect();
    Some(format!(
        "{}at {} rule `{}`: expected {}, got {}",
        place.unwrap_or_default(),
        span_of_time::show(expected.at),
        expected.rule,
        list(&wanted),
        list(&got)
    ))
}

fn has(alert: &Alert, firing: &Firing) -> bool {
    let within = |small: &BTreeMap<String, String>, large: &BTreeMap<String, String>| {
        small
            .iter()
            .all(|(key, value)| large.get(key) == Some(value))
    };
    within(&firing.labels, &labels(alert)) && within(&firing.annotations, &alert.annotations)
}

/// The labels as a notification has them.
fn labels(alert: &Alert) -> BTreeMap<String, String> {
    let mut labels = alert.labels.clone();
    labels.insert("alertname".into(), alert.rule.to_string());
    labels.insert("severity".into(), alert.level.to_string());
    labels
}

fn told(firing: &Firing) -> String {
    match firing.annotations.is_empty() {
        true => shown(&firing.labels),
        false => format!(
            "{} with {}",
            shown(&firing.labels),
            shown(&firing.annotations)
        ),
    }
}

fn shown(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn list(all: &[String]) -> String {
    match all {
        [] => "nothing".into(),
        all => all.join(" and "),
    }
}

fn itself(name: &str) -> Option<String> {
    Some(format!("${{{name}}}"))
}
