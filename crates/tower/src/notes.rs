//! Takes note of what becomes of a request, and tells it when the request is over.

use std::fmt;
use std::sync::atomic::Ordering;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tracing::dispatcher;

use crate::failure::Failure;
use crate::open::{Known, Notes};
use crate::panics::{Panic, survive};
use crate::shed::Shed;
use crate::{Finished, Outcome, Route, TARGET};
use crate::{answer, closing, grpc, outcome};

/// How an answer's body ended.
pub(crate) struct BodyEnd {
    pub(crate) complete: bool,
    pub(crate) bytes: u64,
}

impl Notes {
    /// Takes note of the answer's headers, and adds ours to them. True when no body will follow them.
    pub(crate) fn answered<B>(&mut self, known: &Known, response: &mut Response<B>) -> bool {
        let status = response.status();
        let finished = &mut self.finished;
        finished.status = status.as_u16();
        finished.ttfb = Some(known.elapsed());
        let kind = response.headers().get(CONTENT_TYPE);
        let kind = kind.map_or(&[][..], HeaderValue::as_bytes);
        finished.event_stream = is_event_stream(kind);
        if grpc::is_grpc(kind) {
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
        if known.config.response_headers {
            answer::tell(
                response.headers_mut(),
                &finished.request_id,
                &finished.context,
            );
        }
        outcome::has_no_body(finished.method, status)
    }

    /// Takes note of what comes after the body.
    pub(crate) fn trailed(&mut self, trailers: &HeaderMap) {
        let finished = &mut self.finished;
        finished.grpc_status = grpc::status(trailers).or(finished.grpc_status);
    }

    /// Takes note that the body failed. Its bytes are told by `close`.
    pub(crate) fn body_failed<E: fmt::Display + 'static>(&mut self, error: &E) {
        self.finished.outcome = Outcome::BodyError;
        self.finished.failure = Some(Box::new(Failure::of(error)));
    }

    /// Takes note that the service failed instead of answering.
    pub(crate) fn failed<E: fmt::Display + 'static>(&mut self, error: &E) {
        self.finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        self.finished.outcome = Outcome::Error;
        self.finished.failure = Some(Box::new(Failure::of(error)));
    }

    /// Takes note of a panic, before or after the headers.
    pub(crate) fn panicked(&mut self, panic: &Panic) {
        if self.finished.ttfb.is_none() {
            self.finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        }
        self.finished.outcome = Outcome::Panicked;
        self.finished.failure = Some(Box::new(Failure::of_panic(panic)));
    }

    /// The body is over, the request being entered. So is the request, unless its connection was upgraded.
    pub(crate) fn close(&mut self, known: &Known, body: BodyEnd) {
        let finished = &mut self.finished;
        finished.bytes_out = body.bytes;
        match finished.outcome {
            Outcome::CancelledInBody if body.complete => finished.outcome = Outcome::Completed,
            Outcome::CancelledInBody => finished.status = known.config.cancelled_status,
            Outcome::Upgraded => return,
            _ => {}
        }
        self.end(known);
    }

    /// The request is over, being entered.
    pub(crate) fn end(&mut self, known: &Known) {
        if self.told {
            return;
        }
        if let Some(shared) = &self.shared {
            shared.end().join(self);
        }
        self.tell(known);
    }

    /// The only place that says a request is over, and once: whoever comes here owns it. No lock is held.
    pub(crate) fn tell(&mut self, known: &Known) {
        self.told = true;
        let Notes { finished, late, .. } = self;
        let config = &known.config;
        let timed = config.reads_latency();
        if timed {
            finished.latency = known.elapsed();
        }
        config.active(finished.method, -1);
        config.finish(finished);
        survive(|| {
            tell_of_no_route(known, finished);
            let Some((level, message)) = config.policy.judge(finished) else {
                return;
            };
            known.with_dispatch(|dispatch| {
                let Some(site) = closing::site(level, late, dispatch) else {
                    return;
                };
                // A silent request need not look at the clock.
                if !timed {
                    finished.latency = known.elapsed();
                }
                let span = known.span.id();
                closing::emit(dispatch, site, message, finished, late, span);
            });
        });
    }
}

/// Once per layer: the metrics of a service whose routes are unknown are worth little.
fn tell_of_no_route(known: &Known, finished: &Finished) {
    let Some(told) = &known.config.expect_routes else {
        return;
    };
    let routed = finished.ttfb.is_some() && !matches!(finished.status, 404 | 405);
    if finished.route.is_none() && routed && !told.swap(true, Ordering::Relaxed) {
        known.with_dispatch(|dispatch| {
            dispatcher::with_default(dispatch, || {
                tracing::warn!(
                    target: TARGET,
                    path = finished.path(),
                    "an answered request has no route: put RequestLayer in Router::layer, after the routes"
                );
            });
        });
    }
}

fn is_event_stream(content_type: &[u8]) -> bool {
    let kind = content_type.get(..EVENT_STREAM.len());
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
