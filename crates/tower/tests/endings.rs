//! Every way a request can end leaves exactly one true closing line, without a network between.

mod support;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, pending, ready};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dogwatch_tower::{
    BytesInLayer, CountedBody, Finished, Outcome, RecordedBody, RequestLayer, RequestLog, Route,
    ShedLayer, TraceContext,
};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use support::{Capture, Line};
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

type BoxError = Box<dyn Error + Send + Sync>;

fn capture() -> (Capture, DefaultGuard) {
    let capture = Capture::default();
    let guard = set_default(registry().with(capture.clone()));
    (capture, guard)
}

fn get(path: &str) -> Request<()> {
    Request::builder().uri(path).body(()).unwrap()
}

/// Serves one request with a plain function; everything here is ready at once or never.
fn serve<R: Body>(
    layer: &RequestLayer,
    request: Request<()>,
    answer: impl FnMut(Request<()>) -> Response<R>,
) -> Response<RecordedBody<R>>
where
    R::Error: std::fmt::Display + 'static,
{
    let mut answer = answer;
    let service = service_fn(move |request| ready(Ok::<_, Infallible>(answer(request))));
    now(layer.layer(service).oneshot(request)).unwrap()
}

/// The value of a future that does not wait.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}

/// A body of unknown length that gives these frames, one a poll.
fn frames(frames: Vec<Result<&'static str, BoxError>>) -> Frames {
    Frames(frames.into())
}

struct Frames(VecDeque<Result<&'static str, BoxError>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = self.0.pop_front();
        Poll::Ready(frame.map(|frame| frame.map(|data| Frame::data(Bytes::from(data)))))
    }
}

