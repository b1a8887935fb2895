//! A finished request: the one record that the closing line and the metrics are both made from.

use std::sync::Arc;
use std::time::Duration;

use http::uri::Scheme;
use http::{Request, Version};

use crate::failure::Failure;
use crate::hex::Hex;
use crate::ids::{SpanId, TraceId};
use crate::outcome::method_label;
use crate::path::Path;
use crate::request_id::RequestId;
use crate::{Outcome, TraceContext};

/// What is known of a request when it is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finished {
    pub(crate) method: &'static str,
    pub(crate) route: Option<Route>,
    pub(crate) path: Path,
    pub(crate) version: Version,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) latency: Duration,
    pub(crate) ttfb: Option<Duration>,
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: u64,
    pub(crate) context: TraceContext,
    pub(crate) request_id: RequestId,
    /// Apart, for nearly no request has one, and a record is moved now and then.
    pub(crate) failure: Option<Box<Failure>>,
    pub(crate) grpc_status: Option<u32>,
    pub(crate) event_stream: bool,
}

impl Finished {
    /// Of no request yet.
    pub(crate) fn blank() -> Self {
        Self {
            method: "",
            route: None,
            path: Path::EMPTY,
            version: Version::HTTP_11,
            scheme: None,
            status: 0,
            outcome: Outcome::CancelledBeforeHeaders,
            latency: Duration::ZERO,
            ttfb: None,
            bytes_in: None,
            bytes_out: 0,
            context: TraceContext::new(),
            request_id: RequestId::Made(Hex::ZEROS),
            failure: None,
            grpc_status: None,
            event_stream: false,
        }
    }

    /// Makes it that of a request that has only just come: it stands cancelled until more is known. Each field has
    /// its new value here, in place.
    pub(crate) fn arrive<B>(
        &mut self,
        request: &Request<B>,
        context: &TraceContext,
        request_id: &RequestId,
        cancelled_status: u16,
    ) {
        // All by name, so that none can be left over from the request before.
        let Self {
            method,
            route,
            path,
            version,
            scheme,
            status,
            outcome,
            latency,
            ttfb,
            bytes_in,
            bytes_out,
            context: own_context,
            request_id: own_request_id,
            failure,
            grpc_status,
            event_stream,
        } = self;
        *method = method_label(request.method());
        *route = Route::of(request.extensions());
        path.fill(request.uri());
        *version = request.version();
        *scheme = request.uri().scheme().map(scheme_label);
        *status = cancelled_status;
        *outcome = Outcome::CancelledBeforeHeaders;
        *latency = Duration::ZERO;
        *ttfb = None;
        *bytes_in = None;
        *bytes_out = 0;
        own_context.clone_from(context);
        own_request_id.clone_from(request_id);
        *failure = None;
        *grpc_status = None;
        *event_stream = false;
    }

    /// Lets go of what it shares with others or has on the heap.
    pub(crate) fn let_go(&mut self) {
        self.route = None;
        self.path = Path::EMPTY;
        self.context.let_go();
        self.request_id = RequestId::Made(Hex::ZEROS);
        self.failure = None;
    }

    /// The method, or `_OTHER` for one that HTTP does not register: safe as a label.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The route's template, such as `/api/orders/{id}`: safe as a label. `None` when no route matched or
    /// nobody told.
    pub fn route(&self) -> Option<&str> {
        self.route.as_ref().map(Route::as_str)
    }

    /// The path as the client sent it, without the query; empty for CONNECT. Not a label: clients choose it.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The protocol's version as conventions write it: `1.0`, `1.1`, `2`, `3`.
    pub fn protocol_version(&self) -> &'static str {
        match self.version {
            Version::HTTP_09 => "0.9",
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            Version::HTTP_3 => "3",
            _ => "1.1",
        }
    }

    /// `http` or `https`, if the request's URI says it: over HTTP/2, and from a client that takes this server
    /// for a proxy. Another scheme is `_OTHER`, so that it is safe as a label.
    pub fn scheme(&self) -> Option<&'static str> {
        self.scheme
    }

    /// The status that was answered; 499 for a cancelled request unless configured otherwise; 500 when the
    /// service failed or panicked before it answered.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The code of a gRPC answer, from its headers or trailers. gRPC answers failures with HTTP's 200.
    pub fn grpc_status(&self) -> Option<u32> {
        self.grpc_status
    }

    /// How the exchange ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// From the call of the service to the end of the answer's body, or to wherever it ended before.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// From the call of the service to the answer's headers. `None` when there were none.
    pub fn ttfb(&self) -> Option<Duration> {
        self.ttfb
    }

    /// The bytes of the request's body that were read. `None` without
    /// [`BytesInLayer`](crate::BytesInLayer).
    pub fn bytes_in(&self) -> Option<u64> {
        self.bytes_in
    }

    /// The bytes of body that were handed to the HTTP stack, before its framing.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out
    }

    /// The id of the trace that the request belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.context.trace_id()
    }

    /// The id of the request's own span.
    pub fn span_id(&self) -> SpanId {
        self.context.span_id()
    }

    /// Whether the trace is recorded by whoever began it: only then is it worth an exemplar.
    pub fn sampled(&self) -> bool {
        self.context.sampled()
    }

    /// The id answered as `x-request-id`.
    pub fn request_id(&self) -> &str {
        self.request_id.as_str()
    }

    /// The error of the service or its body, the panic's message, or what the handler told through
    /// [`RequestLog::error`](crate::RequestLog::error).
    pub fn error(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure.as_deref().map(Failure::as_error)
    }
}

fn scheme_label(scheme: &Scheme) -> &'static str {
    match scheme.as_str() {
        "http" => "http",
        "https" => "https",
        _ => "_OTHER",
    }
}

/// The template of the route that matched, as a request's extension.
///
/// Under axum the layer reads `MatchedPath` by itself (feature `axum`). Any other router can put this into
/// the request before [`RequestLayer`](crate::RequestLayer) sees it, or into the response's extensions after.
#[derive(Clone, Debug)]
pub struct Route(Named);

#[derive(Clone, Debug)]
enum Named {
    Given(Arc<str>),
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// A route's template, such as `/users/{id}`. Never a raw path: it becomes a label.
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(Named::Given(template.into()))
    }

    /// The template.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Named::Given(template) => template,
            #[cfg(feature = "axum")]
            Named::Matched(path) => path.as_str(),
        }
    }

    /// The route in a request's or a response's extensions.
    pub(crate) fn of(extensions: &http::Extensions) -> Option<Self> {
        let given = extensions.get::<Self>().cloned();
        #[cfg(feature = "axum")]
        let given = given.or_else(|| {
            extensions
                .get::<axum::extract::MatchedPath>()
                .cloned()
                .map(|p| Self(Named::Matched(p)))
        });
        given
    }
}
