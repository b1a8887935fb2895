//! Input that breaks other formatters: each line stays whole, and nothing reaches the application.

mod support;

use dogwatch_json::{JsonLayer, catching_panic};
use serde_json::json;
use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use support::{Sink, callsite, layer, logged};
use tracing::{error, info, info_span};
use tracing_subscriber::prelude::*;

/// Writes some text, then fails in one of several ways.
#[derive(Clone, Copy, Debug)]
enum Bad {
    Fails,
    Panics,
    IgnoresTheEnd,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so \"far")?;
        match self {
            Bad::Fails => Err(fmt::Error),
            Bad::Panics => panic!("in a Display"),
            Bad::IgnoresTheEnd => {
                for _ in 0..100 {
                    let _ = f.write_str(&"x".repeat(1000));
                }
                Ok(())
            }
        }
    }
}

#[test]
fn a_display_that_fails_or_panics_costs_only_the_rest_of_its_value() {
    for (bad, remark) in [
        (Bad::Fails, "<formatting failed>"),
        (Bad::Panics, "<formatting panicked>"),
    ] {
        let sink = logged(|| {
            info!(before = 1, bad = %bad, after = 2, "m {}", bad);
            let span = info_span!("s", inner = %bad, late = tracing::field::Empty).entered();
            span.record("late", tracing::field::display(bad));
            info!("next");
        });
        let lines = sink.lines();
        assert_eq!(lines.len(), 2);
        let text = format!("so \"far{remark}");
        assert_eq!(lines[0]["message"], format!("m {text}"));
        assert_eq!(lines[0]["bad"], text);
        assert_eq!(lines[0]["before"], 1);
        assert_eq!(lines[0]["after"], 2);
        assert_eq!(lines[1]["message"], "next");
        assert_eq!(lines[1]["inner"], text);
        assert_eq!(lines[1]["late"], text);
        assert!(!lines[0].contains_key("truncated"));
    }
}

#[test]
fn a_display_that_does_not_stop_when_told_is_cut() {
    let line = logged(|| info!(a = %Bad::IgnoresTheEnd, b = 1, "m")).line();
    assert_eq!(
        line["a"].as_str().unwrap().len(),
        8 * 1024 - 1,
        "one byte went to an escape"
    );
    assert_eq!(line["b"], 1);
    assert_eq!(line["truncated"], json!(["a"]));
}

#[test]
fn no_field_can_pose_as_the_lines_own() {
    let sink = Sink::default();
    let layer = layer(&sink)
        .service("shop")
        .field("region", "eu")
        .file_and_line(true);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let _span = info_span!(
            "s",
            level = "span",
            timestamp = 2,
            message = "span",
            service = "span",
            extra = 1
        )
        .entered();
        error!(
            level = "custom",
            timestamp = 1,
            target = "tt",
            truncated = "no",
            service = "other",
            region = "us",
            file = "f",
            line = 0,
            env = "mine",
            "msg"
        );
    });
    let line = sink.line();
    for (key, value) in [
        ("level", json!("ERROR")),
        ("timestamp", json!(support::NOW)),
        ("target", json!("hostile")),
        ("service", json!("shop")),
        ("region", json!("eu")),
        ("message", json!("msg")),
        ("level_", json!("custom")),
        ("timestamp_", json!(1)),
        ("target_", json!("tt")),
        ("truncated_", json!("no")),
        ("service_", json!("other")),
        ("region_", json!("us")),
        ("file_", json!("f")),
        ("line_", json!(0)),
        ("env", json!("mine")),
        ("message_", json!("span")),
        ("extra", json!(1)),
    ] {
        assert_eq!(line.get(key), Some(&value), "{key}");
    }
    assert!(line["file"].as_str().unwrap().ends_with("hostile.rs"));
    assert!(line["line"].as_u64().unwrap() > 0);
    assert!(!line.contains_key("truncated"));
}

#[test]
fn a_key_that_comes_twice_is_written_twice_under_two_names() {
    let number = |n: &'static u64| Some(n as &dyn tracing::field::Value);
    let line = logged(|| {
        let name = str::to_owned;
        callsite::event(
            "t",
            &[
                (name("a"), number(&1)),
                (name("a"), number(&2)),
                (name("a_"), number(&3)),
                (name("message"), Some(&"the message")),
                (name("message"), Some(&"another")),
            ],
        );
    })
    .line();
    assert_eq!(
        (&line["a"], &line["a_"], &line["a__"]),
        (&json!(1), &json!(2), &json!(3))
    );
    assert_eq!(
        (&line["message"], &line["message_"]),
        (&json!("the message"), &json!("another"))
    );
}

#[test]
fn a_field_given_twice_in_one_value_set_is_written_once() {
    let names = ["a".to_owned(), "b".to_owned()];
    let metadata = callsite::made(tracing::metadata::Kind::EVENT, "t", &names);
    let sink = logged(|| {
        let a = metadata.fields().field("a").unwrap();
        let b = metadata.fields().field("b").unwrap();
        let values: [(&_, Option<&dyn tracing::field::Value>); 3] =
            [(&b, Some(&1)), (&a, Some(&2)), (&b, Some(&3))];
        tracing::Event::dispatch(metadata, &metadata.fields().value_set(&values));
    });
    let line = sink.line();
    assert_eq!((&line["a"], &line["b"]), (&json!(2), &json!(1)));
}

