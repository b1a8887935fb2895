//! A busy callsite writes some of its lines, and the log says how many are missing.

mod support;

use dogwatch_json::{JsonLayer, Sample, Sampling};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::Sink;
use tracing::{Dispatch, debug, dispatcher, error, info, info_span, warn};
use tracing_log::log::{Level, Record};
use tracing_subscriber::prelude::*;

/// 2026-11-24T05:57:00Z.
const START: u64 = 1_795_499_820_000;

thread_local! {
    static MILLIS: Cell<u64> = const { Cell::new(START) };
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(MILLIS.get())
}

fn after(millis: u64) {
    MILLIS.set(MILLIS.get() + millis);
}

fn sampled(sample: Sample, run: impl FnOnce()) -> (Sink, Sampling) {
    with(|layer| layer.sample(sample), run)
}

fn with(
    options: impl FnOnce(JsonLayer<Sink>) -> JsonLayer<Sink>,
    run: impl FnOnce(),
) -> (Sink, Sampling) {
    MILLIS.set(START);
    let sink = Sink::default();
    let layer = options(JsonLayer::new(sink.clone()).clock(now));
    let sampling = layer.sampling();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
    (sink, sampling)
}

/// The numbers `n` of the lines, and a gap as its negative count.
fn told(sink: &Sink) -> Vec<i64> {
    let number = |line: &Map<String, Value>| match line.get("gap") {
        Some(gap) => -gap["lines"].as_i64().unwrap(),
        None => line["n"].as_i64().unwrap(),
    };
    sink.lines().iter().map(number).collect()
}

fn pay(n: i64) {
    info!(target: "shop::pay", n, "paid");
}

/// Where `pay` logs.
const PAY_LINE: u32 = line!() - 4;

#[test]
fn the_first_lines_of_a_second_are_written_then_one_in_so_many_and_the_rest_is_told() {
    let sample = Sample::first(2).then_one_in(3);
    let (sink, sampling) = sampled(sample, || {
        for n in 0..12 {
            if n == 9 {
                after(1000);
            }
            pay(n);
        }
    });
    assert_eq!(told(&sink), [0, 1, 4, 7, -5, 9, 10]);
    assert_eq!(sampling.left_out(), 6);
    let gap = &sink.texts()[4];
    assert_eq!(
        *gap,
        format!(
            "{{\"timestamp\":\"2026-11-24T05:57:01.000000Z\",\"level\":\"INFO\",\
             \"target\":\"shop::pay\",\"message\":\"5 lines were left out by sampling\",\
             \"gap\":{{\"lines\":5,\"reasons\":{{\"sampled\":5}},\
             \"since\":\"2026-11-24T05:57:00.000000Z\",\"until\":\"2026-11-24T05:57:01.000000Z\",\
             \"callsite\":\"{}:{PAY_LINE}\"}}}}\n",
            file!()
        )
    );
}

#[test]
fn a_callsite_that_has_gone_silent_is_told_by_the_next_line_of_any_other() {
    let (sink, _) = sampled(Sample::first(1), || {
        for n in 0..5 {
            info!(n, "busy");
        }
        after(60_000);
        warn!(n = 9, "another");
    });
    assert_eq!(told(&sink), [0, -4, 9]);
    let gap = &sink.lines()[1];
    assert_eq!(gap["level"], "INFO");
    assert_eq!(gap["gap"]["since"], "2026-11-24T05:57:00.000000Z");
    assert_eq!(gap["gap"]["until"], "2026-11-24T05:57:01.000000Z");
}

#[test]
fn callsites_are_counted_apart_and_the_first_line_of_each_is_written() {
    let (sink, sampling) = sampled(Sample::first(0), || {
        for n in 0..3 {
            info!(n, "one");
            debug!(n = n + 10, "other");
        }
    });
    assert_eq!(told(&sink), [0, 10]);
    assert_eq!(sampling.left_out(), 4);
}

#[test]
fn errors_and_kept_targets_are_written_in_full_unless_asked_otherwise() {
    let say = || {
        for n in 0..4 {
            error!(n, "failed");
            info!(target: "shop::audit", n = n + 10, "kept");
            info!(target: "shop::audit::login", n = n + 20, "kept");
            info!(target: "shop::auditor", n = n + 30, "not kept");
        }
    };
    let (sink, _) = sampled(Sample::first(1).keep("shop::audit"), say);
    let all = [0, 10, 20, 30, 1, 11, 21, 2, 12, 22, 3, 13, 23];
    assert_eq!(told(&sink), all);
    let (sink, _) = sampled(Sample::first(1).errors(true), say);
    assert_eq!(told(&sink), [0, 10, 20, 30]);
}

