//! Closures read at a scrape: lost lines, alerts, the service's own figures, and those that panic.

use crate::scrape;
use dogwatch_metrics::{Alert, Metrics};

#[test]
fn lost_lines_of_several_writers_add_up_by_reason() {
    let metrics = Metrics::new();
    metrics.lost_lines(|| vec![("full".to_owned(), 3), ("too_long".to_owned(), 1)]);
    metrics.lost_lines(|| vec![("full".to_owned(), 4)]);
    let page = scrape(&metrics);
    let lost = |reason| page.sum("dogwatch_lines_lost_total", &[("reason", reason)]);
    assert_eq!((lost("full"), lost("too_long")), (7.0, 1.0));
}

#[test]
fn a_rule_is_in_one_state_at_a_time() {
    let metrics = Metrics::new();
    metrics.alerts(|| {
        let rule = |rule: &str, state, fired| Alert {
            rule: rule.to_owned(),
            state,
            matched: fired * 10,
            fired,
        };
        vec![
            rule("HighErrorRate", "firing", 2),
            rule("支付失败", "silenced", 0),
        ]
    });
    let page = scrape(&metrics);
    assert_eq!(
        page.sum("dogwatch_alert_matches_total", &[("rule", "HighErrorRate")]),
        20.0
    );
    let state = |rule, state| page.sum("dogwatch_alert_state", &[("rule", rule), ("state", state)]);
    let states = ["inactive", "firing", "resolved", "silenced"];
    assert_eq!(
        states.map(|s| state("HighErrorRate", s)),
        [0.0, 1.0, 0.0, 0.0]
    );
    assert_eq!(states.map(|s| state("支付失败", s)), [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(
        page.sum("dogwatch_alerts_fired_total", &[("rule", "HighErrorRate")]),
        2.0
    );
}

#[test]
fn gauges_and_counters_of_the_service_are_shown_with_their_labels() {
    let metrics = Metrics::new();
    metrics
        .gauge_from("shop_pool", "Connections.", ["use", "db"], || {
            let labels = |used: &str| [used.to_owned(), "a\"b\\c\nd".to_owned()];
            vec![
                (labels("busy"), 9.0),
                (labels("idle"), -0.5),
                (labels("busy"), 1.0),
            ]
        })
        .unwrap();
    let rolls = || vec![([], 2), ([], 3)];
    metrics
        .counter_from("shop_rolls_total", "Rolls.", [], rolls)
        .unwrap();
    let page = scrape(&metrics);
    let pool = |used| page.sum("shop_pool", &[("use", used), ("db", "a\"b\\c\nd")]);
    assert_eq!((pool("busy"), pool("idle")), (1.0, -0.5));
    assert_eq!(page.sum("shop_rolls_total", &[]), 5.0);
    assert_eq!(page.families["shop_rolls"].kind, "counter");
}

#[test]
fn a_source_that_panics_is_left_out_whole_and_counted_and_the_others_stay() {
    let metrics = Metrics::new();
    metrics.lost_lines(|| panic!("a source of the test that panics"));
    metrics.lost_lines(|| vec![("full".to_owned(), 1)]);
    let (_, first) = metrics.render(None);
    assert!(
        first.contains("dogwatch_source_panics_total 1\n"),
        "{first}"
    );
    assert!(
        first.contains("dogwatch_lines_lost_total{reason=\"full\"} 1\n"),
        "{first}"
    );
    let (_, second) = metrics.render(None);
    assert!(
        second.contains("dogwatch_source_panics_total 2\n"),
        "{second}"
    );
}

#[test]
fn a_source_may_register_another_and_scrape_because_no_lock_is_held() {
    let metrics = Metrics::new();
    let inner = Metrics::clone(&metrics);
    let within = move || {
        // Taken from the second scrape on.
        let taken = inner
            .gauge_from("late", "Late.", [], || vec![([], 1.0)])
            .is_err();
        vec![([], f64::from(u8::from(taken)))]
    };
    metrics.gauge_from("within", "Within.", [], within).unwrap();
    assert!(metrics.render(None).1.contains("within 0\n"));
    assert!(metrics.render(None).1.contains("within 1\n"));
}

#[test]
fn a_name_that_prometheus_cannot_read_is_refused_with_the_reason() {
    let metrics = Metrics::new();
    for name in ["", "1st", "has space", "ünï", "a-b"] {
        let error = metrics.gauge_from(name, "", [], Vec::new).unwrap_err();
        assert!(error.is_invalid_name() && !error.is_taken(), "{name:?}");
    }
    for labels in [["a", "a"], ["ok", "no:colon"], ["", "b"], ["__name__", "b"]] {
        let error = metrics
            .gauge_from("fine", "", labels, Vec::new)
            .unwrap_err();
        assert!(error.is_invalid_name(), "{labels:?}");
    }
    let error = metrics.counter_from("a b", "", [], Vec::new).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot register metric `a b`: not a metric name; use letters, digits, `_` and `:`, the first no digit"
    );
}

#[test]
fn a_name_whose_samples_exist_already_is_refused() {
    let metrics = Metrics::new();
    metrics
        .gauge_from("mine", "", [], || vec![([], 1.0)])
        .unwrap();
    let taken = [
        "mine",
        "dogwatch_lines_total",
        "dogwatch_lines_lost",
        "http_server_request_duration_seconds_count",
        "process_cpu_seconds_total",
    ];
    for name in taken {
        let error = metrics.gauge_from(name, "", [], Vec::new).unwrap_err();
        assert!(
            error.is_taken() && !error.is_invalid_name(),
            "{name}: {error}"
        );
    }
    assert!(
        metrics
            .counter_from("mine_total", "", [], Vec::new)
            .unwrap_err()
            .is_taken()
    );
    scrape(&metrics);
}
