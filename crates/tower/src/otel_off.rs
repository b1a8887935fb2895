//! Built without `opentelemetry`: nobody else has ids.

use tracing::Span;

use crate::TraceContext;

#[derive(Clone, Copy)]
pub(crate) enum Parent {
    Elsewhere,
    Here,
}

pub(crate) fn join(_: &Span, _: &mut TraceContext, _: Parent, _: Option<&TraceContext>) {}
