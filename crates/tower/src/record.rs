//! The record of one request: opened when it arrives, closed exactly once, by a `Drop`.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use tracing::{Dispatch, Span, dispatcher};

use crate::config::Config;
use crate::current::{self, Current, Polled};
use crate::failure::Failure;
use crate::late::{Late, LateValue};
use crate::request_id::{RequestId, X_REQUEST_ID};
use crate::shed::Shed;
use crate::{Finished, Outcome, Route, TARGET, TraceContext, closing, outcome};

/// The owner of a request's record. Dropping it closes the record, unless the connection was upgraded: then
/// the last [`RequestLog`] does.
pub(crate) struct Record(Arc<Shared>);

/// A handle on the request's closing line, in the extensions of the request.
///
/// ```
/// use dogwatch_tower::RequestLog;
///
/// async fn handler(request: http::Request<String>) {
///     if let Some(log) = request.extensions().get::<RequestLog>() {
///         log.set("user_id", "u-17");
///         log.set("items", 3);
///     }
/// }
/// ```
///
/// After an upgrade (status 101) the line waits for the last handle: a socket's task that keeps one makes
/// the latency that of the whole conversation. Any other request closes when its answer ends, whoever still
/// holds a handle.
#[derive(Clone)]
pub struct RequestLog(Arc<Shared>);

struct Shared {
    config: Arc<Config>,
    /// The one of the request's arrival: the line goes there, whichever thread or scope it ends in.
    dispatch: Dispatch,
    span: Span,
    /// Set when the span cannot carry it, because a filter disabled it.
    unattached: Option<Current>,
    started: Instant,
    open: Mutex<Option<Open>>,
}

struct Open {
    finished: Finished,
    late: Late,
}

impl Record {
    pub(crate) fn open<B>(config: &Arc<Config>, request: &mut Request<B>) -> Self {
        let inbound = TraceContext::from_headers(request.headers());
        let context = inbound
            .as_ref()
            .map_or_else(TraceContext::new, TraceContext::child);
        let request_id = RequestId::of(request.headers());
        let span = open_span(&context, &request_id);
        let current = Current {
            context: context.clone(),
            request_id: Some(request_id.clone()),
        };
        let unattached = (!current::attach(&span, current.clone())).then_some(current);
        let finished = Finished {
            method: outcome::method_label(request.method()),
            route: Route::of(request.extensions()),
            uri: request.uri().clone(),
            version: request.version(),
            // What stands unless something better is known by the end.
            status: config.cancelled_status,
            outcome: Outcome::CancelledBeforeHeaders,
            latency: Duration::ZERO,
            ttfb: None,
            bytes_out: 0,
            context: context.clone(),
            request_id,
            failure: None,
            event_stream: false,
        };
        config.active(finished.method, 1);
        let shared = Arc::new(Shared {
            config: Arc::clone(config),
            dispatch: dispatcher::get_default(Dispatch::clone),
            span,
            unattached,
            started: config.now(),
            open: Mutex::new(Some(Open {
                finished,
                late: Late::default(),
            })),
        });
        if config.extensions {
            request.extensions_mut().insert(context);
            request
                .extensions_mut()
                .insert(RequestLog(Arc::clone(&shared)));
        }
        Self(shared)
    }

