//! Requests: every ending counted once, labels bounded, exemplars sparing.

use crate::parse::Page;
use crate::{COUNT, GOOD, OPEN, scrape};
use dogwatch_metrics::{Metrics, Request};
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

const SHED: Request<'static> = Request {
    status: 503,
    outcome: "shed",
    ..GOOD
};

#[test]
fn every_ending_is_in_the_histogram_once_and_shed_ones_are_told_apart() {
    let metrics = Metrics::new();
    let endings = [
        GOOD,
        GOOD,
        Request {
            status: 404,
            ..GOOD
        },
        Request {
            status: 500,
            ..GOOD
        },
        Request {
            status: 500,
            outcome: "panicked",
            ..GOOD
        },
        Request {
            status: 499,
            outcome: "cancelled_in_body",
            ..GOOD
        },
        Request {
            status: 101,
            outcome: "upgraded",
            ..GOOD
        },
        SHED,
        SHED,
        Request {
            route: Some("/api/recommend"),
            ..SHED
        },
    ];
    for ending in &endings {
        metrics.request(ending);
    }
    let page = scrape(&metrics);
    assert_eq!(page.sum(COUNT, &[]), endings.len() as f64);
    let errors = [
        ("", 4),
        ("500", 1),
        ("panicked", 1),
        ("cancelled_in_body", 1),
        ("shed", 3),
    ];
    for (error, count) in errors {
        let labels = [("error_type", error)];
        assert_eq!(
            page.sum(COUNT, &labels),
            f64::from(count),
            "error_type {error:?}"
        );
    }
    let server_errors = page.matching(COUNT, &[]).filter(|sample| {
        let label = |name| sample.labels.get(name).map_or("", |value| value);
        label("http_response_status_code").starts_with('5') && label("error_type") != "shed"
    });
    assert_eq!(server_errors.map(|sample| sample.value).sum::<f64>(), 2.0);
    let shed = |route| page.sum("dogwatch_requests_shed_total", &[("http_route", route)]);
    assert_eq!((shed("/api/products"), shed("/api/recommend")), (2.0, 1.0));
}

#[test]
fn the_buckets_are_those_of_the_conventions_and_sums_are_in_seconds_and_bytes() {
    let metrics = Metrics::new();
    for micros in [5_000, 5_001, 42_000, 99_000_000] {
        metrics.request(&Request {
            latency: Duration::from_micros(micros),
            ..GOOD
        });
    }
    let page = scrape(&metrics);
    let buckets: Vec<_> = page
        .matching("http_server_request_duration_seconds_bucket", &[])
        .map(|sample| (sample.labels["le"].as_str(), sample.value))
        .collect();
    let expected = [
        ("0.005", 1.0),
        ("0.01", 2.0),
        ("0.025", 2.0),
        ("0.05", 3.0),
        ("0.075", 3.0),
        ("0.1", 3.0),
        ("0.25", 3.0),
        ("0.5", 3.0),
        ("0.75", 3.0),
        ("1.0", 3.0),
        ("2.5", 3.0),
        ("5.0", 3.0),
        ("7.5", 3.0),
        ("10.0", 3.0),
        ("+Inf", 4.0),
    ];
    assert_eq!(buckets, expected);
    assert_eq!(
        page.sum("http_server_request_duration_seconds_sum", &[]),
        99.052_001
    );
    assert_eq!(
        page.sum("http_server_response_body_size_bytes_sum", &[]),
        1_200.0
    );
    let small = [("le", "256.0")];
    assert_eq!(
        page.sum("http_server_response_body_size_bytes_bucket", &small),
        0.0
    );
}

#[test]
fn what_a_client_sends_makes_no_series() {
    let metrics = Metrics::new();
    for n in 0..100 {
        metrics.request(&Request {
            method: &format!("BREW{n}"),
            route: None,
            status: 404,
            ..GOOD
        });
    }
    let page = scrape(&metrics);
    let samples: Vec<_> = page.matching(COUNT, &[]).collect();
    assert_eq!(samples.len(), 1);
    let labels = &samples[0].labels;
    assert_eq!(
        (&*labels["http_request_method"], &*labels["http_route"]),
        ("_OTHER", "_unmatched")
    );
    assert_eq!(samples[0].value, 100.0);
}

