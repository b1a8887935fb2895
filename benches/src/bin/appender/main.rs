//! Measures the way of a line from the call to the file, ours beside the rivals.
//!
//! Lines of 200 bytes, from one and from four threads, into one file, into files that roll, and into
//! files that are compressed. Time runs until every byte is in the file, the close included: the best
//! of interleaved rounds, and for single calls the median of the rounds, less what the clock itself
//! takes. Every line carries its thread and number, and is looked for in the files afterwards: what
//! is missing stands beside the speed. Bounded queues get 8 MiB each.
//!
//! `--only ours,ta_lossless` runs these rows alone.

mod lines;
mod memory;
mod runs;
mod slow;
mod subjects;
mod tables;

use dogwatch_benches::{allocations, latency, machine, print, quick};
use runs::{Pace, Run, Timing};
use subjects::{Files, SUBJECTS};
use tables::Measured;

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
            calls: 1,
        }
    } else {
        Size {
            rounds: 5,
            lines: 1_000_000,
            paced: 200_000,
            calls: 25,
        }
    };
    println!("{}", machine::line());
    let clock_ns = latency::clock_ns();
    let only = only();
    let asked = |key: &str| only.is_empty() || only.iter().any(|only| only == key);
    let mut table = Measured::default();
    for _ in 0..size.rounds {
        for subject in SUBJECTS.iter().filter(|subject| asked(subject.key)) {
            for (key, run) in size.runs(clock_ns) {
                if let Some(outcome) = runs::run(subject, run) {
                    table.add((subject.key, key), outcome);
                }
            }
        }
    }
    let mut calls = Measured::default();
    let ours = SUBJECTS.iter().find(|subject| subject.key == "ours");
    let ours = ours.filter(|subject| asked(subject.key));
    for _ in 0..size.calls {
        for (key, run) in size.runs(clock_ns) {
            if let Some(ours) = ours.filter(|_| ROLLED_OR_NOT.contains(&key)) {
                let outcome = runs::run(ours, run).expect("it rolls and compresses");
                calls.add((ours.key, key), outcome);
            }
        }
    }
    let unaccounted = slow::unaccounted(if quick() { 2_000 } else { 20_000 });
    let peak = memory::peak_mib(size.lines);
    table.print(clock_ns);
    let rolled_or_not = ROLLED_OR_NOT.map(|run| calls.within(("ours", run), 0.9999));
    if let [Some(one), Some(rolled)] = rolled_or_not {
        let rounds = size.calls;
        println!(
            "\nThe slowest call in 10,000, median of {rounds} rounds, ours: {one} ns into one file, \
             {rolled} ns with rolls and compression"
        );
    }
    print_figures(&table, rolled_or_not, unaccounted, peak);
}

/// The rows asked for by `--only`; none: all.
fn only() -> Vec<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--only");
    let rows = arguments.nth(1).unwrap_or_default();
    rows.split(',')
        .filter(|row| !row.is_empty())
        .map(str::to_owned)
        .collect()
}

/// How much is done: in a test little, to measure enough.
struct Size {
    rounds: u32,
    lines: u64,
    paced: u64,
    /// Rounds of ours alone that set rolls and compression beside one file: a share so small swings
    /// too much for the few rounds that all the others get.
    calls: u32,
}

/// The two runs whose slowest calls are set side by side.
const ROLLED_OR_NOT: [&str; 2] = ["t1 calls", "compressed"];

impl Size {
    fn runs(&self, clock_ns: u64) -> [(&'static str, Run); 7] {
        let run = |threads, timing, files| Run {
            threads,
            lines: self.lines,
            timing,
            pace: Pace::Free,
            files,
            clock_ns,
        };
        let paced = Run {
            lines: self.paced,
            pace: Pace::LinesPerSecond(100_000),
            ..run(1, Timing::Calls, Files::One)
        };
        [
            ("t1", run(1, Timing::Whole, Files::One)),
            ("t4", run(4, Timing::Whole, Files::One)),
            ("t1 calls", run(1, Timing::Calls, Files::One)),
            ("t4 calls", run(4, Timing::Calls, Files::One)),
            ("paced", paced),
            ("rolled", run(1, Timing::Calls, Files::Rolled)),
            ("compressed", run(1, Timing::Calls, Files::Compressed)),
        ]
    }
}

fn print_figures(
    table: &Measured,
    [without, with]: [Option<f64>; 2],
    unaccounted: u64,
    peak: Option<f64>,
) {
    println!();
    let figure = |name: &str, value, unit| print::figure(&format!("appender.{name}"), value, unit);
    let ratio = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
    let lines = |subject, run| table.lines_per_second((subject, run));
    let call = |subject, run, share| table.within((subject, run), share);
    figure("unaccounted", Some(unaccounted as f64), "lines");
    for run in ["t1", "t4"] {
        let ours = ratio(lines("ours", run), lines("ta_lossless", run));
        figure(&format!("{run}.lines_vs_tracing_appender"), ours, "ratio");
    }
    let missing = table.missing("ours");
    assert_eq!(missing, 0, "lossless is lossless");
    figure("missing", Some(missing as f64), "lines");
    let floor = lines("floor", "t1");
    figure(
        "t1.lines_vs_floor",
        ratio(lines("ours", "t1"), floor),
        "ratio",
    );
    figure("floor.lines", floor, "lines/s");
    figure("t1.p99", call("ours", "t1 calls", 0.99), "ns");
    figure("t1.p999", call("ours", "t1 calls", 0.999), "ns");
    let [ours, theirs] = ["ours", "ta_lossless"].map(|key| call(key, "t4 calls", 0.99));
    figure("t4.p99_vs_tracing_appender", ratio(ours, theirs), "ratio");
    figure("t4.p99", ours, "ns");
    let [ours, theirs] = ["ours", "ta_lossless"].map(|key| call(key, "paced", 0.999));
    figure(
        "paced.p999_vs_tracing_appender",
        ratio(ours, theirs),
        "ratio",
    );
    figure("roll.p9999_ratio", ratio(with, without), "ratio");
    let [with, without] = ["ours_ring", "ours"].map(|key| lines(key, "t1"));
    figure("crash_ring.lines_ratio", ratio(with, without), "ratio");
    figure("peak", peak, "MiB");
}
