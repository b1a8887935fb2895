//! Holds the page of `stats`.

use std::fmt::Write as _;

use crate::{folder, run};

/// Two services: ours with requests and errors, and a pino in front of it; one line is text.
fn logs() -> tempfile::TempDir {
    let mut shop = String::new();
    for second in 0..60 {
        let (level, status) = if second % 20 == 19 {
            ("ERROR", 503)
        } else {
            ("INFO", 200)
        };
        writeln!(
            shop,
            r#"{{"timestamp":"2026-11-24T10:00:{second:02}.000000Z","level":"{level}","service":"shop","target":"dogwatch::request","message":"request {second}","method":"GET","route":"/api/orders/{{id}}","status":{status},"latency_ms":{second}.5}}"#
        )
        .unwrap();
    }
    shop.push_str("{\"timestamp\":\"2026-11-24T10:01:00Z\",\"level\":\"ERROR\",\"target\":\"shop::pay\",\"message\":\"付款失败 \\u001b[2J\",\"error\":{\"message\":\"no answer within 250ms\"}}\n");
    folder(&[
        ("logs/shop.log", &shop),
        (
            "logs/edge.log",
            "{\"level\":40,\"time\":1795514410000,\"msg\":\"slow 7\",\"service\":\"edge\"}\n\
             {\"level\":40,\"time\":1795514411000,\"msg\":\"slow 8\",\"service\":\"edge\"}\nstarted\n",
        ),
    ])
}

#[test]
fn a_page_sums_up_all_logs() {
    let folder = logs();
    let page = "\
64 lines, 12.3 KB in 2 files
2026-11-24 10:00:00 to 2026-11-24 10:01:00 (60.0 s)
not JSON: 1
without a time: 1

  lines   ▆▆█▆▆▆▆▆▆▆▆▆▂  7 in 5s at most
  errors     █   █   ██  1 in 5s at most

levels
   4  ERROR
   2  WARN
  57  INFO
   1  none

services
  60  shop
   2  edge

messages
  60  request *
   2  slow *
   1  started
   1  付款失败 \\u{1b}[*

routes
  requests  failed  p50 ms  p99 ms  max ms  route
        60       3    29.5    59.5    59.5  GET /api/orders/{id}

errors
  count  first                last                 target: message / error
      3  2026-11-24 10:00:19  2026-11-24 10:00:59  dogwatch::request: request *
      1  2026-11-24 10:01:00  2026-11-24 10:01:00  shop::pay: 付款失败 \\u{1b}[* / no answer within *
";
    assert_eq!(
        run(folder.path(), &["stats", "--utc"]),
        (0, page.to_owned(), String::new())
    );
}

#[test]
fn a_query_narrows_the_page_and_without_a_line_the_exit_code_is_1() {
    let folder = logs();
    let page = "\
2 lines found of 3, 140 bytes in 1 file
2026-11-24 10:00:10 to 2026-11-24 10:00:11 (1.0 s)

  lines   █                   █  1 in 50ms at most

levels
  2  WARN

services
  2  edge

messages
  2  slow *
";
    assert_eq!(
        run(folder.path(), &["stats", "slow", "--utc", "logs/edge.log"]),
        (0, page.to_owned(), String::new())
    );
    assert_eq!(
        run(folder.path(), &["stats", "none", "logs/edge.log"]),
        (
            1,
            "0 lines found of 3, 140 bytes in 1 file\n".to_owned(),
            String::new()
        )
    );
    let (code, out, error) = run(folder.path(), &["stats", "| count", "logs"]);
    assert_eq!((code, &*out), (2, ""));
    assert_eq!(
        error,
        "dogwatch: `stats` takes a query without a pipe: it reckons by itself\n"
    );
}

#[test]
fn a_commands_name_is_looked_for_behind_a_double_dash_and_in_quotes() {
    let folder = folder(&[("a.log", "stats are here\nnothing\n")]);
    for arguments in [["--", "stats", "a.log"].as_slice(), &["\"stats\"", "a.log"]] {
        assert_eq!(
            run(folder.path(), arguments),
            (0, "stats are here\n".to_owned(), String::new())
        );
    }
    assert_eq!(
        run(folder.path(), &["--utc", "stats", "a.log"]).2,
        "dogwatch: `stats` is a command, which stands first; to look for the word, write `-- stats`\n"
    );
}
