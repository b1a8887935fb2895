//! The tower layer that counts the bytes of request bodies.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::RequestLog;

/// A tower layer, inside [`RequestLayer`](crate::RequestLayer): counts the bytes of the request's body as
/// they are read, for `bytes_in` on the closing line.
///
/// It is a layer of its own because it changes the type of the body. axum's routes take any body, so
/// `router.layer(BytesInLayer::new()).layer(RequestLayer::new())` does; a service that names its body's type
/// needs a `map_request` between.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct BytesInLayer;

impl BytesInLayer {
    /// There is nothing to choose.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for BytesInLayer {
    type Service = BytesInService<S>;

    fn layer(&self, inner: S) -> BytesInService<S> {
        BytesInService { inner }
    }
}

/// What [`BytesInLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct BytesInService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for BytesInService<S>
where
    S: Service<Request<CountedBody<B>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let log = request.extensions().get::<RequestLog>().cloned();
        if let Some(log) = &log {
            log.read(0);
        }
        self.inner
            .call(request.map(|inner| CountedBody { inner, log }))
    }
}

pin_project! {
    /// A request's body whose bytes are counted.
    pub struct CountedBody<B> {
        #[pin]
        inner: B,
        // `None` when nobody records the request, and once the body has ended.
        log: Option<RequestLog>,
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        match (&frame, this.log.as_ref()) {
            (Some(Ok(frame)), Some(log)) => {
                log.read(frame.data_ref().map_or(0, Buf::remaining) as u64);
            }
            // An ended body holds no handle: an upgraded request's line must not wait for it.
            _ => *this.log = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for CountedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedBody").finish_non_exhaustive()
    }
}
