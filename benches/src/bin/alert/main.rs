//! Measures what alert rules add to an event, what their groups weigh, and how fast old lines are judged.
//!
//! Processor time of the thread, the median of rounds that alternate with a layer that does nothing;
//! instructions under valgrind, the difference of two runs; allocations by a counting allocator. Each
//! run is asked afterwards how many events its rules counted. What an anomaly rule finds in simulated
//! traffic is counted first: `--only-anomaly` stops there, `--seed N` makes other traffic.

mod anomaly;
mod rules;
mod traffic;

use dogwatch_alert::{AlertGuard, AlertLayer, Replay, Rules};
use dogwatch_benches::{allocations, callgrind, machine, print, quick, time};
use std::hint::black_box;
use tracing::Dispatch;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    if let Some((subject, events)) = callgrind::asked() {
        return match &*subject {
            "bare" => within(registry().with(Nothing).into(), || {
                (0..events).for_each(nobodys)
            }),
            _ => {
                let (layer, guard) = layer(&rules::of_others());
                within(registry().with(layer).into(), || {
                    (0..events).for_each(nobodys)
                });
                assert_eq!(matched(&guard), 0);
            }
        };
    }
    println!("{}", machine::line());
    anomaly::run(anomaly::seed());
    if std::env::args().any(|argument| argument == "--only-anomaly") {
        return;
    }
    assert_eq!(rules::MESSAGE.len(), 172);
    let (rounds, events) = if quick() { (1, 1_000) } else { (9, 200_000) };
    // Also when quick: the rules' set-up is millions of instructions and differs by thousands from run
    // to run, beside which a hundred events are nothing; twenty thousand cost no time.
    let counts = if quick() { 1 } else { 5 };
    // One set-up in some is a million longer than the others.
    let instructions = |subject| {
        let count = |_| callgrind::instructions(subject, 1_000, 21_000);
        (0..counts).map(count).collect::<Option<Vec<_>>>()
    };
    let instructions = |subject| instructions(subject).map(|all| time::median(&all));
    let idle = instructions("idle").zip(instructions("bare"));

    let text = case(rounds, events, &rules::texts(), message, |_| 0);
    let counted = case(rounds, events, rules::ONE, hit, |events| events);
    let bare_text = bare(rounds, events, message);
    let bare_hit = bare(rounds, events, hit);
    let (groups, mib) = memory();
    let mbps = backtest();

    let mut table = print::Table::new(&["an ERROR event", "ns added", "allocations"]);
    let added = (text.0 - bare_text, counted.0 - bare_hit);
    for (name, ns, allocated) in [
        ("50 text rules, none matches, 172 bytes", added.0, text.1),
        ("one rule, it matches and counts", added.1, counted.1),
    ] {
        table.row(vec![
            name.to_owned(),
            print::short(ns),
            print::short(allocated),
        ]);
    }
    table.print("What rules add");
    println!(
        "\n{groups} groups of 100 rules: {} MiB\n",
        print::short(mib)
    );
    let idle = idle.map(|(ours, bare)| ours - bare);
    print::figure("alert.idle.instructions", idle, "instructions");
    print::figure("alert.text50.ns", Some(added.0), "ns");
    print::figure("alert.match.ns", Some(added.1), "ns");
    print::figure("alert.allocations", Some(text.1.max(counted.1)), "count");
    print::figure("alert.memory", Some(mib), "MiB");
    print::figure("alert.backtest.mbps", Some(mbps), "MB/s");
}

fn layer(yaml: &str) -> (AlertLayer, AlertGuard) {
    let rules = Rules::parse(yaml).expect("the rules load");
    let builder = AlertLayer::builder(rules).on_error(|_| {});
    builder.spawn().expect("the rules start")
}

fn matched(guard: &AlertGuard) -> u64 {
    guard
        .alerts()
        .counts()
        .iter()
        .map(|rule| rule.matched)
        .sum()
}

fn within<T>(dispatch: Dispatch, run: impl FnOnce() -> T) -> T {
    tracing::dispatcher::with_default(&dispatch, run)
}

