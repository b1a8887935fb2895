//! Under axum the line has the route's template, and never the raw path for one.
#![cfg(feature = "axum")]

mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use dogwatch_tower::{RequestLayer, RequestLog, ShedLayer};
use http::Request;
use support::rig::{BOTH, Client, Rig};
use support::{Capture, Line};
use tower::{Layer, Service, ServiceExt};
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

fn capture() -> (Capture, DefaultGuard) {
    let capture = Capture::default();
    let guard = set_default(registry().with(capture.clone()));
    (capture, guard)
}

/// The lines of one GET, its body read to the end.
async fn lines_of<S, B>(service: S, capture: &Capture, path: &str) -> Vec<Line>
where
    S: Service<Request<Body>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    let _ = http_body_util::BodyExt::collect(response.into_body())
        .await
        .unwrap();
    capture.closing()
}

fn shop() -> Router {
    let items = Router::new().route("/items/{id}", get(async || "item"));
    Router::new()
        .route("/users/{id}", get(async || "user"))
        .nest("/api/{v}", items)
}

#[tokio::test]
async fn the_route_is_the_template_nested_or_not() {
    let table = [
        ("/users/42?token=SECRET", "/users/{id}", "/users/42", "200"),
        (
            "/api/v2/items/7",
            "/api/{v}/items/{id}",
            "/api/v2/items/7",
            "200",
        ),
        ("/.env?k=v", "-", "/.env", "404"),
    ];
    for (uri, route, path, status) in table {
        let (capture, _guard) = capture();
        let lines = lines_of(shop().layer(RequestLayer::new()), &capture, uri).await;
        assert_eq!(lines.len(), 1);
        let told = [
            lines[0].field("route"),
            lines[0].field("path"),
            lines[0].field("status"),
        ];
        assert_eq!(told, [route, path, status], "{uri}");
    }
}

#[tokio::test]
async fn a_layer_around_the_whole_router_knows_no_route_and_makes_none_up() {
    let (capture, _guard) = capture();
    let lines = lines_of(RequestLayer::new().layer(shop()), &capture, "/users/42").await;
    assert_eq!(
        (lines[0].field("route"), lines[0].field("path")),
        ("-", "/users/42")
    );
}

#[tokio::test]
async fn a_route_with_another_method_is_rejected_under_its_route() {
    let (capture, _guard) = capture();
    let request = Request::post("/users/42").body(Body::empty()).unwrap();
    drop(
        shop()
            .layer(RequestLayer::new())
            .oneshot(request)
            .await
            .unwrap(),
    );
    let lines = capture.closing();
    assert_eq!(
        lines[0].gist(),
        "WARN request rejected [4xx], 405 completed"
    );
    assert_eq!(lines[0].field("route"), "/users/{id}");
}

#[tokio::test]
async fn a_route_is_shed_by_its_template() {
    let (capture, _guard) = capture();
    let switch = Arc::new(AtomicBool::new(true));
    let router = shop()
        .layer(ShedLayer::new(switch).route("/api/{v}/items/{id}"))
        .layer(RequestLayer::new());
    let lines = lines_of(router, &capture, "/api/v1/items/9").await;
    assert_eq!(lines[0].gist(), "INFO request shed, 503 shed");
    assert_eq!(lines[0].field("route"), "/api/{v}/items/{id}");
}

#[tokio::test]
async fn a_handler_takes_the_log_as_an_extension() {
    let (capture, _guard) = capture();
    let handler = async |axum::Extension(log): axum::Extension<RequestLog>| {
        log.set("user_id", "u-17");
        "ok"
    };
    let router = Router::new()
        .route("/me", get(handler))
        .layer(RequestLayer::new());
    let lines = lines_of(router, &capture, "/me").await;
    assert_eq!(
        (lines[0].field("user_id"), lines[0].field("bytes_out")),
        ("u-17", "2")
    );
}

/// What a survey of request layers asked of each: most left no line, a raw URI with its token, or the same line for
/// a stream that its client left as for a whole one.
#[tokio::test]
async fn each_row_of_the_survey_has_its_one_true_line_over_both_protocols() {
    use Client::{IsLetDown, LeavesBeforeHeaders, LeavesInBody, Reads};
    let completed = "INFO request completed, 200 completed";
    let table = [
        (
            "/users/42?token=SECRET",
            Reads,
            completed,
            "/users/{id}",
            "/users/42",
        ),
        (
            "/waits",
            LeavesBeforeHeaders,
            "WARN request cancelled, 499 cancelled_before_headers",
            "/waits",
            "/waits",
        ),
        (
            "/panics",
            IsLetDown,
            "ERROR request panicked [5xx], 500 panicked",
            "/panics",
            "/panics",
        ),
        (
            "/stream/2",
            Reads,
            completed,
            "/stream/{chunks}",
            "/stream/2",
        ),
        (
            "/stream/9",
            LeavesInBody,
            "WARN request cancelled, 499 cancelled_in_body",
            "/stream/{chunks}",
            "/stream/9",
        ),
        (
            "/.env?k=v",
            Reads,
            "WARN request rejected [4xx], 404 completed",
            "-",
            "/.env",
        ),
    ];
    for http in BOTH {
        for (target, client, expected, route, path) in table {
            let case = format!("{http:?} {target}");
            let mut rig = Rig::serve(http, RequestLayer::new(), |layer, arrive| {
                let waits = async move || {
                    arrive.send(()).unwrap();
                    std::future::pending::<()>().await;
                };
                let panics = async || -> () { panic!("boom") };
                Router::new()
                    .route("/users/{id}", get(async || "user"))
                    .route("/waits", get(waits))
                    .route("/panics", get(panics))
                    .route("/stream/{chunks}", get(stream))
                    .layer(layer)
            })
            .await;
            rig.exchange("GET", target, client).await;
            let line = rig.only_line(&case).await;
            assert_eq!(line.gist(), expected, "{case}");
            assert_eq!(
                [line.field("route"), line.field("path")],
                [route, path],
                "{case}"
            );
            assert!(!line.text().contains("SECRET"), "{case}");
            let ms = |field| line.field(field).parse::<f64>();
            if let (Ok(ttfb), Ok(latency)) = (ms("ttfb_ms"), ms("latency_ms")) {
                assert!(ttfb <= latency, "{case}: the line comes after the stream");
            }
        }
    }
}

/// Up to two chunks, and then an end; a third never comes.
async fn stream(axum::extract::Path(chunks): axum::extract::Path<usize>) -> Body {
    struct Chunks(usize, usize);
    impl http_body::Body for Chunks {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            self.1 += 1;
            match self.1 {
                sent if sent > self.0 => std::task::Poll::Ready(None),
                3.. => std::task::Poll::Pending,
                _ => std::task::Poll::Ready(Some(Ok(http_body::Frame::data("chunk".into())))),
            }
        }
    }
    Body::new(Chunks(chunks, 0))
}