    /// Makes the request the current one of this thread.
    pub(crate) fn enter(&self) -> Entered<'_> {
        let polled = self.0.unattached.clone().map(Polled::enter);
        Entered {
            _span: self.0.span.enter(),
            _polled: polled,
        }
    }

    /// Takes note of the answer's headers, and adds ours to them. True when no body will follow them.
    pub(crate) fn answered<B>(&self, response: &mut Response<B>) -> bool {
        let status = response.status();
        let shared = &*self.0;
        let mut bodiless = false;
        self.0.with(|Open { finished, .. }| {
            finished.status = status.as_u16();
            finished.ttfb = Some(shared.elapsed());
            finished.event_stream = is_event_stream(response.headers().get(CONTENT_TYPE));
            finished.route = finished
                .route
                .take()
                .or_else(|| Route::of(response.extensions()));
            bodiless = outcome::has_no_body(finished.method, status);
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
            if shared.config.response_headers {
                let headers = response.headers_mut();
                headers.insert(X_REQUEST_ID, finished.request_id.header());
                headers.append(SERVER_TIMING, server_timing(&finished.context));
            }
        });
        bodiless
    }

    /// Takes note of how the body ended.
    pub(crate) fn body_ended(&self, complete: bool, bytes: u64) {
        let cancelled_status = self.0.config.cancelled_status;
        self.0.with(|Open { finished, .. }| {
            finished.bytes_out = bytes;
            match finished.outcome {
                Outcome::CancelledInBody if complete => finished.outcome = Outcome::Completed,
                Outcome::CancelledInBody => finished.status = cancelled_status,
                _ => {}
            }
        });
    }

    /// Takes note that the body failed. Its bytes are told by `body_ended`.
    pub(crate) fn body_failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.0.with(|Open { finished, .. }| {
            finished.outcome = Outcome::BodyError;
            finished.failure = Some(failure);
        });
    }

    /// Takes note that the service failed instead of answering.
    pub(crate) fn failed<E: fmt::Display + 'static>(&self, error: &E) {
        let failure = Failure::of(error);
        self.0.with(|Open { finished, .. }| {
            finished.status = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
            finished.outcome = Outcome::Error;
            finished.failure = Some(failure);
        });
    }

    /// Takes note of a panic, before or after the headers.
    pub(crate) fn panicked(&self, payload: &(dyn Any + Send)) {
        let failure = Failure::of_panic(payload);
        self.0.with(|Open { finished, .. }| {
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
        if self.0.with(upgraded) != Some(true) {
            self.0.close();
        }
    }
}

impl RequestLog {
    /// Adds a field to the closing line, or replaces its value.
    ///
    /// At most 14 fields; one more, and a key that the line has itself (such as `status`), is refused and
    /// counted in the line's `fields_refused`. After the line is out this does nothing.
    pub fn set(&self, key: &'static str, value: impl Into<LateValue>) {
        let value = value.into();
        self.0
            .with(|open| open.late.set(key, value, closing::FIELDS));
    }

    /// Tells why the handler answers as it does: the error and its sources stand on the closing line.
    ///
    /// It changes neither status nor outcome. What went wrong later, such as a panic, replaces it.
    pub fn error(&self, error: &(dyn std::error::Error + 'static)) {
        let failure = Failure::of_error(error);
        self.0.with(|open| open.finished.failure = Some(failure));
    }

    /// Tells the route's template, for a router that is not axum's.
    pub fn route(&self, route: Route) {
        self.0.with(|open| open.finished.route = Some(route));
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLog").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.lock().as_mut().map(change)
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
        // This may run in a drop during an unwind, where a second panic would end the process.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _entered = self.span.enter();
            closing::emit(
                &self.dispatch,
                &self.config,
                &finished,
                &mut late,
                self.span.is_disabled(),
            );
        }));
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
fn open_span(context: &TraceContext, request_id: &RequestId) -> Span {
    let (trace_id, span_id) = (context.trace_id().hex(), context.span_id().hex());
    let parent_span_id = context.parent_span_id().map(|id| id.hex());
    tracing::error_span!(
        target: TARGET,
        "request",
        trace_id = &*trace_id,
        span_id = &*span_id,
        parent_span_id = parent_span_id.as_deref(),
        request_id = request_id.as_str(),
    )
}

fn is_event_stream(content_type: Option<&HeaderValue>) -> bool {
    content_type.is_some_and(|value| {
        let value = value.as_bytes();
        value.len() >= EVENT_STREAM.len()
            && value[..EVENT_STREAM.len()].eq_ignore_ascii_case(EVENT_STREAM)
    })
}

/// `trace;desc=00-...`: how a response tells its trace (W3C Trace Context, response header).
fn server_timing(context: &TraceContext) -> HeaderValue {
    let mut value = [0; 66];
    value[..11].copy_from_slice(b"trace;desc=");
    value[11..].copy_from_slice(&context.traceparent());
    HeaderValue::from_bytes(&value).expect("hex, dashes and a token are a legal header")
}

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const EVENT_STREAM: &[u8] = b"text/event-stream";
