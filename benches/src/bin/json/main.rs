//! Measures the formatting of an event as one line, ours beside the rivals.
//!
//! Processor time of the thread, the median of interleaved rounds; allocations by a counting
//! allocator; instructions by valgrind's callgrind. Every formatter gets the same events and the same
//! writer, which counts and forgets; its lines are read back and checked before it is measured, and
//! counted while it is.

mod cases;
mod check;
mod floor;
mod go;
mod logforth;
mod subjects;
mod unique;

use cases::{CASES, Case, Sample};
use dogwatch_benches::{allocations, callgrind, machine, print, quick, time};
use std::collections::BTreeMap;
use subjects::{By, SUBJECTS, Subject};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    if let Some((subject, events)) = callgrind::asked() {
        return count(&subject, events);
    }
    let (rounds, events, short, long) = if quick() {
        (1, 500, 20, 40)
    } else {
        (9, 20_000, 500, 3_500)
    };
    println!("{}", machine::line());
    for subject in SUBJECTS {
        check::lines(subject);
    }
    println!("checked: every line of every formatter carries all fields of its event and spans");

    let samples = measure(rounds, events);
    let instructions: BTreeMap<_, _> = SUBJECTS
        .iter()
        .map(|subject| {
            (
                subject.key,
                callgrind::instructions(subject.key, short, long),
            )
        })
        .collect();
    let disabled = disabled(rounds, events * 50);
    let go = go::measure(rounds, events);
    tables(&samples, &instructions, &go, disabled);
    figures(&samples, &instructions, &go, disabled);
}

/// Under callgrind: one subject as the process's default, no other at work.
fn count(subject: &str, events: u64) {
    let subject = SUBJECTS
        .iter()
        .find(|s| s.key == subject)
        .expect("a subject of this program");
    match subject.by {
        By::Tracing(build) => {
            tracing::dispatcher::set_global_default(build()).expect("the first default");
            cases::events_in_open_spans(events);
        }
        By::Loop(run) => drop(run("event", events)),
    }
}

type Samples = BTreeMap<(&'static str, &'static str), Vec<Sample>>;

fn measure(rounds: u32, events: u64) -> Samples {
    let mut samples = Samples::new();
    for _ in 0..rounds {
        for subject in SUBJECTS {
            for case in CASES {
                if let Some(sample) = run(subject, case, events) {
                    samples
                        .entry((subject.key, case.key))
                        .or_default()
                        .push(sample);
                }
            }
        }
    }
    samples
}

fn run(subject: &Subject, case: &Case, events: u64) -> Option<Sample> {
    let sample = match subject.by {
        // Only one dispatcher lives at a time: several would spoil each other's cached interest.
        By::Tracing(build) => (case.run)(&build(), events),
        By::Loop(run) => run(case.key, events)?,
    };
    let expected = events
        * if case.makes_spans {
            subject.lines_with_spans
        } else {
            1
        };
    assert_eq!(
        sample.lines, expected,
        "{} wrote its lines: {}",
        subject.name, case.key
    );
    Some(sample)
}

/// Nanoseconds that a disabled event costs under all of `Config::prod()`, and on a bare registry.
fn disabled(rounds: u32, events: u64) -> (f64, f64) {
    let round = |dispatch: &tracing::Dispatch| {
        tracing::dispatcher::with_default(dispatch, || cases::disabled_events(events))
    };
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        {
            let (dispatch, _log) = subjects::prod_at_info();
            ours.push(round(&dispatch));
        }
        bare.push(round(&subjects::bare_at_info()));
    }
    (time::median(&ours), time::median(&bare))
}

fn ns(samples: &Samples, subject: &'static str, case: &'static str) -> Option<f64> {
    let rounds: Vec<_> = samples
        .get(&(subject, case))?
        .iter()
        .map(|sample| sample.ns)
        .collect();
    Some(time::median(&rounds))
}

/// The most of all rounds: an allocation now and then is one all the same.
fn allocated(samples: &Samples, subject: &'static str, case: &'static str) -> Option<f64> {
    samples
        .get(&(subject, case))?
        .iter()
        .map(|s| s.allocations)
        .max_by(f64::total_cmp)
}

fn tables(
    samples: &Samples,
    instructions: &BTreeMap<&str, Option<f64>>,
    go: &BTreeMap<String, f64>,
    disabled: (f64, f64),
) {
    let heading = [
        "in two open spans",
        "ns",
        "allocations",
        "instructions",
        "bytes",
    ];
    let mut table = print::Table::new(&heading);
    for subject in SUBJECTS {
        let bytes = samples[&(subject.key, "event")][0].bytes;
        table.row(vec![
            subject.name.to_owned(),
            print::cell(ns(samples, subject.key, "event")),
            print::cell(allocated(samples, subject.key, "event")),
            print::cell(instructions[subject.key]),
            print::short(bytes.round()),
        ]);
    }
    for (name, ns) in go {
        let none = || "-".to_owned();
        table.row(vec![
            format!("Go {name}"),
            print::short(*ns),
            none(),
            none(),
            none(),
        ]);
    }
    table.print("One event, message and 6 fields, in two open spans of 3 fields each");

    let heading = [
        "case",
        "spans made: ns",
        "allocations",
        "escapes: ns",
        "4 threads: ns",
    ];
    let mut table = print::Table::new(&heading);
    for subject in SUBJECTS {
        table.row(vec![
            subject.name.to_owned(),
            print::cell(ns(samples, subject.key, "spans")),
            print::cell(allocated(samples, subject.key, "spans")),
            print::cell(ns(samples, subject.key, "escapes")),
            print::cell(ns(samples, subject.key, "threads")),
        ]);
    }
    table.print(
        "Two spans made for each event; a message that is all escapes; four threads at once",
    );
    println!(
        "\nA disabled event: {} ns under `Config::prod()`, {} ns on a bare registry",
        print::short(disabled.0),
        print::short(disabled.1)
    );
}

fn figures(
    samples: &Samples,
    instructions: &BTreeMap<&str, Option<f64>>,
    go: &BTreeMap<String, f64>,
    disabled: (f64, f64),
) {
    println!();
    let ratio = |ours: Option<f64>, theirs: Option<f64>| Some(ours? / theirs?);
    let ours = instructions["ours"];
    let event = ns(samples, "ours", "event");
    print::figure("json.event.instructions", ours, "instructions");
    for (key, name) in [
        ("subscriber", "tracing_subscriber"),
        ("json_subscriber", "json_subscriber"),
        ("bunyan", "bunyan"),
        ("logfmt", "logfmt"),
        ("logforth", "logforth"),
    ] {
        let name = format!("json.event.instructions_vs_{name}");
        print::figure(&name, ratio(ours, instructions[key]), "ratio");
    }
    print::figure(
        "json.floor.instructions",
        instructions["floor"],
        "instructions",
    );
    print::figure(
        "json.event.allocations",
        allocated(samples, "ours", "event"),
        "count",
    );
    print::figure(
        "json.spans.allocations",
        allocated(samples, "ours", "spans"),
        "count",
    );
    for rival in ["zerolog", "zap", "slog"] {
        let name = format!("json.event.ns_vs_{rival}");
        print::figure(&name, ratio(event, go.get(rival).copied()), "ratio");
    }
    print::figure(
        "json.event.ns_vs_floor",
        ratio(event, ns(samples, "floor", "event")),
        "ratio",
    );
    print::figure(
        "json.disabled.added_ns",
        Some(disabled.0 - disabled.1),
        "ns",
    );
}
