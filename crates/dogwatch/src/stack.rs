//! Layers whose number is known only at run time, joined into one.

use tracing_core::Subscriber;
use tracing_subscriber::Layer;

/// A growing pile of layers.
///
/// Joined in pairs rather than kept in a `Vec`, which does not tell its layers what dispatcher they
/// belong to (tracing-subscriber 0.3.23 forwards no `on_register_dispatch`).
pub(crate) struct Stack<S>(Option<Box<dyn Layer<S> + Send + Sync>>);

impl<S: Subscriber> Stack<S> {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    #[must_use]
    pub(crate) fn with(self, layer: impl Layer<S> + Send + Sync) -> Self {
        Self(Some(match self.0 {
            Some(below) => below.and_then(layer).boxed(),
            None => layer.boxed(),
        }))
    }

    pub(crate) fn join(self) -> Box<dyn Layer<S> + Send + Sync> {
        self.0
            .unwrap_or_else(|| Box::new(tracing_subscriber::layer::Identity::new()))
    }
}