#[test]
fn beyond_the_bound_requests_are_counted_by_class_of_status_and_old_series_live_on() {
    let metrics = Metrics::builder().max_series(2).build();
    metrics.request(&GOOD);
    metrics.request(&SHED);
    for n in 0..50 {
        let route = format!("/leak/{n}");
        let leak = Request {
            route: Some(&route),
            ..GOOD
        };
        metrics.request(&leak);
        metrics.request(&Request {
            status: 502,
            ..leak
        });
        metrics.request(&Request {
            status: 503,
            outcome: "shed",
            ..leak
        });
        metrics.request(&Request { status: 0, ..leak });
        metrics.request(&Request {
            status: 65_535,
            ..leak
        });
    }
    metrics.request(&GOOD);
    let page = scrape(&metrics);
    assert_eq!(page.sum(COUNT, &[]), 253.0);
    assert_eq!(page.sum(COUNT, &[("http_route", "/api/products")]), 3.0);
    let other = |status, error| {
        let labels = [
            ("http_route", "_other"),
            ("http_request_method", "_OTHER"),
            ("http_response_status_code", status),
            ("error_type", error),
        ];
        page.sum(COUNT, &labels)
    };
    assert_eq!(other("2xx", ""), 50.0);
    assert_eq!(other("5xx", "shed"), 50.0);
    assert_eq!(
        other("5xx", "_OTHER"),
        100.0,
        "502, and what is above every class"
    );
    assert_eq!(other("", ""), 50.0);
    assert_eq!(
        page.sum("dogwatch_requests_shed_total", &[("http_route", "_other")]),
        50.0
    );
}

#[test]
fn what_ends_in_the_same_labels_is_one_series_on_the_page() {
    let metrics = Metrics::builder().max_series(3).build();
    let other = Request {
        route: Some("_other"),
        method: "BREW",
        status: 0,
        scheme: "",
        protocol_version: "",
        ..GOOD
    };
    metrics.request(&Request {
        status: 500,
        ..GOOD
    });
    metrics.request(&Request {
        status: 500,
        outcome: "500",
        ..GOOD
    });
    metrics.request(&other);
    // Beyond the bound: counted under the very labels of the one before.
    metrics.request(&Request {
        route: Some("/new"),
        ..other
    });
    let page = scrape(&metrics);
    assert_eq!(page.sum(COUNT, &[("error_type", "500")]), 2.0);
    assert_eq!(page.sum(COUNT, &[("http_route", "_other")]), 2.0);
    assert_eq!(page.matching(COUNT, &[]).count(), 2);
}

#[test]
fn a_route_that_looks_like_the_format_cannot_break_out_of_its_label() {
    let metrics = Metrics::new();
    let route = "/a\"} 1\nevil{x=\"\\";
    metrics.request(&Request {
        route: Some(route),
        ..GOOD
    });
    assert_eq!(scrape(&metrics).sum(COUNT, &[("http_route", route)]), 1.0);
}

#[test]
fn a_sampled_trace_becomes_an_exemplar_of_its_bucket_once_a_second() {
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let clock = Arc::clone(&seconds);
    let metrics = Metrics::builder()
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::Relaxed)))
        .build();
    let exemplars = || {
        let (content_type, text) = metrics.render(Some(OPEN));
        let page = Page::parse(content_type, &text);
        page.matching("http_server_request_duration_seconds_bucket", &[])
            .filter_map(|sample| sample.exemplar.clone())
            .map(|(labels, value, time)| (labels["trace_id"].clone(), value, time))
            .collect::<Vec<_>>()
    };
    let (first, second) = (
        "0af7651916cd43dd8448eb211c80319c",
        "4bf92f3577b34da6a3ce929d0e0e4736",
    );
    metrics.request(&Request {
        trace_id: Some(first),
        sampled: false,
        ..GOOD
    });
    assert_eq!(exemplars(), []);
    metrics.request(&Request {
        trace_id: Some(first),
        ..GOOD
    });
    metrics.request(&Request {
        trace_id: Some(second),
        ..GOOD
    });
    assert_eq!(exemplars(), [(first.to_owned(), 0.042, 1_700_000_000.0)]);
    seconds.fetch_add(1, Ordering::Relaxed);
    metrics.request(&Request {
        trace_id: Some(second),
        ..GOOD
    });
    assert_eq!(exemplars(), [(second.to_owned(), 0.042, 1_700_000_001.0)]);
}

