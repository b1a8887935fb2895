//! Opens a record for each request and hands both to the future.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::config::Config;
use crate::record::Record;
use crate::{RecordedBody, RequestFuture, RequestLog};

/// What [`RequestLayer`](crate::RequestLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> RequestService<S> {
    pub(crate) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }
}

impl<S, B, R> Service<Request<B>> for RequestService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display + 'static,
    R: Body,
    R::Error: fmt::Display + 'static,
{
    type Response = Response<RecordedBody<R>>;
    type Error = S::Error;
    type Future = RequestFuture<S::Future>;

    /// An error here belongs to no request: it has no line.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layered_already = request.extensions().get::<RequestLog>().is_some();
        if layered_already || self.config.skips(request.method(), request.uri().path()) {
            return RequestFuture::unrecorded(self.inner.call(request));
        }
        let record = Record::open(&self.config, &mut request);
        let mut future = RequestFuture::recorded(record, self.config.catch_panics);
        // Both are large: the request is moved into the call, and the future made where it stays.
        let mut request = Some(request);
        let called = future.begin(|| {
            let request = request.take().expect("called once");
            self.inner.call(request)
        });
        if let Err(panic) = called {
            if !self.config.catch_panics {
                drop(future);
                resume_unwind(panic.payload);
            }
        }
        future
    }
}
