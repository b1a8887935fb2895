//! What `json` writes, `line` reads.

use std::borrow::Cow;

use dogwatch_line::{Level, Line, Value};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_line_gives_back_what_was_logged(
        message in any::<String>(),
        text in any::<String>(),
        shown in any::<String>(),
        signed in any::<i64>(),
        unsigned in any::<u64>(),
        float in any::<f64>(),
        flag in any::<bool>(),
        inherited in any::<String>(),
    ) {
        let log = dogwatch::capture();
        let span = tracing::info_span!("work", inherited, text = "hidden by the event");
        span.in_scope(|| {
            tracing::warn!(text, shown = ?shown, signed, unsigned, float, flag, "{message}");
        });
        let all = log.text();
        prop_assert_eq!(all.matches('\n').count(), 1);
        let line = Line::parse(all.trim_end_matches('\n')).expect("valid, with unique keys");

        let as_text = |text: String| Some(Value::Str(Cow::Owned(text)));
        prop_assert_eq!(line.level(), Some(Level::Warn));
        prop_assert_eq!(line.message().map(Cow::into_owned), Some(message));
        prop_assert_eq!(line.field("text"), as_text(text));
        prop_assert_eq!(line.field("shown"), as_text(format!("{shown:?}")));
        prop_assert_eq!(line.field("inherited"), as_text(inherited));
        prop_assert!(line.field("signed").expect("there").equals(&Value::I64(signed)));
        prop_assert!(line.field("unsigned").expect("there").equals(&Value::U64(unsigned)));
        prop_assert_eq!(line.field("flag"), Some(Value::Bool(flag)));
        match line.field("float").expect("there") {
            Value::Null => prop_assert!(!float.is_finite()),
            value => prop_assert!(value.equals(&Value::F64(float))),
        }
    }
}

#[test]
fn a_field_of_any_name_stands_on_its_line_once() {
    let log = dogwatch::capture();
    let span = tracing::info_span!("span", level = "spoofed", message = "m", id = 1);
    span.in_scope(|| tracing::info!(level = "FATAL", timestamp = 0, target = "t", id = 2, "真的"));
    let text = log.text();
    let line = Line::parse(text.trim_end()).expect("valid, with unique keys");
    assert_eq!(line.level(), Some(Level::Info));
    assert_eq!(line.message().as_deref(), Some("真的"));
    assert!(line.field("id").expect("there").equals(&Value::U64(2)));
    assert!(text.contains("FATAL"), "nothing is lost either: {text}");
}

#[test]
fn a_dotted_field_is_found_by_its_name_whether_it_is_nested_or_not() {
    const RULE: &str = "- {name: failed, match: {http.status: 500}, threshold: 1, action: log}";
    for on in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let config = dogwatch::Config::prod().nest_dots(on).rules_text(RULE);
        let (dispatch, log) = crate::start(config, dir.path());
        tracing_core::dispatcher::with_default(&dispatch, || {
            tracing::info!(http.method = "GET", http.status = 500, "m");
        });
        assert_eq!(log.alerts().unwrap().counts()[0].matched, 1);
        log.close(crate::LONG).unwrap();
        let lines = crate::lines(dir.path());
        let line = lines.iter().find(|line| line.contains("GET")).unwrap();
        assert_eq!(
            line.contains(r#""http":{"method":"GET","status":500}"#),
            on,
            "{line}"
        );
        let line = Line::parse(line).unwrap();
        assert_eq!(line.field("http.status"), Some(Value::I64(500)));
    }
}
