//! The record of one outgoing call: one event when it is over, inside the span whose id was sent.

use std::fmt;
use std::time::{Duration, Instant};

use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, Uri};
use tracing::{Dispatch, Level, Span, dispatcher};

use crate::b3;
use crate::current::{self, Current};
use crate::failure::Failure;
use crate::hex::Hex;
use crate::ids::Ids;
use crate::otel::{self, Parent};
use crate::outcome::method_label;
use crate::panics::survive;
use crate::request_id::X_REQUEST_ID;
use crate::{B3, TraceContext};

/// One outgoing call, for a client that is no tower service: what [`PropagateLayer`](crate::PropagateLayer)
/// does, by hand.
///
/// ```
/// use dogwatch_tower::ClientCall;
/// use http::{HeaderMap, Method, StatusCode};
///
/// # async fn send(_: HeaderMap) -> Result<StatusCode, std::io::Error> { Ok(StatusCode::OK) }
/// # async fn charge() -> Result<(), Box<dyn std::error::Error>> {
/// let mut headers = HeaderMap::new();
/// let url = "https://pay.example/charge?key=s3cret".parse()?; // from reqwest: `url.as_str().parse()?`
/// let call = ClientCall::open(&Method::POST, &url, &mut headers);
/// match send(headers).await {
///     Ok(status) => call.answered(status),
///     Err(error) => call.failed(&error),
/// }
/// # Ok(())
/// # }
/// ```
///
/// Dropped before it is answered or failed, it is told as given up: a timeout does that.
#[must_use = "dropping it says that the call was given up"]
pub struct ClientCall {
    dispatch: Dispatch,
    span: Span,
    method: &'static str,
    uri: Uri,
    started: Instant,
    /// Until it is answered, dropping it means that somebody gave it up.
    ended: bool,
}

impl ClientCall {
    /// Opens a client span under [`TraceContext::current`], or the root of a new trace, and injects
    /// `traceparent`, `tracestate` and `x-request-id` into the headers.
    pub fn open(method: &Method, uri: &Uri, headers: &mut HeaderMap) -> Self {
        Self::under(None, method, uri, Some(Outbound { headers, b3: None }))
    }

    /// Under `parent`, else under what is current. Without `outbound` nothing is injected.
    pub(crate) fn under(
        parent: Option<TraceContext>,
        method: &Method,
        uri: &Uri,
        outbound: Option<Outbound<'_>>,
    ) -> Self {
        let around = current::innermost();
        let request_id = around.as_ref().and_then(|around| around.request_id.clone());
        let parent = parent.or_else(|| around.map(|around| around.context));
        let mut context = parent.map_or_else(TraceContext::new, |parent| parent.child());
        let span = open_span(&context);
        otel::join(&span, &mut context, Parent::Here, None);
        if let Some(Outbound { headers, b3 }) = outbound {
            context.inject(headers);
            if let Some(form) = b3 {
                b3::write(form, &context, headers);
            }
            if let Some(request_id) = &request_id {
                headers.insert(X_REQUEST_ID, request_id.header());
            }
        }
        current::attach(&span, || Current {
            context,
            request_id,
        });
        Self {
            dispatch: dispatcher::get_default(Dispatch::clone),
            span,
            method: method_label(method),
            uri: uri.clone(),
            started: Instant::now(),
            ended: false,
        }
    }

    /// The client span, to enter or `.instrument` with: what the client logs inside carries the id that it
    /// sends.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Ends the call with this status: told at ERROR for 5xx, at WARN for 4xx, else at INFO.
    pub fn answered(mut self, status: StatusCode) {
        self.ended = true;
        let (level, message) = match status.as_u16() {
            500.. => (Level::ERROR, "call failed"),
            400..500 => (Level::WARN, "call rejected"),
            _ => (Level::INFO, "call completed"),
        };
        self.tell(level, message, Some(status), None);
    }

    /// Ends the call without an answer: told at ERROR.
    pub fn failed<E: fmt::Display + 'static>(self, error: &E) {
        self.fail(Failure::of(error));
    }

    /// As [`failed`](Self::failed), with the error's sources.
    #[cfg(feature = "reqwest")]
    pub(crate) fn failed_by(self, error: &(dyn std::error::Error + 'static)) {
        self.fail(Failure::of_error(error));
    }

    fn fail(mut self, failure: Failure) {
        self.ended = true;
        self.tell(Level::ERROR, "call failed", None, Some(failure));
    }

    fn tell(
        &self,
        level: Level,
        message: &str,
        status: Option<StatusCode>,
        failure: Option<Failure>,
    ) {
        let status = status.map(|status| status.as_u16());
        let latency_ms = ms(self.started.elapsed());
        let error = failure.as_ref().map(Failure::as_error);
        let url = Url(&self.uri);
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    target: TARGET,
                    $level,
                    method = self.method,
                    url = %url,
                    status,
                    latency_ms,
                    error,
                    "{message}"
                )
            };
        }
        // It may be told by a drop during an unwind, as a closing line may.
        survive(|| {
            dispatcher::with_default(&self.dispatch, || {
                let _entered = self.span.enter();
                match level {
                    Level::ERROR => event!(Level::ERROR),
                    Level::WARN => event!(Level::WARN),
                    _ => event!(Level::INFO),
                }
            });
        });
    }
}

impl fmt::Debug for ClientCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCall")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Drop for ClientCall {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Level::WARN, "call cancelled", None, None);
        }
    }
}

/// Where a call's context is injected, and whether as B3 too.
pub(crate) struct Outbound<'a> {
    pub(crate) headers: &'a mut HeaderMap,
    pub(crate) b3: Option<B3>,
}

fn open_span(context: &TraceContext) -> Span {
    let mut place = Hex::ZEROS;
    let ids = Ids::of(context, &mut place);
    tracing::error_span!(
        target: TARGET,
        "call",
        trace_id = ids.trace_id,
        span_id = ids.span_id,
        parent_span_id = ids.parent_span_id,
    )
}

/// A URI without its query and without the user and password before its host.
struct Url<'a>(&'a Uri);

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.0.scheme_str() {
            write!(f, "{scheme}://")?;
        }
        let authority = self.0.authority().map_or("", Authority::as_str);
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        write!(f, "{host}{}", self.0.path())
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

const TARGET: &str = "dogwatch::client";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_told_without_query_and_user() {
        let table = [
            ("http://h:8080/pay?token=s", "http://h:8080/pay"),
            ("https://user:secret@h/pay#f", "https://h/pay"),
            ("https://h", "https://h/"),
            ("/pay?x=1", "/pay"),
        ];
        for (uri, told) in table {
            assert_eq!(Url(&uri.parse().unwrap()).to_string(), told);
        }
    }
}