#[test]
fn keys_with_quotes_and_control_characters_are_escaped() {
    let line = logged(|| {
        callsite::event(
            "ta\"rget\n",
            &[
                ("a\"b\\c\n".to_owned(), Some(&1)),
                (String::new(), Some(&2)),
                ("名".to_owned(), Some(&3)),
            ],
        );
    })
    .line();
    assert_eq!(line["a\"b\\c\n"], 1);
    assert_eq!(line[""], 2);
    assert_eq!(line["名"], 3);
    assert_eq!(line["target"], "ta\"rget\n");
}

#[test]
fn dotted_and_plain_names_stand_side_by_side() {
    let line = logged(|| info!(http.method = "GET", http = "clash", name = "n", "m")).line();
    assert_eq!(line["http.method"], "GET");
    assert_eq!(line["http"], "clash");
    assert_eq!(line["name"], "n");
}

#[test]
fn ten_megabytes_fit_in_a_line() {
    let long = "汉\"\u{1}".repeat(2_000_000);
    let sink = logged(|| {
        let _span = info_span!("s", trace_id = "t", huge = %long, small = 1).entered();
        info!(text = long.as_str(), debug = ?long, display = %long, last = 7, "{long}");
    });
    assert!(
        sink.texts()[0].len() <= 16 * 1024,
        "{}",
        sink.texts()[0].len()
    );
    let line = sink.line();
    assert_eq!(line["trace_id"], "t");
    assert!(line["message"].as_str().unwrap().starts_with("汉\"\u{1}汉"));
    let truncated = line["truncated"].as_array().unwrap();
    for gone in ["message", "text", "debug", "display", "huge"] {
        assert!(truncated.contains(&json!(gone)), "{truncated:?}");
    }
}

#[test]
fn budgets_can_be_chosen_and_a_small_one_keeps_envelope_and_ids() {
    let sink = Sink::default();
    let layer = layer(&sink)
        .max_line_bytes(0)
        .max_field_bytes(100)
        .service("s".repeat(5000));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let trace_id = "0af7651916cd43dd8448eb211c80319c";
        let span = info_span!("s", trace_id, filler = "f".repeat(9000));
        let _inner = info_span!(parent: &span, "inner", filler2 = "f".repeat(9000)).entered();
        info!(a = "a".repeat(99), b = "b".repeat(101), "m");
        for _ in 0..2 {
            info!(
                c = "c".repeat(9000),
                d = "d".repeat(9000),
                e = "e".repeat(9000),
                "m"
            );
        }
    });
    let lines = sink.lines();
    assert_eq!(lines[0]["a"].as_str().unwrap().len(), 99);
    assert_eq!(lines[0]["b"].as_str().unwrap().len(), 100);
    assert_eq!(lines[0]["truncated"], json!(["b", "filler2", "filler"]));
    for (line, text) in lines.iter().zip(sink.texts()) {
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
        assert_eq!(line["parent_span_id"].as_str().unwrap().len(), 16);
        assert!(text.len() <= 5000 + 13 + 2048, "{}", text.len());
    }
}

#[test]
fn a_thousand_fields_are_written_or_named() {
    let fields: Vec<(String, Option<&dyn tracing::field::Value>)> = (0..1000)
        .map(|n| (format!("field_number_{n}"), Some(&12_345_678_u64 as _)))
        .collect();
    let sink = logged(|| callsite::event("t", &fields));
    let line = sink.line();
    let written = line
        .keys()
        .filter(|key| key.starts_with("field_number_"))
        .count();
    let named = line["truncated"].as_array().unwrap();
    let more = named
        .last()
        .unwrap()
        .as_str()
        .unwrap()
        .strip_suffix(" more")
        .unwrap();
    assert_eq!(
        written + named.len() - 1 + more.parse::<usize>().unwrap(),
        1000
    );
    assert!(written > 400, "{written}");
    assert!(sink.texts()[0].len() <= 16 * 1024);
}

/// An error with a chain of sources.
#[derive(Debug)]
struct Chain {
    text: &'static str,
    source: Option<Box<Chain>>,
    source_panics: bool,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        assert!(!self.source_panics, "in source()");
        self.source.as_deref().map(|source| source as _)
    }
}

