//! Gives the spans of tracing-opentelemetry the ids of ours, and takes its sampler's word.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{self, SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry_sdk::trace::IdGenerator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{SpanId, TARGET, TraceContext, TraceId};

/// The ids of a tracer provider whose spans shall be the same as those of the lines.
///
/// For a service that exports spans through tracing-opentelemetry 0.34: with these ids in its provider, the
/// OpenTelemetry span of each request, each call and each [resumed span](TraceContext::resume_span) has the trace
/// id, the span id and the parent of ours, a [public endpoint](crate::RequestLayer::public_endpoint) has the
/// caller's span as a link, and `traceparent` goes out as sampled where the provider's sampler says so. Spans that
/// are made inside have ids of their own, in the same trace.
///
/// ```
/// use dogwatch_tower::BridgedIds;
/// use opentelemetry::trace::TracerProvider;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use tracing_subscriber::prelude::*;
///
/// let provider = SdkTracerProvider::builder()
///     .with_id_generator(BridgedIds::new())
///     // .with_batch_exporter(...)
///     .build();
/// let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
/// let subscriber = tracing_subscriber::registry().with(spans);
/// ```
///
/// Making one is the switch: without, nothing is asked of OpenTelemetry, though the feature is on. No propagator
/// is needed. A provider with other ids beside it is warned of once.
#[derive(Clone, Debug)]
pub struct BridgedIds {
    _private: (),
}

impl BridgedIds {
    /// Turns the bridge on in this process.
    #[expect(
        clippy::new_without_default,
        reason = "a default has no effect on the whole process, this has"
    )]
    pub fn new() -> Self {
        ON.store(true, Ordering::Relaxed);
        Self { _private: () }
    }
}

impl IdGenerator for BridgedIds {
    fn new_trace_id(&self) -> trace::TraceId {
        let id = next().map_or_else(TraceId::random, |(trace_id, _)| trace_id);
        trace::TraceId::from_bytes(id.to_bytes())
    }

    fn new_span_id(&self) -> trace::SpanId {
        let id = next().map_or_else(SpanId::random, |(_, span_id)| span_id);
        trace::SpanId::from_bytes(id.to_bytes())
    }
}

/// Where the parent of a span was made, which some samplers ask.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Parent {
    Elsewhere,
    Here,
}

/// Begins the OpenTelemetry span of `span`, which has only just been made, with the ids of `context`.
pub(crate) fn join(
    span: &Span,
    context: &mut TraceContext,
    parent: Parent,
    link: Option<&TraceContext>,
) {
    if !ON.load(Ordering::Relaxed) || span.is_disabled() {
        return;
    }
    if span.set_parent(around(context, parent)).is_err() {
        return; // Its layer is not there.
    }
    if let Some(link) = link {
        span.add_link(told(link, link.span_id(), true));
    }
    let begun = {
        let _next = Next::set(context);
        // Asking for its context begins the span.
        span.context().span().span_context().clone()
    };
    if begun.span_id().to_bytes() == context.span_id().to_bytes() {
        context.sample(begun.is_sampled());
    } else if begun.is_valid() && !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            target: TARGET,
            "a tracer provider has other ids than the lines: build it with `with_id_generator(BridgedIds::new())`"
        );
    }
}

/// What is current, such as OpenTelemetry's baggage, with the span above.
fn around(context: &TraceContext, parent: Parent) -> Context {
    let current = Context::current();
    match context.parent_span_id() {
        Some(above) => {
            let remote = parent == Parent::Elsewhere;
            current.with_remote_span_context(told(context, above, remote))
        }
        // A sampler would take even an invalid span for a parent that is not sampled.
        None if current.has_active_span() => Context::new(),
        None => current,
    }
}

fn told(context: &TraceContext, span_id: SpanId, is_remote: bool) -> SpanContext {
    let state = context.tracestate().map(str::parse::<TraceState>);
    SpanContext::new(
        trace::TraceId::from_bytes(context.trace_id().to_bytes()),
        trace::SpanId::from_bytes(span_id.to_bytes()),
        TraceFlags::new(context.flags()),
        is_remote,
        state.and_then(Result::ok).unwrap_or_default(),
    )
}

/// The ids of the span that this thread begins next, until it is dropped.
struct Next;

impl Next {
    fn set(context: &TraceContext) -> Self {
        // A thread that ends begins the span with other ids.
        let _ = NEXT.try_with(|next| next.set(Some((context.trace_id(), context.span_id()))));
        Self
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        let _ = NEXT.try_with(|next| next.set(None));
    }
}

fn next() -> Option<(TraceId, SpanId)> {
    NEXT.try_with(Cell::get).ok().flatten()
}

thread_local! {
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Somebody has made the ids.
static ON: AtomicBool = AtomicBool::new(false);
/// It was said that a provider has others.
static TOLD: AtomicBool = AtomicBool::new(false);
