//! A reqwest call goes on in the trace, over a real socket.
#![cfg(feature = "reqwest")]

mod support;

use std::convert::Infallible;

use bytes::Bytes;
use dogwatch_tower::{PropagateLayer, RequestLayer, TraceContext};
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use support::rig::{Http, Rig};
use support::{Capture, Line};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower::{Layer, Service, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A service that tells the headers it is called with; `/waits` is never answered, `/503` with that.
async fn callee() -> (Rig, UnboundedReceiver<HeaderMap>) {
    let (told, headers) = unbounded_channel();
    let rig = Rig::serve(Http::One, RequestLayer::new(), |_, _| {
        service_fn(move |request: Request<Incoming>| {
            told.send(request.headers().clone()).unwrap();
            async move {
                let mut response = Response::new(Empty::<Bytes>::new());
                match request.uri().path() {
                    "/waits" => std::future::pending().await,
                    "/503" => *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE,
                    _ => {}
                }
                Ok::<_, Infallible>(response)
            }
        })
    })
    .await;
    (rig, headers)
}

/// Inside a request of `TRACE`.
async fn in_a_request<F: Future>(work: impl FnOnce() -> F) {
    let mut work = Some(work);
    let service = service_fn(move |_: Request<()>| {
        let work = work.take().unwrap()();
        async move {
            work.await;
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let request = Request::builder()
        .header("traceparent", PARENT)
        .header("x-request-id", "req-7")
        .body(());
    let answer = RequestLayer::new().layer(service).call(request.unwrap());
    drop(answer.await.unwrap());
}

fn calls(capture: &Capture) -> Vec<Line> {
    let mut lines = capture.lines();
    lines.retain(|line| line.target == "dogwatch::client");
    lines
}

#[tokio::test]
async fn each_attempt_sends_a_span_id_of_its_own_and_says_how_it_went() {
    let (rig, mut headers) = callee().await;
    let url = format!("http://{}", rig.address);
    let client = reqwest::Client::new();
    in_a_request(|| async {
        let propagate = PropagateLayer::new();
        for path in ["/503?token=SECRET", "/pay?token=SECRET"] {
            let call = client
                .post(format!("{url}{path}"))
                .header("traceparent", "mine");
            propagate.send(call).await.unwrap();
        }
    })
    .await;
    let lines = calls(&rig.capture);
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            format!(
                "{} {} {}",
                line.level,
                line.field("status"),
                line.field("url")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            format!("ERROR 503 {url}/503"),
            format!("INFO 200 {url}/pay")
        ]
    );
    let mut spans = Vec::new();
    for line in &lines {
        let sent = headers.recv().await.unwrap();
        let context = TraceContext::from_headers(&sent).unwrap();
        assert_eq!(context.trace_id().to_string(), TRACE);
        assert_eq!(context.span_id().to_string(), line.field("span_id"));
        assert_eq!(sent["x-request-id"], "req-7");
        spans.push(context.span_id());
    }
    assert_ne!(spans[0], spans[1]);
}

#[tokio::test]
async fn a_host_that_is_not_listed_gets_no_header_and_the_call_its_line_all_the_same() {
    let (rig, mut headers) = callee().await;
    let url = format!("http://{}/", rig.address);
    for (host, expected) in [("pay.internal", false), ("127.0.0.1", true)] {
        let propagate = PropagateLayer::new().host(host);
        propagate
            .send(reqwest::Client::new().get(&url))
            .await
            .unwrap();
        let sent = headers.recv().await.unwrap();
        assert_eq!(sent.contains_key("traceparent"), expected, "{host}");
    }
    assert_eq!(calls(&rig.capture).len(), 2);
}

#[tokio::test]
async fn a_call_that_fails_tells_neither_query_nor_user_and_passes_its_error_on() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()));
    // A port that nobody listens on any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user:PASSWORD@{address}/pay?token=SECRET");
    let error = PropagateLayer::new()
        .send(reqwest::Client::new().get(&url))
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert_eq!(
        error.url().unwrap().query(),
        Some("token=SECRET"),
        "as reqwest made it"
    );
    let lines = calls(&capture);
    assert_eq!(lines.len(), 1);
    assert_eq!(
        [
            &*lines[0].level,
            lines[0].field("message"),
            lines[0].field("url")
        ],
        ["ERROR", "call failed", &*format!("http://{address}/pay")]
    );
    assert!(
        lines[0].field("error").contains("refused"),
        "{:?}",
        lines[0]
    );
    for secret in ["SECRET", "PASSWORD"] {
        assert!(!lines[0].text().contains(secret), "{:?}", lines[0]);
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_says_so_and_one_that_cannot_be_built_says_nothing() {
    let (rig, mut headers) = callee().await;
    let client = reqwest::Client::new();
    let propagate = PropagateLayer::new();
    let call = propagate.send(client.get(format!("http://{}/waits", rig.address)));
    tokio::select! {
        answer = call => panic!("{answer:?}"),
        sent = headers.recv() => assert!(sent.unwrap().contains_key("traceparent")),
    }
    let unbuilt = propagate
        .send(client.get("no url at all"))
        .await
        .unwrap_err();
    assert!(unbuilt.is_builder());
    let told: Vec<String> = calls(&rig.capture)
        .iter()
        .map(|line| format!("{} {}", line.level, line.field("message")))
        .collect();
    assert_eq!(told, ["WARN call cancelled"]);
}
