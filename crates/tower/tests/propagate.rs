//! The trace goes on from a handler to the services that it calls.

mod support;

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};

use dogwatch_tower::{B3, ClientCall, PropagateLayer, RequestLayer, TraceContext};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Empty;
use support::{Capture, Line};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::Instrument;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

type Answer = Response<Empty<bytes::Bytes>>;
type Sent = Arc<Mutex<Vec<HeaderMap>>>;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn capture() -> (Capture, DefaultGuard) {
    let capture = Capture::default();
    let guard = set_default(registry().with(capture.clone()));
    (capture, guard)
}

/// A client that keeps the headers it would have sent.
fn client(
    sent: &Sent,
    status: u16,
) -> impl Service<Request<()>, Response = Answer, Error = Infallible, Future: Send> + Clone + Send + use<>
{
    let sent = Arc::clone(sent);
    PropagateLayer::new().layer(service_fn(move |request: Request<()>| {
        sent.lock().unwrap().push(request.headers().clone());
        async move {
            Ok(Response::builder()
                .status(status)
                .body(Empty::new())
                .unwrap())
        }
    }))
}

fn to(uri: &str) -> Request<()> {
    Request::builder().uri(uri).body(()).unwrap()
}

/// A request with a parent, through a `RequestLayer`, into `handler`.
async fn handle<F: Future<Output = ()>>(handler: impl FnMut() -> F + Clone) {
    let service = service_fn(move |_: Request<()>| {
        let mut handler = handler.clone();
        async move {
            handler().await;
            Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
        }
    });
    let mut request = to("/orders/7/pay");
    request
        .headers_mut()
        .insert("traceparent", PARENT.parse().unwrap());
    request
        .headers_mut()
        .insert("tracestate", "shop=1".parse().unwrap());
    request
        .headers_mut()
        .insert("x-request-id", "req-7".parse().unwrap());
    drop(
        RequestLayer::new()
            .layer(service)
            .oneshot(request)
            .await
            .unwrap(),
    );
}

fn parents(sent: &Sent) -> Vec<TraceContext> {
    let sent = sent.lock().unwrap();
    sent.iter()
        .map(|headers| TraceContext::from_headers(headers).unwrap())
        .collect()
}

fn client_lines(capture: &Capture) -> Vec<Line> {
    let lines = capture.lines().into_iter();
    lines
        .filter(|line| line.target == "dogwatch::client")
        .collect()
}

#[tokio::test]
async fn each_attempt_has_a_span_id_of_its_own_under_the_requests() {
    let (capture, _guard) = capture();
    let sent = Sent::default();
    let client = client(&sent, 200);
    handle(|| {
        let client = client.clone();
        async move {
            for _ in 0..2 {
                client
                    .clone()
                    .oneshot(to("http://pay/charge"))
                    .await
                    .unwrap();
            }
        }
    })
    .await;
    let parents = parents(&sent);
    assert_eq!(parents.len(), 2);
    assert_ne!(parents[0].span_id(), parents[1].span_id());
    for parent in &parents {
        assert_eq!(
            (parent.trace_id().to_string(), parent.sampled()),
            (TRACE.to_owned(), true)
        );
        assert_eq!(parent.tracestate(), Some("shop=1"));
    }
    assert_eq!(sent.lock().unwrap()[0]["x-request-id"], "req-7");
    let lines = client_lines(&capture);
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line.field("message"), line.field("span_id")))
        .collect();
    let ids: Vec<_> = parents
        .iter()
        .map(|parent| parent.span_id().to_string())
        .collect();
    let want: Vec<_> = ids.iter().map(|id| ("call completed", &**id)).collect();
    assert_eq!(told, want, "each id that was sent stands on a line here");
}

