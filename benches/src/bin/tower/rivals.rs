//! The rivals under axum, each as its own page sets it up.

use crate::drive::BODY;
use axum::Router;
use axum::routing::get;
use axum_prometheus::PrometheusMetricLayer;
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use bytes::Bytes;
use dogwatch_benches::sink;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_instrumentation_tower::http::server::Layer as OtelTowerLayer;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::sync::OnceLock;
use tower::ServiceBuilder;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Level};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

/// What all of them serve.
pub(crate) fn router() -> Router {
    Router::new().route("/api/users/{id}", get(async || Bytes::from_static(BODY)))
}

/// tower-http writes nothing at INFO by itself, and two lines when told to: one of them is enough.
pub(crate) fn one_line() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, DefaultMakeSpan, ()>
{
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_request(())
        .on_response(DefaultOnResponse::new().level(Level::INFO))
}

pub(crate) fn tower_http() -> Router {
    let stack = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(one_line())
        .layer(PropagateRequestIdLayer::x_request_id());
    router().layer(stack)
}

pub(crate) fn axum_tracing_opentelemetry() -> Router {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    router().layer(OtelAxumLayer::default())
}

/// Its recorder is the process's: the first stack installs it. It wants a runtime for its upkeep, which is no part
/// of what is measured.
pub(crate) fn axum_prometheus() -> Router {
    static LAYER: OnceLock<PrometheusMetricLayer<'static>> = OnceLock::new();
    let layer = LAYER.get_or_init(|| {
        let runtime = crate::serve::runtime();
        let _inside = runtime.enter();
        PrometheusMetricLayer::pair().0
    });
    router().layer(layer.clone())
}

pub(crate) fn opentelemetry_tower() -> Router {
    static METER: OnceLock<()> = OnceLock::new();
    METER.get_or_init(|| {
        // It logs about itself while it is made.
        tracing::dispatcher::with_default(&Dispatch::none(), || {
            let reader = ManualReader::builder().build();
            let provider = SdkMeterProvider::builder().with_reader(reader).build();
            opentelemetry::global::set_meter_provider(provider);
        });
    });
    router().layer(OtelTowerLayer::new())
}

pub(crate) fn fmt_json() -> Dispatch {
    fmt_json_to(sink::make)
}

pub(crate) fn fmt_json_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) -> Dispatch {
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_current_span(false)
        .with_writer(writer);
    Dispatch::new(registry().with(json).with(LevelFilter::INFO))
}

/// Its line is the one that fmt writes when the span closes. Nothing is exported.
pub(crate) fn otel_and_fmt() -> Dispatch {
    let tracer = SdkTracerProvider::builder().build().tracer("bench");
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_span_list(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(sink::make);
    let otel = tracing_opentelemetry::layer().with_tracer(tracer);
    Dispatch::new(registry().with(otel).with(json).with(LevelFilter::INFO))
}