fn chain(texts: &[&'static str]) -> Chain {
    let source = (texts.len() > 1).then(|| Box::new(chain(&texts[1..])));
    Chain {
        text: texts[0],
        source,
        source_panics: false,
    }
}

#[test]
fn an_error_is_written_with_its_causes() {
    let top = chain(&["cannot pay", "connection \"reset\"", "os error 104"]);
    let line = logged(|| {
        let error: &(dyn Error + 'static) = &top;
        let _span = info_span!("s", cause = error).entered();
        info!(error, other = error, message = error);
    })
    .line();
    let expected =
        json!({"message": "cannot pay", "causes": ["connection \"reset\"", "os error 104"]});
    assert_eq!(line["error"], expected);
    assert_eq!(line["other"], expected);
    assert_eq!(line["cause"], expected);
    assert_eq!(line["message"], "cannot pay");
}

#[test]
fn the_field_error_has_one_shape_whatever_it_is_given() {
    let top = chain(&["top", "cause"]);
    let lines = logged(|| {
        info!(error = "text");
        info!(error = %top);
        info!(error = ?Some(1));
        info!(error = 500);
        info!(error = f64::NAN);
        info!(error = true);
    })
    .lines();
    let messages: Vec<_> = lines
        .iter()
        .map(|line| line["error"]["message"].clone())
        .collect();
    assert_eq!(
        json!(messages),
        json!(["text", "top", "Some(1)", "500", "null", "true"])
    );
    assert!(
        lines
            .iter()
            .all(|line| line["error"]["causes"] == json!([]))
    );
}

#[test]
fn an_endless_or_panicking_chain_ends() {
    #[derive(Debug)]
    struct Ring;
    impl fmt::Display for Ring {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ring")
        }
    }
    impl Error for Ring {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Ring)
        }
    }
    let mut bad = chain(&["top", "cause"]);
    bad.source.as_mut().unwrap().source_panics = true;
    let lines = logged(|| {
        info!(error = &Ring as &(dyn Error + 'static));
        info!(error = &bad as &(dyn Error + 'static));
    })
    .lines();
    assert_eq!(lines[0]["error"]["causes"].as_array().unwrap().len(), 16);
    assert_eq!(lines[0]["truncated"], json!(["error"]));
    assert_eq!(
        lines[1]["error"],
        json!({"message": "top", "causes": ["cause"]})
    );
}

#[test]
fn a_huge_error_is_cut_and_stays_an_object() {
    let texts = vec![String::leak("long \"text\" ".repeat(500)) as &str; 10];
    let top = chain(&texts);
    let sink = logged(|| info!(error = &top as &(dyn Error + 'static), after = 1));
    assert!(sink.texts()[0].len() <= 16 * 1024);
    let line = sink.line();
    assert!(line["error"]["causes"].as_array().unwrap().len() < 9);
    assert!(
        line["truncated"]
            .as_array()
            .unwrap()
            .contains(&json!("error"))
    );
}

#[test]
fn an_event_during_an_unwind_is_written_even_if_its_display_panics() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            info!(bad = %Bad::Panics, "unwinding");
        }
    }
    let sink = logged(|| {
        let result = std::panic::catch_unwind(|| {
            let _guard = Guard;
            panic!("of the application");
        });
        assert!(result.is_err());
        info!("after");
    });
    let lines = sink.lines();
    assert_eq!(lines[0]["message"], "unwinding");
    assert_eq!(lines[0]["bad"], "so \"far<formatting panicked>");
    assert_eq!(lines[1]["message"], "after");
}

#[test]
fn an_event_from_a_thread_locals_destructor_is_written() {
    struct Last(tracing::Dispatch);
    impl Drop for Last {
        fn drop(&mut self) {
            let names = ["message".to_owned()];
            let metadata = callsite::made(tracing::metadata::Kind::EVENT, "t", &names);
            callsite::with_values(metadata, &[(names[0].clone(), Some(&"last"))], |values| {
                self.0.event(&tracing::Event::new(metadata, values));
            });
        }
    }
    thread_local!(static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) });
    let sink = Sink::default();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer(&sink)));
    std::thread::spawn(move || {
        LAST.set(Some(Last(dispatch.clone())));
        tracing::dispatcher::with_default(&dispatch, || info!("first"));
    })
    .join()
    .unwrap();
    let messages: Vec<_> = sink
        .lines()
        .iter()
        .map(|line| line["message"].clone())
        .collect();
    assert_eq!(messages, ["first", "last"]);
}

/// A writer that takes no line.
#[derive(Clone, Copy)]
enum Broken {
    Fails,
    Panics,
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match self {
            Broken::Fails => Err(io::Error::other("disk on fire")),
            Broken::Panics => panic!("in a writer"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_the_writer_does_not_take_are_counted_and_told_without_a_flood() {
    for (broken, expected) in [
        (Broken::Fails, "cannot write a line of log"),
        (
            Broken::Panics,
            "cannot write a line of log: its writer panicked",
        ),
    ] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let sees = Arc::clone(&told);
        let layer = JsonLayer::new(move || broken).on_error(move |error| {
            assert!(catching_panic());
            sees.lock()
                .unwrap()
                .push((error.to_string(), error.source().map(ToString::to_string)));
            panic!("in the callback");
        });
        let lost = layer.lost_lines();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..100 {
                info!("x");
            }
        });
        assert_eq!(lost.count(), 100);
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 7, "1, 2, 4 … 64: {told:?}");
        assert_eq!(told[2].0, format!("{expected} (4 lost so far)"));
        let cause = matches!(broken, Broken::Fails).then(|| "disk on fire".to_owned());
        assert_eq!(told[2].1, cause);
    }
}
