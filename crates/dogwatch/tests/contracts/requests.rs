//! A request is one line and one observation, from one record.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use dogwatch::{Config, ShedLayer};
use dogwatch_line::{Level, Line};
use tower::util::ServiceExt;
use tracing_core::dispatcher;

use crate::{LONG, lines, start};

async fn ask(app: &axum::Router, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer: Result<Response<Body>, Infallible> = app.clone().oneshot(request).await;
    let (parts, body) = answer.unwrap().into_parts();
    axum::body::to_bytes(body, usize::MAX).await.unwrap();
    parts.status
}

#[tokio::test]
async fn lines_and_the_histogram_count_the_same_requests() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start(Config::prod(), dir.path());
    let _default = dispatcher::set_default(&dispatch);
    let app = axum::Router::new()
        .route("/items/{id}", get(async || "好"))
        .route("/broken", get(async || StatusCode::BAD_GATEWAY))
        .route("/extra", get(async || "extra"))
        .layer(ShedLayer::new(log.shed_switch()).route("/extra"))
        .layer(log.request_layer().quiet("/healthz"));

    log.shed_switch().store(true, Relaxed);
    assert_eq!(ask(&app, "/items/1?token=secret").await, StatusCode::OK);
    assert_eq!(ask(&app, "/items/2").await, StatusCode::OK);
    assert_eq!(ask(&app, "/broken").await, StatusCode::BAD_GATEWAY);
    assert_eq!(ask(&app, "/extra").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&app, "/nowhere").await, StatusCode::NOT_FOUND);
    assert_eq!(ask(&app, "/healthz").await, StatusCode::NOT_FOUND);

    let page = log.metrics().render(None).1;
    for sample in [
        "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/items/{id}\",http_response_status_code=\"200\",network_protocol_version=\"1.1\",url_scheme=\"http\"} 2\n",
        "http_server_active_requests{http_request_method=\"GET\"} 0\n",
    ] {
        assert!(page.contains(sample), "{page}");
    }
    log.close(LONG).unwrap();
    let lines = lines(dir.path());
    let closing: Vec<Line<'_>> = lines
        .iter()
        .map(|line| Line::parse(line).expect("valid"))
        .filter(|line| line.field("outcome").is_some())
        .collect();
    let shown = |line: &Line<'_>| {
        let text = |key: &str| {
            line.field(key)
                .map_or_else(String::new, |value| value.to_string())
        };
        (
            line.level().unwrap(),
            text("route"),
            text("status"),
            text("outcome"),
        )
    };
    let want = |level, route: &str, status: &str, outcome: &str| {
        (
            level,
            route.to_owned(),
            status.to_owned(),
            outcome.to_owned(),
        )
    };
    assert_eq!(
        closing.iter().map(shown).collect::<Vec<_>>(),
        [
            want(Level::Info, "/items/{id}", "200", "completed"),
            want(Level::Info, "/items/{id}", "200", "completed"),
            want(Level::Error, "/broken", "502", "completed"),
            want(Level::Info, "/extra", "503", "shed"),
            want(Level::Warn, "", "404", "completed"),
        ]
    );
    assert!(!lines.concat().contains("secret"));
    let counted: u64 = page
        .lines()
        .filter(|line| line.starts_with("http_server_request_duration_seconds_count"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(counted, 5, "{page}");
}

#[tokio::test]
async fn latencies_are_numbers_in_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start(Config::prod(), dir.path());
    let _default = dispatcher::set_default(&dispatch);
    // Each look at the clock is 20.25 ms after the one before: arrival, headers, end.
    let (start, looks) = (Instant::now(), AtomicU32::new(0));
    let clock = move || start + Duration::from_micros(20_250) * looks.fetch_add(1, Relaxed);
    let app = axum::Router::new()
        .route("/", get(async || "好"))
        .layer(log.request_layer().clock(clock));
    assert_eq!(ask(&app, "/").await, StatusCode::OK);
    log.close(LONG).unwrap();
    let lines = lines(dir.path());
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let told = ["latency_ms", "ttfb_ms", "status", "bytes_out"].map(|field| line[field].clone());
    assert_eq!(
        serde_json::json!(told),
        serde_json::json!([40.5, 20.25, 200, 3])
    );
}

#[tokio::test]
async fn what_a_handler_logs_carries_the_requests_trace() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start(Config::prod(), dir.path());
    let _default = dispatcher::set_default(&dispatch);
    let app = axum::Router::new()
        .route(
            "/",
            get(async || {
                tracing::info!(event = "order_created", "新订单");
            }),
        )
        .layer(log.request_layer());
    let request = Request::get("/")
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Body::empty())
        .unwrap();
    app.oneshot(request).await.unwrap();
    log.close(LONG).unwrap();
    let lines = lines(dir.path());
    assert_eq!(lines.len(), 2);
    let ids = |line: &str| {
        let line = Line::parse(line).unwrap();
        let text = |key| line.field(key).expect("there").to_string();
        (text("trace_id"), text("span_id"), text("parent_span_id"))
    };
    let (inside, closing) = (ids(&lines[0]), ids(&lines[1]));
    assert_eq!(inside, closing);
    assert_eq!(inside.0, "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(inside.2, "00f067aa0ba902b7");
}

#[tokio::test]
async fn a_filter_by_target_takes_no_id_from_a_handlers_lines() {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = crate::start_with(Config::prod(), dir.path(), "contracts=info");
    let _default = dispatcher::set_default(&dispatch);
    let app = axum::Router::new()
        .route("/", get(async || tracing::info!("inside")))
        .layer(log.request_layer());
    assert_eq!(ask(&app, "/").await, StatusCode::OK);
    log.close(LONG).unwrap();
    let lines = lines(dir.path());
    assert_eq!(
        lines.len(),
        1,
        "the closing line was not asked for: {lines:?}"
    );
    let line = Line::parse(&lines[0]).unwrap();
    assert_eq!(line.message().as_deref(), Some("inside"));
    assert_eq!(line.field("trace_id").expect("there").to_string().len(), 32);
}
