//! Prints what was reckoned: as a table, drawn over time, or as rows of values. Pure.

use dogwatch_line::Measure;

use super::{Reckoning, Shape};
use crate::csv::row;
use crate::safe::one_line;
use crate::table::aligned;
use crate::tally::Tally;

impl Reckoning {
    /// The table, its columns side by side; over time each row with a bar for its first number.
    pub(crate) fn table(&mut self, drawn: bool) -> String {
        let (mut cells, numbers) = self.cells();
        let bars = drawn && matches!(self.shape, Shape::Timechart(_));
        if bars {
            let most = numbers.iter().copied().fold(0.0, f64::max);
            cells[0].push(String::new());
            for (row, number) in cells.iter_mut().skip(1).zip(numbers) {
                row.push(bar(number, most));
            }
        }
        for cell in cells.iter_mut().flatten() {
            *cell = one_line(cell);
        }
        let left = cells[0].len() - self.measures.len() - usize::from(bars);
        let last = cells[0].len() - 1;
        aligned(&cells, |column| column < left || (bars && column == last))
    }

    /// The same as rows of comma-separated values.
    pub(crate) fn csv(&mut self) -> String {
        let (cells, _) = self.cells();
        let rows = cells
            .iter()
            .map(|cells| row(cells.iter().map(|cell| &**cell)));
        rows.collect()
    }

    /// The heading and the rows, and the first number of each row. They take the groups over, so that the
    /// greatest table is not in memory twice.
    fn cells(&mut self) -> (Vec<Vec<String>>, Vec<f64>) {
        self.fill();
        self.groups.values_mut().flatten().for_each(Tally::sort);
        let mut rows: Vec<(Vec<String>, Vec<Tally>)> =
            std::mem::take(&mut self.groups).into_iter().collect();
        // Charts go by time; the rest by the first number, the largest first; equals by name.
        rows.sort_by(|(a_group, a), (b_group, b)| {
            let by_number = self.cell(0, b).1.total_cmp(&self.cell(0, a).1);
            let first = if matches!(self.shape, Shape::Timechart(_)) {
                std::cmp::Ordering::Equal
            } else {
                by_number
            };
            first.then_with(|| a_group.cmp(b_group))
        });
        if let Shape::Top(most) = self.shape {
            rows.truncate(most);
        }
        let time = matches!(self.shape, Shape::Timechart(_)).then(|| "time".to_owned());
        let heading = time
            .into_iter()
            .chain(self.by.iter().map(ToString::to_string))
            .chain(self.measures.iter().map(|measure| self.name(measure)));
        let mut cells: Vec<Vec<String>> = vec![heading.collect()];
        let mut first = Vec::new();
        for (group, tallies) in rows {
            let numbers = (0..tallies.len()).map(|index| self.cell(index, &tallies).0);
            first.push(self.cell(0, &tallies).1);
            cells.push(group.into_iter().chain(numbers).collect());
        }
        (cells, first)
    }

    /// Stretches of time in which nothing happened have a row too, for as long as these are not more
    /// than anybody draws.
    fn fill(&mut self) {
        let (Shape::Timechart(each), true) = (self.shape, self.by.is_empty()) else {
            return;
        };
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return;
        };
        let begin = first - first.rem_euclid(each);
        if (last - begin) / each > MOST_FILLED {
            return;
        }
        let mut at = begin;
        while at <= last {
            let label = self.label(at);
            let tallies = || vec![Tally::new(); self.measures.len()];
            self.groups.entry(vec![label]).or_insert_with(tallies);
            at += each;
        }
    }

    fn name(&self, measure: &Measure) -> String {
        match self.shape {
            Shape::Rate(_) => "rate".to_owned(),
            _ => measure.to_string(),
        }
    }

    /// A number as text, and as what it is sorted by.
    fn cell(&self, index: usize, tallies: &[Tally]) -> (String, f64) {
        let tally = &tallies[index];
        let number = match &self.measures[index] {
            Measure::Count => tally.count as f64,
            _ if tally.count == 0 => return ("-".to_owned(), f64::NEG_INFINITY),
            Measure::Percentile(thousandths, _) => {
                tallies[self.keepers[index]].percentile(*thousandths)
            }
            Measure::Min(_) => tally.min,
            Measure::Max(_) => tally.max,
            Measure::Avg(_) => tally.sum / tally.count as f64,
            _ => tally.sum,
        };
        let number = match (self.shape, self.first, self.last) {
            // Over at least one stretch: three lines in a second are three a minute.
            (Shape::Rate(each), Some(first), Some(last)) => {
                number / ((last - first).max(each) as f64 / each as f64)
            }
            _ => number,
        };
        let rounded = (number * 1000.0).round() / 1000.0;
        (rounded.to_string(), number)
    }
}

/// A bar of at most so many columns, in eighths.
fn bar(number: f64, most: f64) -> String {
    if !(number > 0.0 && most > 0.0) {
        return String::new();
    }
    let eighths = (number / most * WIDTH * 8.0).round().max(1.0) as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{rest}", "█".repeat(eighths / 8))
}

const WIDTH: f64 = 40.0;

const MOST_FILLED: i128 = 10_000;
