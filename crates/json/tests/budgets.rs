//! What stays and what goes when a line is full.

mod support;

use dogwatch_json::SpanStyle;
use serde_json::json;
use support::{Sink, callsite, layer};
use tracing::field::{Empty, Value};
use tracing::{info, info_span};
use tracing_subscriber::prelude::*;

#[test]
fn ids_stay_in_a_line_that_its_event_fills() {
    for length in 1400..2100 {
        let sink = Sink::default();
        let layer = layer(&sink).max_line_bytes(2048);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let trace_id = "0af7651916cd43dd8448eb211c80319c";
            let root = info_span!("root", trace_id, span_id = "b7ad6b7169203331");
            let _child = info_span!(parent: &root, "child", span_id = "00f067aa0ba902b7").entered();
            info!(a = "a".repeat(length), b = 1, "m");
        });
        let line = sink.line();
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(line["span_id"], "00f067aa0ba902b7");
        assert_eq!(line["parent_span_id"], "b7ad6b7169203331");
        assert!(sink.texts()[0].len() <= 2048);
    }
}

#[test]
fn what_a_span_could_not_hold_is_named_even_after_an_ancestor_changed() {
    let names: Vec<String> = (0..40).map(|n| format!("field{n}")).collect();
    let long = "x".repeat(100);
    let fields: Vec<(String, Option<&dyn Value>)> = names
        .iter()
        .map(|name| (name.clone(), Some(&long as &dyn Value)))
        .collect();
    let sink = Sink::default();
    let layer = layer(&sink).max_line_bytes(2048);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let root = info_span!("root", late = Empty).entered();
        let full = callsite::span(&fields);
        full.in_scope(|| info!("m"));
        root.record("late", 1);
        full.in_scope(|| info!("m"));
    });
    for line in sink.lines() {
        let named = line["truncated"].as_array().unwrap();
        let more = named
            .last()
            .unwrap()
            .as_str()
            .unwrap()
            .strip_suffix(" more")
            .unwrap();
        let written = names.iter().filter(|name| line.contains_key(*name)).count();
        let gone = named.len() - 1 + more.parse::<usize>().unwrap();
        // The root's own field may be among them.
        assert!((40..=41).contains(&(written + gone)), "{written} + {gone}");
    }
}

#[test]
fn a_full_line_closes_its_objects_within_the_budget() {
    // Names that fill `truncated`, and a field for each length that the line's end can have.
    let long = "n".repeat(40);
    for style in [SpanStyle::Flat, SpanStyle::Object, SpanStyle::List] {
        for length in 1500..1750 {
            let filler = "f".repeat(length);
            let mut fields: Vec<(String, Option<&dyn Value>)> =
                vec![("filler".to_owned(), Some(&filler))];
            for n in 0..400_usize {
                fields.push((format!("{long}{n}"), Some(&1_u64)));
            }
            for n in 0..60 {
                fields.push((format!("s{n}"), Some(&7_u64)));
            }
            let sink = Sink::default();
            let layer = layer(&sink).max_line_bytes(2048).spans(style);
            tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
                callsite::span(&fields).in_scope(|| info!("m"));
            });
            let text = &sink.texts()[0];
            assert!(text.len() <= 2048, "{} at {style:?} {length}", text.len());
            assert!(sink.line().contains_key("truncated"));
        }
    }
}

#[test]
fn many_layers_on_one_thread_do_not_mix_their_lines() {
    for n in 0..600 {
        let sink = Sink::default();
        let layer = layer(&sink).service(format!("service{n}"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            info!("the same callsite each time");
        });
        assert_eq!(sink.line()["service"], json!(format!("service{n}")));
    }
}
