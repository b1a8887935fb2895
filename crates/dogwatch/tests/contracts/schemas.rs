//! A schema names what is written and nothing else: every line of a log has it, rules do not see it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::get;
use dogwatch::alert::{Alert, State};
use dogwatch::{Config, Sample, Schema};
use dogwatch_line::{Line, Value};
use tower::util::ServiceExt;
use tracing_core::dispatcher;

use crate::{LONG, lines, start};

#[tokio::test]
async fn every_line_of_a_log_has_its_schema_and_rules_keep_the_names_of_the_dictionary() {
    const RULES: &str = "
- {name: slow bank, match: {level: ERROR, user_id: u-1}, threshold: 1, action: keep}
- {name: renamed, match: {log.level: ERROR}, threshold: 1, action: keep}
- {name: not found, match: {status: 404, path: /nowhere}, threshold: 1, action: keep}";
    let dir = tempfile::tempdir().unwrap();
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&sent);
    let config = Config::prod()
        .service("shop")
        .schema(Schema::ecs())
        .sample(Sample::first(1))
        .rules_text(RULES)
        .notifier("keep", move |alert: &Alert| {
            keep.lock().unwrap().push(alert.rule.to_string());
            Ok(())
        });
    let (dispatch, log) = start(config, dir.path());
    let _default = dispatcher::set_default(&dispatch);
    let app = axum::Router::new()
        .route("/pay", get(pay))
        .layer(log.request_layer());
    for path in ["/pay", "/pay", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer: Result<Response<Body>, Infallible> = app.clone().oneshot(request).await;
        let body = answer.unwrap().into_body();
        axum::body::to_bytes(body, usize::MAX).await.unwrap();
    }
    let alerts = log.alerts().unwrap().clone();
    assert!(alerts.wait(LONG, |states| {
        let firing = |at: usize| states[at].state == State::Firing;
        firing(0) && firing(2)
    }));
    log.close(LONG).unwrap();
    let mut sent = sent.lock().unwrap().clone();
    sent.sort();
    assert_eq!(sent, ["not found", "slow bank"]);

    let lines = lines(dir.path());
    let (mut closing, mut gaps) = (0, 0);
    for text in &lines {
        let line = Line::parse(text).expect("valid, with unique keys");
        assert!(text.starts_with("{\"@timestamp\":\""), "{text}");
        for held in ["log.level", "message", "ecs.version", "log.logger"] {
            assert!(line.field(held).is_some(), "{held} in {text}");
        }
        assert_eq!(line.field("service.name"), Some(Value::from("shop")));
        for (key, _) in line.fields() {
            let own = [
                "timestamp",
                "level",
                "target",
                "service",
                "trace_id",
                "span_id",
            ];
            assert!(!own.contains(&&*key), "{text}");
        }
        closing += usize::from(line.field("http.response.status_code").is_some());
        gaps += usize::from(line.field("gap.lines").is_some());
    }
    assert_eq!((closing, gaps), (3, 1), "{lines:#?}");
}

async fn pay() -> &'static str {
    tracing::error!(user_id = "u-1", "the bank is away");
    tracing::info!("paid");
    "ok"
}
