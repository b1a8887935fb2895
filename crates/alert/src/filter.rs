//! The filter that a set of rules needs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dogwatch_line::Level;
use tracing_core::{Interest, LevelFilter, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// The least level at which a rule can match, read without a lock.
#[derive(Debug)]
pub(crate) struct Least(AtomicUsize);

impl Least {
    pub(crate) fn new(level: Option<Level>) -> Self {
        Self(AtomicUsize::new(number(level)))
    }

    /// Whether that changed it.
    pub(crate) fn set(&self, level: Option<Level>) -> bool {
        self.0.swap(number(level), Ordering::Relaxed) != number(level)
    }

    #[inline]
    pub(crate) fn is_above(&self, level: Level) -> bool {
        self.0.load(Ordering::Relaxed) > level as usize
    }

    /// Whether there is no rule.
    pub(crate) fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NONE
    }

    fn filter(&self) -> LevelFilter {
        match Level::ALL.get(self.0.load(Ordering::Relaxed)) {
            None => LevelFilter::OFF,
            Some(Level::Trace) => LevelFilter::TRACE,
            Some(Level::Debug) => LevelFilter::DEBUG,
            Some(Level::Info) => LevelFilter::INFO,
            Some(Level::Warn) => LevelFilter::WARN,
            Some(_) => LevelFilter::ERROR,
        }
    }
}

/// A place in [`Level::ALL`].
fn number(level: Option<Level>) -> usize {
    level.map_or(NONE, |level| level as usize)
}

const NONE: usize = usize::MAX;

/// Lets through what the rules of one layer can use; made by
/// [`AlertLayer::filter`](crate::AlertLayer::filter).
#[derive(Clone)]
pub struct RulesFilter {
    least: Arc<Least>,
}

impl RulesFilter {
    pub(crate) fn new(least: Arc<Least>) -> Self {
        Self { least }
    }

    fn events(&self) -> LevelFilter {
        self.least.filter()
    }

    fn spans(&self) -> LevelFilter {
        // An ERROR event inherits the fields of an INFO span.
        match self.events() {
            LevelFilter::OFF => LevelFilter::OFF,
            events => events.max(LevelFilter::INFO),
        }
    }

    fn lets(&self, metadata: &Metadata<'_>) -> bool {
        let most = if metadata.is_span() {
            self.spans()
        } else {
            self.events()
        };
        *metadata.level() <= most
    }
}

impl fmt::Debug for RulesFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, spans) = (self.events(), self.spans());
        f.debug_struct("RulesFilter")
            .field("events", &events)
            .field("spans", &spans)
            .finish()
    }
}

impl<S: Subscriber> Filter<S> for RulesFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.lets(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.lets(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.spans().max(self.events()))
    }
}
