//! Calls a service over HTTP, and counts every call that ended.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{Bytes, HttpBody};
use axum::http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

use crate::counts::Counts;

/// A bare client; whoever calls through it is outside the shop.
pub(crate) fn client() -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// A client that counts.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    service: BoxCloneSyncService<Request<Full<Bytes>>, Answer, Box<dyn Error + Send + Sync>>,
    counts: Arc<Counts>,
}

impl Caller {
    /// Calls through this client.
    pub(crate) fn new<S, B>(client: S, counts: Arc<Counts>) -> Caller
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>> + 'static,
        S::Future: Send,
        B: HttpBody + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let service = client.map_err(Into::into).and_then(Answer::read);
        Caller {
            service: BoxCloneSyncService::new(service),
            counts,
        }
    }

    /// Sends the request and reads the whole answer.
    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Result<Answer, CallError> {
        let whole = self.service.clone().oneshot(request);
        match tokio::time::timeout(PATIENCE, whole).await {
            Ok(Ok(answer)) => {
                self.counts.answer(answer.shed, SystemTime::now());
                Ok(answer)
            }
            Ok(Err(source)) => Err(CallError::Broken(source)),
            Err(_) => {
                self.counts.abandoned();
                Err(CallError::Abandoned)
            }
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Whether the route was shed: 503 with `Retry-After`.
    pub(crate) shed: bool,
    pub(crate) body: Bytes,
}

impl Answer {
    async fn read<B>(answer: Response<B>) -> Result<Answer, Box<dyn Error + Send + Sync>>
    where
        B: HttpBody,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(Into::into)?.to_bytes();
        let shed = head.status == StatusCode::SERVICE_UNAVAILABLE
            && head.headers.contains_key(header::RETRY_AFTER);
        Ok(Answer {
            status: head.status,
            shed,
            body,
        })
    }
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The connection could not be made, or broke.
    Broken(Box<dyn Error + Send + Sync>),
    /// No answer within the caller's patience.
    Abandoned,
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallError::Broken(_) => f.write_str("the connection failed"),
            CallError::Abandoned => write!(f, "no answer within {} s", PATIENCE.as_secs()),
        }
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            CallError::Broken(source) => Some(&**source),
            CallError::Abandoned => None,
        }
    }
}

/// A request with a JSON body; the headers are given as pairs.
pub(crate) fn request(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    request
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .expect("addresses and headers are made by this program, from digits and ASCII")
}

/// Far above what any service here takes: it ends a run that hangs, and nothing else.
const PATIENCE: Duration = Duration::from_secs(20);