#[tokio::test]
async fn what_a_client_logs_carries_the_span_id_that_it_sends() {
    let (capture, _guard) = capture();
    let sent = Sent::default();
    let logging = service_fn({
        let sent = Arc::clone(&sent);
        move |request: Request<()>| {
            sent.lock().unwrap().push(request.headers().clone());
            async {
                tracing::info!("connecting");
                Ok::<Answer, Infallible>(Response::new(Empty::new()))
            }
        }
    });
    let client = PropagateLayer::new().layer(logging);
    handle(|| {
        let client = client.clone();
        async move { drop(client.oneshot(to("http://pay/")).await) }
    })
    .await;
    let lines = capture.lines();
    let (connecting, closing) = (&lines[0], &capture.closing()[0]);
    assert_eq!(
        connecting.field("span_id"),
        parents(&sent)[0].span_id().to_string()
    );
    assert_eq!(connecting.field("parent_span_id"), closing.field("span_id"));
    assert_eq!(connecting.field("trace_id"), TRACE);
}

#[tokio::test]
async fn a_failed_call_is_told_with_its_url_but_not_its_query() {
    let table = [
        (500, vec!["ERROR call failed, 500 -"]),
        (404, vec!["WARN call rejected, 404 -"]),
        (302, vec!["INFO call completed, 302 -"]),
    ];
    for (status, expected) in table {
        let (capture, _guard) = capture();
        let sent = Sent::default();
        let client = client(&sent, status);
        drop(
            client
                .oneshot(to("https://u:p@pay:8443/charge?token=SECRET"))
                .await,
        );
        let lines = client_lines(&capture);
        assert_eq!(lines.iter().map(Line::gist).collect::<Vec<_>>(), expected);
        for line in lines {
            assert_eq!(
                (line.field("url"), line.field("method")),
                ("https://pay:8443/charge", "GET")
            );
            assert_eq!(
                line.field("span_id"),
                parents(&sent)[0].span_id().to_string()
            );
            assert!(
                !line.text().contains("[5xx]"),
                "a rule for our own 5xx must not count it"
            );
        }
    }
}

#[tokio::test]
async fn a_call_that_errs_or_is_given_up_is_told() {
    let (capture, _guard) = capture();
    let refused = service_fn(async |_: Request<()>| {
        Err::<Answer, _>(std::io::Error::new(
            std::io::ErrorKind::ConnectionRefused,
            "refused",
        ))
    });
    let answer = PropagateLayer::new()
        .layer(refused)
        .oneshot(to("http://pay/"))
        .await;
    assert_eq!(answer.unwrap_err().to_string(), "refused");
    let silent = service_fn(|_: Request<()>| pending::<Result<Answer, Infallible>>());
    drop(PropagateLayer::new().layer(silent).call(to("http://slow/")));
    let lines = client_lines(&capture);
    let gists: Vec<String> = lines.iter().map(Line::gist).collect();
    assert_eq!(
        gists,
        ["ERROR call failed, - -", "WARN call cancelled, - -"]
    );
    assert_eq!(
        (lines[0].field("error"), lines[1].field("url")),
        ("refused", "http://slow/")
    );
}

#[tokio::test]
async fn a_stored_trace_is_resumed_inside_another_request() {
    let (capture, _guard) = capture();
    let sent = Sent::default();
    let client = client(&sent, 200);
    let stored = TraceContext::new();
    let text = stored.to_traceparent();
    handle(|| {
        let (client, text) = (client.clone(), text.clone());
        async move {
            tracing::info!("notified");
            let span = TraceContext::parse(&text)
                .unwrap()
                .resume_span("pay_resumed");
            async {
                tracing::info!(event = "pay_settled", "settled");
                client.oneshot(to("http://ledger/")).await.unwrap();
            }
            .instrument(span)
            .await;
            tracing::info!("answered");
        }
    })
    .await;
    let lines = capture.lines();
    let traces: Vec<&str> = lines.iter().map(|line| line.field("trace_id")).collect();
    let resumed = stored.trace_id().to_string();
    assert_eq!(traces, [TRACE, &resumed, &resumed, TRACE, TRACE]);
    assert_eq!(
        lines[1].field("parent_span_id"),
        stored.span_id().to_string()
    );
    assert_eq!(
        lines[1].field("request_id"),
        "req-7",
        "it still says which request resumed it"
    );
    assert_eq!(parents(&sent)[0].trace_id(), stored.trace_id());
    assert_eq!(sent.lock().unwrap()[0]["x-request-id"], "req-7");
}

