//! An event that the filter turns away is turned away before anything of it is looked at.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use dogwatch::Config;
use tracing::Level;
use tracing_core::callsite::DefaultCallsite;
use tracing_core::dispatcher;
use tracing_core::field::FieldSet;
use tracing_core::identify_callsite;
use tracing_core::metadata::Kind;
use tracing_core::{LevelFilter, Metadata, Subscriber};
use tracing_subscriber::layer::SubscriberExt;

use crate::{LONG, lines, start_with};

/// Counts how often it is looked at.
#[derive(Default)]
struct Looked(AtomicU64);

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fetch_add(1, Ordering::Relaxed);
        f.write_str("looked at")
    }
}

impl Looked {
    fn times(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Rules and metrics watch every level, but enable none.
fn config() -> Config {
    Config::prod().rules_text(
        "- {name: all, match: {level: '>=trace'}, threshold: 1, action: log}\n\
         - {name: looks, pattern: 'looked at', threshold: 1, action: log}",
    )
}

#[test]
fn a_disabled_event_formats_no_field_and_is_seen_by_no_rule() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start_with(config(), dir.path(), "warn");
    let looked = Looked::default();
    let say = || {
        let span = tracing::debug_span!("work", %looked);
        span.in_scope(|| tracing::debug!(%looked, "{looked}"));
        looked.times()
    };
    dispatcher::with_default(&dispatch, || {
        assert_eq!(say(), 0);
        // The same callsites, once they are asked for.
        log.filter().set("debug").unwrap();
        let times = say();
        assert!(times > 0);
        log.filter().set("warn").unwrap();
        assert_eq!(say(), times);
    });
    let counts = log.alerts().unwrap().counts();
    assert_eq!((&*counts[1].rule, counts[1].matched), ("looks", 1));
    log.close(LONG).unwrap();
    let logged = lines(dir.path());
    let looked_at = logged.iter().filter(|line| line.contains("looked at"));
    assert_eq!(looked_at.count(), 1, "{logged:?}");
}

// Asked of the subscriber itself: `tracing::enabled!` answers for all subscribers of a process.
#[test]
fn a_disabled_callsite_is_told_never_so_that_it_asks_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (layers, log) = config()
        .file(dir.path().join("test.log"))
        .filter("warn")
        .layers()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(layers);
    for (filter, most, debug_is_off) in [
        ("warn", LevelFilter::WARN, true),
        ("debug", LevelFilter::DEBUG, false),
        ("warn,other=trace", LevelFilter::TRACE, true),
    ] {
        log.filter().set(filter).unwrap();
        assert_eq!(subscriber.max_level_hint(), Some(most), "{filter}");
        let off = subscriber.register_callsite(&DEBUG).is_never();
        assert_eq!(off, debug_is_off, "{filter}");
        assert!(subscriber.register_callsite(&WARN).is_always(), "{filter}");
    }
    drop(subscriber);
    log.close(LONG).unwrap();
}

static DEBUG_SITE: DefaultCallsite = DefaultCallsite::new(&DEBUG);
static DEBUG: Metadata<'static> = event(Level::DEBUG, &DEBUG_SITE);

static WARN_SITE: DefaultCallsite = DefaultCallsite::new(&WARN);
static WARN: Metadata<'static> = event(Level::WARN, &WARN_SITE);

const fn event(level: Level, site: &'static DefaultCallsite) -> Metadata<'static> {
    let fields = FieldSet::new(&["message"], identify_callsite!(site));
    Metadata::new(
        "event",
        "shop",
        level,
        None,
        None,
        None,
        fields,
        Kind::EVENT,
    )
}
