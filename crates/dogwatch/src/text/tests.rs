//! What the text layer prints, line by line.

use std::io;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::layer::SubscriberExt;

use super::*;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl io::Write for Page {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `log` prints, each line without its time and its place.
fn printed(colour: bool, log: impl FnOnce()) -> Vec<String> {
    let page = Page::default();
    let writer = page.clone();
    let mask = Arc::new(|key: &str| {
        (key == "password").then(|| Arc::new(|_: &str| Some("***".to_owned())) as _)
    });
    let nested = |key: &str, _: &dyn fmt::Debug| (key == "order").then(|| "{}".to_owned());
    let judge = Judge::new(mask, Arc::new(nested));
    let layer = TextLayer::new(move || writer.clone(), colour, judge);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
    let bytes = page.0.lock().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let place = format!(" {}", module_path!());
    let shown = |line: &str| line[13..].split(&place).next().unwrap().to_owned();
    text.lines()
        .map(|line| if colour { line.to_owned() } else { shown(line) })
        .collect()
}

#[test]
fn a_line_is_level_message_fields_spans_and_a_short_trace() {
    let lines = printed(false, || {
        let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let span = tracing::info_span!("request", trace_id, span_id = "1", user_id = 7, n = 1);
        let _in = span.entered();
        tracing::info!(
            event = "order_created",
            n = 2,
            product = "Kindle 保护套",
            "新订单"
        );
        tracing::warn!(password = "hunter2", empty = "", order = ?"hunter2");
    });
    assert_eq!(
        lines,
        [
            r#"INFO  新订单 event=order_created n=2 product="Kindle 保护套" user_id=7 4bf92f35"#,
            r#"WARN  password=*** empty="" order={} user_id=7 n=1 4bf92f35"#,
        ]
    );
}

#[test]
fn an_error_shows_each_cause_under_its_line() {
    let lines = printed(false, || {
        let cause = io::Error::other("连接被拒绝");
        let error = crate::Error::start("cannot pay").because(cause);
        let error: &(dyn std::error::Error + 'static) = &error;
        tracing::error!(error, "failed");
    });
    assert_eq!(
        lines,
        [r#"ERROR failed error="cannot pay""#, "caused by 连接被拒绝"]
    );
}

#[test]
fn no_value_reaches_the_terminal_as_a_command() {
    let lines = printed(false, || {
        tracing::info!(name = "a\x1b[2Jb\u{202e}c\nd", "x\ry")
    });
    assert_eq!(lines, [r"INFO  x\ry name=a\u{1b}[2Jb\u{202e}c\nd"]);
}

#[test]
fn a_display_that_panics_or_fails_is_shown_and_the_next_line_is_whole() {
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in a Display")
        }
    }
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    let lines = printed(false, || {
        tracing::info!(a = %Panics, b = %Fails);
        tracing::info!("whole");
    });
    let panics = r#"a="<panicked while formatting>" b="<failed to format>""#;
    assert_eq!(lines, [format!("INFO  {panics}").as_str(), "INFO  whole"]);
}

#[test]
fn a_value_recorded_later_takes_the_place_of_the_first() {
    let lines = printed(false, || {
        let span = tracing::info_span!("span", status = 0);
        span.record("status", 502);
        span.in_scope(|| tracing::info!("done"));
    });
    assert_eq!(lines, ["INFO  done status=502"]);
}

#[test]
fn colour_is_there_or_is_not() {
    let lines = printed(true, || tracing::error!("red"));
    assert!(
        lines[0].contains("\x1b[1;31mERROR\x1b[0m \x1b[1mred\x1b[0m"),
        "{lines:?}"
    );
    let lines = printed(false, || tracing::error!("plain"));
    assert!(!lines[0].contains('\x1b'), "{lines:?}");
}
