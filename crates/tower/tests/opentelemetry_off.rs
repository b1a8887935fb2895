//! The feature `opentelemetry` alone changes nothing: without `BridgedIds` its spans are as they were.
#![cfg(feature = "opentelemetry")]

mod support;

use std::convert::Infallible;

use dogwatch_tower::{RequestLayer, TraceContext};
use http::{Request, Response};
use http_body_util::Empty;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::set_default;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

#[tokio::test]
async fn without_bridged_ids_the_spans_are_a_trace_of_their_own() {
    let provider = SdkTracerProvider::builder().build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    let _guard = set_default(registry().with(spans));
    let service = RequestLayer::new().layer(service_fn(async |_: Request<()>| {
        let theirs = tracing::Span::current().context();
        let theirs = theirs.span().span_context().trace_id().to_bytes();
        let ours = TraceContext::current().unwrap().trace_id().to_bytes();
        assert_ne!(theirs, ours);
        assert_ne!(theirs, [0; 16]);
        Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
    }));
    drop(service.oneshot(Request::new(())).await.unwrap());
}
