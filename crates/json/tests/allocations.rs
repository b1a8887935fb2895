//! What an event costs in allocations. Alone in its binary: the allocator is the process's.

use dogwatch_json::{JsonLayer, Redact, Sample, Schema};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::sync::Barrier;
use tracing::{Dispatch, dispatcher, info, info_span};
use tracing_subscriber::prelude::*;

struct Counting;

thread_local! {
    // By thread, for the test harness allocates on its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: each call goes to the system's allocator as it came; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: `memory` came from `alloc` above, that is from the system.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts the bytes of its thread and keeps none.
struct Nowhere;

impl io::Write for Nowhere {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        BYTES.set(BYTES.get() + line.len() as u64);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As `Config::prod()` sets the layer up.
fn layer() -> JsonLayer<fn() -> Nowhere> {
    JsonLayer::new((|| Nowhere) as fn() -> Nowhere)
        .service("shop")
        .redact(Redact::secrets())
}

fn event(n: u64) {
    let error: &(dyn std::error::Error + 'static) = &std::fmt::Error;
    info!(
        event = "order_created",
        amount = 12.5,
        n,
        first = true,
        shown = %n,
        text = "quotes \" and 汉字\n",
        password = "hunter2",
        error,
        "order {n} created"
    );
}

/// The allocations of `run`'s third time, and that it wrote `lines`.
fn allocations(lines: u64, run: impl Fn()) -> u64 {
    run();
    run();
    let (before, bytes) = (ALLOCATIONS.get(), BYTES.get());
    run();
    assert!(BYTES.get() - bytes > lines * 100, "nothing was written");
    ALLOCATIONS.get() - before
}

fn in_two_spans(run: impl FnOnce()) {
    let request = info_span!(
        "request",
        trace_id = "0af7651916cd43dd8448eb211c80319c",
        token = 7
    );
    request.in_scope(|| info_span!("pay", order_id = 7, user_id = "u").in_scope(run));
}

#[test]
fn an_event_in_open_spans_allocates_nothing_on_any_thread() {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer()));
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                dispatcher::with_default(&dispatch, || {
                    in_two_spans(|| {
                        barrier.wait();
                        assert_eq!(allocations(100, || (0..100).for_each(event)), 0);
                    });
                });
            });
        }
    });
}

#[test]
fn a_line_that_is_left_out_allocates_nothing() {
    let sample = Sample::first(1)
        .then_one_in(10)
        .interval(std::time::Duration::MAX);
    let registry = tracing_subscriber::registry().with(layer().sample(sample));
    tracing::subscriber::with_default(registry, || {
        in_two_spans(|| assert_eq!(allocations(10, || (0..100).for_each(event)), 0));
    });
}

#[test]
fn a_line_whose_keys_become_objects_allocates_nothing() {
    let registry = tracing_subscriber::registry().with(layer().nest_dots(true));
    tracing::subscriber::with_default(registry, || {
        let event = |n| info!(http.method = "GET", n, http.status = 200, "a request");
        in_two_spans(|| assert_eq!(allocations(100, || (0..100).for_each(event)), 0));
    });
}

#[test]
fn two_spans_and_an_event_cost_at_most_eight_allocations() {
    let registry = tracing_subscriber::registry().with(layer());
    tracing::subscriber::with_default(registry, || {
        let spent = allocations(1, || in_two_spans(|| event(1)));
        assert!(spent <= 8, "{spent} allocations");
    });
}

#[test]
fn an_event_allocates_nothing_under_any_schema_that_writes_no_spans_objects() {
    for name in Schema::NAMES.iter().filter(|name| **name != "tracing") {
        let schema: Schema = name.parse().unwrap();
        let registry = tracing_subscriber::registry().with(layer().schema(schema));
        tracing::subscriber::with_default(registry, || {
            let request = |n| info!(method = "GET", path = "/", status = 200, n, "a request");
            let both = |n| {
                event(n);
                request(n);
            };
            in_two_spans(|| assert_eq!(allocations(200, || (0..100).for_each(both)), 0, "{name}"));
        });
    }
}
