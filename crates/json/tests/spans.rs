//! What events inherit from spans, and how spans change.

mod support;

use dogwatch_json::{Redact, Treatment};
use serde_json::{Value, json};
use support::{Sink, layer, logged};
use tracing::field::Empty;
use tracing::{info, info_span};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::prelude::*;

/// The part of a line's text behind its message, without made ids.
fn tails(sink: &Sink) -> Vec<String> {
    let mut tails = Vec::new();
    for text in sink.texts() {
        let tail = text
            .split_once("\"message\":\"m\"")
            .expect("the message is m")
            .1;
        let parts = tail.trim_end().trim_end_matches('}').split(',');
        let kept: Vec<_> = parts.filter(|part| !part.contains("span_id\":")).collect();
        tails.push(kept.join(",").trim_start_matches(',').to_owned());
    }
    sink.lines();
    tails
}

#[test]
fn record_replaces_a_value_in_place() {
    let sink = logged(|| {
        let span = info_span!("s", a = 1, b = "two", c = 3, late = Empty).entered();
        info!("m");
        span.record("b", "a longer value");
        info!("m");
        span.record("late", true);
        span.record("a", 10);
        info!("m");
        span.record("b", "");
        info!("m");
    });
    assert_eq!(
        tails(&sink),
        [
            r#""a":1,"b":"two","c":3"#,
            r#""a":1,"b":"a longer value","c":3"#,
            r#""a":10,"b":"a longer value","c":3,"late":true"#,
            r#""a":10,"b":"","c":3,"late":true"#,
        ]
    );
}

#[test]
fn what_an_ancestor_records_reaches_every_descendant() {
    let sink = logged(|| {
        let root = info_span!("root", user_id = Empty, r = 1);
        let middle = info_span!(parent: &root, "middle", m = 1);
        let leaf = info_span!(parent: &middle, "leaf", l = 1);
        leaf.in_scope(|| info!("m"));
        root.record("user_id", "u1");
        leaf.in_scope(|| info!("m"));
        middle.record("m", 2);
        root.record("r", 2);
        leaf.in_scope(|| info!("m"));
        middle.in_scope(|| info!("m"));
        info_span!(parent: &leaf, "late").in_scope(|| info!("m"));
    });
    assert_eq!(
        tails(&sink),
        [
            r#""l":1,"m":1,"r":1"#,
            r#""l":1,"m":1,"r":1,"user_id":"u1""#,
            r#""l":1,"m":2,"r":2,"user_id":"u1""#,
            r#""m":2,"r":2,"user_id":"u1""#,
            r#""l":1,"m":2,"r":2,"user_id":"u1""#,
        ]
    );
}

