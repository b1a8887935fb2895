//! `BytesInLayer` changes the type of the body: it fits axum, hyper and a service that names its body's type.

mod support;

use std::convert::Infallible;

use bytes::Bytes;
use dogwatch_tower::{BytesInLayer, CountedBody, RequestLayer};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use support::Capture;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

type Answer = Response<Empty<Bytes>>;

/// A service that names its body's type, as a generated one does.
async fn named(request: Request<Full<Bytes>>) -> Result<Answer, Infallible> {
    assert_eq!(
        request.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    Ok(Response::new(Empty::new()))
}

#[tokio::test]
async fn a_service_that_names_its_body_takes_it_through_a_mapper() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    let service = ServiceBuilder::new()
        .layer(RequestLayer::new())
        .layer(BytesInLayer::new())
        .filter_async(async |request: Request<CountedBody<Full<Bytes>>>| {
            let (head, body) = request.into_parts();
            let bytes = body.collect().await?.to_bytes();
            Ok::<_, Infallible>(Request::from_parts(head, Full::new(bytes)))
        })
        .service_fn(named);
    drop(
        service
            .oneshot(Request::new(Full::new("hello".into())))
            .await
            .unwrap(),
    );
    assert_eq!(capture.closing()[0].field("bytes_in"), "5");
}

#[cfg(feature = "axum")]
#[tokio::test]
async fn axums_routes_take_any_body() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    let router = axum::Router::new()
        .route("/", axum::routing::post(async |body: String| body))
        .layer(BytesInLayer::new())
        .layer(RequestLayer::new());
    let request = Request::post("/")
        .body(axum::body::Body::from("hello"))
        .unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(
        answer.into_body().collect().await.unwrap().to_bytes(),
        "hello"
    );
    assert_eq!(capture.closing()[0].field("bytes_in"), "5");
}

/// Compiled, not run: hyper's bounds are what is asked.
#[test]
fn hyper_serves_it() {
    fn served<S>(service: S)
    where
        S: hyper::service::Service<Request<Incoming>>,
        S::Future: Send,
    {
        drop(service);
    }
    let handler = service_fn(async |request: Request<CountedBody<Incoming>>| {
        let _ = request.into_body().collect().await;
        Ok::<_, Infallible>(Answer::new(Empty::new()))
    });
    let service = RequestLayer::new().layer(BytesInLayer::new().layer(handler));
    served(TowerToHyperService::new(service));
}
