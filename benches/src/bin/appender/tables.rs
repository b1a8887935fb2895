//! What the rounds found, and the tables made of it.

use crate::runs::Outcome;
use crate::subjects::SUBJECTS;
use dogwatch_benches::{latency::Latencies, print, time};
use std::collections::BTreeMap;

/// A subject and what it did.
pub(crate) type Key = (&'static str, &'static str);

/// All rounds of all subjects in all runs.
#[derive(Default)]
pub(crate) struct Measured(BTreeMap<Key, Rounds>);

/// All rounds of one subject in one run.
#[derive(Default)]
struct Rounds {
    lines_per_second: f64,
    missing: u64,
    told: u64,
    latencies: Vec<Latencies>,
}

impl Measured {
    pub(crate) fn add(&mut self, key: Key, outcome: Outcome) {
        let rounds = self.0.entry(key).or_default();
        rounds.lines_per_second = rounds.lines_per_second.max(outcome.lines_per_second);
        rounds.missing += outcome.missing;
        rounds.told += outcome.told;
        rounds.latencies.push(outcome.latencies);
    }

    pub(crate) fn lines_per_second(&self, key: Key) -> Option<f64> {
        Some(self.0.get(&key)?.lines_per_second)
    }

    /// What a share of all calls stays within: the median of what each round says.
    pub(crate) fn within(&self, key: Key, share: f64) -> Option<f64> {
        let rounds = self.0.get(&key)?.latencies.iter();
        let rounds: Vec<_> = rounds.map(|latencies| latencies.within(share)).collect();
        Some(time::median(&rounds))
    }

    /// Of a subject, in all its runs.
    pub(crate) fn missing(&self, subject: &str) -> u64 {
        let runs = self.0.iter().filter(|((key, _), _)| *key == subject);
        runs.map(|(_, rounds)| rounds.missing).sum()
    }

    pub(crate) fn print(&self, clock_ns: u64) {
        self.table(
            "Lines of 200 bytes until they are in the file; missing there, all rounds (and counted by the writer)",
            &[
                ("1 thread: lines/s", Cell::Speed("t1")),
                ("missing", Cell::Missing("t1")),
                ("4 threads: lines/s", Cell::Speed("t4")),
                ("missing", Cell::Missing("t4")),
            ],
        );
        let title = format!(
            "One call, ns, less the clock's own {clock_ns} ns; paced: 100,000 lines a second"
        );
        self.table(
            &title,
            &[
                ("1 thread: p50", Cell::Call("t1 calls", 0.5)),
                ("p99", Cell::Call("t1 calls", 0.99)),
                ("p99.9", Cell::Call("t1 calls", 0.999)),
                ("4 threads: p50", Cell::Call("t4 calls", 0.5)),
                ("p99", Cell::Call("t4 calls", 0.99)),
                ("p99.9", Cell::Call("t4 calls", 0.999)),
                ("paced: p50", Cell::Call("paced", 0.5)),
                ("p99.9", Cell::Call("paced", 0.999)),
            ],
        );
        self.table(
            "A new file after each 16 MiB, 1 thread, each call timed; then closed files compressed",
            &[
                ("one file: p99.99", Cell::Call("t1 calls", 0.9999)),
                ("rolled: lines/s", Cell::Speed("rolled")),
                ("missing", Cell::Missing("rolled")),
                ("p99.99", Cell::Call("rolled", 0.9999)),
                ("longest", Cell::Call("rolled", 1.0)),
                ("compressed: lines/s", Cell::Speed("compressed")),
                ("missing", Cell::Missing("compressed")),
                ("p99.99", Cell::Call("compressed", 0.9999)),
                ("longest", Cell::Call("compressed", 1.0)),
            ],
        );
    }

    fn table(&self, title: &str, columns: &[(&str, Cell)]) {
        let names = columns.iter().map(|(name, _)| *name);
        let heading: Vec<_> = std::iter::once("writer").chain(names).collect();
        let mut table = print::Table::new(&heading);
        for subject in SUBJECTS {
            let cells = columns.iter().map(|(_, cell)| self.cell(subject.key, cell));
            let row = std::iter::once(subject.name.to_owned()).chain(cells);
            table.row(row.collect());
        }
        table.print(title);
    }

    fn cell(&self, subject: &'static str, cell: &Cell) -> String {
        match *cell {
            Cell::Speed(run) => print::cell(self.lines_per_second((subject, run))),
            Cell::Call(run, share) => print::cell(self.within((subject, run), share)),
            Cell::Missing(run) => {
                let rounds = self.0.get(&(subject, run));
                rounds.map_or("-".to_owned(), |r| format!("{} ({})", r.missing, r.told))
            }
        }
    }
}

/// What stands in a column.
enum Cell {
    Speed(&'static str),
    Missing(&'static str),
    Call(&'static str, f64),
}
