//! What a recorder of the `metrics` crate is told.

use dogwatch_metrics::{Alert, Metrics, Request};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt as _;

/// Everything that was said, under `name{label=value,…}`.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

struct Series {
    heard: Heard,
    name: String,
}

impl Heard {
    fn series(&self, key: &Key) -> Arc<Series> {
        let labels: Vec<_> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::new(Series {
            heard: self.clone(),
            name,
        })
    }

    fn say(&self, name: &str, what: String) {
        let mut heard = self.0.lock().unwrap();
        heard.entry(name.to_owned()).or_default().push(what);
    }

    fn said(&self, name: &str) -> String {
        let heard = self.0.lock().unwrap();
        heard
            .get(name)
            .map_or_else(String::new, |all| all.join(" "))
    }
}

impl Series {
    fn say(&self, what: String) {
        self.heard.say(&self.name, what);
    }
}

impl CounterFn for Series {
    fn increment(&self, by: u64) {
        self.say(format!("+{by}"));
    }
    fn absolute(&self, count: u64) {
        self.say(format!("={count}"));
    }
}

impl GaugeFn for Series {
    fn increment(&self, by: f64) {
        self.say(format!("{by:+}"));
    }
    fn decrement(&self, by: f64) {
        self.say(format!("{:+}", -by));
    }
    fn set(&self, value: f64) {
        self.say(format!("={value}"));
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.say(value.to_string());
    }
}

impl Recorder for Heard {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_gauge(name, unit, help);
    }
    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        assert!(!help.is_empty());
        let unit = unit.map_or("none", |unit| unit.as_str());
        self.say("units", format!("{}:{unit}", name.as_str()));
    }
    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe_gauge(name, unit, help);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.series(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}

const PAY: Request<'static> = Request {
    method: "POST",
    route: Some("/orders/{id}/\"支付\""),
    status: 503,
    scheme: "https",
    protocol_version: "2",
    outcome: "shed",
    latency: Duration::from_micros(1_500),
    bytes_in: Some(7),
    bytes_out: 20,
    trace_id: None,
    sampled: false,
};

#[test]
fn requests_are_sent_on_under_the_names_labels_and_units_of_the_page() {
    let heard = Heard::default();
    let metrics = Metrics::builder().recorder(heard.clone()).build();
    metrics.active("POST", 1);
    metrics.request(&PAY);
    metrics.request(&Request {
        bytes_in: None,
        bytes_out: 0,
        ..PAY
    });
    metrics.active("POST", -1);

    let labels = "{http_request_method=POST,http_route=/orders/{id}/\"支付\",http_response_status_code=503,error_type=shed,network_protocol_version=2,url_scheme=https}";
    let expected = [
        (
            format!("http_server_request_duration_seconds{labels}"),
            "0.0015 0.0015",
        ),
        (format!("http_server_request_body_size_bytes{labels}"), "7"),
        (
            format!("http_server_response_body_size_bytes{labels}"),
            "20 0",
        ),
        (
            "dogwatch_requests_shed_total{http_route=/orders/{id}/\"支付\"}".to_owned(),
            "+1 +1",
        ),
        (
            "http_server_active_requests{http_request_method=POST}".to_owned(),
            "+1 -1",
        ),
        (
            "units".to_owned(),
            "http_server_active_requests:count http_server_request_duration_seconds:seconds http_server_response_body_size_bytes:bytes http_server_request_body_size_bytes:bytes dogwatch_requests_shed_total:count",
        ),
    ];
    for (name, said) in &expected {
        assert_eq!(heard.said(name), *said, "{name}");
    }
    assert_eq!(heard.0.lock().unwrap().len(), expected.len());
}