#[test]
fn scheme_and_protocol_are_labels_where_somebody_knows_them() {
    let metrics = Metrics::new();
    let wires = [("http", "1.1"), ("https", "2"), ("gopher", "9"), ("", "")];
    for (scheme, protocol_version) in wires {
        metrics.request(&Request {
            scheme,
            protocol_version,
            ..GOOD
        });
    }
    let page = scrape(&metrics);
    let rows: Vec<_> = page
        .matching(COUNT, &[])
        .map(|row| ["url_scheme", "network_protocol_version"].map(|name| row.labels.get(name)))
        .map(|both| both.map(|label| label.map_or("absent", |label| label)))
        .collect();
    let expected = [
        ["absent", "absent"],
        ["http", "1.1"],
        ["https", "2"],
        ["_OTHER", "_OTHER"],
    ];
    assert_eq!(rows, expected);
}

#[test]
fn only_bodies_that_somebody_counted_have_a_size() {
    const SIZE_IN: &str = "http_server_request_body_size_bytes";
    let metrics = Metrics::new();
    let bodies = [None, Some(0), Some(256), Some(300), Some(u64::MAX)];
    for bytes_in in bodies {
        metrics.request(&Request {
            method: if bytes_in.is_some() { "POST" } else { "GET" },
            bytes_in,
            ..GOOD
        });
    }
    let page = scrape(&metrics);
    let at = |le: &str| page.sum(&format!("{SIZE_IN}_bucket"), &[("le", le)]);
    assert_eq!((at("256.0"), at("1024.0"), at("+Inf")), (2.0, 3.0, 4.0));
    assert_eq!(page.matching(&format!("{SIZE_IN}_count"), &[]).count(), 1);
    assert_eq!(page.sum(COUNT, &[]), 5.0);
}

#[test]
fn a_clock_before_1970_and_a_latency_beyond_all_are_survived() {
    let metrics = Metrics::builder()
        .clock(|| UNIX_EPOCH - Duration::from_secs(9))
        .build();
    let endless = Request {
        status: 500,
        latency: Duration::MAX,
        bytes_out: u64::MAX,
        ..GOOD
    };
    // Two series that the page shows as one, so that their sums are added up too.
    metrics.request(&endless);
    metrics.request(&Request {
        outcome: "500",
        ..endless
    });
    assert_eq!(scrape(&metrics).sum(COUNT, &[]), 2.0);
}

#[test]
fn active_requests_go_up_and_down() {
    let metrics = Metrics::new();
    for (method, delta) in [
        ("GET", 1),
        ("GET", 1),
        ("GET", -1),
        ("BREW", 1),
        ("BREW", -1),
    ] {
        metrics.active(method, delta);
    }
    let page = scrape(&metrics);
    let rows: Vec<_> = page
        .matching("http_server_active_requests", &[])
        .map(|row| (&*row.labels["http_request_method"], row.value))
        .collect();
    assert_eq!(rows, [("GET", 1.0), ("_OTHER", 0.0)]);
}

#[test]
fn threads_that_record_while_others_scrape_lose_nothing_and_every_page_is_sound() {
    const THREADS: usize = 4;
    const EACH: u64 = 5_000;
    let metrics = Metrics::builder().max_series(8).build();
    let barrier = Barrier::new(THREADS + 1);
    std::thread::scope(|scope| {
        let recorders: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    for n in 0..EACH {
                        let route = format!("/{}", n % 16);
                        metrics.request(&Request {
                            route: Some(&route),
                            ..GOOD
                        });
                    }
                })
            })
            .collect();
        barrier.wait();
        let mut before = 0.0;
        while !recorders.iter().all(|recorder| recorder.is_finished()) {
            let (content_type, text) = metrics.render(Some(OPEN));
            let now = Page::parse(content_type, &text).sum(COUNT, &[]);
            assert!(now >= before, "a count never falls");
            before = now;
        }
    });
    let page = scrape(&metrics);
    assert_eq!(page.sum(COUNT, &[]), (THREADS as u64 * EACH) as f64);
    let routes = page
        .matching(COUNT, &[])
        .filter(|s| s.labels["http_route"] != "_other")
        .count();
    assert_eq!(routes, 8);
}
