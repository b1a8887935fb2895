//! The tower layer for clients: carries the trace to the next service, a new span for each attempt.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::call::Outbound;
use crate::{B3, ClientCall, TraceContext};

/// A tower layer for HTTP clients: injects `traceparent`, `tracestate` and `x-request-id`, and gives each
/// call a client span with the id that it sends.
///
/// The context is the one in the outgoing request's extensions, else [`TraceContext::current`], else the root
/// of a new trace. Put it inside a retry: each attempt is a call of its own, hence a new span id.
///
/// Each call leaves one event at target `dogwatch::client` with `method`, `url` (without query and user),
/// `status`, `latency_ms` and `error`: at ERROR if it failed or was answered with 5xx, at WARN for 4xx or if
/// it was dropped before its answer, else at INFO. It stands in the client span, so that the called service's
/// `parent_span_id` is the `span_id` of a line here.
#[derive(Clone, Debug, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct PropagateLayer {
    hosts: Option<Arc<Vec<String>>>,
    b3: Option<B3>,
}

impl PropagateLayer {
    /// Injects into calls to any host.
    pub fn new() -> Self {
        Self::default()
    }

    /// Injects only into calls to this host, and to those added the same way: no header of ours goes to a
    /// third party. The span and the event are there for every call. Compared without port and case.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        Arc::make_mut(self.hosts.get_or_insert_default()).push(host.into());
        self
    }

    /// Injects the context as B3 headers too, for callees that know no `traceparent`. Default: not.
    pub fn b3(mut self, form: B3) -> Self {
        self.b3 = Some(form);
        self
    }

    /// The headers to inject into, if they go to a host that may have them.
    pub(crate) fn outbound<'a>(
        &self,
        to: Option<&str>,
        headers: impl FnOnce() -> &'a mut HeaderMap,
    ) -> Option<Outbound<'a>> {
        self.injects_to(to).then(|| Outbound {
            headers: headers(),
            b3: self.b3,
        })
    }

    fn injects_to(&self, to: Option<&str>) -> bool {
        let Some(hosts) = &self.hosts else {
            return true;
        };
        to.is_some_and(|to| hosts.iter().any(|host| host.eq_ignore_ascii_case(to)))
    }
}

impl<S> Layer<S> for PropagateLayer {
    type Service = PropagateService<S>;

    fn layer(&self, inner: S) -> PropagateService<S> {
        PropagateService {
            inner,
            layer: self.clone(),
        }
    }
}

/// What [`PropagateLayer`] makes of a client.
#[derive(Clone, Debug)]
pub struct PropagateService<S> {
    inner: S,
    layer: PropagateLayer,
}

impl<S, B, R> Service<Request<B>> for PropagateService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = PropagateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let parent = request.extensions().get::<TraceContext>().cloned();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let outbound = self.layer.outbound(uri.host(), || request.headers_mut());
        let call = ClientCall::under(parent, &method, &uri, outbound);
        let inner = {
            let _entered = call.span().enter();
            self.inner.call(request)
        };
        PropagateFuture {
            inner: Some(inner),
            call: Some(call),
        }
    }
}

pin_project! {
    /// The future of [`PropagateService`].
    #[must_use = "futures do nothing unless polled"]
    pub struct PropagateFuture<F> {
        // `None` once it is done.
        #[pin]
        inner: Option<F>,
        call: Option<ClientCall>,
    }

    impl<F> PinnedDrop for PropagateFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.call.as_ref().map(|call| call.span().enter());
            this.inner.set(None);
        }
    }
}

impl<F, R, E> Future for PropagateFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: fmt::Display + 'static,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let call = this.call.as_ref().expect("not polled after it was ready");
        let answer = {
            let _entered = call.span().enter();
            let inner = this
                .inner
                .as_mut()
                .as_pin_mut()
                .expect("there until it is ready");
            let answer = ready!(inner.poll(cx));
            this.inner.set(None);
            answer
        };
        if let Some(call) = this.call.take() {
            match &answer {
                Ok(response) => call.answered(response.status()),
                Err(error) => call.failed(error),
            }
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for PropagateFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PropagateFuture").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_hosts_named_only_they_get_our_headers() {
        let injects = |layer: &PropagateLayer, uri: &str| {
            let uri: http::Uri = uri.parse().unwrap();
            layer.injects_to(uri.host())
        };
        let layer = PropagateLayer::new();
        assert!(injects(&layer, "http://anyone/"));
        let layer = layer.host("pay.internal").host("127.0.0.1");
        assert!(injects(&layer, "http://PAY.internal:8443/charge"));
        assert!(injects(&layer, "http://127.0.0.1:9/"));
        assert!(!injects(&layer, "https://partner.example/pay.internal"));
        assert!(!injects(&layer, "/no-host"));
    }
}
