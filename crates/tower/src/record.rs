//! The record of one request: opened when it arrives, closed exactly once, by a `Drop`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response, StatusCode};

use crate::config::Config;
use crate::current::Polled;
use crate::failure::Failure;
use crate::open::Open;
use crate::panics::Panic;
use crate::shared::{BodyEnd, Known, Shared};
use crate::shed::Shed;
use crate::{Outcome, RequestLog, Route};
use crate::{answer, grpc, outcome};

/// The owner of a request's record. Dropping it closes the record, unless the connection was upgraded: then
/// the last [`RequestLog`] does.
pub(crate) struct Record {
    /// Empty only while it is dropped.
    shared: Option<Arc<Shared>>,
    /// The owner has closed it, and its drop need not ask.
    closed: AtomicBool,
}

impl Record {
    pub(crate) fn open<B>(config: &Arc<Config>, request: &mut Request<B>) -> Self {
        let shared = Shared::open(config, request);
        if config.extensions {
            let log = RequestLog::new(Arc::clone(&shared));
            request.extensions_mut().insert(log);
        }
        Self {
            shared: Some(shared),
            closed: AtomicBool::new(false),
        }
    }

    /// Makes the request the current one of this thread.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let Known {
            span, unattached, ..
        } = self.shared().known();
        let unattached = unattached.as_ref();
        Entered {
            _span: span.enter(),
            _polled: unattached.map(|known| Polled::enter(Arc::clone(&known.current))),
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        self.shared.as_ref().expect("only a drop empties it")
    }

    /// Takes note of the answer's headers, and adds ours to them. True when no body will follow them.
    pub(crate) fn answered<B>(&self, response: &mut Response<B>) -> bool {
        let status = response.status();
        let ttfb = self.shared().elapsed();
        let bodiless = self.shared().with(|Open { finished, .. }| {
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
            if self.shared().known().config.response_headers {
                answer::tell(
                    response.headers_mut(),
                    &finished.request_id,
                    &finished.context,
                );
            }
            outcome::has_no_body(finished.method, status)
        });
        bodiless.unwrap_or(false)
    }

    /// Says that the request is over, the request being entered.
    pub(crate) fn close(&self, body: BodyEnd) {
        self.closed.store(true, Ordering::Relaxed);
        self.shared().close(Some(body));
    }

    /// Takes note of what comes after the body.
    pub(crate) fn trailed(&self, trailers: &HeaderMap) {
        self.shared().with(|Open { finished, .. }| {
            finished.grpc_status = grpc::status(trailers).or(finished.grpc_status);
        });
    }

    /// Takes note that the body failed. Its bytes are told by `close`.
    pub(crate) fn body_failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.shared().with(|Open { finished, .. }| {
            finished.outcome = Outcome::BodyError;
            finished.failure = Some(Box::new(failure));
        });
    }

    /// Takes note that the service failed instead of answering.
    pub(crate) fn failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.shared().with(|Open { finished, .. }| {
            finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            finished.outcome = Outcome::Error;
            finished.failure = Some(Box::new(failure));
        });
    }

    /// Takes note of a panic, before or after the headers.
    pub(crate) fn panicked(&self, panic: &Panic) {
        let failure = Failure::of_panic(panic);
        self.shared().with(|Open { finished, .. }| {
            if finished.ttfb.is_none() {
                finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            }
            finished.outcome = Outcome::Panicked;
            finished.failure = Some(Box::new(failure));
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !*self.closed.get_mut() {
            let _entered = self.enter();
            self.shared().close(None);
        }
        if let Some(shared) = self.shared.take() {
            Shared::give_up(shared);
        }
    }
}

/// Holds the request's span, and its context when the span cannot, on this thread.
pub(crate) struct Entered<'a> {
    _span: tracing::span::Entered<'a>,
    _polled: Option<Polled>,
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|value| {
        let kind = value.as_bytes().get(..EVENT_STREAM.len());
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case(EVENT_STREAM))
    })
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