fn only(capture: &Capture) -> Line {
    let mut lines = capture.closing();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[test]
fn a_completed_request_says_all_of_it() {
    let (capture, _guard) = capture();
    let start = Instant::now();
    let turned = Arc::new(AtomicI64::new(0));
    let clock = {
        let turned = Arc::clone(&turned);
        move || start + Duration::from_micros(turned.load(Ordering::Relaxed) as u64)
    };
    let mut request = get("/users/42?token=SECRET");
    request
        .headers_mut()
        .insert("x-request-id", "req-7".parse().unwrap());
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    request.extensions_mut().insert(Route::new("/users/{id}"));

    let response = serve(&RequestLayer::new().clock(clock), request, |_| {
        turned.store(1_500, Ordering::Relaxed);
        tracing::info!("in the handler");
        Response::new(frames(vec![Ok("hello "), Ok("world")]))
    });
    let headers = response.headers().clone();
    turned.store(20_250, Ordering::Relaxed);
    let body = now(response.into_body().collect()).unwrap().to_bytes();
    assert_eq!(body, "hello world");

    let line = only(&capture);
    assert_eq!(line.gist(), "INFO request completed, 200 completed");
    let expected = [
        ("method", "GET"),
        ("route", "/users/{id}"),
        ("path", "/users/42"),
        ("bytes_out", "11"),
        ("latency_ms", "20.25"),
        ("ttfb_ms", "1.5"),
        ("request_id", "req-7"),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("parent_span_id", "b7ad6b7169203331"),
        ("error", "-"),
        ("fields_refused", "-"),
    ];
    for (key, value) in expected {
        assert_eq!(line.field(key), value, "{key}");
    }
    let lines = capture.lines();
    assert_eq!(lines[0].field("message"), "in the handler");
    for key in ["trace_id", "span_id", "parent_span_id", "request_id"] {
        assert_eq!(lines[0].field(key), line.field(key));
    }
    assert!(!format!("{lines:?}").contains("SECRET"));
    assert_eq!(headers["x-request-id"], "req-7");
    let span_id = line.field("span_id");
    assert_ne!(span_id, "b7ad6b7169203331");
    let timing = format!("trace;desc=00-0af7651916cd43dd8448eb211c80319c-{span_id}-01");
    assert_eq!(headers["server-timing"], timing);
}

#[test]
fn a_request_without_ids_gets_them_and_an_unknown_method_is_other() {
    let (capture, _guard) = capture();
    let mut request = get("/");
    *request.method_mut() = "BREW".parse().unwrap();
    request
        .headers_mut()
        .insert("x-request-id", "not clean".parse().unwrap());
    request
        .headers_mut()
        .insert("traceparent", "00-nonsense".parse().unwrap());
    let response = serve(&RequestLayer::new(), request, |_| {
        Response::new(Empty::<Bytes>::new())
    });
    let answered = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    drop(response);
    let line = only(&capture);
    assert_eq!(line.field("request_id"), answered);
    assert_eq!((answered.len(), line.field("trace_id").len()), (32, 32));
    assert_eq!(
        (line.field("parent_span_id"), line.field("route")),
        ("-", "-")
    );
    assert_eq!((line.field("method"), line.field("path")), ("_OTHER", "/"));
}

#[test]
fn the_status_decides_level_and_message() {
    let table = [
        (200, "INFO request completed, 200 completed"),
        (302, "INFO request completed, 302 completed"),
        (404, "WARN request rejected [4xx], 404 completed"),
        (500, "ERROR request failed [5xx], 500 completed"),
        (503, "ERROR request failed [5xx], 503 completed"),
    ];
    for (status, expected) in table {
        let (capture, _guard) = capture();
        drop(serve(&RequestLayer::new(), get("/"), |_| {
            Response::builder()
                .status(status)
                .body(Full::<Bytes>::default())
                .unwrap()
        }));
        assert_eq!(capture.gists(), [expected]);
    }
}

#[test]
fn an_answer_is_complete_by_its_end_its_size_or_its_kind() {
    let sized = || Response::new(Full::new(Bytes::from("four")));
    // Dropped unread: cancelled, unless nothing was to be read.
    let table: [(&str, u16, &str); 5] = [
        ("GET", 200, "WARN request cancelled, 499 cancelled_in_body"),
        ("HEAD", 200, "INFO request completed, 200 completed"),
        ("GET", 204, "INFO request completed, 204 completed"),
        ("GET", 304, "INFO request completed, 304 completed"),
        ("GET", 101, "INFO request completed, 101 upgraded"),
    ];
    for (method, status, expected) in table {
        let (capture, _guard) = capture();
        let mut request = get("/");
        *request.method_mut() = method.parse().unwrap();
        drop(serve(&RequestLayer::new(), request, |_| {
            let mut response = sized();
            *response.status_mut() = status.try_into().unwrap();
            response
        }));
        assert_eq!(capture.gists(), [expected], "{method} {status}");
    }
    // With its last frame the answer is whole, though nobody asks for its end.
    let completed = "INFO request completed, 200 completed";
    let (capture, _guard) = capture();
    let mut response = serve(&RequestLayer::new(), get("/"), |_| sized());
    now(response.body_mut().frame()).unwrap().unwrap();
    assert_eq!(
        capture.gists(),
        [completed],
        "the body says that it has ended"
    );
    drop(response);
    assert_eq!(capture.gists(), [completed], "once");
    assert_eq!(only(&capture).field("bytes_out"), "4");
}

#[test]
fn all_bytes_of_an_exact_size_are_a_whole_answer_when_trailers_may_yet_come() {
    let (capture, _guard) = capture();
    let mut response = serve(&RequestLayer::new(), get("/"), |_| {
        let body = Full::new(Bytes::from("four"));
        Response::new(body.with_trailers(ready(None::<Result<http::HeaderMap, Infallible>>)))
    });
    now(response.body_mut().frame()).unwrap().unwrap();
    assert_eq!(capture.gists(), [""; 0], "not before the body is gone");
    drop(response);
    assert_eq!(capture.gists(), ["INFO request completed, 200 completed"]);
    assert_eq!(only(&capture).field("bytes_out"), "4");
}

#[test]
fn a_service_error_is_told_and_passed_on() {
    let (capture, _guard) = capture();
    let service = service_fn(|_: Request<()>| {
        let error: BoxError = Box::new(Outer(std::io::Error::other("disk full")));
        ready(Err::<Response<Empty<Bytes>>, _>(error))
    });
    let error = now(RequestLayer::new().layer(service).oneshot(get("/"))).unwrap_err();
    assert_eq!(error.to_string(), "cannot save order");
    let line = only(&capture);
    assert_eq!(line.gist(), "ERROR request failed [5xx], 500 error");
    assert_eq!(
        (line.field("error"), line.field("ttfb_ms")),
        ("cannot save order < disk full", "-")
    );
}

#[derive(Debug)]
struct Outer(std::io::Error);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cannot save order")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_body_that_fails_midway_is_told() {
    let (capture, _guard) = capture();
    let response = serve(&RequestLayer::new(), get("/"), |_| {
        Response::new(frames(vec![Ok("part"), Err("the disk went away".into())]))
    });
    assert!(now(response.into_body().collect()).is_err());
    let line = only(&capture);
    assert_eq!(line.gist(), "ERROR request failed in body, 200 body_error");
    assert_eq!(
        (line.field("error"), line.field("bytes_out")),
        ("the disk went away", "4")
    );
}

