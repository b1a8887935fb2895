//! Errors with their type and where they arose, as far as Rust lets a layer know.

mod support;

use dogwatch_json::{ErrorValue, Redact, Treatment};
use serde_json::{Value, json};
use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use support::{Sink, layer, logged};
use tracing::{error, info_span, warn};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct PayError {
    says: &'static str,
    cause: Option<Box<PayError>>,
}

impl fmt::Display for PayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.says)?;
        if self.says == "boom" {
            std::panic::resume_unwind(Box::new(()));
        }
        Ok(())
    }
}

impl Error for PayError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

fn failed(says: &'static str) -> PayError {
    let cause = PayError {
        says: "timed \"out\"",
        cause: None,
    };
    PayError {
        says,
        cause: Some(Box::new(cause)),
    }
}

fn as_error(error: &PayError) -> &(dyn Error + 'static) {
    error
}

#[test]
fn an_error_tells_its_type_if_its_type_is_known() {
    let lines = logged(|| {
        let e = failed("not paid");
        let dynamic = as_error(&e);
        error!(error = ?ErrorValue::of(&e), "m");
        error!(cause = ?ErrorValue::of(&&e), "m");
        error!(error = ?ErrorValue::of(&dynamic), "m");
        error!(error = ?ErrorValue::of_dyn(dynamic), "m");
        error!(error = ?ErrorValue::of_dyn(dynamic).type_name("shop::PayError"), "m");
        info_span!("s", error = ?ErrorValue::of(&e)).in_scope(|| warn!("m"));
    })
    .lines();
    let plain = json!({"message": "not paid", "causes": ["timed \"out\""]});
    let typed = |name: &str| {
        let mut object = plain.clone();
        object["type"] = json!(name);
        object
    };
    assert_eq!(lines[0]["error"], typed("errors::PayError"));
    assert_eq!(lines[1]["cause"], typed("errors::PayError"));
    assert_eq!(lines[2]["error"], plain);
    assert_eq!(lines[3]["error"], plain);
    assert_eq!(lines[4]["error"], typed("shop::PayError"));
    assert_eq!(lines[5]["error"], typed("errors::PayError"));
}

#[test]
fn a_backtrace_that_was_captured_is_handed_over() {
    let backtrace = Backtrace::force_capture();
    let lines = logged(|| {
        let e = failed("not paid");
        error!(error = ?ErrorValue::of(&e).backtrace(&backtrace), "m");
        error!(error = ?ErrorValue::of(&e).backtrace(&Backtrace::disabled()), "m");
    })
    .lines();
    let told = lines[0]["error"]["backtrace"].as_str().unwrap();
    assert!(backtrace.to_string().starts_with(told), "{told}");
    assert!(told.len() > 1000, "{told}");
    // A backtrace is longer than a text may be.
    assert_eq!(
        lines[0].get("truncated").is_some(),
        told.len() < backtrace.to_string().len()
    );
    assert!(lines[1]["error"].get("backtrace").is_none());
}

#[inline(never)]
fn logs_at_a_place_of_its_own() {
    error!(error = as_error(&failed("not paid")), "m");
    error!(error = "a text", "m");
    error!("no error");
    warn!(error = "only a warning", "m");
}

#[test]
fn an_error_tells_where_it_was_logged_if_asked_to() {
    let sink = Sink::default();
    let layer = layer(&sink).error_backtrace(true).max_line_bytes(1 << 20);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        logs_at_a_place_of_its_own();
    });
    let lines = sink.lines();
    for line in &lines[..2] {
        let told = line["error"]["backtrace"].as_str().unwrap();
        let place = told.find("logs_at_a_place_of_its_own");
        assert!(place.is_some(), "{told}");
        // The frames of those who wrote the line are left out.
        assert!(!told.contains("dogwatch_json::encode"), "{told}");
        assert!(!told.contains("Event::dispatch"), "{told}");
    }
    assert!(!lines[2].contains_key("error"));
    assert_eq!(
        lines[3]["error"],
        json!({"message": "only a warning", "causes": []})
    );
}

#[test]
fn type_and_backtrace_are_redacted_by_their_paths() {
    let told = |redact: Redact| {
        let sink = Sink::default();
        let layer = layer(&sink).redact(redact).error_backtrace(true);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let e = failed("not paid");
            let here = Backtrace::force_capture();
            error!(error = ?ErrorValue::of(&e).backtrace(&here), "m");
            error!(error = as_error(&e), "m");
        });
        sink.lines()
    };
    let lines = told(
        Redact::none()
            .path("error.type", Treatment::Mask)
            .path("error.backtrace", Treatment::Drop),
    );
    assert_eq!(lines[0]["error"]["type"], "***");
    assert!(lines[0]["error"].get("backtrace").is_none());
    assert!(lines[1]["error"].get("backtrace").is_none());
    let lines = told(Redact::none().key("error", Treatment::Mask));
    let masked = json!({"message": "***", "causes": []});
    assert!(lines.iter().all(|line| line["error"] == masked));
}

#[test]
fn an_error_is_cut_at_its_budgets_and_named() {
    let backtrace = Backtrace::force_capture();
    let long = "x".repeat(3000);
    for length in (0..2600).step_by(7) {
        let sink = Sink::default();
        let layer = layer(&sink).max_line_bytes(2048).error_backtrace(true);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let e = failed("not paid");
            let value = ErrorValue::of(&e).backtrace(&backtrace).type_name(&long);
            error!(a = &long[..length], error = ?value, "m");
            error!(a = &long[..length], error = as_error(&e), "m");
        });
        for (line, text) in sink.lines().iter().zip(sink.texts()) {
            assert!(text.len() <= 2048, "{} at {length}", text.len());
            let cut = line["truncated"].as_array().unwrap();
            assert!(cut.contains(&json!("error")), "{length}: {text}");
        }
    }
}

#[test]
fn a_value_that_panics_costs_its_text_only() {
    let line = logged(|| {
        let e = failed("boom");
        error!(error = ?ErrorValue::of(&e), after = 1, "m");
    })
    .line();
    let expected = json!({
        "message": "boom<formatting panicked>", "causes": ["timed \"out\""],
        "type": "errors::PayError",
    });
    assert_eq!((&line["error"], &line["after"]), (&expected, &json!(1)));
}

#[test]
fn where_a_text_is_wanted_it_is_a_text() {
    let e = failed("not paid");
    let shown = "not paid: timed \"out\"";
    let line = logged(|| {
        let value = ErrorValue::of(&e);
        warn!(
            user_id = ?value, some = ?Some(value), pretty = format!("{value:#?}"),
            behind = ?format_args!("!{value:?}"), before = ?format_args!("{value:?}!"), "m"
        );
    })
    .line();
    assert_eq!(line["user_id"], shown);
    assert_eq!(line["some"], format!("Some({shown})"));
    assert_eq!(line["pretty"], shown);
    assert_eq!(line["behind"], format!("!{shown}"));
    // Then the JSON is the beginning of a text.
    let before = line["before"].as_str().unwrap().strip_suffix('!').unwrap();
    let read: Value = serde_json::from_str(before).unwrap();
    assert_eq!(read["message"], "not paid");
}
