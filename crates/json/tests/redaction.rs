//! Secrets do not reach the line, from events or from spans.

mod support;

use dogwatch_json::{Redact, Treatment};
use serde_json::json;
use std::error::Error;
use std::fmt;
use support::{Sink, layer};
use tracing::field::Empty;
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct Secret;

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hunter2")
    }
}

impl Error for Secret {}

fn with(redact: Redact, run: impl FnOnce()) -> Sink {
    let sink = Sink::default();
    let registry = tracing_subscriber::registry().with(layer(&sink).redact(redact));
    tracing::subscriber::with_default(registry, run);
    assert!(
        sink.texts().iter().all(|text| !text.contains("hunter2")),
        "{:?}",
        sink.texts()
    );
    sink
}

#[test]
fn a_secret_is_masked_whatever_its_type_and_place() {
    let error: &(dyn Error + 'static) = &Secret;
    let line = with(Redact::secrets(), || {
        let span = info_span!("s", token = "hunter2", session_key = Empty, user = "u").entered();
        span.record("session_key", "hunter2");
        info!(
            password = "hunter2", secret = %Secret, cookie = ?("hunter2",), phone = 13800138000_u64,
            authorization = error, otp = true, pin = 1.5, order_id = "o", "m"
        );
    })
    .line();
    for key in [
        "token",
        "session_key",
        "password",
        "secret",
        "cookie",
        "phone",
        "authorization",
        "otp",
        "pin",
    ] {
        assert_eq!(line[key], "***", "{key}");
    }
    assert_eq!(
        (&line["user"], &line["order_id"]),
        (&json!("u"), &json!("o"))
    );
}

#[test]
fn a_secret_can_be_left_out_or_hashed_so_that_equals_stay_equal() {
    let redact = Redact::none()
        .key("password", Treatment::Drop)
        .key("phone", Treatment::Hash(*b"0123456789abcdef"))
        .key("error", Treatment::Mask);
    let error: &(dyn Error + 'static) = &Secret;
    let lines = with(redact, || {
        info!(password = "hunter2", phone = "13800138000", error);
        info!(phone = 13800138000_u64);
        info!(phone = "13800138001");
    })
    .lines();
    assert!(!lines[0].contains_key("password"));
    assert_eq!(lines[0]["phone"], lines[1]["phone"]);
    assert_ne!(lines[0]["phone"], lines[2]["phone"]);
    assert!(lines[0]["phone"].as_str().unwrap().starts_with("hash:"));
    assert_eq!(lines[0]["error"], json!({"message": "***", "causes": []}));
}

#[test]
fn a_masked_value_is_never_formatted() {
    struct Never;
    impl fmt::Debug for Never {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            unreachable!("a masked value was formatted")
        }
    }
    let line = with(Redact::secrets(), || info!(password = ?Never, "m")).line();
    assert_eq!(line["password"], "***");
}

#[test]
fn a_secret_under_a_clashing_key_is_still_a_secret() {
    let sink = Sink::default();
    let layer = layer(&sink)
        .field("token", "build")
        .redact(Redact::secrets());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!(token = "hunter2", "m");
    });
    let line = sink.line();
    assert_eq!(
        (&line["token"], &line["token_"]),
        (&json!("build"), &json!("***"))
    );
}
