//! The stacks: bare, ours, and the rivals', as a plain tower service and under axum.

use crate::drive::{BODY, Sample, measured};
use crate::rivals;
use bytes::Bytes;
use dogwatch_benches::sink;
use dogwatch_json::{JsonLayer, Redact};
use dogwatch_tower::RequestLayer;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::{Ready, ready};
use tower::{Layer, Service, ServiceBuilder};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

/// One stack.
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    /// What it is measured over: a bare service, which is measured over itself.
    pub(crate) over: &'static str,
    pub(crate) lines: u64,
    /// What each line must hold.
    pub(crate) parts: &'static [&'static str],
    pub(crate) dispatch: fn() -> Dispatch,
    pub(crate) run: fn(u64) -> Sample,
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        key: "bare",
        name: "bare service",
        over: "bare",
        lines: 0,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(Hello, n),
    },
    Subject {
        key: "line",
        name: "dogwatch-tower, closing line",
        over: "bare",
        lines: 1,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(plain().layer(Hello), n),
    },
    Subject {
        key: "filtered",
        name: "dogwatch-tower, lines filtered, context on",
        over: "bare",
        lines: 0,
        parts: LINE,
        dispatch: ours_filtered,
        run: |n| measured(plain().layer(Hello), n),
    },
    Subject {
        key: "floor",
        name: "floor: an empty span, entered three times, on a bare registry",
        over: "bare",
        lines: 0,
        parts: LINE,
        dispatch: bare_registry,
        run: |n| measured(Spanned(Hello), n),
    },
    Subject {
        key: "skip",
        name: "dogwatch-tower, route skipped",
        over: "bare",
        lines: 0,
        parts: LINE,
        dispatch: ours,
        run: |n| {
            measured(
                plain().skip(|_, path| path == "/api/users/42").layer(Hello),
                n,
            )
        },
    },
    Subject {
        key: "tower_http",
        name: "tower-http Trace, one line at INFO",
        over: "bare",
        lines: 1,
        parts: LINE,
        dispatch: rivals::fmt_json,
        run: |n| measured(rivals::one_line().layer(Hello), n),
    },
    Subject {
        key: "tower_http_id",
        name: "tower-http SetRequestId, Trace, PropagateRequestId",
        over: "bare",
        lines: 1,
        parts: LINE,
        dispatch: rivals::fmt_json,
        run: |n| {
            let stack = ServiceBuilder::new()
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(rivals::one_line())
                .layer(PropagateRequestIdLayer::x_request_id());
            measured(stack.service(Hello), n)
        },
    },
    Subject {
        key: "axum",
        name: "bare axum",
        over: "axum",
        lines: 0,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(rivals::router(), n),
    },
    Subject {
        key: "axum_line",
        name: "axum, dogwatch-tower, everything on",
        over: "axum",
        lines: 1,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(rivals::router().layer(RequestLayer::new()), n),
    },
    Subject {
        key: "axum_tower_http",
        name: "axum, tower-http SetRequestId, Trace, PropagateRequestId",
        over: "axum",
        lines: 1,
        parts: LINE,
        dispatch: rivals::fmt_json,
        run: |n| measured(rivals::tower_http(), n),
    },
    Subject {
        key: "axum_otel",
        name: "axum, axum-tracing-opentelemetry, line at span close",
        over: "axum",
        lines: 1,
        parts: &["\"GET\"", "200", "time.busy"],
        dispatch: rivals::otel_and_fmt,
        run: |n| measured(rivals::axum_tracing_opentelemetry(), n),
    },
    Subject {
        key: "axum_prometheus",
        name: "axum, axum-prometheus, no line",
        over: "axum",
        lines: 0,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(rivals::axum_prometheus(), n),
    },
    Subject {
        key: "axum_otel_tower",
        name: "axum, opentelemetry-instrumentation-tower, no line",
        over: "axum",
        lines: 0,
        parts: LINE,
        dispatch: ours,
        run: |n| measured(rivals::opentelemetry_tower(), n),
    },
];

/// What a line must say, whatever it looks like.
const LINE: &[&str] = &["\"GET\"", "200", "latency"];

/// Answers at once.
#[derive(Clone)]
pub(crate) struct Hello;

impl Service<Request<Full<Bytes>>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(BODY)))))
    }
}

/// What any request span costs, whoever makes it: entered for the call, the future and the body.
#[derive(Clone)]
struct Spanned(Hello);

impl Service<Request<Full<Bytes>>> for Spanned {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        let span = tracing::error_span!("request");
        let future = span.in_scope(|| self.0.call(request));
        (0..2).for_each(|_| span.in_scope(|| ()));
        future
    }
}

pub(crate) fn plain() -> RequestLayer {
    RequestLayer::new()
        .response_headers(false)
        .extensions(false)
}

pub(crate) fn ours() -> Dispatch {
    let json = JsonLayer::new(sink::make).redact(Redact::secrets());
    Dispatch::new(registry().with(json).with(LevelFilter::INFO))
}

fn bare_registry() -> Dispatch {
    Dispatch::new(registry().with(LevelFilter::INFO))
}

fn ours_filtered() -> Dispatch {
    let json = JsonLayer::new(sink::make).redact(Redact::secrets());
    Dispatch::new(registry().with(json).with(LevelFilter::ERROR))
}