#[test]
fn a_span_made_under_an_outdated_parent_sees_the_change() {
    let sink = logged(|| {
        let root = info_span!("root", r = 1);
        let middle = info_span!(parent: &root, "middle");
        root.record("r", 2);
        // `middle` still holds the old copy when `leaf` copies it.
        let leaf = info_span!(parent: &middle, "leaf");
        leaf.in_scope(|| info!("m"));
    });
    assert_eq!(tails(&sink), [r#""r":2"#]);
}

#[test]
fn the_event_wins_then_the_innermost_span() {
    let sink = logged(|| {
        let _outer = info_span!("outer", id = "outer", a = "outer", b = "outer").entered();
        let _inner = info_span!("inner", id = "inner", a = "inner").entered();
        info!(id = "event", "m");
        info!(id = None::<&str>, "m");
    });
    assert_eq!(
        tails(&sink),
        [
            r#""id":"event","a":"inner","b":"outer""#,
            r#""id":"inner","a":"inner","b":"outer""#,
        ]
    );
}

#[test]
fn ids_that_are_given_are_kept_and_the_others_made() {
    let sink = logged(|| {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let root = info_span!(
            "r",
            trace_id = trace,
            span_id = "b7ad6b7169203331",
            parent_span_id = "p"
        );
        let _root = root.entered();
        info!("in root");
        let _child = info_span!("child").entered();
        info!("in child");
        info_span!("grandchild", span_id = Empty).in_scope(|| info!("in grandchild"));
        info_span!(parent: None, "apart").in_scope(|| info!("apart"));
        info!(parent: None, "bare");
    });
    let lines = sink.lines();
    let ids = |n: usize| ["trace_id", "span_id", "parent_span_id"].map(|k| lines[n].get(k));
    let trace = json!("0af7651916cd43dd8448eb211c80319c");
    assert_eq!(
        ids(0),
        [
            Some(&trace),
            Some(&json!("b7ad6b7169203331")),
            Some(&json!("p"))
        ]
    );
    assert_eq!(ids(1)[0], Some(&trace));
    assert_eq!(ids(1)[2], Some(&json!("b7ad6b7169203331")));
    assert_eq!(ids(2)[0], Some(&trace));
    assert_eq!(ids(2)[2], ids(1)[1]);
    assert_eq!(ids(3)[0], None);
    assert_eq!(ids(3)[2], None);
    assert_eq!(ids(4), [None, None, None]);
    let made: Vec<_> = (1..4)
        .map(|n| ids(n)[1].and_then(Value::as_str).unwrap())
        .collect();
    for id in &made {
        assert!(
            id.len() == 16 && id.bytes().all(|b| b"0123456789abcdef".contains(&b)),
            "{id}"
        );
    }
    assert!(made[0] != made[1] && made[1] != made[2] && made[0] != made[2]);
}

#[test]
fn a_span_id_recorded_late_becomes_its_childrens_parent() {
    let sink = logged(|| {
        let root = info_span!("root", span_id = Empty, trace_id = Empty);
        let child = info_span!(parent: &root, "child");
        root.record("span_id", "00f067aa0ba902b7");
        root.record("trace_id", "t1");
        child.in_scope(|| info!("m"));
    });
    let line = sink.line();
    assert_eq!(line["parent_span_id"], "00f067aa0ba902b7");
    assert_eq!(line["trace_id"], "t1");
    assert_ne!(line["span_id"], "00f067aa0ba902b7");
}

#[test]
fn a_childs_own_record_keeps_what_it_inherited() {
    let sink = logged(|| {
        let root = info_span!("root", trace_id = "t", span_id = "s", r = 1);
        let child = info_span!(parent: &root, "child", c = 1, r = Empty);
        child.record("c", 2);
        child.in_scope(|| info!("m"));
        child.record("r", "own");
        child.in_scope(|| info!("m"));
    });
    assert_eq!(
        tails(&sink),
        [
            r#""trace_id":"t","c":2,"r":1"#,
            r#""trace_id":"t","c":2,"r":"own""#
        ]
    );
    for line in sink.lines() {
        assert_eq!(line["parent_span_id"], "s");
    }
}

#[test]
fn two_layers_on_one_registry_keep_their_spans_apart() {
    let (open, closed) = (Sink::default(), Sink::default());
    let registry = tracing_subscriber::registry().with(layer(&open)).with(
        layer(&closed)
            .service("b")
            .redact(Redact::none().key("a", Treatment::Mask)),
    );
    tracing::subscriber::with_default(registry, || {
        let root = info_span!("root", a = 1, late = Empty);
        let child = info_span!(parent: &root, "child", c = 1);
        root.record("late", 1);
        child.record("c", 2);
        child.in_scope(|| info!("m"));
    });
    assert_eq!(tails(&open), [r#""c":2,"a":1,"late":1"#]);
    assert_eq!(tails(&closed), [r#""c":2,"a":"***","late":1"#]);
    assert!(closed.line().contains_key("service") && !open.line().contains_key("service"));
}

#[test]
fn a_span_that_a_filter_hides_from_the_layer_is_passed_over() {
    let sink = Sink::default();
    let visible = FilterFn::new(|metadata| metadata.name() != "hidden");
    let registry = tracing_subscriber::registry()
        .with(layer(&sink).with_filter(visible))
        .with(tracing_subscriber::layer::Identity::new());
    tracing::subscriber::with_default(registry, || {
        let _outer = info_span!("outer", span_id = "outer", a = 1).entered();
        let hidden = info_span!("hidden", secret = 1);
        let _hidden = hidden.enter();
        hidden.record("secret", 2);
        info!("m");
        info_span!("inner", b = 1).in_scope(|| info!("m"));
    });
    assert_eq!(tails(&sink), [r#""a":1"#, r#""b":1,"a":1"#]);
    assert_eq!(sink.lines()[1]["parent_span_id"], "outer");
}

#[test]
fn a_span_travels_between_threads_and_closes_in_any_order() {
    let sink = Sink::default();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer(&sink)));
    tracing::dispatcher::with_default(&dispatch, || {
        let root = info_span!("root", r = 1, late = Empty);
        let child = info_span!(parent: &root, "child", c = 1);
        let copy = root.clone();
        drop(root);
        let dispatch = dispatch.clone();
        std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                copy.record("late", 2);
                let entered = copy.entered();
                child.in_scope(|| info!("m"));
                drop(entered);
                child.in_scope(|| info!("m"));
            });
        })
        .join()
        .unwrap();
    });
    assert_eq!(tails(&sink), [r#""c":1,"r":1,"late":2"#; 2]);
}

#[test]
fn threads_that_record_and_log_in_one_tree_write_whole_lines() {
    let sink = Sink::default();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(layer(&sink)));
    let root =
        tracing::dispatcher::with_default(&dispatch, || info_span!("root", n = 0, fixed = 7));
    let barrier = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (dispatch, root, barrier) = (&dispatch, &root, &barrier);
            scope.spawn(move || {
                tracing::dispatcher::with_default(dispatch, || {
                    let child = info_span!(parent: root, "child", thread);
                    barrier.wait();
                    for n in 0..200_u64 {
                        root.record("n", n * 4 + thread);
                        child.in_scope(|| info!("m"));
                    }
                });
            });
        }
    });
    let lines = sink.lines();
    assert_eq!(lines.len(), 800);
    assert!(
        lines
            .iter()
            .all(|line| line["fixed"] == 7 && line["n"].is_u64())
    );
    // The last value is what everybody sees at the end.
    tracing::dispatcher::with_default(&dispatch, || {
        root.record("n", 4000);
        info_span!(parent: &root, "after").in_scope(|| info!("m"));
    });
    assert_eq!(sink.lines()[800]["n"], 4000);
}

