//! Alerts on what a service's clients see: up, failing, slow.

use super::{Alert, series};

pub(super) const REQUESTS: &[Alert] = &[
    Alert {
        name: "ServiceDown",
        promql: "up == 0",
        lasts: "2m",
        severity: "critical",
        summary: "{{ $labels.job }} at {{ $labels.instance }} answers no scrape",
        action: "Is the process there, does it listen, is it stuck? Its log's last lines say how it ended.",
        fires: &[series(r#"up{job="shop",instance="a"}"#, "1x5 0x30")],
        at: "10m",
        labels: &[("job", "shop"), ("instance", "a")],
        says: "shop at a answers no scrape",
        quiet: &[series(r#"up{job="shop",instance="a"}"#, "1x8 0 1x30")],
    },
    Alert {
        name: "FailingFast",
        promql: "job:http_server_failing:ratio_rate1h > 14.4 * 0.001\nand job:http_server_failing:ratio_rate5m > 14.4 * 0.001",
        lasts: "2m",
        severity: "critical",
        summary: "{{ $labels.job }} fails {{ $value | humanizePercentage }} of its requests",
        action: "At this rate a month's budget of 0.1 % is gone in two days. The dashboard's row Requests shows which route; the lines of a trace show why.",
        fires: &[
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="200"}"#,
                "0+98x90",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="500",error_type="500"}"#,
                "0+2x90",
            ),
        ],
        at: "80m",
        labels: &[("job", "shop")],
        says: "shop fails 2% of its requests",
        quiet: &[
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="200"}"#,
                "0+99x90",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="500",error_type="500"}"#,
                "0+1x90",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/recommend",http_response_status_code="503",error_type="shed"}"#,
                "0+50x90",
            ),
        ],
    },
    Alert {
        name: "FailingSlowly",
        promql: "job:http_server_failing:ratio_rate6h > 6 * 0.001\nand job:http_server_failing:ratio_rate30m > 6 * 0.001",
        lasts: "15m",
        severity: "warning",
        summary: "{{ $labels.job }} failed {{ $value | humanizePercentage }} of its requests in six hours",
        action: "At this rate a month's budget of 0.1 % is gone in five days. Look at the dashboard's panel How requests ended.",
        fires: &[
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="200"}"#,
                "0+99x500",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="500",error_type="500"}"#,
                "0+1x500",
            ),
        ],
        at: "8h",
        labels: &[("job", "shop")],
        says: "shop failed 1% of its requests in six hours",
        quiet: &[
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="200"}"#,
                "0+995x500",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/pay",http_response_status_code="500",error_type="500"}"#,
                "0+5x500",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="/recommend",http_response_status_code="503",error_type="shed"}"#,
                "0+50x500",
            ),
        ],
    },
    Alert {
        name: "Slow",
        promql: "job_route:http_server_request_duration_seconds:p99_5m > 2.5",
        lasts: "10m",
        severity: "warning",
        summary: "one request in a hundred of {{ $labels.job }} to {{ $labels.http_route }} takes {{ $value | humanizeDuration }} or more",
        action: "The dots on the dashboard's durations are traces: look one up in the log. Routes that stream or wait on purpose belong out of this rule.",
        fires: &[
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="2.5"}"#,
                "0+90x40",
            ),
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="5.0"}"#,
                "0+100x40",
            ),
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="+Inf"}"#,
                "0+100x40",
            ),
        ],
        at: "30m",
        labels: &[("job", "shop"), ("http_route", "/pay")],
        says: "one request in a hundred of shop to /pay takes 4.75s or more",
        quiet: &[
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="1.0"}"#,
                "0+100x40",
            ),
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="2.5"}"#,
                "0+100x40",
            ),
            series(
                r#"http_server_request_duration_seconds_bucket{job="shop",http_route="/pay",le="+Inf"}"#,
                "0+100x40",
            ),
        ],
    },
    Alert {
        name: "SeriesOverflow",
        promql: r#"sum by (job) (increase(http_server_request_duration_seconds_count{http_route="_other"}[1h])) > 0"#,
        lasts: "0m",
        severity: "warning",
        summary: "{{ $labels.job }} has more routes than series for them",
        action: "Something makes a route of what a client sends, or `Builder::max_series` is too low. Beyond it requests are counted under `_other`.",
        fires: &[series(
            r#"http_server_request_duration_seconds_count{job="shop",http_route="_other",http_response_status_code="2xx"}"#,
            "0+1x70",
        )],
        at: "70m",
        labels: &[("job", "shop")],
        says: "shop has more routes than series for them",
        quiet: &[
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="_unmatched",http_response_status_code="404"}"#,
                "0+1x70",
            ),
            series(
                r#"http_server_request_duration_seconds_count{job="shop",http_route="_other",http_response_status_code="2xx"}"#,
                "5x70",
            ),
        ],
    },
];
