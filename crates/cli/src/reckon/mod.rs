//! Reckons what stands behind a query's pipe: counts, percentiles, rates, charts over time. Pure.

mod print;

use std::collections::HashMap;
use std::time::Duration;

use dogwatch_line::{Columns, Measure, Now, Summary, Times, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::tally::Tally;

/// A table that grows line by line.
pub(crate) struct Reckoning {
    by: Vec<Box<str>>,
    measures: Vec<Measure>,
    /// For each measure the one that keeps the values: percentiles of one field share them.
    keepers: Vec<usize>,
    shape: Shape,
    columns: Columns,
    times: Times,
    zone: TimeZone,
    groups: HashMap<Vec<String>, Vec<Tally>>,
    /// Lines that would have made a group too many.
    left_out: u64,
    /// Bytes of the groups' names.
    named: usize,
    values: usize,
    first: Option<i128>,
    last: Option<i128>,
}

/// What is made of the counts at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Table,
    Top(usize),
    /// Nanoseconds of a stretch of time.
    Rate(i128),
    Timechart(i128),
}

impl Reckoning {
    pub(crate) fn new(summary: &Summary, now: Now, zone: TimeZone) -> Result<Self, String> {
        let (by, measures, shape) = match summary {
            Summary::Table { measures, by } => (by, measures.clone(), Shape::Table),
            Summary::Top { most, fields } => (fields, vec![Measure::Count], Shape::Top(*most)),
            Summary::Rate { each, by } => (by, vec![Measure::Count], Shape::Rate(nanos(*each))),
            Summary::Timechart { each, measures, by } => {
                (by, measures.clone(), Shape::Timechart(nanos(*each)))
            }
            _ => return Err("this summary is not known here".to_owned()),
        };
        let fields = by
            .iter()
            .map(|field| &**field)
            .chain(measures.iter().filter_map(field));
        Ok(Self {
            columns: Columns::new(fields),
            by: by.clone(),
            keepers: keepers(&measures),
            measures,
            shape,
            times: Times::new(now),
            zone,
            groups: HashMap::new(),
            left_out: 0,
            named: 0,
            values: 0,
            first: None,
            last: None,
        })
    }

    /// Takes in a line.
    pub(crate) fn line(&mut self, line: &str) {
        let values = self.columns.of(line);
        let (by, measured) = values.split_at(self.by.len());
        let mut group: Vec<String> = by
            .iter()
            .map(|value| {
                value
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), Value::to_string)
            })
            .collect();
        if matches!(self.shape, Shape::Rate(_) | Shape::Timechart(_)) {
            let at = self.times.of(line);
            self.first = self.first.into_iter().chain(at).min();
            self.last = self.last.into_iter().chain(at).max();
            if let Shape::Timechart(each) = self.shape {
                let label =
                    at.map_or_else(|| "-".to_owned(), |at| self.label(at - at.rem_euclid(each)));
                group.insert(0, label);
            }
        }
        if !self.groups.contains_key(&group) {
            let named: usize = group.iter().map(String::len).sum();
            if self.groups.len() >= MOST_GROUPS || self.named + named > MOST_NAMED {
                self.left_out += 1;
                return;
            }
            self.named += named;
        }
        let tallies = self
            .groups
            .entry(group)
            .or_insert_with(|| vec![Tally::new(); self.measures.len()]);
        let mut measured = measured.iter();
        for (index, (measure, tally)) in self.measures.iter().zip(tallies).enumerate() {
            if field(measure).is_none() {
                tally.count += 1;
                continue;
            }
            let Some(number) = measured.next().and_then(|value| number(value.as_ref()?)) else {
                continue;
            };
            let keeps = matches!(measure, Measure::Percentile(..))
                && self.keepers[index] == index
                && self.values < MOST_VALUES;
            self.values += usize::from(keeps);
            tally.add(number, keeps);
        }
    }

    /// What the table does not show, if anything.
    pub(crate) fn shortfall(&self) -> Option<String> {
        if self.left_out > 0 {
            return Some(format!(
                "{} lines are not in the table: it has at most {MOST_GROUPS} groups, and {} MiB of \
                 their names",
                self.left_out,
                MOST_NAMED >> 20
            ));
        }
        (self.values >= MOST_VALUES)
            .then(|| format!("the percentiles are of the first {MOST_VALUES} values"))
    }

    /// A moment, as fine as the stretches of a chart are.
    fn label(&self, at: i128) -> String {
        let form = match self.shape {
            Shape::Timechart(each) if each % 1_000 != 0 => "%Y-%m-%d %H:%M:%S%.9f",
            Shape::Timechart(each) if each % 1_000_000 != 0 => "%Y-%m-%d %H:%M:%S%.6f",
            Shape::Timechart(each) if each % 1_000_000_000 != 0 => "%Y-%m-%d %H:%M:%S%.3f",
            _ => "%Y-%m-%d %H:%M:%S",
        };
        match Timestamp::from_nanosecond(at) {
            Ok(at) => at
                .to_zoned_datetime(self.zone.clone())
                .strftime(form)
                .to_string(),
            Err(_) => "-".to_owned(),
        }
    }
}

