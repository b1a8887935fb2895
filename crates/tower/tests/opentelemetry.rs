//! A service that exports spans through tracing-opentelemetry sees there the ids of its lines.
#![cfg(feature = "opentelemetry")]

mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dogwatch_tower::{BridgedIds, PropagateLayer, RequestLayer, TraceContext};
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceState, Tracer, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use support::{Capture, Line};
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

type Body = Empty<bytes::Bytes>;

/// Exports into memory.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Exported {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A registry with our lines and tracing-opentelemetry, the default of this thread.
struct Rig {
    capture: Capture,
    exported: Exported,
    provider: SdkTracerProvider,
    _guard: DefaultGuard,
}

impl Rig {
    fn new(provider: TracerProviderBuilder) -> Self {
        let (capture, exported) = (Capture::default(), Exported::default());
        let provider = provider.with_span_processor(exported.clone()).build();
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
        let _guard = set_default(registry().with(capture.clone()).with(spans));
        Self {
            capture,
            exported,
            provider,
            _guard,
        }
    }

    fn bridged() -> Self {
        Self::new(SdkTracerProvider::builder().with_id_generator(BridgedIds::new()))
    }

    /// The one exported span of this name.
    fn span(&self, name: &str) -> SpanData {
        let spans = self.exported.0.lock().unwrap();
        let mut named = spans.iter().filter(|span| span.name == name);
        let span = named
            .next()
            .unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
        assert!(named.next().is_none(), "{spans:#?}");
        span.clone()
    }
}

/// As a line says them.
fn ids(span: &SpanData) -> [String; 3] {
    let context = &span.span_context;
    [
        context.trace_id().to_string(),
        context.span_id().to_string(),
        span.parent_span_id.to_string(),
    ]
}

fn told(line: &Line) -> [String; 3] {
    ["trace_id", "span_id", "parent_span_id"].map(|name| match line.field(name) {
        "-" => NO_PARENT.to_owned(),
        id => id.to_owned(),
    })
}

/// What one request to `layer` sends on with its one call.
async fn ask(layer: RequestLayer, request: http::request::Builder) -> HeaderMap {
    let sent = Arc::new(Mutex::new(HeaderMap::new()));
    let callee = sent.clone();
    let client = PropagateLayer::new().layer(service_fn(move |request: Request<Body>| {
        *callee.lock().unwrap() = request.headers().clone();
        async { Ok::<_, Infallible>(Response::new(Body::new())) }
    }));
    let service = layer.layer(service_fn(async |_: Request<Body>| {
        tracing::info_span!("inside").in_scope(|| tracing::info!(target: "shop", "pays"));
        let call = Request::get("http://pay/charge").body(Body::new()).unwrap();
        client.clone().oneshot(call).await
    }));
    drop(
        service
            .oneshot(request.body(Body::new()).unwrap())
            .await
            .unwrap(),
    );
    std::mem::take(&mut *sent.lock().unwrap())
}

fn sent_by(sent: &HeaderMap) -> TraceContext {
    TraceContext::from_headers(sent).unwrap()
}

