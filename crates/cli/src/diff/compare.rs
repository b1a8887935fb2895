//! Counts which values bad and good lines have, and tells those that are commoner in the bad. Pure.

use std::collections::{HashMap, HashSet};

use dogwatch_line::{Line, Value, unwrapped};

use crate::safe::one_line;
use crate::table::{aligned, grouped};
use crate::template::template;

/// Two sets of lines.
pub(crate) struct Compare {
    /// How many lines of each set have a value, by field and value.
    counts: HashMap<(String, String), [u64; 2]>,
    lines: [u64; 2],
    /// Values for which there was no room.
    left_out: u64,
}

/// A value that bad lines have more often.
struct Row<'a> {
    field: &'a str,
    value: &'a str,
    counts: [u64; 2],
    more: f64,
}

impl Compare {
    pub(crate) fn new() -> Self {
        Self {
            counts: HashMap::new(),
            lines: [0; 2],
            left_out: 0,
        }
    }

    pub(crate) fn bad(&mut self, line: &str) {
        self.add(line, 0);
    }

    pub(crate) fn good(&mut self, line: &str) {
        self.add(line, 1);
    }

    fn add(&mut self, line: &str, set: usize) {
        self.lines[set] += 1;
        let text = unwrapped(line);
        let Ok(line) = Line::parse_repeating(&text) else {
            return;
        };
        // A value counts once a line, in whichever lists it stands.
        let mut seen = HashSet::new();
        each("", line, &mut |field, value| {
            let pair = (field.to_owned(), value);
            if !seen.insert(pair.clone()) {
                return;
            }
            if self.counts.len() >= MOST && !self.counts.contains_key(&pair) {
                self.left_out += 1;
            } else {
                self.counts.entry(pair).or_default()[set] += 1;
            }
        });
    }

    fn share(&self, counts: [u64; 2], set: usize) -> f64 {
        counts[set] as f64 / self.lines[set].max(1) as f64
    }

    /// The values by how much commoner they are, the most first. Differences that chance makes are
    /// left out: a two-proportion z-test, whose bound is high because so many values are asked.
    fn rows(&self) -> Vec<Row<'_>> {
        let [bad, good] = self.lines.map(|lines| lines as f64);
        let significant = |counts: [u64; 2], more: f64| {
            let all = (counts[0] + counts[1]) as f64 / (bad + good);
            let error = (all * (1.0 - all) * (1.0 / bad + 1.0 / good)).sqrt();
            error > 0.0 && more / error >= BOUND
        };
        let mut rows: Vec<Row<'_>> = Vec::new();
        if self.lines.contains(&0) {
            return rows;
        }
        for ((field, value), counts) in &self.counts {
            let more = self.share(*counts, 0) - self.share(*counts, 1);
            if more > 0.0 && significant(*counts, more) {
                rows.push(Row {
                    field,
                    value,
                    counts: *counts,
                    more,
                });
            }
        }
        rows.sort_by(|a, b| {
            let most = b.more.total_cmp(&a.more);
            most.then_with(|| (a.field, a.value).cmp(&(b.field, b.value)))
        });
        rows
    }

    pub(crate) fn found(&self) -> bool {
        !self.rows().is_empty()
    }

    pub(crate) fn page(&self) -> String {
        let rows = self.rows();
        let [bad, good] = self.lines.map(grouped);
        let mut out = format!("{bad} bad lines, {good} good lines\n");
        if rows.is_empty() {
            out.push_str("no value is commoner in the bad lines than chance would have it\n");
        } else {
            let heading = ["bad", "good", "field", "value"];
            let mut cells = vec![heading.map(str::to_owned).to_vec()];
            for row in rows.iter().take(MOST_ROWS) {
                let share = |set| format!("{:.1}%", self.share(row.counts, set) * 100.0);
                cells.push(vec![
                    share(0),
                    share(1),
                    one_line(row.field),
                    one_line(row.value),
                ]);
            }
            out.push('\n');
            out.push_str(&aligned(&cells, |column| column > 1));
        }
        if rows.len() > MOST_ROWS {
            out.push_str(&format!(
                "and {} more\n",
                grouped((rows.len() - MOST_ROWS) as u64)
            ));
        }
        if self.left_out > 0 {
            out.push_str(&format!(
                "{} values were left out: {} are told apart at most\n",
                grouped(self.left_out),
                grouped(MOST as u64)
            ));
        }
        out
    }
}

/// Every value of a line by the path of its field; numbers and ids in texts as `*`.
fn each(path: &str, line: Line<'_>, take: &mut dyn FnMut(&str, String)) {
    for (key, value) in line.fields() {
        let path = match path {
            "" => key.into_owned(),
            path => format!("{path}.{key}"),
        };
        one(&path, &value, take);
    }
}

fn one(path: &str, value: &Value<'_>, take: &mut dyn FnMut(&str, String)) {
    match value {
        Value::Raw(json) if json.starts_with('{') => {
            if let Ok(inner) = Line::parse_repeating(json) {
                each(path, inner, take);
            }
        }
        Value::Raw(_) => value.elements().for_each(|value| one(path, &value, take)),
        Value::Str(text) if text.contains(' ') => take(path, template(text)),
        // Nobody's times are alike.
        Value::F64(_) => {}
        value => {
            let text = value.to_string();
            if text.len() <= LONGEST {
                take(path, text);
            }
        }
    }
}

/// Field and value together are a hundred bytes or so, so that this is some tens of MiB.
const MOST: usize = 200_000;

const LONGEST: usize = 128;

const MOST_ROWS: usize = 20;

/// Standard errors; one value in a million is as far off by chance.
const BOUND: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::{Compare, MOST};

    #[test]
    fn what_bad_lines_have_more_often_is_told_and_chance_is_not() {
        let mut compare = Compare::new();
        for number in 0..1000 {
            let version = if number % 50 == 0 { "1.4.1" } else { "1.4.2" };
            compare.bad(&format!(
                r#"{{"id":{number},"version":"{version}","zone":"{}","error":{{"message":"no answer in {number} ms"}},"tags":["a","a"]}}"#,
                number % 2
            ));
            compare.good(&format!(
                r#"{{"id":{},"version":"1.4.{}","zone":"{}","tags":["a"]}}"#,
                number + 5000,
                1 + number % 8 / 7,
                (number + 1) % 2
            ));
        }
        assert_eq!(
            compare.page(),
            "1,000 bad lines, 1,000 good lines\n\n   bad   good  field          value\n\
             100.0%   0.0%  error.message  no answer in * ms\n 98.0%  12.5%  version        1.4.2\n"
        );
        assert!(compare.found());
    }

    #[test]
    fn without_two_sets_nothing_is_found_and_what_has_no_room_is_told() {
        let mut compare = Compare::new();
        compare.bad(r#"{"a":1}"#);
        assert!(!compare.found());
        assert_eq!(
            compare.page(),
            "1 bad lines, 0 good lines\nno value is commoner in the bad lines than chance would have it\n"
        );
        for number in 0..MOST as u64 {
            compare.good(&format!(r#"{{"b":{number}}}"#));
        }
        assert!(
            compare
                .page()
                .ends_with("1 values were left out: 200,000 are told apart at most\n")
        );
    }
}
