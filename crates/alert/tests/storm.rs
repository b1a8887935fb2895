//! A storm of a million matching events: memory stays bounded, and every one of them is accounted for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dogwatch_alert::{Alert, AlertLayer, Deliveries, Notify, NotifyError, Pace, Rules};
use tracing_subscriber::prelude::*;

#[path = "support/mod.rs"]
mod support;

use support::BOUND;

/// Counts the bytes that the whole process holds.
struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);
static MOST: AtomicIsize = AtomicIsize::new(0);

fn hold(bytes: isize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call is handed on to `System` unchanged; counting touches atomics only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        hold(layout.size() as isize);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        hold(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RULES: u64 = 50;
/// Of each rule; more tenants than it may have groups.
const GROUPS: u64 = 100;
const TENANTS: u64 = 150;
const THRESHOLD: u64 = 10;
const EVENTS: u64 = 1_000_000;
/// In any hour.
const CALLS: u64 = 5;
/// Of every limit, so that for this test the clock stands still.
const HOUR: Duration = Duration::from_secs(3600);
/// A call that is the last for a while takes along so many.
const DIGEST: u64 = 64;

/// Hands on how many alerts each call brings.
struct Fake(Mutex<Sender<u64>>);

impl Notify for Fake {
    fn notify(&self, _: &Alert) -> Result<(), NotifyError> {
        self.0.lock().unwrap().send(1).unwrap();
        Ok(())
    }

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        self.0.lock().unwrap().send(alerts.len() as u64).unwrap();
        Ok(())
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(CALLS as u32, HOUR)
    }
}

/// Fifty rules, five for each of ten places that log.
fn rules() -> Rules {
    let rule = |n| {
        let (place, shard) = (n / 5, n % 5);
        format!(
            "- {{name: r{n}, match: {{target: place{place}, shard: {shard}}}, threshold: {THRESHOLD}/1h, \
             group_by: [tenant], max_groups: {GROUPS}, action: fake}}\n"
        )
    };
    let yaml: String = (0..RULES).map(rule).collect();
    Rules::parse(&yaml).unwrap()
}

/// The nth event of its rule, for each rule one.
fn round(n: u64) {
    macro_rules! places {
        ($($target:literal)*) => { $(
            for shard in 0..5_u64 {
                tracing::error!(target: $target, shard, tenant = n % TENANTS, "支付失败 [5xx]");
            }
        )* };
    }
    places!("place0" "place1" "place2" "place3" "place4" "place5" "place6" "place7" "place8" "place9");
}

#[test]
fn a_storm_of_a_million_events_is_bounded_and_adds_up() {
    let (sender, calls) = channel();
    let (layer, guard) = AlertLayer::builder(rules())
        .notifier("fake", Fake(Mutex::new(sender)))
        .on_error(|_| {})
        .spawn()
        .unwrap();
    let alerts = guard.alerts().clone();
    let fired = RULES * (GROUPS + 1);
    let told = |counts: &Deliveries| counts.sent + counts.pending + counts.dropped;
    let before = HELD.load(Ordering::Relaxed);
    let rounds = EVENTS / RULES;

    let held =
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            // All that can fire has fired after a tenth; what comes then may hold nothing more.
            (0..rounds / 10).for_each(round);
            assert!(alerts.wait(BOUND, |_| told(&alerts.deliveries()) == fired));
            let held = HELD.load(Ordering::Relaxed);
            (rounds / 10..rounds).for_each(round);
            (held, HELD.load(Ordering::Relaxed))
        });
    let first: Vec<u64> = (0..CALLS)
        .map(|_| calls.recv_timeout(BOUND).unwrap())
        .collect();
    assert_eq!(first[..4], [1; 4], "each alone while there are calls left");
    assert!(calls.try_recv().is_err(), "the hour is not over");

    // 5.4 MiB when this was written, and not a byte more in nine tenths of the storm.
    let grown = held.1 - held.0;
    assert!(
        grown <= 64 << 10,
        "{grown} bytes more after nine tenths of a storm"
    );
    let most = MOST.load(Ordering::Relaxed) - before;
    assert!(most <= 16 << 20, "{most} bytes at most");
    let others = (0..rounds).filter(|n| n % TENANTS >= GROUPS).count() as u64;
    for counts in alerts.counts() {
        let rule = (
            counts.matched,
            counts.fired,
            counts.resolved,
            counts.suppressed(),
        );
        let reasons = [
            ("muted", 0),
            ("learning", 0),
            ("overflowed", others),
            ("forgotten", 0),
        ];
        assert_eq!(rule, (rounds, GROUPS + 1, 0, reasons), "{}", counts.rule);
    }

    // The end waits for no pace; then nothing waits, and all is sent or dropped.
    guard.close(BOUND).unwrap();
    let last: Vec<u64> = calls.try_iter().collect();
    let counts = alerts.deliveries();
    let left: u64 = last.iter().sum();
    assert_eq!(last.len() as u64, left.div_ceil(DIGEST), "{last:?}");
    assert_eq!(counts.sent, first.iter().sum::<u64>() + left);
    assert_eq!(told(&counts), fired);
    let outcomes = counts.outcomes().map(|(_, count)| count);
    assert_eq!(outcomes.iter().sum::<u64>(), fired, "{counts:?}");
    assert_eq!((counts.pending, counts.failed, counts.panics), (0, 0, 0));
}