#[test]
fn a_body_dropped_midway_is_cancelled_with_what_went_out() {
    let (capture, _guard) = capture();
    let mut response = serve(&RequestLayer::new(), get("/"), |_| {
        Response::new(frames(vec![Ok("one"), Ok("two"), Ok("three")]))
    });
    now(response.body_mut().frame()).unwrap().unwrap();
    drop(response);
    let line = only(&capture);
    assert_eq!(line.gist(), "WARN request cancelled, 499 cancelled_in_body");
    assert_eq!(line.field("bytes_out"), "3");
}

#[test]
fn an_event_stream_that_its_client_leaves_is_no_warning() {
    let (capture, _guard) = capture();
    let response = serve(&RequestLayer::new(), get("/events"), |_| {
        let stream = Response::builder().header("content-type", "Text/Event-Stream; charset=utf-8");
        stream.body(frames(vec![Ok("data: 1\n\n")])).unwrap()
    });
    drop(response);
    assert_eq!(
        capture.gists(),
        ["INFO request cancelled, 499 cancelled_in_body"]
    );
}

#[test]
fn a_request_dropped_before_its_headers_is_cancelled_polled_or_not() {
    for polls in [0, 1] {
        let (capture, _guard) = capture();
        let service = service_fn(|_: Request<()>| async {
            let _logs_when_dropped = LogsWhenDropped;
            pending::<Result<Response<Empty<Bytes>>, Infallible>>().await
        });
        let mut future = Box::pin(RequestLayer::new().layer(service).call(get("/slow")));
        for _ in 0..polls {
            let polled = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }
        assert_eq!(capture.gists(), [""; 0]);
        drop(future);
        let line = only(&capture);
        assert_eq!(
            line.gist(),
            "WARN request cancelled, 499 cancelled_before_headers"
        );
        let dropped = capture
            .lines()
            .into_iter()
            .find(|line| line.field("message") == "dropped");
        let trace_id = dropped.map(|dropped| dropped.field("trace_id").to_owned());
        assert_eq!(
            trace_id,
            (polls > 0).then(|| line.field("trace_id").to_owned())
        );
    }
}

struct LogsWhenDropped;

impl Drop for LogsWhenDropped {
    fn drop(&mut self) {
        tracing::info!("dropped");
    }
}

/// Panics in its call or in its future.
#[derive(Clone)]
struct Panics {
    in_call: bool,
}

impl Service<Request<()>> for Panics {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(!self.in_call, "boom 1");
        Box::pin(async { panic!("boom 1") })
    }
}

#[test]
fn a_panic_is_told_and_goes_on() {
    for in_call in [true, false] {
        let (capture, _guard) = capture();
        let service = RequestLayer::new().layer(Panics { in_call });
        let panic = catch_unwind(AssertUnwindSafe(|| now(service.oneshot(get("/")))));
        assert_eq!(panic.unwrap_err().downcast_ref::<&str>(), Some(&"boom 1"));
        let line = only(&capture);
        assert_eq!(line.gist(), "ERROR request panicked [5xx], 500 panicked");
        assert_eq!(line.field("error"), "boom 1");
    }
}

#[test]
fn a_panic_is_answered_500_when_that_is_wanted() {
    for in_call in [true, false] {
        let (capture, _guard) = capture();
        let service = RequestLayer::new()
            .catch_panics(true)
            .layer(Panics { in_call });
        let response = now(service.oneshot(get("/"))).unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key("x-request-id"));
        assert_eq!(now(response.into_body().collect()).unwrap().to_bytes(), "");
        assert_eq!(
            capture.gists(),
            ["ERROR request panicked [5xx], 500 panicked"]
        );
    }
}

