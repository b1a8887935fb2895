//! A handler's handle on the closing line of its request.

use std::fmt;
use std::sync::Arc;

use crate::failure::Failure;
use crate::shared::Shared;
use crate::{LateValue, Route, TraceContext, closing};

/// A handle on the request's closing line, in the extensions of the request.
///
/// ```
/// use dogwatch_tower::RequestLog;
///
/// async fn handler(request: http::Request<String>) {
///     if let Some(log) = request.extensions().get::<RequestLog>() {
///         log.set("user_id", "u-17");
///         log.set("items", 3);
///     }
/// }
/// ```
///
/// After an upgrade (status 101) the line waits for the last handle: a socket's task that keeps one makes
/// the latency that of the whole conversation. Any other request closes when its answer ends, whoever still
/// holds a handle.
#[derive(Clone)]
pub struct RequestLog {
    shared: Arc<Shared>,
}

impl RequestLog {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The request's own place in its trace: the one that [`TraceContext::current`] answers in its handler.
    pub fn trace_context(&self) -> TraceContext {
        self.shared.context().clone()
    }

    /// Adds a field to the closing line, or replaces its value.
    ///
    /// At most 13 fields; one more, and a key that the line has itself (such as `status`), is refused and
    /// counted in the line's `fields_refused`. After the line is out this does nothing.
    pub fn set(&self, key: &'static str, value: impl Into<LateValue>) {
        let value = value.into();
        self.shared
            .with(|added| added.late.set(key, value, closing::FIELDS));
    }

    /// Tells why the handler answers as it does: the error and its sources stand on the closing line.
    ///
    /// It changes neither status nor outcome. What goes wrong later, such as a panic, replaces it.
    pub fn error(&self, error: &(dyn std::error::Error + 'static)) {
        let failure = Failure::of_error(error);
        self.shared
            .with(|added| added.failure = Some(Box::new(failure)));
    }

    /// Tells the route's template, for a router that is not axum's.
    pub fn route(&self, route: Route) {
        self.shared.with(|added| added.route = Some(route));
    }

    /// Counts bytes of the request's body.
    pub(crate) fn read(&self, bytes: u64) {
        self.shared.with(|added| {
            let before = added.bytes_in.unwrap_or(0);
            added.bytes_in = Some(before.saturating_add(bytes));
        });
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog").finish_non_exhaustive()
    }
}
