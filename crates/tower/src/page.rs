//! A page for those who run the service, such as `/metrics` or `/alerts`: made anew at each request.

use std::convert::Infallible;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tower_service::Service;

/// A service that answers GET and HEAD with a text of now, which nobody may keep
/// (`cache-control: no-store`), and any other method with 405.
///
/// It tells strangers how the service is: mount it on a port that only your own network reaches.
/// axum takes it with `route_service`, and `RequestLayer::quiet` keeps its requests out of the log.
///
/// ```
/// use dogwatch_tower::Page;
///
/// let page = Page::new(|_accept| ("text/plain; charset=utf-8", "all is well\n".to_owned()));
/// # #[cfg(feature = "axum")] {
/// let inner: axum::Router = axum::Router::new().route_service("/status", page);
/// # drop(inner); }
/// ```
#[derive(Clone)]
pub struct Page {
    #[expect(clippy::type_complexity, reason = "named once")]
    render: Arc<dyn Fn(Option<&str>) -> (&'static str, String) + Send + Sync>,
}

impl Page {
    /// Calls `render` with the request's `Accept` header, if it is text, for the content type and the
    /// body. It runs on the thread of the request: do no I/O there.
    pub fn new(
        render: impl Fn(Option<&str>) -> (&'static str, String) + Send + Sync + 'static,
    ) -> Self {
        Self {
            render: Arc::new(render),
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<String> {
        let is_head = request.method() == Method::HEAD;
        if !is_head && request.method() != Method::GET {
            return refusal();
        }
        let accept = request.headers().get(ACCEPT);
        let (content_type, body) = (self.render)(accept.and_then(|value| value.to_str().ok()));
        let length = HeaderValue::from(body.len());
        let mut response = Response::new(if is_head { String::new() } else { body });
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_LENGTH, length);
        if let Ok(content_type) = HeaderValue::from_str(content_type) {
            headers.insert(CONTENT_TYPE, content_type);
        }
        response
    }
}

fn refusal() -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let allowed = HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(ALLOW, allowed);
    response
}

impl<B> Service<Request<B>> for Page {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Page;
    use http::{Method, Request, Response};

    fn ask(method: Method, accept: &'static str) -> Response<String> {
        let page = Page::new(|accept| ("text/plain", format!("现在 {accept:?}")));
        let mut request = Request::new(());
        *request.method_mut() = method;
        if !accept.is_empty() {
            request
                .headers_mut()
                .insert("accept", accept.parse().unwrap());
        }
        page.answer(&request)
    }

    /// Status, headers by name, body.
    fn shown(response: &Response<String>) -> (u16, Vec<(&str, &str)>, &str) {
        let headers = response.headers().iter();
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        headers.sort_unstable();
        (response.status().as_u16(), headers, response.body())
    }

    #[test]
    fn head_says_what_get_would_and_other_methods_are_refused() {
        let headers = |length| {
            vec![
                ("cache-control", "no-store"),
                ("content-length", length),
                ("content-type", "text/plain"),
            ]
        };
        let get = ask(Method::GET, "text/*");
        assert_eq!(shown(&get), (200, headers("21"), "现在 Some(\"text/*\")"));
        let head = ask(Method::HEAD, "");
        assert_eq!(shown(&head), (200, headers("11"), ""));
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let refused = ask(method, "");
            assert_eq!(shown(&refused), (405, vec![("allow", "GET, HEAD")], ""));
        }
    }
}