#[test]
fn a_panic_while_the_body_streams_is_told_and_goes_on() {
    struct Bomb;
    impl Body for Bomb {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            panic!("in the body")
        }
    }
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().catch_panics(true);
    let response = serve(&layer, get("/"), |_| Response::new(Bomb));
    assert!(catch_unwind(AssertUnwindSafe(|| now(response.into_body().collect()))).is_err());
    assert_eq!(
        capture.gists(),
        ["ERROR request panicked [5xx], 200 panicked"]
    );
}

#[test]
fn a_line_comes_out_of_a_drop_during_an_unwind() {
    let (capture, _guard) = capture();
    let response = serve(&RequestLayer::new(), get("/"), |_| {
        Response::new(frames(vec![Ok("x")]))
    });
    let unwound = catch_unwind(AssertUnwindSafe(move || {
        let _held = response;
        panic!("somebody else's");
    }));
    assert!(unwound.is_err());
    assert_eq!(
        capture.gists(),
        ["WARN request cancelled, 499 cancelled_in_body"]
    );
}

#[test]
fn a_line_goes_to_the_dispatcher_of_the_requests_arrival() {
    let (first, guard) = capture();
    let response = serve(&RequestLayer::new(), get("/"), |_| {
        Response::new(frames(vec![Ok("x")]))
    });
    drop(guard);
    let (second, _guard) = capture();
    std::thread::scope(|scope| {
        scope.spawn(move || drop(response));
    });
    assert_eq!(
        first.gists(),
        ["WARN request cancelled, 499 cancelled_in_body"]
    );
    assert_eq!(second.gists(), [""; 0]);
}

#[test]
fn a_shed_request_closes_at_info_and_no_rule_for_5xx_matches_it() {
    let (capture, _guard) = capture();
    let switch = Arc::new(AtomicBool::new(true));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let layer = {
        let seen = Arc::clone(&seen);
        RequestLayer::new().on_finish(move |f| seen.lock().unwrap().push((f.outcome(), f.status())))
    };
    let service = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("x"))))
    });
    let shed = ShedLayer::new(switch)
        .route("/api/recommend")
        .layer(service);
    let service = layer.layer(shed);
    for path in ["/api/recommend?n=3", "/api/orders"] {
        let response = now(service.clone().oneshot(get(path))).unwrap();
        let retry_after = response.headers().get("retry-after").cloned();
        assert_eq!(retry_after.is_some(), path.contains("recommend"));
        let _ = now(response.into_body().collect()).unwrap();
    }
    let expected = [
        "INFO request shed, 503 shed",
        "INFO request completed, 200 completed",
    ];
    assert_eq!(capture.gists(), expected);
    assert_eq!(
        *seen.lock().unwrap(),
        [(Outcome::Shed, 503), (Outcome::Completed, 200)]
    );
    assert!(!capture.closing()[0].text().contains("[5xx]"));
}

#[test]
fn what_rules_match_tells_server_errors_from_the_rest() {
    let (capture, _guard) = capture();
    drop(serve(&RequestLayer::new(), get("/pay"), |_| {
        Response::builder()
            .status(502)
            .body(Empty::<Bytes>::new())
            .unwrap()
    }));
    let text = only(&capture).text();
    assert!(
        text.starts_with("ERROR dogwatch::request: request failed [5xx] "),
        "{text}"
    );
    assert!(text.contains(" status=502"), "{text}");
}

#[test]
fn a_filter_silences_lines_and_nothing_else() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()).with(LevelFilter::OFF));
    let finished = Arc::new(Mutex::new(Vec::<Finished>::new()));
    let layer = {
        let finished = Arc::clone(&finished);
        RequestLayer::new().on_finish(move |f| finished.lock().unwrap().push(f.clone()))
    };
    let current = Arc::new(Mutex::new(None));
    let response = serve(&layer, get("/"), |request| {
        let log = request.extensions().get::<RequestLog>();
        let of_request = log.map(RequestLog::trace_context);
        assert_eq!(TraceContext::current(), of_request);
        *current.lock().unwrap() = of_request;
        Response::new(Empty::<Bytes>::new())
    });
    assert_eq!(TraceContext::current(), None, "not after the poll");
    let timing = response.headers()["server-timing"]
        .to_str()
        .unwrap()
        .to_owned();
    drop(response);
    let context = current.lock().unwrap().clone().unwrap();
    assert_eq!(timing, format!("trace;desc={}", context.to_traceparent()));
    let finished = finished.lock().unwrap();
    assert_eq!(finished.len(), 1);
    assert_eq!(
        (finished[0].trace_id(), finished[0].status()),
        (context.trace_id(), 200)
    );
    assert_eq!(capture.lines(), []);
}

