//! Counts events by level and target. No formatting, no lock, and no allocation after an event's first.

use crate::forward::{Counted, Forward, Told};
use crate::hash::hash;
use crate::page::{Kind, Number, Page, labels};
use crate::series::OVERFLOW;
use crate::table::Table;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing_core::{Level, Metadata};

#[derive(Debug)]
pub(crate) struct LineCounts {
    // By the address of the callsite's metadata: the short way, taken from its second event on.
    callsites: Table<Callsite>,
    // By level and target: where callsites of one target meet.
    targets: Table<Arc<Lines>>,
    other: [Arc<Lines>; LEVELS.len()],
}

#[derive(Debug)]
struct Callsite {
    metadata: &'static Metadata<'static>,
    lines: Arc<Lines>,
}

#[derive(Debug)]
struct Lines {
    level: Level,
    target: Box<str>,
    count: AtomicU64,
    sent: Counted,
}

impl LineCounts {
    pub(crate) fn new(max_series: usize) -> Self {
        Self {
            callsites: Table::new(MAX_CALLSITES),
            targets: Table::new(max_series),
            other: LEVELS.map(|level| Arc::new(Lines::new(level, OVERFLOW))),
        }
    }

    pub(crate) fn count(&self, metadata: &'static Metadata<'static>, forward: &Forward) {
        let hash = (std::ptr::from_ref(metadata).addr() as u64).wrapping_mul(FIBONACCI) >> 32;
        let callsite = self.callsites.find_or_insert(
            hash,
            |callsite| std::ptr::eq(callsite.metadata, metadata),
            || Callsite {
                metadata,
                lines: Arc::clone(self.lines(metadata)),
            },
        );
        // Full of callsites: the longer way counts just as well.
        let lines = callsite.map_or_else(|| self.lines(metadata), |callsite| &callsite.lines);
        lines.count.fetch_add(1, Ordering::Relaxed);
        forward.count(&lines.sent, TOLD, || lines.labels());
    }

    pub(crate) fn write(&self, page: &mut Page) {
        // Added up: a target may really be called `_other`.
        let mut rows = BTreeMap::new();
        for lines in self.targets.iter().chain(&self.other) {
            *rows.entry(lines.labels()).or_default() += lines.count.load(Ordering::Relaxed);
        }
        page.family(LINES, Kind::Counter, TOLD.help);
        for (labels, count) in rows {
            page.counter(&labels, Number::Whole(count));
        }
    }

    fn lines(&self, metadata: &Metadata<'_>) -> &Arc<Lines> {
        let (level, target) = (*metadata.level(), metadata.target());
        self.targets
            .find_or_insert(
                hash(target, level_at(level) as u64),
                |lines| lines.level == level && *lines.target == *target,
                || Arc::new(Lines::new(level, target)),
            )
            .unwrap_or_else(|| &self.other[level_at(level)])
    }
}

impl Lines {
    fn new(level: Level, target: &str) -> Self {
        Self {
            level,
            target: target.into(),
            count: AtomicU64::new(0),
            sent: Counted::default(),
        }
    }

    fn labels(&self) -> String {
        labels(&[("level", self.level.as_str()), ("target", &self.target)])
    }
}

/// Where a level stands in [`LEVELS`].
fn level_at(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

const LEVELS: [Level; 5] = [
    Level::ERROR,
    Level::WARN,
    Level::INFO,
    Level::DEBUG,
    Level::TRACE,
];

/// 64 KiB of slots for a large service's callsites; beyond it an event costs one hash of its target.
const MAX_CALLSITES: usize = 2_048;

// 2^64 divided by the golden ratio: spreads addresses, which differ in their middle bits.
const FIBONACCI: u64 = 0x9E37_79B9_7F4A_7C15;

pub(crate) const LINES: &str = "dogwatch_lines";
const TOLD: Told<'static> = Told {
    name: "dogwatch_lines_total",
    help: "Events logged, by level and target.",
};
