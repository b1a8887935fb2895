//! Carries a trace across the wait between asking for money and hearing of it.

use dogwatch::TraceContext;
use tracing::Span;

/// The current request's trace, as text to store.
pub(crate) fn current() -> String {
    TraceContext::current().unwrap_or_default().to_traceparent()
}

/// A span that goes on in a stored trace, whatever request it runs in.
pub(crate) fn resume(traceparent: &str, name: &'static str) -> Span {
    TraceContext::parse(traceparent)
        .unwrap_or_default()
        .resume_span(name)
}