#[tokio::test]
async fn the_context_follows_the_span_into_another_task() {
    let (_capture, _guard) = capture();
    let seen = Arc::new(Mutex::new(None));
    handle(|| {
        let seen = Arc::clone(&seen);
        async move {
            let task = async move { *seen.lock().unwrap() = TraceContext::current() };
            tokio::spawn(task.in_current_span()).await.unwrap();
        }
    })
    .await;
    let seen = seen.lock().unwrap().clone().unwrap();
    assert_eq!(seen.trace_id().to_string(), TRACE);
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn what_a_request_spawns_belongs_to_it_with_lines_or_without() {
    use dogwatch_tower::{spawn_blocking_instrumented, spawn_instrumented};
    for filter in [LevelFilter::TRACE, LevelFilter::OFF] {
        let _guard = set_default(registry().with(filter));
        let seen = Arc::new(Mutex::new(Vec::new()));
        handle(|| {
            let seen = Arc::clone(&seen);
            async move {
                let task = spawn_instrumented(async { TraceContext::current() })
                    .await
                    .unwrap();
                // The blocking thread has no dispatcher in this test, as it would have in a service.
                let dispatch = tracing::dispatcher::get_default(Clone::clone);
                let blocking = spawn_blocking_instrumented(move || {
                    tracing::dispatcher::with_default(&dispatch, TraceContext::current)
                });
                let blocking = blocking.await.unwrap();
                seen.lock().unwrap().extend([task, blocking]);
            }
        })
        .await;
        let seen = seen.lock().unwrap();
        let traces: Vec<String> = seen
            .iter()
            .flatten()
            .map(|context| context.trace_id().to_string())
            .collect();
        assert_eq!(traces, [TRACE, TRACE], "{filter}");
    }
}

#[tokio::test]
async fn a_call_by_hand_does_what_the_layer_does() {
    let (capture, _guard) = capture();
    let sent = Sent::default();
    handle(|| {
        let sent = Arc::clone(&sent);
        async move {
            let url = "https://pay/charge?key=SECRET".parse().unwrap();
            for end in 0..3 {
                let mut headers = HeaderMap::new();
                let call = ClientCall::open(&Method::POST, &url, &mut headers);
                sent.lock().unwrap().push(headers);
                call.span().in_scope(|| tracing::info!("sending"));
                match end {
                    0 => call.answered(StatusCode::OK),
                    1 => call.failed(&"no route to host"),
                    _ => drop(call),
                }
            }
        }
    })
    .await;
    let told = client_lines(&capture);
    assert_eq!(
        told.iter().map(Line::gist).collect::<Vec<_>>(),
        [
            "INFO call completed, 200 -",
            "ERROR call failed, - -",
            "WARN call cancelled, - -"
        ]
    );
    assert_eq!(
        (told[0].field("method"), told[0].field("url")),
        ("POST", "https://pay/charge")
    );
    assert_eq!(told[1].field("error"), "no route to host");
    let parents = parents(&sent);
    assert_eq!(told[1].field("span_id"), parents[1].span_id().to_string());
    assert!(
        parents
            .iter()
            .all(|parent| parent.trace_id().to_string() == TRACE)
    );
    let sending = capture
        .lines()
        .into_iter()
        .filter(|line| line.field("message") == "sending");
    let span_ids: Vec<String> = sending
        .map(|line| line.field("span_id").to_owned())
        .collect();
    assert_eq!(
        span_ids,
        parents
            .iter()
            .map(|p| p.span_id().to_string())
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_trace_goes_on_when_all_lines_are_filtered() {
    let _guard = set_default(registry().with(LevelFilter::OFF));
    let sent = Sent::default();
    let client = client(&sent, 500);
    handle(|| {
        let client = client.clone();
        async move { drop(client.oneshot(to("http://pay/")).await) }
    })
    .await;
    assert_eq!(parents(&sent)[0].trace_id().to_string(), TRACE);
    assert_eq!(sent.lock().unwrap()[0]["x-request-id"], "req-7");
}

#[tokio::test]
async fn the_context_in_a_requests_extensions_wins_and_no_context_begins_a_trace() {
    let (_capture, _guard) = capture();
    let sent = Sent::default();
    let client = client(&sent, 200);
    let given = TraceContext::new();
    let mut request = to("http://pay/");
    request.extensions_mut().insert(given.clone());
    client.clone().oneshot(request).await.unwrap();
    let response = client.oneshot(to("http://pay/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let parents = parents(&sent);
    assert_eq!(parents[0].trace_id(), given.trace_id());
    assert_ne!(parents[0].span_id(), given.span_id());
    assert_ne!(parents[1].trace_id(), given.trace_id());
    assert!(!sent.lock().unwrap()[1].contains_key("x-request-id"));
}

#[tokio::test]
async fn a_host_that_is_not_named_gets_no_header() {
    let (capture, _guard) = capture();
    let sent = Sent::default();
    let recording = service_fn({
        let sent = Arc::clone(&sent);
        move |request: Request<()>| {
            sent.lock().unwrap().push(request.headers().clone());
            async {
                Ok::<Answer, Infallible>(
                    Response::builder().status(500).body(Empty::new()).unwrap(),
                )
            }
        }
    });
    let client = PropagateLayer::new().host("pay").layer(recording);
    client.clone().oneshot(to("http://partner/")).await.unwrap();
    client.oneshot(to("http://pay/")).await.unwrap();
    let sent = sent.lock().unwrap();
    assert!(!sent[0].contains_key("traceparent") && sent[1].contains_key("traceparent"));
    assert_eq!(
        client_lines(&capture).len(),
        2,
        "its failure is told all the same"
    );
}

#[tokio::test]
async fn b3_and_baggage_go_on_where_they_are_wanted_and_nowhere_else() {
    let b3 = format!("{TRACE}-b7ad6b7169203331-0");
    let wanting = |wanted: bool| RequestLayer::new().b3(wanted).baggage(wanted);
    let table = [
        (wanting(false), B3::Single, false, false),
        (wanting(true), B3::Single, true, true),
        (wanting(true), B3::Multi, true, true),
        (
            wanting(true).public_endpoint(true),
            B3::Single,
            false,
            false,
        ),
    ];
    for (layer, form, same_trace, baggage) in table {
        let (capture, _guard) = capture();
        let sent = Sent::default();
        let calls = Arc::clone(&sent);
        let handler = service_fn(move |_: Request<()>| {
            let call = PropagateLayer::new().b3(form).layer(service_fn({
                let calls = Arc::clone(&calls);
                move |request: Request<()>| {
                    calls.lock().unwrap().push(request.headers().clone());
                    async { Ok::<_, Infallible>(Answer::new(Empty::new())) }
                }
            }));
            async move {
                let user = TraceContext::current().unwrap();
                assert_eq!(user.baggage_value("user"), baggage.then_some("u-17"));
                call.oneshot(to("http://next/")).await
            }
        });
        let request = Request::builder()
            .header("b3", &b3)
            .header("baggage", "user=u-17;p=1, bad, plan=gold")
            .body(())
            .unwrap();
        drop(layer.layer(handler).call(request).await.unwrap());

        let sent = sent.lock().unwrap().remove(0);
        let context = TraceContext::from_headers(&sent).unwrap();
        assert_eq!(context.trace_id().to_string() == TRACE, same_trace);
        assert_eq!(context.sampled(), !same_trace, "as the caller decided");
        let of_line = client_lines(&capture).remove(0);
        assert_eq!(context.span_id().to_string(), of_line.field("span_id"));
        let text = |name: &str| sent.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            text("baggage"),
            baggage.then_some("user=u-17;p=1,plan=gold")
        );
        let (trace, span) = (
            context.trace_id().to_string(),
            context.span_id().to_string(),
        );
        let sampled = u8::from(context.sampled());
        let parent = of_line.field("parent_span_id");
        match form {
            B3::Multi => assert_eq!(
                [
                    text("x-b3-traceid"),
                    text("x-b3-spanid"),
                    text("x-b3-parentspanid"),
                    text("b3")
                ],
                [Some(&*trace), Some(&*span), Some(parent), None]
            ),
            _ => assert_eq!(
                text("b3"),
                Some(&*format!("{trace}-{span}-{sampled}-{parent}"))
            ),
        }
    }
}
