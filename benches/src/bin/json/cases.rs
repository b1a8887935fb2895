//! The events that everybody formats, and how each case runs them.

use dogwatch_benches::{allocations, sink, time};
use std::hint::black_box;
use std::sync::Barrier;
use tracing::{Dispatch, dispatcher};

/// One way to meet the same events.
pub(crate) struct Case {
    pub(crate) key: &'static str,
    /// Some rivals write lines of their own when a span is made or closed.
    pub(crate) makes_spans: bool,
    pub(crate) run: fn(&Dispatch, u64) -> Sample,
}

/// What one round cost: a mean per event, and the lines that came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) ns: f64,
    pub(crate) allocations: f64,
    pub(crate) bytes: f64,
    pub(crate) lines: u64,
}

pub(crate) const CASES: &[Case] = &[
    Case {
        key: "event",
        makes_spans: false,
        run: |dispatch, n| dispatcher::with_default(dispatch, || events_in_open_spans(n)),
    },
    Case {
        key: "spans",
        makes_spans: true,
        run: |dispatch, n| dispatcher::with_default(dispatch, || events_with_their_spans(n)),
    },
    Case {
        key: "escapes",
        makes_spans: false,
        run: |dispatch, n| dispatcher::with_default(dispatch, || escapes(n)),
    },
    Case {
        key: "threads",
        makes_spans: false,
        run: four_threads,
    },
];

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(crate) const USER: &str = "u_72134";
/// Quotes, a path with backslashes, line breaks, and text beyond ASCII.
pub(crate) const ESCAPES: &str = "渠道返回 \"FAIL\"\n\tat C:\\pay\\channel.rs:42\n\tcaused by: {\"code\":\"SYSTEM_ERROR\",\"说明\":\"系统超时\"}\r\n";

#[inline(never)]
pub(crate) fn event(n: u64) {
    tracing::info!(
        target: "shop::pay",
        channel = "wechat",
        currency = "CNY",
        event = "pay_settled",
        amount_cents = black_box(129_950 + n % 7),
        latency_ms = black_box(12.625),
        first = black_box(true),
        "order settled by the channel"
    );
}

pub(crate) fn request_span() -> tracing::Span {
    tracing::info_span!(
        "request",
        trace_id = TRACE,
        method = "POST",
        route = "/api/orders/{id}/pay"
    )
}

pub(crate) fn pay_span() -> tracing::Span {
    tracing::info_span!(
        "pay",
        order_id = black_box(88_123_u64),
        user_id = USER,
        attempt = 2_u64
    )
}

pub(crate) fn events_in_open_spans(n: u64) -> Sample {
    let _request = request_span().entered();
    let _pay = pay_span().entered();
    measured(n, event)
}

fn events_with_their_spans(n: u64) -> Sample {
    measured(n, |n| {
        let _request = request_span().entered();
        let _pay = pay_span().entered();
        event(n);
    })
}

fn escapes(n: u64) -> Sample {
    measured(
        n,
        |n| tracing::warn!(target: "shop::pay", n, text = black_box(ESCAPES), "said"),
    )
}

fn four_threads(dispatch: &Dispatch, n: u64) -> Sample {
    on_four_threads(|barrier| {
        dispatcher::with_default(dispatch, || {
            let _request = request_span().entered();
            let _pay = pay_span().entered();
            event(0);
            barrier.wait();
            measured(n / 4, event)
        })
    })
}

/// The mean of four threads, each of which waits for the others before it is measured.
pub(crate) fn on_four_threads(run: impl Fn(&Barrier) -> Sample + Sync) -> Sample {
    let barrier = Barrier::new(4);
    let samples: Vec<Sample> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&barrier))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no formatter panics"))
            .collect()
    });
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / 4.0;
    Sample {
        ns: mean(|sample| sample.ns),
        allocations: mean(|sample| sample.allocations),
        bytes: mean(|sample| sample.bytes),
        lines: samples.iter().map(|sample| sample.lines).sum(),
    }
}

/// Nanoseconds of one event that no layer wants.
pub(crate) fn disabled_events(n: u64) -> f64 {
    let run = |n| {
        for n in 0..n {
            tracing::debug!(target: "shop::pay", n = black_box(n), channel = "wechat", "detail");
        }
    };
    run(1_000);
    sink::reset();
    let before = time::thread_cpu_ns();
    run(n);
    let spent = time::thread_cpu_ns() - before;
    assert_eq!(sink::counts().lines, 0, "disabled is disabled");
    spent as f64 / n as f64
}

/// A few events first, so that caches and buffers are as they are in a service that runs.
pub(crate) fn measured(n: u64, run: impl Fn(u64)) -> Sample {
    (0..WARM_UP).for_each(&run);
    sink::reset();
    let (allocated, started) = (allocations::count(), time::thread_cpu_ns());
    (0..n).for_each(&run);
    let spent = time::thread_cpu_ns() - started;
    let allocated = allocations::count() - allocated;
    let sink::Counts { lines, bytes } = sink::counts();
    let each = |total: u64| total as f64 / n as f64;
    Sample {
        ns: each(spent),
        allocations: each(allocated),
        bytes: each(bytes),
        lines,
    }
}

pub(crate) const WARM_UP: u64 = 100;