#[test]
fn an_error_line_has_its_ids_when_only_errors_pass() {
    let capture = Capture::default();
    let _guard = set_default(registry().with(capture.clone()).with(LevelFilter::ERROR));
    drop(serve(&RequestLayer::new(), get("/"), |_| {
        tracing::error!("out of stock");
        Response::new(Empty::<Bytes>::new())
    }));
    let lines = capture.lines();
    assert_eq!(lines.len(), 1, "the closing line is INFO");
    assert_eq!(
        (
            lines[0].field("trace_id").len(),
            lines[0].field("span_id").len()
        ),
        (32, 16)
    );
}

#[test]
fn a_line_without_a_span_carries_the_ids_itself() {
    let capture = Capture::default();
    let events_only = tracing_subscriber::filter::FilterFn::new(|metadata| metadata.is_event());
    let _guard = set_default(registry().with(capture.clone()).with(events_only));
    let response = serve(&RequestLayer::new(), get("/"), |_| {
        Response::new(Empty::<Bytes>::new())
    });
    let timing = response.headers()["server-timing"]
        .to_str()
        .unwrap()
        .to_owned();
    drop(response);
    let line = only(&capture);
    assert_eq!(
        timing,
        format!(
            "trace;desc=00-{}-{}-03",
            line.field("trace_id"),
            line.field("span_id")
        )
    );
    assert_eq!(line.field("request_id").len(), 32);
}

#[test]
fn no_subscriber_at_all_is_fine() {
    let finished = Arc::new(AtomicI64::new(0));
    let layer = {
        let finished = Arc::clone(&finished);
        RequestLayer::new().on_finish(move |_| {
            finished.fetch_add(1, Ordering::Relaxed);
        })
    };
    drop(serve(&layer, get("/"), |_| {
        Response::new(Empty::<Bytes>::new())
    }));
    assert_eq!(finished.load(Ordering::Relaxed), 1);
}

#[test]
fn active_requests_go_back_to_none_however_they_end() {
    let active = Arc::new(AtomicI64::new(0));
    let layer = {
        let active = Arc::clone(&active);
        RequestLayer::new().on_active(move |method, delta| {
            assert_eq!(method, "GET");
            active.fetch_add(delta, Ordering::Relaxed);
        })
    };
    let never =
        service_fn(|_: Request<()>| pending::<Result<Response<Empty<Bytes>>, Infallible>>());
    let waiting = layer.layer(never).call(get("/"));
    let response = serve(&layer, get("/"), |_| Response::new(frames(vec![Ok("x")])));
    assert_eq!(active.load(Ordering::Relaxed), 2);
    drop(waiting);
    assert_eq!(active.load(Ordering::Relaxed), 1);
    drop(response);
    let panics = layer.layer(Panics { in_call: true });
    assert!(catch_unwind(AssertUnwindSafe(|| now(panics.oneshot(get("/"))))).is_err());
    assert_eq!(active.load(Ordering::Relaxed), 0);
}

#[test]
fn a_quiet_path_is_left_alone() {
    let (capture, _guard) = capture();
    let calls = Arc::new(AtomicI64::new(0));
    let layer = {
        let calls = [Arc::clone(&calls), Arc::clone(&calls)];
        let [active, finish] = calls;
        RequestLayer::new()
            .quiet("/healthz")
            .skip(|method, path| method == "OPTIONS" || path.starts_with("/static/"))
            .on_active(move |_, _| {
                active.fetch_add(1, Ordering::Relaxed);
            })
            .on_finish(move |_| {
                finish.fetch_add(1, Ordering::Relaxed);
            })
    };
    for path in ["/healthz?verbose=1", "/static/app.js"] {
        let response = serve(&layer, get(path), |request| {
            assert!(request.extensions().get::<RequestLog>().is_none());
            tracing::info!("in the handler");
            Response::new(Full::<Bytes>::from("ok"))
        });
        assert!(response.headers().is_empty());
    }
    assert_eq!(
        (capture.closing(), calls.load(Ordering::Relaxed)),
        (vec![], 0)
    );
    assert!(
        capture
            .lines()
            .iter()
            .all(|line| line.field("trace_id") == "-")
    );
    drop(serve(&layer, get("/healthz/"), |_| {
        Response::new(Empty::<Bytes>::new())
    }));
    assert_eq!(capture.gists().len(), 1);
}

