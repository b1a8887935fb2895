//! A request and an event that were seen before are recorded without allocating.

use dogwatch_metrics::{Metrics, Request};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator as it came; the count is a thread-local
// `Cell` with a const initializer and no destructor, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` above, so from `System`, with this `layout`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl Fn()) -> u64 {
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

#[test]
fn what_was_seen_before_is_recorded_without_allocating() {
    let metrics = Metrics::builder().max_series(3).build();
    let request = |route, outcome| {
        metrics.request(&Request {
            method: "GET",
            route: Some(route),
            status: 200,
            scheme: "http",
            protocol_version: "1.1",
            outcome,
            latency: Duration::from_millis(3),
            bytes_in: Some(7),
            bytes_out: 10,
            trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
            sampled: true,
        });
    };
    let requests = || {
        for _ in 0..100 {
            request("/a", "completed");
            request("/a", "cancelled");
            request("/b", "completed");
            // Beyond the bound.
            request("/c", "completed");
        }
    };
    let events = || {
        for _ in 0..100 {
            tracing::warn!(target: "shop", order = 7, "slow");
        }
    };
    assert!(
        allocations(|| request("/a", "completed")) > 0,
        "the first sight allocates"
    );
    requests();
    assert_eq!(allocations(requests), 0, "requests");
    let stack = tracing_subscriber::registry().with(metrics.layer());
    tracing::subscriber::with_default(stack, || {
        events();
        assert_eq!(allocations(events), 0, "events");
    });
}
