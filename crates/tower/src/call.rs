//! The record of one outgoing call: silent when it succeeds, one event when it does not.

use std::fmt;
use std::time::{Duration, Instant};

use http::uri::Authority;
use http::{Request, StatusCode, Uri};
use tracing::{Dispatch, Level, Span, dispatcher};

use crate::current::{self, Current};
use crate::failure::Failure;
use crate::outcome::method_label;

pub(crate) struct Call {
    dispatch: Dispatch,
    span: Span,
    method: &'static str,
    uri: Uri,
    started: Instant,
    /// Until it is answered, dropping it means that somebody gave it up.
    ended: bool,
}

impl Call {
    pub(crate) fn open<B>(current: Current, request: &Request<B>) -> Self {
        let context = &current.context;
        let (trace_id, span_id) = (context.trace_id().hex(), context.span_id().hex());
        let parent_span_id = context.parent_span_id().map(|id| id.hex());
        let span = tracing::error_span!(
            target: TARGET,
            "call",
            trace_id = &*trace_id,
            span_id = &*span_id,
            parent_span_id = parent_span_id.as_deref(),
        );
        current::attach(&span, current);
        Self {
            dispatch: dispatcher::get_default(Dispatch::clone),
            span,
            method: method_label(request.method()),
            uri: request.uri().clone(),
            started: Instant::now(),
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    pub(crate) fn answered(mut self, status: StatusCode) {
        self.ended = true;
        if status.is_server_error() {
            self.tell(Level::ERROR, "call failed", Some(status), None);
        } else if status.is_client_error() {
            self.tell(Level::WARN, "call rejected", Some(status), None);
        }
    }

    pub(crate) fn failed<E: fmt::Display + 'static>(mut self, error: &E) {
        self.ended = true;
        self.tell(Level::ERROR, "call failed", None, Some(Failure::of(error)));
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
        dispatcher::with_default(&self.dispatch, || {
            let _entered = self.span.enter();
            if level == Level::ERROR {
                event!(Level::ERROR)
            } else {
                event!(Level::WARN)
            }
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Level::WARN, "call cancelled", None, None);
        }
    }
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