#[test]
fn of_two_layers_on_one_request_the_inner_does_nothing() {
    let (capture, _guard) = capture();
    let service = service_fn(|_: Request<()>| {
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("x"))))
    });
    let both = RequestLayer::new().layer(RequestLayer::new().layer(service));
    let response = now(both.oneshot(get("/"))).unwrap();
    assert_eq!(
        response.headers().get_all("server-timing").iter().count(),
        1
    );
    let _ = now(response.into_body().collect()).unwrap();
    assert_eq!(capture.gists(), ["INFO request completed, 200 completed"]);
}

#[test]
fn a_handler_adds_fields_and_its_error_to_the_line() {
    let (capture, _guard) = capture();
    drop(serve(&RequestLayer::new(), get("/"), |request| {
        let log = request.extensions().get::<RequestLog>().unwrap();
        log.set("user_id", "u-17");
        log.set("items", 3);
        log.set("items", 4);
        log.set("vip", true);
        log.set("status", 999);
        log.error(&Outer(std::io::Error::other("disk full")));
        Response::builder()
            .status(500)
            .body(Empty::<Bytes>::new())
            .unwrap()
    }));
    let line = only(&capture);
    let expected = [
        ("user_id", "u-17"),
        ("items", "4"),
        ("vip", "true"),
        ("status", "500"),
        ("fields_refused", "1"),
        ("error", "cannot save order < disk full"),
    ];
    for (key, value) in expected {
        assert_eq!(line.field(key), value, "{key}");
    }
}

#[test]
fn what_goes_wrong_by_itself_counts_for_more_than_what_a_handler_told() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().catch_panics(true);
    drop(serve(
        &layer,
        get("/"),
        |request| -> Response<Empty<Bytes>> {
            let log = request.extensions().get::<RequestLog>().unwrap();
            log.error(&std::io::Error::other("told before"));
            log.route(dogwatch_tower::Route::new("/orders/{id}"));
            log.set("order", 7);
            panic!("boom");
        },
    ));
    let line = only(&capture);
    assert_eq!(line.field("error"), "boom");
    assert_eq!(line.field("route"), "/orders/{id}");
    assert_eq!(line.field("order"), "7");
}

#[test]
fn a_handle_that_outlives_its_request_reaches_no_other() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new();
    let kept = Mutex::new(None::<RequestLog>);
    for path in ["/first", "/second"] {
        drop(serve(&layer, get(path), |request| {
            let log = request.extensions().get::<RequestLog>().unwrap();
            let mut kept = kept.lock().unwrap();
            if let Some(first) = kept.as_ref() {
                first.set("late", true);
                first.error(&std::io::Error::other("not mine"));
                assert_ne!(first.trace_context(), log.trace_context());
            }
            kept.get_or_insert_with(|| log.clone());
            Response::new(Empty::<Bytes>::new())
        }));
    }
    let lines = capture.lines();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| ["path", "late", "error"].map(|key| line.field(key)))
        .collect();
    assert_eq!(seen, [["/first", "-", "-"], ["/second", "-", "-"]]);
}

#[test]
fn the_level_is_the_services_to_choose() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().level(|finished| match finished.status() {
        404 => Some(tracing::Level::DEBUG),
        _ => None,
    });
    for status in [404, 500] {
        drop(serve(&layer, get("/"), |_| {
            Response::builder()
                .status(status)
                .body(Empty::<Bytes>::new())
                .unwrap()
        }));
    }
    let expected = [
        "DEBUG request rejected [4xx], 404 completed",
        "ERROR request failed [5xx], 500 completed",
    ];
    assert_eq!(capture.gists(), expected);
}

#[test]
fn an_upgraded_request_waits_for_the_last_handle_and_no_other_does() {
    for (status, waits) in [(101, true), (200, false)] {
        let (capture, _guard) = capture();
        let kept = Arc::new(Mutex::new(None));
        drop(serve(&RequestLayer::new(), get("/ws"), |request| {
            *kept.lock().unwrap() = request.extensions().get::<RequestLog>().cloned();
            Response::builder()
                .status(status)
                .body(Empty::<Bytes>::new())
                .unwrap()
        }));
        assert_eq!(capture.gists().is_empty(), waits);
        let log = kept.lock().unwrap().take().unwrap();
        log.set("frames", 12);
        drop(log);
        let line = only(&capture);
        assert_eq!(
            line.field("outcome"),
            if waits { "upgraded" } else { "completed" }
        );
        assert_eq!(line.field("frames"), if waits { "12" } else { "-" });
    }
}

