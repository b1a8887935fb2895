//! The tower layer that turns chosen routes away while a switch is on.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::Route;

/// A tower layer: answers 503 with `Retry-After` for chosen routes while a switch is on.
///
/// Put it inside [`RequestLayer`](crate::RequestLayer): the request then closes with `outcome: shed` at INFO,
/// a message that no rule for 5xx matches, and is counted apart. The inner service is not called.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
/// use dogwatch_tower::ShedLayer;
///
/// let switch = Arc::new(AtomicBool::new(false));
/// let layer = ShedLayer::new(Arc::clone(&switch)).route("/api/recommend");
/// switch.store(true, Ordering::Relaxed); // a playbook does this
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
pub struct ShedLayer {
    switch: Arc<AtomicBool>,
    routes: Arc<Vec<String>>,
    retry_after: HeaderValue,
}

/// A mark in the extensions of an answer: the request was shed. A handler that sheds by itself may put it there.
#[derive(Clone, Copy, Debug)]
pub struct Shed;

impl ShedLayer {
    /// Sheds nothing until it has a [`route`](Self::route) and the switch is on.
    pub fn new(switch: Arc<AtomicBool>) -> Self {
        let routes = Arc::new(Vec::new());
        Self {
            switch,
            routes,
            retry_after: HeaderValue::from(DEFAULT_RETRY_AFTER),
        }
    }

    /// Adds a route: the template that matched (`/items/{id}`) where the router tells it, else the exact path.
    pub fn route(mut self, route: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.routes).push(route.into());
        self
    }

    /// When the client may try again; told in whole seconds, rounded up. Default: 5 s.
    pub fn retry_after(mut self, retry_after: Duration) -> Self {
        let begun = u64::from(retry_after.subsec_nanos() > 0);
        self.retry_after = HeaderValue::from(retry_after.as_secs().saturating_add(begun));
        self
    }

    fn sheds<B>(&self, request: &Request<B>) -> bool {
        if !self.switch.load(Ordering::Relaxed) {
            return false;
        }
        let route = Route::of(request.extensions());
        let route = route.as_ref().map_or(request.uri().path(), Route::as_str);
        self.routes.iter().any(|shed| shed == route)
    }

    fn answer<R: Default>(&self) -> Response<R> {
        let mut response = Response::new(R::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
            .headers_mut()
            .insert(RETRY_AFTER, self.retry_after.clone());
        response.extensions_mut().insert(Shed);
        response
    }
}

impl<S> Layer<S> for ShedLayer {
    type Service = ShedService<S>;

    fn layer(&self, inner: S) -> ShedService<S> {
        ShedService {
            inner,
            layer: self.clone(),
        }
    }
}

/// What [`ShedLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct ShedService<S> {
    inner: S,
    layer: ShedLayer,
}

impl<S, B, R> Service<Request<B>> for ShedService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ShedFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if self.layer.sheds(&request) {
            return ShedFuture {
                inner: None,
                answer: Some(self.layer.answer()),
            };
        }
        ShedFuture {
            inner: Some(self.inner.call(request)),
            answer: None,
        }
    }
}

pin_project! {
    /// The future of [`ShedService`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ShedFuture<F, R> {
        #[pin]
        inner: Option<F>,
        answer: Option<Response<R>>,
    }
}

impl<F, R, E> Future for ShedFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.inner.as_pin_mut() {
            Some(inner) => inner.poll(cx),
            None => Poll::Ready(Ok(this
                .answer
                .take()
                .expect("not polled after it was ready"))),
        }
    }
}

/// Seconds. Short enough that a shop's page tries again while its visitor still looks at it.
const DEFAULT_RETRY_AFTER: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> Request<()> {
        Request::builder().uri(path).body(()).unwrap()
    }

    #[test]
    fn only_chosen_routes_are_shed_and_only_while_the_switch_is_on() {
        let switch = Arc::new(AtomicBool::new(false));
        let layer = ShedLayer::new(Arc::clone(&switch))
            .route("/a")
            .route("/items/{id}");
        assert!(!layer.sheds(&request("/a")));
        switch.store(true, Ordering::Relaxed);
        assert!(layer.sheds(&request("/a?x=1")));
        assert!(!layer.sheds(&request("/ab")));
        let mut routed = request("/items/7");
        assert!(!layer.sheds(&routed));
        routed.extensions_mut().insert(Route::new("/items/{id}"));
        assert!(layer.sheds(&routed));
        assert!(
            !ShedLayer::new(switch).sheds(&request("/a")),
            "no route, nothing shed"
        );
    }

    #[test]
    fn retry_after_is_in_whole_seconds_rounded_up() {
        let layer = ShedLayer::new(Arc::default());
        let told = |layer: &ShedLayer| layer.answer::<String>().headers()[RETRY_AFTER].clone();
        assert_eq!(told(&layer), "5");
        assert_eq!(
            told(&layer.clone().retry_after(Duration::from_millis(1_001))),
            "2"
        );
        assert_eq!(told(&layer.retry_after(Duration::from_secs(30))), "30");
    }
}