/// An event that no rule of the others is interested in.
fn nobodys(n: u64) {
    tracing::error!(target: "shop::pay", n, "order settled by the channel");
}

/// A message of 172 bytes.
fn message(_: u64) {
    tracing::error!(target: "shop::pay", "{}", black_box(rules::MESSAGE));
}

fn hit(n: u64) {
    tracing::error!(target: "shop::pay", n, "request failed [5xx]");
}

/// Nanoseconds and allocations of an event, the median and the most of the rounds.
fn case(
    rounds: usize,
    events: u64,
    yaml: &str,
    event: impl Fn(u64) + Copy,
    expected: impl Fn(u64) -> u64,
) -> (f64, f64) {
    let (mut ns, mut most) = (Vec::new(), 0.0_f64);
    for _ in 0..rounds {
        let (layer, guard) = layer(yaml);
        within(registry().with(layer).into(), || {
            let (spent, allocated) = measured(events, event);
            ns.push(spent);
            most = most.max(allocated);
        });
        assert_eq!(
            matched(&guard),
            expected(WARM_UP + events),
            "all were counted"
        );
    }
    (time::median(&ns), most)
}

fn bare(rounds: usize, events: u64, event: impl Fn(u64) + Copy) -> f64 {
    let mut ns = Vec::new();
    for _ in 0..rounds {
        let dispatch = registry().with(Nothing).into();
        within(dispatch, || ns.push(measured(events, event).0));
    }
    time::median(&ns)
}

fn measured(events: u64, event: impl Fn(u64)) -> (f64, f64) {
    (0..WARM_UP).for_each(&event);
    let (allocated, started) = (allocations::count(), time::thread_cpu_ns());
    (0..events).for_each(&event);
    let spent = time::thread_cpu_ns() - started;
    let allocated = allocations::count() - allocated;
    (
        spent as f64 / events as f64,
        allocated as f64 / events as f64,
    )
}

/// How many groups, and by how much they made the process grow: each one event below its threshold.
fn memory() -> (usize, f64) {
    let (layer, guard) = layer(&rules::grouped(100));
    let dispatch: Dispatch = registry().with(layer).into();
    within(dispatch, || {
        // The thread's own buffers are no group's.
        tracing::error!(target: "shop::pay", rule = "none", tenant = 0, "request failed [5xx]");
        let before = resident();
        for event in 0..9 {
            for rule in 0..100 {
                for tenant in 0..100_u64 {
                    tracing::error!(target: "shop::pay", rule, tenant, event, "request failed [5xx] for this tenant, as its channel says that it is out of order");
                }
            }
        }
        let grown = resident().saturating_sub(before);
        let groups = guard.alerts().states().iter().map(|rule| rule.groups).sum();
        assert_eq!((groups, matched(&guard)), (10_000, 90_000));
        (groups, grown as f64 / (1 << 20) as f64)
    })
}

/// Bytes of the process that are in memory.
fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").expect("Linux tells it");
    let pages: u64 = told
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .expect("pages");
    pages * 4096
}

/// Megabytes of lines in a second, by 50 rules of which one in a hundred lines matches one.
fn backtest() -> f64 {
    let lines: Vec<String> = (0..if quick() { 2_000 } else { 200_000 })
        .map(rules::line)
        .collect();
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    let parsed = Rules::parse(&rules::queries()).expect("the rules load");
    let mut best = 0.0_f64;
    for _ in 0..if quick() { 1 } else { 3 } {
        let mut replay = Replay::new(&parsed);
        let started = time::thread_cpu_ns();
        lines.iter().for_each(|line| replay.line(line, &mut |_| {}));
        let spent = time::thread_cpu_ns() - started;
        let matched: u64 = replay.rules().iter().map(|rule| rule.matched).sum();
        assert_eq!(matched, lines.len() as u64 / 100, "one in a hundred");
        best = best.max(bytes as f64 * 1e3 / spent as f64);
    }
    best
}

/// Wants every event, as our layer does, and leaves it.
struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {}

/// Until the memory that is used again is there.
const WARM_UP: u64 = 20_000;