#[test]
fn a_public_endpoint_begins_its_own_trace_and_keeps_the_callers_as_a_link() {
    let (capture, _guard) = capture();
    let mut request = get("/");
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .headers_mut()
        .insert("traceparent", parent.parse().unwrap());
    let layer = RequestLayer::new().public_endpoint(true);
    drop(serve(&layer, request, |_| {
        Response::new(Empty::<Bytes>::new())
    }));
    let line = only(&capture);
    assert_ne!(line.field("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(line.field("parent_span_id"), "-");
    assert_eq!(
        line.field("linked_trace_id"),
        "0af7651916cd43dd8448eb211c80319c"
    );
    assert_eq!(line.field("linked_span_id"), "b7ad6b7169203331");
}

#[test]
fn a_slow_request_is_a_warning_and_a_sampled_one_is_still_counted() {
    let (capture, _guard) = capture();
    let turned = Arc::new(AtomicI64::new(0));
    let finished = Arc::new(AtomicI64::new(0));
    let layer = {
        let (start, turned, finished) =
            (Instant::now(), Arc::clone(&turned), Arc::clone(&finished));
        RequestLayer::new()
            .slow(Duration::from_millis(500))
            .sample("/feed", std::num::NonZeroU64::MAX)
            .clock(move || start + Duration::from_millis(turned.load(Ordering::Relaxed) as u64))
            .on_finish(move |_| {
                finished.fetch_add(1, Ordering::Relaxed);
            })
    };
    for takes in [499, 500] {
        drop(serve(&layer, get("/feed?page=2"), |_| {
            turned.fetch_add(takes, Ordering::Relaxed);
            Response::new(Empty::<Bytes>::new())
        }));
    }
    assert_eq!(capture.gists(), ["WARN request slow, 200 completed"]);
    assert_eq!(finished.load(Ordering::Relaxed), 2);
}

#[test]
fn the_bytes_of_a_requests_body_are_counted_by_a_layer_of_its_own() {
    let (capture, _guard) = capture();
    let service = service_fn(async |request: Request<CountedBody<Frames>>| {
        let read = request.into_body().collect().await?.to_bytes();
        Ok::<_, BoxError>(Response::new(Full::new(read)))
    });
    let service = RequestLayer::new().layer(BytesInLayer::new().layer(service));
    let request = get("/echo").map(|()| frames(vec![Ok("one"), Ok("two")]));
    let response = now(service.oneshot(request)).unwrap();
    assert_eq!(
        now(response.into_body().collect()).unwrap().to_bytes(),
        "onetwo"
    );
    let line = only(&capture);
    assert_eq!(
        (line.field("bytes_in"), line.field("bytes_out")),
        ("6", "6")
    );
}

#[test]
fn an_answer_without_a_route_is_told_once_when_routes_are_expected() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().expect_routes(true);
    for (status, routed) in [(404, false), (200, true), (200, false), (200, false)] {
        let mut request = get("/users/42?token=SECRET");
        if routed {
            request.extensions_mut().insert(Route::new("/users/{id}"));
        }
        drop(serve(&layer, request, |_| {
            Response::builder()
                .status(status)
                .body(Empty::<Bytes>::new())
                .unwrap()
        }));
    }
    let mut told = capture.closing();
    told.retain(|line| line.field("outcome") == "-");
    assert_eq!(told.len(), 1);
    assert!(
        told[0]
            .field("message")
            .starts_with("an answered request has no route")
    );
    assert_eq!(
        (told[0].field("path"), told[0].field("trace_id").len()),
        ("/users/42", 32)
    );
}

#[test]
fn what_is_listed_of_query_headers_and_address_is_on_the_line() {
    let (capture, _guard) = capture();
    let mut request = get("/search?token=SECRET&page=2");
    request
        .headers_mut()
        .insert("user-agent", "curl/8".parse().unwrap());
    request
        .headers_mut()
        .insert("x-forwarded-for", "198.51.100.7".parse().unwrap());
    request
        .extensions_mut()
        .insert(IpAddr::from([127, 0, 0, 1]));
    let layer = RequestLayer::new()
        .query_keys(["page"])
        .request_header(http::header::USER_AGENT)
        .request_header(http::header::REFERER)
        .client_address(
            |extensions| extensions.get::<IpAddr>().copied(),
            |ip| ip.is_loopback(),
        );
    drop(serve(&layer, request, |_| {
        Response::new(Empty::<Bytes>::new())
    }));
    let line = only(&capture);
    let expected = [
        ("query", "page=2"),
        ("header_user_agent", "curl/8"),
        ("header_referer", "-"),
        ("client_address", "198.51.100.7"),
    ];
    for (key, value) in expected {
        assert_eq!(line.field(key), value, "{key}");
    }
}

#[test]
fn a_subscriber_that_is_no_registry_still_finds_the_context() {
    struct Plain;
    impl tracing::Subscriber for Plain {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {}
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let _guard = set_default(Plain);
    let seen = Arc::new(Mutex::new(None));
    drop(serve(&RequestLayer::new(), get("/"), |request| {
        let log = request.extensions().get::<RequestLog>();
        let given = log.map(RequestLog::trace_context);
        *seen.lock().unwrap() = Some(given.is_some() && given == TraceContext::current());
        Response::new(Empty::<Bytes>::new())
    }));
    assert_eq!(*seen.lock().unwrap(), Some(true));
}

#[test]
fn nothing_secret_stands_in_any_line() {
    let (capture, _guard) = capture();
    let mut request = get("/login?token=SECRET&code=SECRET");
    for header in [
        "authorization",
        "cookie",
        "x-api-key",
        "x-request-id",
        "traceparent",
    ] {
        request
            .headers_mut()
            .insert(header, "SECRET;SECRET".parse().unwrap());
    }
    let layer = RequestLayer::new()
        .public_endpoint(true)
        .expect_routes(true);
    drop(serve(&layer, request, |_| {
        let answer = Response::builder()
            .status(500)
            .header("set-cookie", "SECRET");
        answer.body(Full::<Bytes>::from("SECRET")).unwrap()
    }));
    assert_eq!(capture.lines().len(), 2);
    assert!(!format!("{:?}", capture.lines()).contains("SECRET"));
}

#[test]
fn a_level_that_panics_leaves_the_line_its_own() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().level(|_| panic!("a bug in the level"));
    let response = serve(&layer, get("/"), |_| {
        Response::new(Full::<Bytes>::from("x"))
    });
    assert_eq!(now(response.into_body().collect()).unwrap().to_bytes(), "x");
    assert_eq!(capture.gists(), ["INFO request completed, 200 completed"]);
}

#[test]
fn an_observer_that_panics_costs_the_request_nothing() {
    let (capture, _guard) = capture();
    let layer = RequestLayer::new().on_finish(|_| panic!("a bug in the metrics"));
    let response = serve(&layer, get("/"), |_| {
        Response::new(Full::<Bytes>::from("x"))
    });
    assert_eq!(now(response.into_body().collect()).unwrap().to_bytes(), "x");
    assert_eq!(capture.gists(), ["INFO request completed, 200 completed"]);
}

#[test]
fn the_layer_can_be_cloned_and_its_future_sent() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let service = service_fn(
        |_: Request<()>| -> Ready<Result<Response<Full<Bytes>>, Infallible>> {
            ready(Ok(Response::new(Full::default())))
        },
    );
    drop(sent(
        RequestLayer::new().clone().layer(service).call(get("/")),
    ));
}

/// Knows nothing but `record_debug`, as a visitor that somebody writes in a hurry.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut visit = |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}"));
            }
        };
        event.record(&mut visit);
    }
}

#[test]
fn a_message_is_shown_without_quotes_to_a_visitor_that_knows_only_debug() {
    let messages = Messages::default();
    let _guard = set_default(registry().with(messages.clone()));
    let layer = RequestLayer::new();
    drop(serve(&layer, get("/"), |_| {
        Response::new(Empty::<Bytes>::new())
    }));
    tracing::info!("what a macro says");
    assert_eq!(
        *messages.0.lock().unwrap(),
        ["request completed", "what a macro says"]
    );
}