#[test]
fn two_hundred_nested_spans_keep_the_line_in_its_budget() {
    let sink = logged(|| {
        let mut spans = vec![info_span!("root", trace_id = "t", depth = 0, root = "r")];
        for depth in 1..200 {
            let filler = "x".repeat(300);
            spans.push(info_span!(parent: spans.last().unwrap(), "deep", depth, filler));
        }
        spans[0].record("depth", 0);
        spans.last().unwrap().in_scope(|| info!("m"));
    });
    let line = sink.line();
    assert_eq!(line["trace_id"], "t");
    assert_eq!(line["depth"], 199);
    assert_eq!(line["root"], "r");
    assert!(sink.texts()[0].len() <= 16 * 1024);
}

#[test]
fn a_span_older_than_the_layer_is_passed_over() {
    let sink = Sink::default();
    let (reload, handle) =
        tracing_subscriber::reload::Layer::new(None::<dogwatch_json::JsonLayer<Sink>>);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(reload), || {
        let old = info_span!("old", a = 1);
        handle.reload(Some(layer(&sink))).unwrap();
        old.record("a", 2);
        old.in_scope(|| {
            info!("m");
            info_span!("new", b = 1).in_scope(|| info!("m"));
        });
    });
    assert_eq!(tails(&sink), ["", r#""b":1"#]);
}
