//! The stacks: bare, ours, and the rivals', as a plain tower service and under axum.

use crate::drive::{BODY, Sample, measured};
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use dogwatch_benches::sink;
use dogwatch_json::{JsonLayer, Redact};
use dogwatch_tower::RequestLayer;
use http::{Request, Response};
use http_body_util::Full;
use std::convert::Infallible;
use std::future::{Ready, ready};
use tower::{Layer, Service, ServiceBuilder};
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Level};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

/// One stack.
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    /// What it is measured over: a bare service, which is measured over itself.
    pub(crate) over: &'static str,
    pub(crate) lines: u64,
    pub(crate) dispatch: fn() -> Dispatch,
    pub(crate) run: fn(u64) -> Sample,
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        key: "bare",
        name: "bare service",
        over: "bare",
        lines: 0,
        dispatch: ours,
        run: |n| measured(Hello, n),
    },
    Subject {
        key: "line",
        name: "dogwatch-tower, closing line",
        over: "bare",
        lines: 1,
        dispatch: ours,
        run: |n| measured(plain().layer(Hello), n),
    },
    Subject {
        key: "filtered",
        name: "dogwatch-tower, lines filtered, context on",
        over: "bare",
        lines: 0,
        dispatch: ours_filtered,
        run: |n| measured(plain().layer(Hello), n),
    },
    Subject {
        key: "floor",
        name: "floor: an empty span, entered three times, on a bare registry",
        over: "bare",
        lines: 0,
        dispatch: bare_registry,
        run: |n| measured(Spanned(Hello), n),
    },
    Subject {
        key: "skip",
        name: "dogwatch-tower, route skipped",
        over: "bare",
        lines: 0,
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
        dispatch: theirs,
        run: |n| measured(one_line().layer(Hello), n),
    },
    Subject {
        key: "tower_http_id",
        name: "tower-http SetRequestId, Trace, PropagateRequestId",
        over: "bare",
        lines: 1,
        dispatch: theirs,
        run: |n| {
            let stack = ServiceBuilder::new()
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(one_line())
                .layer(PropagateRequestIdLayer::x_request_id());
            measured(stack.service(Hello), n)
        },
    },
    Subject {
        key: "axum",
        name: "bare axum",
        over: "axum",
        lines: 0,
        dispatch: ours,
        run: |n| measured(router(), n),
    },
    Subject {
        key: "axum_line",
        name: "axum, dogwatch-tower, everything on",
        over: "axum",
        lines: 1,
        dispatch: ours,
        run: |n| measured(router().layer(RequestLayer::new()), n),
    },
    Subject {
        key: "axum_tower_http",
        name: "axum, tower-http SetRequestId, Trace, PropagateRequestId",
        over: "axum",
        lines: 1,
        dispatch: theirs,
        run: |n| {
            let stack = ServiceBuilder::new()
                .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
                .layer(one_line())
                .layer(PropagateRequestIdLayer::x_request_id());
            measured(router().layer(stack), n)
        },
    },
];

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

fn router() -> Router {
    Router::new().route("/api/users/{id}", get(async || Bytes::from_static(BODY)))
}

pub(crate) fn plain() -> RequestLayer {
    RequestLayer::new()
        .response_headers(false)
        .extensions(false)
}

/// tower-http writes nothing at INFO by itself, and two lines when told to: one of them is enough.
fn one_line() -> TraceLayer<SharedClassifier<ServerErrorsAsFailures>, DefaultMakeSpan, ()> {
    TraceLayer::new_for_http()
        .make_span_with(DefaultMakeSpan::new().level(Level::INFO))
        .on_request(())
        .on_response(DefaultOnResponse::new().level(Level::INFO))
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

fn theirs() -> Dispatch {
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_current_span(false);
    Dispatch::new(
        registry()
            .with(json.with_writer(sink::make))
            .with(LevelFilter::INFO),
    )
}
