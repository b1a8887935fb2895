//! Measures the way of a line from the call to the file, ours beside the rivals.
//!
//! Lines of 200 bytes, from one and from four threads. Time runs until every byte is in the file, the
//! close included: the best of interleaved rounds, and for single calls the median of the rounds.
//! Every line carries its thread and number, and is looked for in the files afterwards: what is
//! missing stands beside the speed. Bounded queues get 8 MiB each.

mod lines;
mod memory;
mod runs;
mod slow;
mod subjects;

use dogwatch_benches::{allocations, latency::Latencies, machine, print, quick, time};
use runs::{Pace, Run, Timing};
use std::collections::BTreeMap;
use subjects::{SUBJECTS, Subject};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    if let Some(lines) = memory::asked() {
        return memory::run_and_print(lines);
    }
    let size = if quick() {
        Size {
            rounds: 1,
            lines: 20_000,
            paced: 2_000,
        }
    } else {
        Size {
            rounds: 5,
            lines: 1_000_000,
            paced: 300_000,
        }
    };
    println!("{}", machine::line());
    let mut table = Measured::new();
    for _ in 0..size.rounds {
        for subject in SUBJECTS {
            for (key, run) in size.runs() {
                if subject.takes(key) {
                    table
                        .entry((subject.key, key))
                        .or_default()
                        .add(runs::run(subject, run));
                }
            }
        }
    }
    let unaccounted = slow::unaccounted(if quick() { 2_000 } else { 20_000 });
    let peak = memory::peak_mib(size.lines);
    print_tables(&table);
    print_figures(&table, unaccounted, peak);
}

/// How much is done: in a test little, to measure enough.
struct Size {
    rounds: u32,
    lines: u64,
    paced: u64,
}

impl Size {
    fn runs(&self) -> [(&'static str, Run); 6] {
        let run = |threads, timing, pace| Run {
            threads,
            lines: self.lines,
            timing,
            pace,
        };
        let paced = Run {
            lines: self.paced,
            ..run(1, Timing::Calls, Pace::LinesPerSecond(100_000))
        };
        [
            ("t1", run(1, Timing::Whole, Pace::Free)),
            ("t4", run(4, Timing::Whole, Pace::Free)),
            ("t1 calls", run(1, Timing::Calls, Pace::Free)),
            ("t4 calls", run(4, Timing::Calls, Pace::Free)),
            ("paced", paced),
            ("rolls", run(1, Timing::Calls, Pace::Free)),
        ]
    }
}

type Measured = BTreeMap<(&'static str, &'static str), Rounds>;

/// All rounds of one subject in one run.
#[derive(Default)]
struct Rounds {
    lines_per_second: f64,
    missing: u64,
    told: u64,
    latencies: Vec<Latencies>,
}

impl Rounds {
    fn add(&mut self, outcome: runs::Outcome) {
        self.lines_per_second = self.lines_per_second.max(outcome.lines_per_second);
        self.missing += outcome.missing;
        self.told += outcome.told;
        self.latencies.push(outcome.latencies);
    }

    /// The median of what each round says.
    fn within(&self, share: f64) -> f64 {
        let rounds = self
            .latencies
            .iter()
            .map(|latencies| latencies.within(share));
        time::median(&rounds.collect::<Vec<_>>())
    }
}

fn print_tables(table: &Measured) {
    let heading = [
        "writer",
        "1 thread: lines/s",
        "missing",
        "4 threads: lines/s",
        "missing",
    ];
    let mut speed = print::Table::new(&heading);
    let heading = [
        "writer",
        "1 thread: p50",
        "p99",
        "p99.9",
        "4 threads: p99",
        "paced: p99.9",
        "rolls: p99.99",
    ];
    let mut calls = print::Table::new(&heading);
    for subject in SUBJECTS {
        let lines = |key| {
            table
                .get(&(subject.key, key))
                .map(|rounds| rounds.lines_per_second)
        };
        let missing = |key| {
            let rounds = table.get(&(subject.key, key));
            rounds.map_or("-".to_owned(), |r| format!("{} ({})", r.missing, r.told))
        };
        speed.row(vec![
            subject.name.to_owned(),
            print::cell(lines("t1")),
            missing("t1"),
            print::cell(lines("t4")),
            missing("t4"),
        ]);
        let call = |key, share| print::cell(within(table, subject.key, key, share));
        calls.row(vec![
            subject.name.to_owned(),
            call("t1 calls", 0.5),
            call("t1 calls", 0.99),
            call("t1 calls", 0.999),
            call("t4 calls", 0.99),
            call("paced", 0.999),
            call("rolls", 0.9999),
        ]);
    }
    speed.print(
        "Lines of 200 bytes until they are in the file; missing there, all rounds (and counted by the writer)",
    );
    calls
        .print("One call, ns, the clock's own 20 to 30 ns included; paced: 100,000 lines a second");
}

fn within(table: &Measured, subject: &'static str, run: &'static str, share: f64) -> Option<f64> {
    Some(table.get(&(subject, run))?.within(share))
}

fn print_figures(table: &Measured, unaccounted: u64, peak: Option<f64>) {
    println!();
    let ratio = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
    let lines = |subject, run| {
        table
            .get(&(subject, run))
            .map(|rounds| rounds.lines_per_second)
    };
    let call = |subject, run, share| within(table, subject, run, share);
    print::figure("appender.unaccounted", Some(unaccounted as f64), "lines");
    for run in ["t1", "t4"] {
        let name = format!("appender.{run}.lines_vs_tracing_appender");
        print::figure(
            &name,
            ratio(lines("ours", run), lines("ta_lossless", run)),
            "ratio",
        );
    }
    let missing = table.iter().filter(|((subject, _), _)| *subject == "ours");
    let missing: u64 = missing.map(|(_, rounds)| rounds.missing).sum();
    assert_eq!(missing, 0, "lossless is lossless");
    print::figure("appender.missing", Some(missing as f64), "lines");
    print::figure(
        "appender.t1.lines_vs_floor",
        ratio(lines("ours", "t1"), lines("floor", "t1")),
        "ratio",
    );
    print::figure("appender.floor.lines", lines("floor", "t1"), "lines/s");
    print::figure("appender.t1.p99", call("ours", "t1 calls", 0.99), "ns");
    print::figure("appender.t1.p999", call("ours", "t1 calls", 0.999), "ns");
    let p99 = call("ours", "t4 calls", 0.99);
    let theirs = call("ta_lossless", "t4 calls", 0.99);
    print::figure(
        "appender.t4.p99_vs_tracing_appender",
        ratio(p99, theirs),
        "ratio",
    );
    print::figure("appender.t4.p99", p99, "ns");
    let theirs = call("ta_lossless", "paced", 0.999);
    let paced = ratio(call("ours", "paced", 0.999), theirs);
    print::figure("appender.paced.p999_vs_tracing_appender", paced, "ratio");
    let rolls = ratio(
        call("ours_rolls", "rolls", 0.9999),
        call("ours", "rolls", 0.9999),
    );
    print::figure("appender.roll.p9999_ratio", rolls, "ratio");
    // There is no crash ring yet.
    print::figure("appender.crash_ring.lines_ratio", None, "ratio");
    print::figure("appender.peak", peak, "MiB");
}

impl Subject {
    /// The one that rolls is there for its calls only, the others for everything.
    fn takes(&self, run: &str) -> bool {
        match self.key {
            "ours_rolls" => run == "rolls",
            "ours" => true,
            _ => run != "rolls",
        }
    }
}
