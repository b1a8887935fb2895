//! The recording rules: what the alerts ask often, and what a long range would be slow to ask.

use crate::panel::FAILED;

/// One recording rule.
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) promql: String,
}

/// Named as Prometheus advises: what is left of the labels, the metric, what was done to it.
pub(crate) fn records() -> Vec<Record> {
    let record = |name: String, promql: String| Record { name, promql };
    let mut all = vec![
        record(
            "job_route:http_server_requests:rate5m".to_owned(),
            format!("sum by (job, http_route) (rate({COUNT}[5m]))"),
        ),
        record(
            "job_route:http_server_request_duration_seconds:p99_5m".to_owned(),
            format!("histogram_quantile(0.99, sum by (job, http_route, le) (rate({BUCKET}[5m])))"),
        ),
        record(
            "job_level:dogwatch_lines:rate5m".to_owned(),
            "sum by (job, level) (rate(dogwatch_lines_total[5m]))".to_owned(),
        ),
    ];
    for window in WINDOWS {
        all.push(record(
            format!("job:http_server_failing:ratio_rate{window}"),
            format!(
                "sum by (job) (rate({COUNT}{{{FAILED}}}[{window}]) or 0 * rate({COUNT}[{window}]))\n/ (sum by (job) (rate({COUNT}[{window}])) > 0)"
            ),
        ));
    }
    all
}

/// What the alerts on the error budget look back on.
const WINDOWS: [&str; 4] = ["5m", "30m", "1h", "6h"];
const COUNT: &str = "http_server_request_duration_seconds_count";
const BUCKET: &str = "http_server_request_duration_seconds_bucket";
