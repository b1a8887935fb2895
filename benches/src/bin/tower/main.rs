//! Measures what a layer for requests adds to a service, ours beside the rivals. In process, and over sockets.
//!
//! Processor time of the thread, the median of interleaved rounds, less that of the bare service of the
//! same round; allocations by a counting allocator, likewise. Lines go to a writer that counts and
//! forgets; each subject's line is read back and checked before, and its lines are counted while it is
//! measured.

mod drive;
mod metered;
mod rivals;
mod serve;
mod socket;
mod subjects;

use dogwatch_benches::{allocations, callgrind, machine, print, quick, sink, time};
use drive::Sample;
use std::collections::BTreeMap;
use subjects::{SUBJECTS, Subject};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    if let Some((stack, lines)) = serve::asked() {
        return serve::serve(&stack, &lines);
    }
    if let Some((key, requests)) = callgrind::asked() {
        let subject = SUBJECTS.iter().find(|subject| subject.key == key);
        let subject = subject.expect("a subject of that name");
        let run = || (subject.run)(requests);
        tracing::dispatcher::with_default(&(subject.dispatch)(), run);
        return;
    }
    let (rounds, requests) = if quick() { (1, 1_000) } else { (15, 20_000) };
    println!("{}", machine::line());
    for subject in SUBJECTS {
        check(subject);
    }
    println!(
        "checked: every subject's lines carry method, status and latency, as many as it should write"
    );

    let mut added = Added::new();
    for _ in 0..rounds {
        let mut bare = BTreeMap::new();
        for subject in SUBJECTS {
            let sample = tracing::dispatcher::with_default(&(subject.dispatch)(), || {
                (subject.run)(requests)
            });
            assert_eq!(
                sample.lines,
                requests * subject.lines,
                "{} wrote its lines",
                subject.name
            );
            // A bare service comes before what is measured over it, and is shown as it is.
            let over = bare.get(subject.over).copied();
            if over.is_none() {
                bare.insert(subject.key, sample);
            }
            added.entry(subject.key).or_default().push(Sample {
                ns: sample.ns - over.map_or(0.0, |bare: Sample| bare.ns),
                allocations: sample.allocations - over.map_or(0.0, |bare| bare.allocations),
                ..sample
            });
        }
    }
    tables(&added);
    figures(&added);
    metered::run(rounds, requests);
    socket::run(quick());
}

type Added = BTreeMap<&'static str, Vec<Sample>>;

fn check(subject: &Subject) {
    let text = sink::kept(|| {
        let run = || (subject.run)(1);
        tracing::dispatcher::with_default(&(subject.dispatch)(), run);
    });
    assert_eq!(
        text.lines().count() as u64,
        (1 + drive::WARM_UP) * subject.lines,
        "{}",
        subject.name
    );
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("JSON lines");
    }
    if let Some(line) = text.lines().last() {
        for part in subject.parts {
            assert!(line.contains(part), "{} lost {part}: {line}", subject.name);
        }
    }
}

fn ns(added: &Added, subject: &str) -> f64 {
    time::median(
        &added[subject]
            .iter()
            .map(|sample| sample.ns)
            .collect::<Vec<_>>(),
    )
}

fn allocated(added: &Added, subject: &str) -> f64 {
    added[subject]
        .iter()
        .map(|sample| sample.allocations.round())
        .fold(f64::MIN, f64::max)
}

fn tables(added: &Added) {
    let mut table = print::Table::new(&["one request", "ns", "allocations", "lines"]);
    for subject in SUBJECTS {
        let sign = if subject.over == subject.key { "" } else { "+" };
        table.row(vec![
            subject.name.to_owned(),
            format!("{sign}{:.0}", ns(added, subject.key)),
            format!("{sign}{:.0}", allocated(added, subject.key)),
            subject.lines.to_string(),
        ]);
    }
    table.print("What each layer adds to a service that answers at once");
}

fn figures(added: &Added) {
    println!();
    let line = ns(added, "line");
    print::figure("tower.line.added_ns", Some(line), "ns");
    print::figure(
        "tower.line.allocations",
        Some(allocated(added, "line")),
        "count",
    );
    print::figure(
        "tower.line.added_vs_tower_http",
        Some(line / ns(added, "tower_http")),
        "ratio",
    );
    print::figure("tower.axum.added_ns", Some(ns(added, "axum_line")), "ns");
    print::figure(
        "tower.axum.allocations",
        Some(allocated(added, "axum_line")),
        "count",
    );
    print::figure("tower.skip.added_ns", Some(ns(added, "skip")), "ns");
    print::figure(
        "tower.skip.allocations",
        Some(allocated(added, "skip")),
        "count",
    );
    print::figure("tower.filtered.added_ns", Some(ns(added, "filtered")), "ns");
}
