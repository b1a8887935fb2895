//! Where a log belongs: the dispatcher whose callsites follow its filter, and that hears of changes.

use std::sync::{Mutex, PoisonError};
use std::thread;

use tracing_core::dispatcher::{self, Dispatch, WeakDispatch};
use tracing_core::subscriber::NoSubscriber;
use tracing_core::{Subscriber, callsite};
use tracing_subscriber::layer::Layer;

use crate::filter::Filter;

/// Known once the layers are part of a subscriber.
#[derive(Default)]
pub(crate) struct Home {
    // Weak: the dispatcher owns the layers, which own this.
    dispatch: Mutex<Option<WeakDispatch>>,
}

impl Home {
    pub(crate) fn is(&self, dispatch: &Dispatch) {
        *self.dispatch.lock().unwrap_or_else(PoisonError::into_inner) = Some(dispatch.downgrade());
    }

    /// Has every callsite ask the filter anew, then calls `tell`, for the dispatcher of this log,
    /// whatever thread this is.
    ///
    /// tracing-core 0.1.36 asks the thread's own default where a process has one dispatcher. A
    /// thread that logs into nothing, as those of alerts do, would turn off every callsite there is.
    pub(crate) fn follow(&self, tell: impl FnOnce() + Send) {
        let work = || {
            callsite::rebuild_interest_cache();
            tell();
        };
        let known = self
            .dispatch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match known.map(|weak| weak.upgrade()) {
            Some(Some(dispatch)) => dispatcher::with_default(&dispatch, work),
            // The log is over.
            Some(None) => {}
            None if dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>()) => {
                // Layers in a `Vec` are not told where they belong: the default of the process,
                // which this thread hides.
                thread::scope(|scope| drop(thread::Builder::new().spawn_scoped(scope, work)));
            }
            None => work(),
        }
    }
}

/// The layer that learns it, for those who have their own registry.
pub(crate) struct Learns(pub(crate) Filter);

impl<S: Subscriber> Layer<S> for Learns {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.home().is(dispatch);
    }
}
