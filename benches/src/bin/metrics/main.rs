//! Measures what recording a request, and counting an event, adds.
//!
//! Processor time of the thread, the median of interleaved rounds; allocations by a counting
//! allocator. Everybody records the same requests, over eight routes and two statuses that were seen
//! before, and is asked afterwards how many there were.

mod subjects;

use dogwatch_benches::{allocations, machine, print, quick, time};
use dogwatch_metrics::Metrics;
use std::hint::black_box;
use std::time::Duration;
use subjects::SUBJECTS;
use tracing::Dispatch;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() {
    let (rounds, n) = if quick() { (1, 2_000) } else { (9, 500_000) };
    println!("{}", machine::line());
    let mut samples = vec![Vec::new(); SUBJECTS.len()];
    let (mut counted, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (subject, samples) in SUBJECTS.iter().zip(&mut samples) {
            let recorder = (subject.build)();
            let record = |n: u64| recorder.record(&request(n));
            samples.push(measured(n, record));
            assert_eq!(
                recorder.count(),
                WARM_UP + n,
                "{} counted them all",
                subject.name
            );
        }
        let metrics = Metrics::new();
        counted.push(events(Dispatch::new(registry().with(metrics.layer())), n));
        let page = metrics.render(None).1;
        let line = format!("{{level=\"INFO\",target=\"shop::pay\"}} {}\n", WARM_UP + n);
        assert!(page.contains(&line), "every event was counted: {page}");
        bare.push(events(Dispatch::new(registry().with(Nothing)), n));
    }

    let mut table = print::Table::new(&["one request, seen before", "ns", "allocations"]);
    for (subject, samples) in SUBJECTS.iter().zip(&samples) {
        let cells = [
            print::short(ns(samples)),
            print::short(most_allocated(samples)),
        ];
        table.row([vec![subject.name.to_owned()], cells.to_vec()].concat());
    }
    table.print("A request's method, route, status, duration and size");
    let (counted_ns, bare_ns) = (ns(&counted), ns(&bare));
    println!(
        "\nOne event: {} ns under our layer, {} ns under one that does nothing\n",
        print::short(counted_ns),
        print::short(bare_ns)
    );
    print::figure("metrics.request.ns", Some(ns(&samples[0])), "ns");
    print::figure(
        "metrics.request.allocations",
        Some(most_allocated(&samples[0])),
        "count",
    );
    let theirs = ns(&samples[subjects::PROMETHEUS_CLIENT]);
    print::figure(
        "metrics.request.ns_vs_prometheus_client",
        Some(ns(&samples[0]) / theirs),
        "ratio",
    );
    print::figure("metrics.event.added_ns", Some(counted_ns - bare_ns), "ns");
    print::figure(
        "metrics.event.allocations",
        Some(most_allocated(&counted)),
        "count",
    );
}

/// What a finished request tells everybody.
pub(crate) struct Finished {
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
    pub(crate) latency: Duration,
    pub(crate) bytes_out: u64,
    pub(crate) trace_id: &'static str,
}

fn request(n: u64) -> Finished {
    Finished {
        method: "GET",
        route: black_box(ROUTES[(n % 8) as usize]),
        status: if n % 16 == 0 { 404 } else { 200 },
        latency: Duration::from_micros(300 + n % 4_096 * 13),
        bytes_out: 200 + n % 9_000,
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    }
}

fn events(dispatch: Dispatch, n: u64) -> Sample {
    tracing::dispatcher::with_default(&dispatch, || {
        measured(
            n,
            |n| tracing::info!(target: "shop::pay", n, "order settled by the channel"),
        )
    })
}

/// Wants every event, as our layer does, and leaves it.
struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {}

#[derive(Clone, Copy)]
struct Sample {
    ns: f64,
    allocations: f64,
}

fn measured(n: u64, run: impl Fn(u64)) -> Sample {
    (0..WARM_UP).for_each(&run);
    let (allocated, started) = (allocations::count(), time::thread_cpu_ns());
    (0..n).for_each(&run);
    let spent = time::thread_cpu_ns() - started;
    let allocated = allocations::count() - allocated;
    Sample {
        ns: spent as f64 / n as f64,
        allocations: allocated as f64 / n as f64,
    }
}

fn ns(samples: &[Sample]) -> f64 {
    time::median(&samples.iter().map(|sample| sample.ns).collect::<Vec<_>>())
}

fn most_allocated(samples: &[Sample]) -> f64 {
    samples
        .iter()
        .map(|sample| sample.allocations)
        .fold(0.0, f64::max)
}

const WARM_UP: u64 = 64;

const ROUTES: [&str; 8] = [
    "/api/login",
    "/api/products",
    "/api/recommend",
    "/api/orders",
    "/api/orders/{id}",
    "/api/orders/{id}/pay",
    "/api/pay/notify",
    "/api/users/{id}/addresses/{address}",
];
