//! The one filter of a log: what `RUST_LOG` says, but no filter takes a request's ids from its lines.

use tracing_core::dispatcher::Dispatch;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{self, Context, Layer};

use crate::filter::Filter;

/// An [`EnvFilter`] that lets our spans at ERROR pass wherever anything passes.
///
/// `RUST_LOG=shop=info` names no request span, and a span that is filtered out hands its `trace_id`
/// to no line of `shop`. A span alone makes no line, so nothing is logged that was not asked for.
pub(crate) struct Gate(Filter);

impl Gate {
    pub(crate) fn new(filter: Filter) -> Self {
        Self(filter)
    }

    /// Calls `look` if directives look at spans. Without a lock: it may run a value's `Debug`.
    fn look(&self, look: impl FnOnce(&EnvFilter)) {
        if let Some(current) = self.0.dynamic() {
            look(&current.filter);
        }
    }
}

fn carries_ids(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && *metadata.level() == Level::ERROR
        && metadata.target().starts_with("dogwatch::")
}

/// Over all layers of a registry that is ours.
impl<S: Subscriber> Layer<S> for Gate {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.home().is(dispatch);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = Layer::<S>::register_callsite(&self.0.current().filter, metadata);
        if carries_ids(metadata) {
            Interest::always()
        } else {
            interest
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        carries_ids(metadata) || Layer::enabled(&self.0.current().filter, metadata, context)
    }

    fn max_level_hint(&self) -> Option<tracing_subscriber::filter::LevelFilter> {
        self.0.current().filter.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_new_span(attributes, id, context));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.look(|filter| filter.on_record(id, values, context));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_enter(id, context));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_exit(id, context));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_close(id, context));
    }
}

/// Over our layers on a registry that is somebody else's.
impl<S: Subscriber> layer::Filter<S> for Gate {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        carries_ids(metadata) || layer::Filter::enabled(&self.0.current().filter, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        let interest = layer::Filter::<S>::callsite_enabled(&self.0.current().filter, metadata);
        if carries_ids(metadata) {
            Interest::always()
        } else {
            interest
        }
    }

    fn max_level_hint(&self) -> Option<tracing_subscriber::filter::LevelFilter> {
        self.0.current().filter.max_level_hint()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_new_span(attributes, id, context));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.look(|filter| filter.on_record(id, values, context));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_enter(id, context));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_exit(id, context));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.look(|filter| filter.on_close(id, context));
    }
}
