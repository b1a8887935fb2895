//! Compares firings with the times when it was really bad.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_norway::Value;

use super::Firing;

/// A time when it was bad, and for which rule if not for all.
#[derive(Debug, PartialEq)]
pub(crate) struct Incident {
    start: SystemTime,
    end: SystemTime,
    rule: Option<String>,
}

/// How well the firings fit the incidents.
#[derive(Debug, PartialEq)]
pub(crate) struct Score {
    pub(crate) incidents: usize,
    /// Incidents during which something fired.
    pub(crate) caught: usize,
    pub(crate) firings: usize,
    /// Firings during an incident.
    pub(crate) right: usize,
    /// The median from an incident's start to its first firing.
    pub(crate) delay: Option<Duration>,
    pub(crate) false_per_day: f64,
}

/// A list of `{start: …, end: …, rule: …}`.
pub(crate) fn load(path: &str) -> Result<Vec<Incident>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the incidents `{path}`: {error}"))?;
    read(&text).map_err(|why| format!("cannot read the incidents `{path}`: {why}"))
}

fn read(text: &str) -> Result<Vec<Incident>, String> {
    let value: Value = serde_norway::from_str(text).map_err(|error| error.to_string())?;
    let list = value.as_sequence().ok_or("expected a list of incidents")?;
    let all = list.iter().enumerate();
    all.map(|(at, value)| one(value).map_err(|why| format!("incident {}: {why}", at + 1)))
        .collect()
}

fn one(value: &Value) -> Result<Incident, String> {
    let map = value.as_mapping().ok_or("expected `{start: …, end: …}`")?;
    let known = ["start", "end", "rule"];
    let unknown = map
        .keys()
        .find(|key| !key.as_str().is_some_and(|key| known.contains(&key)));
    if let Some(key) = unknown {
        return Err(format!("unknown key {key:?}; known are start, end, rule"));
    }
    let time = |key: &str| {
        let text = map.get(key).and_then(Value::as_str);
        let text = text.ok_or_else(|| format!("`{key}` is missing"))?;
        let time: Timestamp = text
            .parse()
            .map_err(|_| format!("`{key}` is no time such as 2026-11-24T10:00:00Z"))?;
        SystemTime::try_from(time).map_err(|error| error.to_string())
    };
    let (start, end) = (time("start")?, time("end")?);
    if end < start {
        return Err("it ends before it starts".to_owned());
    }
    let rule = map.get("rule").and_then(Value::as_str).map(str::to_owned);
    Ok(Incident { start, end, rule })
}

impl Incident {
    fn touches(&self, firing: &Firing) -> bool {
        let early = self.start.checked_sub(EARLY).unwrap_or(self.start);
        self.rule.as_ref().is_none_or(|rule| *rule == firing.rule)
            && firing.from <= self.end
            && firing.to.is_none_or(|to| to >= early)
    }
}

impl Score {
    pub(crate) fn new(incidents: &[Incident], firings: &[Firing], days: f64) -> Self {
        let right = |firing: &&Firing| incidents.iter().any(|one| one.touches(firing));
        let right = firings.iter().filter(right).count();
        let mut delays: Vec<Duration> = incidents
            .iter()
            .filter_map(|incident| {
                let touching = firings.iter().filter(|firing| incident.touches(firing));
                let first = touching.map(|firing| firing.from).min()?;
                Some(first.duration_since(incident.start).unwrap_or_default())
            })
            .collect();
        delays.sort();
        Self {
            incidents: incidents.len(),
            caught: delays.len(),
            firings: firings.len(),
            right,
            delay: delays.get(delays.len() / 2).copied(),
            false_per_day: (firings.len() - right) as f64 / days,
        }
    }

    /// The share of firings that were right; none without a firing.
    pub(crate) fn precision(&self) -> Option<f64> {
        (self.firings > 0).then(|| self.right as f64 / self.firings as f64)
    }

    /// The share of incidents that were caught; none without an incident.
    pub(crate) fn recall(&self) -> Option<f64> {
        (self.incidents > 0).then(|| self.caught as f64 / self.incidents as f64)
    }
}

/// Who writes incidents down looks at the clock late.
const EARLY: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::{Firing, Score, read};
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime};

    fn at(minute: u64) -> SystemTime {
        // 2026-11-24T10:00:00Z
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_514_400 + minute * 60)
    }

    #[test]
    fn precision_recall_and_delay_follow_from_what_touches_what() {
        let incidents = read(
            "- {start: 2026-11-24T10:10:00Z, end: 2026-11-24T10:20:00Z}\n\
             - {start: 2026-11-24T10:40:00Z, end: 2026-11-24T10:50:00Z, rule: a}\n\
             - {start: 2026-11-24T11:40:00Z, end: 2026-11-24T11:50:00Z}",
        )
        .unwrap();
        let firing = |rule: &str, from, to| Firing {
            rule: rule.to_owned(),
            labels: BTreeMap::new(),
            from: at(from),
            to: Some(at(to)),
        };
        let firings = [
            firing("b", 0, 7),
            firing("b", 8, 9),
            firing("a", 13, 90),
            firing("b", 45, 46),
        ];
        let score = Score::new(&incidents, &firings, 2.0);
        assert_eq!((score.firings, score.right), (4, 2));
        assert_eq!((score.incidents, score.caught), (3, 2));
        assert_eq!(score.delay, Some(Duration::ZERO));
        assert_eq!(score.false_per_day, 1.0);
        let none = Score::new(&[], &[], 1.0);
        assert_eq!(
            (none.precision(), none.recall(), none.delay),
            (None, None, None)
        );
    }

    #[test]
    fn what_is_no_incident_is_told() {
        for (text, why) in [
            ("a: 1", "expected a list of incidents"),
            ("- 3", "incident 1: expected `{start: …, end: …}`"),
            (
                "- {start: 2026-11-24T10:00:00Z}",
                "incident 1: `end` is missing",
            ),
            (
                "- {start: ten, end: eleven}",
                "incident 1: `start` is no time such as 2026-11-24T10:00:00Z",
            ),
            (
                "- {start: 2026-11-24T10:00:00Z, end: 2026-11-24T09:00:00Z}",
                "incident 1: it ends before it starts",
            ),
        ] {
            assert_eq!(read(text), Err(why.to_owned()), "{text}");
        }
    }
}