#[test]
fn beyond_the_bound_a_recorder_hears_of_the_others_too() {
    let heard = Heard::default();
    let metrics = Metrics::builder()
        .max_series(1)
        .recorder(heard.clone())
        .build();
    for route in ["/a", "/b", "/c", "/a"] {
        let outcome = "completed";
        metrics.request(&Request {
            route: Some(route),
            outcome,
            ..PAY
        });
    }
    let other = "http_server_request_duration_seconds{http_request_method=_OTHER,http_route=_other,http_response_status_code=5xx,error_type=_OTHER}";
    assert_eq!(heard.said(other), "0.0015 0.0015");
}

#[test]
fn events_are_sent_on_by_level_and_target() {
    let heard = Heard::default();
    let metrics = Metrics::builder()
        .max_series(1)
        .recorder(heard.clone())
        .build();
    let subscriber = tracing_subscriber::registry().with(metrics.layer());
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..2 {
            tracing::warn!(target: "shop::pay", "slow");
        }
        tracing::error!(target: "shop::late", "beyond the bound");
    });
    let line = |level, target| {
        heard.said(&format!(
            "dogwatch_lines_total{{level={level},target={target}}}"
        ))
    };
    assert_eq!(line("WARN", "shop::pay"), "+1 +1");
    assert_eq!(line("ERROR", "_other"), "+1");
}

#[test]
fn what_closures_say_is_sent_when_asked_for() {
    let heard = Heard::default();
    let metrics = Metrics::builder().recorder(heard.clone()).build();
    metrics.lost_lines(|| vec![("full".to_owned(), 3)]);
    metrics.alerts(|| {
        vec![Alert {
            rule: "支付失败".to_owned(),
            state: "firing",
            matched: 9,
            fired: 2,
        }]
    });
    metrics
        .gauge_from("shop_pool", "Pool.", [], || vec![([], -0.5)])
        .unwrap();
    metrics
        .gauge_from("shop_broken", "Broken.", [], || {
            panic!("a closure of the test")
        })
        .unwrap();
    assert_eq!(
        heard.0.lock().unwrap().len(),
        0,
        "nothing before it is asked for"
    );
    metrics.forward();
    metrics.forward();
    let state = |state| {
        heard.said(&format!(
            "dogwatch_alert_state{{rule=支付失败,state={state}}}"
        ))
    };
    assert_eq!(
        heard.said("dogwatch_lines_lost_total{reason=full}"),
        "=3 =3"
    );
    assert_eq!((&*state("firing"), &*state("inactive")), ("=1 =1", "=0 =0"));
    assert_eq!(
        heard.said("dogwatch_alerts_fired_total{rule=支付失败}"),
        "=2 =2"
    );
    assert_eq!(
        heard.said("dogwatch_alert_matches_total{rule=支付失败}"),
        "=9 =9"
    );
    assert_eq!(heard.said("shop_pool{}"), "=-0.5 =-0.5");
    assert!(
        metrics
            .render(None)
            .1
            .contains("dogwatch_source_panics_total 3\n")
    );
}

/// A stranger that fails.
struct Broken;

impl Recorder for Broken {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        panic!("a recorder of the test")
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("a recorder of the test")
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("a recorder of the test")
    }
}

#[test]
fn a_recorder_that_panics_reaches_nobody_and_is_counted() {
    let metrics = Metrics::builder().recorder(Broken).build();
    metrics.request(&Request {
        outcome: "completed",
        ..PAY
    });
    metrics.active("GET", 1);
    let page = metrics.render(None).1;
    assert!(page.contains("dogwatch_source_panics_total 4\n"), "{page}");
    assert!(page.contains("http_server_active_requests{http_request_method=\"GET\"} 1\n"));
}

#[test]
fn the_global_recorder_is_the_one_of_the_moment() {
    let heard = Heard::default();
    let metrics = Metrics::builder().global_recorder().build();
    metrics::with_local_recorder(&heard, || metrics.active("GET", 1));
    assert_eq!(
        heard.said("http_server_active_requests{http_request_method=GET}"),
        "+1"
    );
}
