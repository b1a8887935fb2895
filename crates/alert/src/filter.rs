//! The filter that a set of rules needs.

use dogwatch_line::Level;
use tracing_core::{Interest, LevelFilter, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Lets through what the rules of one layer can use; made by
/// [`AlertLayer::filter`](crate::AlertLayer::filter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RulesFilter {
    events: LevelFilter,
    spans: LevelFilter,
}

impl RulesFilter {
    pub(crate) fn new(least: Option<Level>) -> Self {
        let events = match least {
            None => LevelFilter::OFF,
            Some(Level::Trace) => LevelFilter::TRACE,
            Some(Level::Debug) => LevelFilter::DEBUG,
            Some(Level::Info) => LevelFilter::INFO,
            Some(Level::Warn) => LevelFilter::WARN,
            Some(_) => LevelFilter::ERROR,
        };
        // An ERROR event inherits the fields of an INFO span.
        let spans = if events == LevelFilter::OFF {
            events
        } else {
            events.max(LevelFilter::INFO)
        };
        Self { events, spans }
    }

    fn lets(self, metadata: &Metadata<'_>) -> bool {
        let most = if metadata.is_span() {
            self.spans
        } else {
            self.events
        };
        *metadata.level() <= most
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
        Some(self.spans.max(self.events))
    }
}
