//! Finds the trace context around the caller: on the current span, else in the future being polled.

use std::cell::RefCell;
use std::sync::Arc;

use tracing::{Span, dispatcher};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use crate::TraceContext;
use crate::request_id::RequestId;

/// What the code below a request may need to know about it.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) context: TraceContext,
    pub(crate) request_id: Option<RequestId>,
}

/// Hangs `current` on the span. False when the span is disabled or no `Registry` keeps it.
pub(crate) fn attach(span: &Span, current: impl FnOnce() -> Current) -> bool {
    let attached = span.with_subscriber(|(id, dispatch)| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        registry.span(id)?.extensions_mut().replace(current());
        Some(())
    });
    attached.flatten().is_some()
}

pub(crate) fn innermost() -> Option<Current> {
    of_current_span().or_else(|| {
        POLLED
            .try_with(|polled| polled.borrow().as_deref().cloned())
            .ok()
            .flatten()
    })
}

fn of_current_span() -> Option<Current> {
    dispatcher::get_default(|dispatch| {
        let current = dispatch.current_span();
        let registry = dispatch.downcast_ref::<Registry>()?;
        let span = registry.span(current.id()?)?;
        span.scope()
            .find_map(|span| span.extensions().get::<Current>().cloned())
    })
}

/// Makes `current` the one of this thread until it is dropped: for a request whose span could not carry it.
pub(crate) struct Polled {
    before: Option<Arc<Current>>,
}

impl Polled {
    pub(crate) fn enter(current: Arc<Current>) -> Self {
        let before = POLLED.try_with(|polled| polled.replace(Some(current)));
        Self {
            before: before.ok().flatten(),
        }
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        let before = self.before.take();
        // The thread may be ending: then there is nothing left to restore.
        let _ = POLLED.try_with(|polled| polled.replace(before));
    }
}

thread_local! {
    static POLLED: RefCell<Option<Arc<Current>>> = const { RefCell::new(None) };
}