#[test]
fn records_of_the_log_crate_and_closing_lines_are_written_in_full() {
    let (sink, sampling) = with(
        |layer| layer.sample(Sample::first(1)).span_close(true),
        || {
            for n in 0..3_i64 {
                let record = Record::builder()
                    .args(format_args!("a record"))
                    .level(Level::Info)
                    .target("hyper")
                    .build();
                tracing_log::format_trace(&record).unwrap();
                drop(info_span!("s", n));
            }
        },
    );
    assert_eq!(sink.lines().len(), 6);
    assert_eq!(sampling.left_out(), 0);
}

#[test]
fn what_is_untold_at_the_end_is_told_once() {
    let (sink, sampling) = sampled(Sample::first(2).interval(Duration::from_secs(60)), || {
        for n in 0..10 {
            info!(n, "busy");
            after(2000);
        }
        warn!(n = 100, "not busy");
    });
    assert_eq!(told(&sink), [0, 1, 100]);
    let untold = sampling.untold();
    assert_eq!(untold.len(), 1);
    let line = support::read(&untold[0]);
    assert_eq!(line["timestamp"], "2026-11-24T05:57:20.000000Z");
    assert_eq!(line["message"], "8 lines were left out by sampling");
    assert_eq!(line["gap"]["until"], "2026-11-24T05:58:00.000000Z");
    assert_eq!((sampling.untold().len(), sampling.left_out()), (0, 8));
}

#[test]
fn a_layer_without_a_sample_leaves_nothing_out() {
    let (sink, sampling) = with(|layer| layer, || (0..500).for_each(|n| info!(n, "busy")));
    assert_eq!(sink.lines().len(), 500);
    assert_eq!((sampling.left_out(), sampling.untold().len()), (0, 0));
}

#[test]
fn a_gap_keeps_its_key_beside_a_fixed_field_of_that_name_and_tells_its_place() {
    let (sink, _) = with(
        |layer| {
            let layer = layer.field("gap", "fixed").service("shop");
            layer.file_and_line(true).sample(Sample::first(1))
        },
        || {
            for n in 0..3 {
                info!(n, "busy");
            }
            after(1000);
            info!(n = 9, "another");
        },
    );
    let line = &sink.lines()[1];
    assert_eq!(
        (&line["gap"], &line["service"]),
        (&json!("fixed"), &json!("shop"))
    );
    assert_eq!(line["gap_"]["reasons"], json!({"sampled": 2}));
    assert!(line["file"].as_str().unwrap().ends_with("sampling.rs"));
}

#[test]
fn two_layers_count_for_themselves() {
    MILLIS.set(START);
    let sinks = [Sink::default(), Sink::default()];
    let layer = |n: usize| JsonLayer::new(sinks[n].clone()).clock(now);
    let registry = tracing_subscriber::registry()
        .with(layer(0).sample(Sample::first(1)))
        .with(layer(1).sample(Sample::first(3)));
    tracing::subscriber::with_default(registry, || (0..5).for_each(|n| info!(n, "busy")));
    assert_eq!(sinks.each_ref().map(told), [vec![0], vec![0, 1, 2]]);
}

#[test]
fn threads_write_and_leave_out_all_lines_between_them() {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    let sink = Sink::default();
    // A second passes each thousand looks at the clock.
    let layer = JsonLayer::new(sink.clone())
        .clock(|| UNIX_EPOCH + Duration::from_millis(START + TICKS.fetch_add(1, Ordering::Relaxed)))
        .sample(Sample::first(10).then_one_in(50));
    let sampling = layer.sampling();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                dispatcher::with_default(&dispatch, || (0..4000).for_each(|n| info!(n, "busy")));
            });
        }
    });
    sink.0.lock().unwrap().extend(sampling.untold());
    let gaps: i64 = told(&sink).iter().filter(|n| **n < 0).sum();
    let written = sink
        .lines()
        .iter()
        .filter(|line| line.contains_key("n"))
        .count();
    assert_eq!(written as i64 - gaps, 16_000);
    assert_eq!(sampling.left_out() as i64, -gaps);
    // About 16 seconds with ten lines each, and one in fifty.
    assert!((300..700).contains(&written), "{written}");
}
