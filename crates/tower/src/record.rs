//! The record of one request: opened when it arrives, closed exactly once, by a `Drop`.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};
use tracing::{Dispatch, Span, dispatcher};

use crate::config::Config;
use crate::current::{self, Current, Polled};
use crate::failure::Failure;
use crate::late::Late;
use crate::panics::{Panic, survive};
use crate::request_id::X_REQUEST_ID;
use crate::shed::Shed;
use crate::{Finished, Outcome, RequestLog, Route, TARGET, TraceContext, closing, grpc, outcome};

/// The owner of a request's record. Dropping it closes the record, unless the connection was upgraded: then
/// the last [`RequestLog`] does.
pub(crate) struct Record {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    config: Arc<Config>,
    /// The one of the request's arrival: the line goes there, whichever thread or scope it ends in.
    dispatch: Dispatch,
    span: Span,
    /// Set when the span cannot carry it, because a filter disabled it.
    unattached: Option<Current>,
    started: Instant,
    open: Mutex<Option<Open>>,
}

/// What may still change.
pub(crate) struct Open {
    pub(crate) finished: Finished,
    pub(crate) late: Late,
}

impl Record {
    pub(crate) fn open<B>(config: &Arc<Config>, request: &mut Request<B>) -> Self {
        let started = config.now();
        let sender = TraceContext::from_headers(request.headers());
        let (parent, link) = if config.public_endpoint {
            (None, sender)
        } else {
            (sender, None)
        };
        let context = parent
            .as_ref()
            .map_or_else(TraceContext::new, TraceContext::child);
        let finished = Finished::arriving(request, context, config.cancelled_status);
        let late = config.facts.of(request);
        let current = Current {
            context: finished.context.clone(),
            request_id: Some(finished.request_id.clone()),
        };
        let span = open_span(&finished, link.as_ref());
        let unattached = (!current::attach(&span, current.clone())).then_some(current);
        config.active(finished.method, 1);
        let extension = config.extensions.then(|| finished.context.clone());
        let shared = Arc::new(Shared {
            config: Arc::clone(config),
            dispatch: dispatcher::get_default(Dispatch::clone),
            span,
            unattached,
            started,
            open: Mutex::new(Some(Open { finished, late })),
        });
        if let Some(context) = extension {
            request.extensions_mut().insert(context);
            request
                .extensions_mut()
                .insert(RequestLog::new(Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// Makes the request the current one of this thread.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let polled = self.shared.unattached.clone().map(Polled::enter);
        Entered {
            _span: self.shared.span.enter(),
            _polled: polled,
        }
    }

    /// Takes note of the answer's headers, and adds ours to them. True when no body will follow them.
    pub(crate) fn answered<B>(&self, response: &mut Response<B>) -> bool {
        let status = response.status();
        let ttfb = self.shared.elapsed();
        let bodiless = self.shared.with(|Open { finished, .. }| {
            finished.status = status.as_u16();
            finished.ttfb = Some(ttfb);
            finished.event_stream = is_event_stream(response);
            if grpc::is_grpc(response.headers()) {
                finished.grpc_status = grpc::status(response.headers());
            }
            finished.route = finished
                .route
                .take()
                .or_else(|| Route::of(response.extensions()));
            if finished.outcome != Outcome::Panicked {
                finished.outcome = if outcome::upgrades(finished.method, status) {
                    Outcome::Upgraded
                } else if response.extensions().get::<Shed>().is_some() {
                    Outcome::Shed
                } else {
                    // Until the body says otherwise.
                    Outcome::CancelledInBody
                };
            }
            if self.shared.config.response_headers {
                let headers = response.headers_mut();
                headers.insert(X_REQUEST_ID, finished.request_id.header());
                finished.context.inject_server_timing(headers);
            }
            outcome::has_no_body(finished.method, status)
        });
        bodiless.unwrap_or(false)
    }

    /// Takes note of how the body ended.
    pub(crate) fn body_ended(&self, complete: bool, bytes: u64) {
        let cancelled_status = self.shared.config.cancelled_status;
        self.shared.with(|Open { finished, .. }| {
            finished.bytes_out = bytes;
            match finished.outcome {
                Outcome::CancelledInBody if complete => finished.outcome = Outcome::Completed,
                Outcome::CancelledInBody => finished.status = cancelled_status,
                _ => {}
            }
        });
    }

    /// Takes note of what comes after the body.
    pub(crate) fn trailed(&self, trailers: &HeaderMap) {
        self.shared.with(|Open { finished, .. }| {
            finished.grpc_status = grpc::status(trailers).or(finished.grpc_status);
        });
    }

    /// Takes note that the body failed. Its bytes are told by `body_ended`.
    pub(crate) fn body_failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.shared.with(|Open { finished, .. }| {
            finished.outcome = Outcome::BodyError;
            finished.failure = Some(failure);
        });
    }

    /// Takes note that the service failed instead of answering.
    pub(crate) fn failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.shared.with(|Open { finished, .. }| {
            finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            finished.outcome = Outcome::Error;
            finished.failure = Some(failure);
        });
    }

    /// Takes note of a panic, before or after the headers.
    pub(crate) fn panicked(&self, panic: &Panic) {
        let failure = Failure::of_panic(panic);
        self.shared.with(|Open { finished, .. }| {
            if finished.ttfb.is_none() {
                finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            }
            finished.outcome = Outcome::Panicked;
            finished.failure = Some(failure);
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let upgraded = |open: &mut Open| open.finished.outcome == Outcome::Upgraded;
        if self.shared.with(upgraded) != Some(true) {
            self.shared.close();
        }
    }
}

impl Shared {
    /// No user's code may run in `change`: the lock is held. After the line is out there is nothing to change.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.lock().as_mut().map(change)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn elapsed(&self) -> Duration {
        self.config.now().saturating_duration_since(self.started)
    }

    /// The only place that says a request is over: taking the open state makes it happen once.
    fn close(&self) {
        let Some(Open {
            mut finished,
            mut late,
        }) = self.lock().take()
        else {
            return;
        };
        finished.latency = self.elapsed();
        self.config.active(finished.method, -1);
        self.config.finish(&finished);
        survive(|| {
            let _entered = self.span.enter();
            self.tell_of_no_route(&finished);
            if let Some(verdict) = self.config.policy.judge(&finished) {
                let ids = self.span.is_disabled();
                closing::emit(&self.dispatch, verdict, &finished, &mut late, ids);
            }
        });
    }

    /// Once per layer: the metrics of a service whose routes are unknown are worth little.
    fn tell_of_no_route(&self, finished: &Finished) {
        let Some(told) = &self.config.expect_routes else {
            return;
        };
        let routed = finished.ttfb.is_some() && !matches!(finished.status, 404 | 405);
        if finished.route.is_none() && routed && !told.swap(true, Ordering::Relaxed) {
            dispatcher::with_default(&self.dispatch, || {
                tracing::warn!(
                    target: TARGET,
                    path = finished.path(),
                    "an answered request has no route: put RequestLayer in Router::layer, after the routes"
                );
            });
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

/// Holds the request's span, and its context when the span cannot, on this thread.
pub(crate) struct Entered<'a> {
    _span: tracing::span::Entered<'a>,
    _polled: Option<Polled>,
}

/// At level ERROR, so that any event that a filter lets through finds its ids here.
fn open_span(finished: &Finished, link: Option<&TraceContext>) -> Span {
    let context = &finished.context;
    let (trace_id, span_id) = (context.trace_id().hex(), context.span_id().hex());
    let parent_span_id = context.parent_span_id().map(|id| id.hex());
    let linked_trace_id = link.map(|link| link.trace_id().hex());
    let linked_span_id = link.map(|link| link.span_id().hex());
    tracing::error_span!(
        target: TARGET,
        "request",
        trace_id = &*trace_id,
        span_id = &*span_id,
        parent_span_id = parent_span_id.as_deref(),
        request_id = finished.request_id.as_str(),
        linked_trace_id = linked_trace_id.as_deref(),
        linked_span_id = linked_span_id.as_deref(),
    )
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().get(..EVENT_STREAM.len());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
    })
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