fn keepers(measures: &[Measure]) -> Vec<usize> {
    let percentile = |measure: &Measure| match measure {
        Measure::Percentile(_, field) => Some(field.clone()),
        _ => None,
    };
    let keeper = |(index, measure): (usize, &Measure)| {
        let wanted = percentile(measure);
        let same = |other: &Measure| wanted.is_some() && percentile(other) == wanted;
        measures.iter().position(same).unwrap_or(index)
    };
    measures.iter().enumerate().map(keeper).collect()
}

fn field(measure: &Measure) -> Option<&str> {
    match measure {
        Measure::Percentile(_, field)
        | Measure::Min(field)
        | Measure::Max(field)
        | Measure::Avg(field)
        | Measure::Sum(field) => Some(field),
        _ => None,
    }
}

fn number(value: &Value<'_>) -> Option<f64> {
    let number = match value {
        Value::I64(int) => *int as f64,
        Value::U64(int) => *int as f64,
        Value::F64(float) => *float,
        Value::Str(text) => text.parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn nanos(each: Duration) -> i128 {
    i128::try_from(each.as_nanos()).unwrap_or(i128::MAX).max(1)
}

/// So many rows say nothing to anybody.
const MOST_GROUPS: usize = 100_000;

/// Bytes of all groups' names together: a value may be as long as a line.
const MOST_NAMED: usize = 16 << 20;

/// 16 MiB of values, for percentiles that are exact.
const MOST_VALUES: usize = 2 << 20;

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use dogwatch_line::{Now, Query};
    use jiff::tz::TimeZone;

    use super::{MOST_GROUPS, Reckoning};

    fn reckoned(query: &str, lines: impl IntoIterator<Item = String>) -> Reckoning {
        let query = Query::parse(query).unwrap();
        let mut reckoning = Reckoning::new(
            query.summary().unwrap(),
            Now::utc(UNIX_EPOCH),
            TimeZone::UTC,
        )
        .unwrap();
        lines.into_iter().for_each(|line| reckoning.line(&line));
        reckoning
    }

    fn lines() -> Vec<String> {
        let line = |second: u32, route: &str, latency: f64| {
            format!(
                "{{\"timestamp\":\"2026-11-24T10:00:{second:02}Z\",\"route\":\"{route}\",\"latency_ms\":{latency}}}"
            )
        };
        let mut lines: Vec<String> = (1..=100)
            .map(|index| line(index % 60, "/a", f64::from(index)))
            .collect();
        lines.push(line(59, "/b", 0.5));
        lines.push(r#"{"time":1795514459000,"http.route":"/b","responseTime":"1.5s"}"#.to_owned());
        lines.push("no JSON".to_owned());
        lines
    }

    #[test]
    fn a_chart_finer_than_a_second_has_rows_as_fine() {
        let at = |fraction: &str| format!("{{\"ts\":\"2026-11-24T10:00:00.{fraction}Z\"}}");
        for (each, first, last, begin, end) in [
            ("1ns", "123456789", "123456790", "123456789", "123456790"),
            ("2us", "000001", "000003", "000000", "000002"),
            ("500ms", "4", "6", "000", "500"),
        ] {
            let chart = reckoned(&format!("| timechart {each}"), [at(first), at(last)]).csv();
            let row = |fraction: &str| format!("2026-11-24 10:00:00.{fraction},1\n");
            assert_eq!(chart, format!("time,count\n{}{}", row(begin), row(end)));
        }
    }

    #[test]
    fn lines_are_counted_and_measured_by_group() {
        for (query, expected) in [
            ("| count", "count\n  103\n"),
            (
                "| count by route",
                "route  count\n/a       100\n/b         2\n-          1\n",
            ),
            (
                "| p50,p99(latency_ms),max(latency_ms), count by route",
                "route  p50(latency_ms)  p99(latency_ms)  max(latency_ms)  count\n\
                 /a                  50               99              100    100\n\
                 /b                 0.5             1500             1500      2\n\
                 -                    -                -                -      1\n",
            ),
            (
                "| min(latency_ms),avg(latency_ms),sum(latency_ms)",
                "min(latency_ms)  avg(latency_ms)  sum(latency_ms)\n            0.5           64.221           6550.5\n",
            ),
            ("| top 1 route", "route  count\n/a       100\n"),
            (
                "| rate 30s by route",
                "route    rate\n/a     50.847\n/b      1.017\n-       0.508\n",
            ),
            (
                "| timechart 30s count by route",
                "time                 route  count\n-                    -          1\n2026-11-24 10:00:00  /a        59\n\
                 2026-11-24 10:00:30  /a        41\n2026-11-24 10:00:30  /b         2\n",
            ),
        ] {
            assert_eq!(reckoned(query, lines()).table(false), expected, "{query}");
        }
    }

    #[test]
    fn a_chart_has_a_row_for_each_stretch_and_is_drawn() {
        let line = |second: u32| format!("{{\"timestamp\":\"2026-11-24T10:00:{second:02}Z\"}}");
        let lines = || [1, 2, 3, 4, 5, 6, 7, 8, 31, 32, 33].map(line);
        assert_eq!(
            reckoned("| timechart 10s", lines()).table(true),
            "time                 count\n\
             2026-11-24 10:00:00      8  ████████████████████████████████████████\n\
             2026-11-24 10:00:10      0\n2026-11-24 10:00:20      0\n\
             2026-11-24 10:00:30      3  ███████████████\n"
        );
        assert_eq!(
            reckoned("| timechart 30s", lines()).csv(),
            "time,count\n2026-11-24 10:00:00,8\n2026-11-24 10:00:30,3\n"
        );
    }

    #[test]
    fn a_table_without_lines_is_its_heading_and_one_too_large_says_so() {
        assert_eq!(
            reckoned("| count by route", []).table(false),
            "route  count\n"
        );
        let many = (0..MOST_GROUPS + 3).map(|index| format!("{{\"id\":{index}}}"));
        let reckoning = reckoned("| count by id", many);
        assert_eq!(
            reckoning.shortfall().unwrap(),
            format!(
                "3 lines are not in the table: it has at most {MOST_GROUPS} groups, and 16 MiB of their names"
            )
        );
        let long = "x".repeat(1 << 20);
        let long = (0..20).map(|index| format!("{{\"id\":\"{index}{long}\"}}"));
        let reckoning = reckoned("| count by id", long);
        assert_eq!((reckoning.groups.len(), reckoning.left_out), (15, 5));
    }
}
