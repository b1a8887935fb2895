//! Counts what judging an event allocates: nothing, once a thread and a rule are warm.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dogwatch_alert::{AlertLayer, Rules};
use tracing_subscriber::prelude::*;

/// Counts the allocations of each thread apart, so that the alerts' own threads do not disturb.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed on to `System` unchanged; counting touches a plain cell only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(run: impl Fn()) -> u64 {
    // Warm: buffers have grown, windows are full, callsites are known.
    (0..50).for_each(|_| run());
    let before = COUNT.get();
    (0..100).for_each(|_| run());
    COUNT.get() - before
}

#[test]
fn a_warm_rule_allocates_nothing_whether_it_matches_or_not() {
    let yaml = "
- {name: none, pattern: no such text, threshold: 10}
- {name: below, pattern: 'slow.*tenant=红', threshold: 20/1ms, resolve_after: 30d}
- {name: slow, type: field_stat, match: {event: pay_failed}, field: order_id, stat: p99, threshold: 5, window: 1h}
- {name: many, type: cardinality, match: {event: pay_failed}, field: order_id, threshold: 5, window: 1h}
- {name: fires, match: {event: pay_failed, tenant: 红}, threshold: 10/1h}
";
    let (layer, guard) = AlertLayer::builder(Rules::parse(yaml).unwrap())
        .on_error(|_| {})
        .spawn()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let _span = tracing::info_span!("request", tenant = "红", trace_id = "abc").entered();
        let each = [
            allocations(|| tracing::info!(status = 200, "all is well")),
            allocations(|| tracing::warn!(db_ms = 12.5, query = ?"select 1", "slow query")),
            allocations(|| tracing::error!(event = "pay_failed", order_id = 7, "支付失败")),
        ];
        assert_eq!(each, [0; 3]);
    });
    let matched: Vec<u64> = guard
        .alerts()
        .counts()
        .iter()
        .map(|counts| counts.matched)
        .collect();
    assert_eq!(matched, [0, 150, 150, 150, 150]);
}
