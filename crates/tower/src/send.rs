//! Sends a reqwest call in the current trace: a client span, our headers, and one event when it is over.

use http::Uri;
use reqwest::{Error, RequestBuilder, Response, Url};
use tracing::instrument::Instrument;

use crate::{ClientCall, PropagateLayer};

impl PropagateLayer {
    /// Sends a reqwest call, as `request.send()` does, with what this layer does for tower's clients: a client span
    /// under [`TraceContext::current`](crate::TraceContext::current), `traceparent`, `tracestate` and `x-request-id`
    /// to the [`host`](Self::host)s that may have them, and one event. Each attempt is a call of its own.
    ///
    /// ```no_run
    /// use dogwatch_tower::PropagateLayer;
    ///
    /// # async fn charge(client: reqwest::Client) -> Result<(), reqwest::Error> {
    /// let propagate = PropagateLayer::new().host("pay.internal");
    /// let receipt = propagate.send(client.post("http://pay.internal/charge?key=s3cret").body("{}")).await?;
    /// # drop(receipt);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// reqwest follows redirects inside one call, with the same headers, to whatever host they name: with hosts
    /// listed, a client for them should not (`redirect(Policy::none())`).
    ///
    /// # Errors
    ///
    /// Those of `RequestBuilder::send`, as they are. On the event the error stands without its URL, whose query
    /// would be on the line otherwise. What cannot be built is not sent and leaves no event.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let (client, request) = request.build_split();
        let mut request = request?;
        let (method, uri) = (request.method().clone(), uri_of(request.url()));
        let host = request.url().host_str().map(str::to_owned);
        let outbound = self.outbound(host.as_deref(), || request.headers_mut());
        let call = ClientCall::under(None, &method, &uri, outbound);
        let answer = client.execute(request);
        match answer.instrument(call.span().clone()).await {
            Ok(response) => {
                call.answered(response.status());
                Ok(response)
            }
            Err(error) => Err(fail(call, error)),
        }
    }
}

/// Tells the error without its URL, and gives it back with it.
fn fail(call: ClientCall, error: Error) -> Error {
    let url = error.url().cloned();
    let error = error.without_url();
    call.failed_by(&error);
    match url {
        Some(url) => error.with_url(url),
        None => error,
    }
}

/// A URL that http cannot take, reqwest cannot send: its host is all that is told then.
fn uri_of(url: &Url) -> Uri {
    let whole = url.as_str().parse();
    whole
        .or_else(|_| url.origin().ascii_serialization().parse())
        .unwrap_or_default()
}
