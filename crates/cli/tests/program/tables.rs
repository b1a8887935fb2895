//! Holds that each table that the page of the query language has behind a pipe is made as it says.

use std::collections::BTreeSet;

use crate::{folder, run};

const PAGE: &str = include_str!("../../../../docs/query.md");

/// Requests: minute, level, route, status, latency and
/// message.
const REQUESTS: [(&str, &str, &str, u16, f64, &str); 6] = [
    ("10:00", "INFO", "/orders", 200, 10.0, "request completed"),
    ("10:01", "INFO", "/orders", 200, 20.0, "request completed"),
    ("10:02", "WARN", "/pay", 404, 1.5, "request rejected"),
    ("10:03", "INFO", "/orders", 200, 30.0, "request completed"),
    // In another five minutes than those before.
    ("10:12", "ERROR", "/pay", 500, 400.0, "request failed"),
    ("10:20", "INFO", "/pay", 200, 2.5, "request completed"),
];

/// What is made of the page's table, and of what it says beside it.
const TABLES: [(&str, &str); 11] = [
    (
        "| count by status",
        "status  count\n\
         200         4\n\
         404         1\n\
         500         1\n",
    ),
    ("| count", "count\n    6\n"),
    (
        "| p50,p99(latency_ms) by route",
        "route    p50(latency_ms)  p99(latency_ms)\n\
         /orders               20               30\n\
         /pay                 2.5              400\n",
    ),
    (
        "| min,max,avg,sum(latency_ms) by route",
        "route    min(latency_ms)  max(latency_ms)  avg(latency_ms)  sum(latency_ms)\n\
         /orders               10               30               20               60\n\
         /pay                 1.5              400          134.667              404\n",
    ),
    (
        "| count,max(latency_ms)",
        "count  max(latency_ms)\n    6              400\n",
    ),
    (
        "| rate 1m by level",
        "level  rate\n\
         INFO    0.2\n\
         ERROR  0.05\n\
         WARN   0.05\n",
    ),
    ("| rate 1m", "rate\n 0.3\n"),
    (
        "| top 10 message",
        "message            count\n\
         request completed      4\n\
         request failed         1\n\
         request rejected       1\n",
    ),
    (
        "| top 1 message",
        "message            count\nrequest completed      4\n",
    ),
    (
        "| timechart 5m count by level",
        "time                 level  count\n\
         2026-11-24 10:00:00  INFO       3\n\
         2026-11-24 10:00:00  WARN       1\n\
         2026-11-24 10:10:00  ERROR      1\n\
         2026-11-24 10:20:00  INFO       1\n",
    ),
    (
        "| timechart 5m count",
        "time                 count\n\
         2026-11-24 10:00:00      4\n\
         2026-11-24 10:05:00      0\n\
         2026-11-24 10:10:00      1\n\
         2026-11-24 10:15:00      0\n\
         2026-11-24 10:20:00      1\n",
    ),
];

/// The codes in the left column of the page's table.
fn written() -> BTreeSet<String> {
    let below = PAGE.split("\n## Behind a pipe\n").nth(1).unwrap();
    let below = below.split("\n## ").next().unwrap();
    let rows = below.lines().filter_map(|line| line.strip_prefix("| `\\"));
    rows.map(|row| row.split('`').next().unwrap().to_owned())
        .collect()
}

#[test]
fn each_table_of_the_page_is_made_as_it_says() {
    let log: String = REQUESTS
        .iter()
        .map(|(minute, level, route, status, latency, message)| {
            format!("{{\"timestamp\":\"2026-11-24T{minute}:00Z\",\"level\":\"{level}\",\"target\":\"t\",\"message\":\"{message}\",\"route\":\"{route}\",\"status\":{status},\"latency_ms\":{latency}}}\n")
        })
        .collect();
    let folder = folder(&[("shop.log", &log)]);
    let written = written();
    assert_eq!(written.len(), 5, "{written:?}");
    let sampled: BTreeSet<String> = TABLES
        .iter()
        .map(|(query, _)| (*query).to_owned())
        .collect();
    let missing: Vec<_> = written.difference(&sampled).collect();
    assert!(missing.is_empty(), "without a sample: {missing:?}");
    for (query, table) in TABLES {
        let shown = run(folder.path(), &["--utc", query, "shop.log"]);
        assert_eq!(shown, (0, table.to_owned(), String::new()), "{query}");
    }
}