#[tokio::test]
async fn request_and_call_have_the_ids_of_their_lines() {
    let rig = Rig::bridged();
    let request = Request::get("/").header("traceparent", PARENT);
    let sent = ask(RequestLayer::new(), request.header("tracestate", "a=1,b=2")).await;

    let request = rig.span("request");
    let closing = rig.capture.closing().remove(0);
    assert_eq!(ids(&request), told(&closing));
    assert_eq!(ids(&request)[0], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(ids(&request)[2], "00f067aa0ba902b7");
    assert!(request.parent_span_is_remote);
    let state: TraceState = "a=1,b=2".parse().unwrap();
    assert_eq!(request.span_context.trace_state(), &state);

    let call = rig.span("call");
    let lines = rig.capture.lines();
    let line = lines.iter().find(|line| line.target == "dogwatch::client");
    assert_eq!(ids(&call), told(line.unwrap()));
    assert_eq!(call.parent_span_id, request.span_context.span_id());
    assert!(!call.parent_span_is_remote);
    assert_eq!(sent_by(&sent).span_id().to_string(), ids(&call)[1]);
    assert_eq!(sent["tracestate"], "a=1,b=2");

    // Made by the handler, it is in the tree with an id of its own.
    let inside = rig.span("inside");
    assert_eq!(inside.parent_span_id, request.span_context.span_id());
    assert_eq!(ids(&inside)[0], ids(&request)[0]);
}

#[tokio::test]
async fn a_request_without_a_parent_is_a_root_whatever_is_current() {
    let rig = Rig::bridged();
    let around = rig.provider.tracer("other").start("around");
    let around = opentelemetry::Context::current().with_span(around);
    let attached = around.attach();
    let sent = ask(RequestLayer::new(), Request::get("/")).await;
    drop(attached);
    let request = rig.span("request");
    assert_eq!(ids(&request), told(&rig.capture.closing()[0]));
    assert_eq!(ids(&request)[2], NO_PARENT);
    assert_ne!(ids(&request)[0], ids(&rig.span("around"))[0]);
    assert_eq!(sent_by(&sent).trace_id().to_string(), ids(&request)[0]);
}

#[tokio::test]
async fn a_public_endpoint_links_its_callers_span() {
    let rig = Rig::bridged();
    let request = Request::get("/").header("traceparent", PARENT);
    ask(RequestLayer::new().public_endpoint(true), request).await;
    let request = rig.span("request");
    assert_eq!(ids(&request), told(&rig.capture.closing()[0]));
    assert_eq!(ids(&request)[2], NO_PARENT);
    let links: Vec<&SpanContext> = request.links.iter().map(|l| &l.span_context).collect();
    let [link] = links[..] else {
        panic!("{links:?}")
    };
    let link = (link.trace_id().to_string(), link.span_id().to_string());
    assert_eq!(
        (link.0.as_str(), link.1.as_str()),
        ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    );
}

#[tokio::test]
async fn the_samplers_word_goes_out_with_the_trace() {
    for (sampler, parent, flags, exported) in [
        (Sampler::AlwaysOff, None, 2, false),
        (Sampler::AlwaysOn, None, 3, true),
        (Sampler::AlwaysOff, Some(PARENT), 0, false),
        (Sampler::AlwaysOn, Some(UNSAMPLED), 1, true),
        (
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn)),
            Some(UNSAMPLED),
            0,
            false,
        ),
        (
            Sampler::ParentBased(Box::new(Sampler::AlwaysOff)),
            Some(PARENT),
            1,
            true,
        ),
    ] {
        let case = format!("{sampler:?} {parent:?}");
        let provider = SdkTracerProvider::builder().with_id_generator(BridgedIds::new());
        let rig = Rig::new(provider.with_sampler(sampler));
        let mut request = Request::get("/");
        if let Some(parent) = parent {
            request = request.header("traceparent", parent);
        }
        let sent = sent_by(&ask(RequestLayer::new(), request).await);
        assert_eq!(sent.flags(), flags, "{case}");
        // The ids are those of the line, exported or not.
        assert_eq!(
            sent.trace_id().to_string(),
            told(&rig.capture.closing()[0])[0],
            "{case}"
        );
        assert_eq!(
            !rig.exported.0.lock().unwrap().is_empty(),
            exported,
            "{case}"
        );
    }
}

#[test]
fn a_resumed_span_goes_on_in_its_trace() {
    let rig = Rig::bridged();
    let stored = TraceContext::parse(PARENT).unwrap();
    stored
        .resume_span("pay_resumed")
        .in_scope(|| tracing::info!(target: "shop", "paid"));
    let resumed = rig.span("pay_resumed");
    assert_eq!(ids(&resumed), told(&rig.capture.lines()[0]));
    assert_eq!(ids(&resumed)[2], "00f067aa0ba902b7");
}

#[tokio::test]
async fn a_provider_with_other_ids_is_told_of_once_and_costs_no_line_its_own() {
    let _on = BridgedIds::new();
    let rig = Rig::new(SdkTracerProvider::builder());
    for _ in 0..2 {
        let request = Request::get("/").header("traceparent", PARENT);
        let sent = sent_by(&ask(RequestLayer::new(), request).await);
        assert_eq!(sent.flags(), 1);
    }
    let lines = rig.capture.lines();
    let warnings = lines.iter().filter(|line| line.level == "WARN").count();
    assert_eq!(warnings, 1, "{lines:#?}");
    assert_eq!(
        told(&rig.capture.closing().remove(1))[2],
        "00f067aa0ba902b7"
    );
}

#[tokio::test]
async fn without_a_layer_or_with_its_provider_shut_down_the_lines_are_as_ever() {
    let capture = Capture::default();
    let guard = set_default(registry().with(capture.clone()));
    let _on = BridgedIds::new();
    let sent = sent_by(&ask(RequestLayer::new(), Request::get("/")).await);
    assert_eq!((sent.flags(), capture.closing().len()), (3, 1));
    drop(guard);

    let rig = Rig::bridged();
    rig.provider.shutdown().unwrap();
    let sent = sent_by(&ask(RequestLayer::new(), Request::get("/")).await);
    assert_eq!((sent.flags(), rig.capture.closing().len()), (3, 1));
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
/// How OpenTelemetry says that there is none.
const NO_PARENT: &str = "0000000000000000";
