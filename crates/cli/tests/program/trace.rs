//! Holds how a trace is drawn, and that an index is made and changes nothing of it.

use std::fs;

use crate::run;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "4bf92f3577b34da6a3ce929d0e0e4737";

/// A request to `shop`, which calls `pay`, whose lines are written in ECS's names; another trace; a
/// line without one.
fn logs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let line = |millis: u32, more: &str| {
        format!(
            "{{\"timestamp\":\"2026-11-24T10:00:00.{millis:03}000Z\",\"level\":\"INFO\",{more}}}\n"
        )
    };
    let shop = [
        line(
            10,
            &format!(
                r#""target":"shop::orders","message":"order created","service":"shop","order_id":79,"trace_id":"{TRACE}","span_id":"00000000000000a1","parent_span_id":"0000000000000001""#
            ),
        ),
        line(11, r#""target":"shop","message":"no trace""#),
        line(
            260,
            &format!(
                r#""target":"dogwatch::client","message":"call completed","service":"shop","method":"POST","url":"http://pay/pay","status":200,"latency_ms":240.5,"trace_id":"{TRACE}","span_id":"00000000000000a2","parent_span_id":"00000000000000a1""#
            ),
        ),
        line(
            300,
            &format!(
                r#""target":"dogwatch::request","message":"request completed","service":"shop","method":"POST","route":"/api/orders","path":"/api/orders","status":201,"outcome":"completed","latency_ms":295.25,"trace_id":"{TRACE}","span_id":"00000000000000a1","parent_span_id":"0000000000000001""#
            ),
        ),
        line(
            301,
            &format!(
                r#""target":"shop","message":"another","trace_id":"{OTHER}","span_id":"00000000000000c1""#
            ),
        ),
    ];
    let pay = [
        format!(
            "{{\"@timestamp\":\"2026-11-24T10:00:00.100Z\",\"log.level\":\"warn\",\"message\":\"the card is \\u001b[31m slow\",\"service.name\":\"pay\",\"trace.id\":\"{TRACE}\",\"span.id\":\"00000000000000b1\",\"parent.id\":\"00000000000000a2\"}}\n"
        ),
        format!(
            "{{\"@timestamp\":\"2026-11-24T10:00:00.250Z\",\"log.level\":\"info\",\"message\":\"request completed\",\"service.name\":\"pay\",\"http.request.method\":\"POST\",\"url.path\":\"/pay\",\"http.response.status_code\":200,\"event.duration\":230000000,\"trace.id\":\"{TRACE}\",\"span.id\":\"00000000000000b1\",\"parent.id\":\"00000000000000a2\"}}\n"
        ),
    ];
    fs::create_dir(folder.path().join("logs")).unwrap();
    fs::write(folder.path().join("logs/shop.log.1"), shop[..2].concat()).unwrap();
    fs::write(folder.path().join("logs/shop.log"), shop[2..].concat()).unwrap();
    fs::write(folder.path().join("logs/pay.log"), pay.concat()).unwrap();
    folder
}

const TREE: &str = "\
trace 4bf92f3577b34da6a3ce929d0e0e4736: 5 lines, 3 spans, 295.2 ms from 2026-11-24 10:00:00.004 +00:00
  +0.000 ms  ≥ 295.2 ms ▶ 0000000000000001 (a span without lines here)
  +0.000 ms    295.2 ms ▶ └─ POST /api/orders 201 [shop] INFO  request completed
  +5.250 ms                  │  INFO  order created order_id=79
   +14.8 ms    240.5 ms ▶    └─ POST http://pay/pay 200 INFO  call completed
   +15.2 ms    230.0 ms ▶       └─ POST /pay 200 [pay] INFO  request completed
   +95.2 ms                           WARN  the card is \\u{1b}[31m slow
";

#[test]
fn a_trace_is_a_tree_across_the_files_of_its_services_with_its_slowest_path() {
    let folder = logs();
    let shown = (0, TREE.to_owned(), String::new());
    assert_eq!(run(folder.path(), &["trace", TRACE, "--utc"]), shown);
    // As it stands in a header, in capitals, and by its files.
    let header = format!("00-{TRACE}-00f067aa0ba902b7-01");
    assert_eq!(
        run(folder.path(), &["trace", "--utc", &header, "logs"]),
        shown
    );
    let capitals = TRACE.to_uppercase();
    assert_eq!(
        run(
            folder.path(),
            &["trace", "--utc", &capitals, "logs/pay.log", "logs/shop.log"]
        ),
        shown
    );
}

#[test]
fn an_index_is_made_for_each_file_and_the_tree_stays_the_same() {
    let folder = logs();
    let (code, made, told) = run(folder.path(), &["index", "logs"]);
    assert_eq!((code, &*told), (0, ""));
    let made: Vec<&str> = made.lines().collect();
    assert_eq!(made.len(), 3);
    assert!(
        made[0].starts_with("logs/pay.log: 2 lines in 1 part, "),
        "{made:?}"
    );
    for name in ["pay.log.idx", "shop.log.1.idx", "shop.log.idx"] {
        assert!(folder.path().join("logs").join(name).exists(), "{name}");
    }
    let shown = (0, TREE.to_owned(), String::new());
    assert_eq!(run(folder.path(), &["trace", TRACE, "--utc"]), shown);

    // One that is damaged is told, and no failure.
    let index = folder.path().join("logs/pay.log.idx");
    fs::write(&index, b"").unwrap();
    let (code, tree, told) = run(folder.path(), &["trace", TRACE, "--utc"]);
    assert_eq!((code, &*tree), (0, TREE));
    assert_eq!(
        told,
        "dogwatch: the index of `logs/pay.log` ends early; all of the file is read; `dogwatch index logs/pay.log` makes it anew\n"
    );

    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(run(nothing.path(), &["index", "."]).0, 2);
    assert_eq!(
        run(folder.path(), &["index", "-"]),
        (
            2,
            String::new(),
            "dogwatch: an index stands beside a file: standard input has none\n".to_owned()
        )
    );
}

#[test]
fn the_beginning_of_an_id_will_do_if_only_one_begins_so() {
    let folder = logs();
    let (code, shown, told) = run(folder.path(), &["trace", "4bf92f35"]);
    assert_eq!((code, shown), (2, String::new()));
    assert_eq!(
        told,
        format!("dogwatch: `4bf92f35` begins 2 trace ids, give more of one: {TRACE}, {OTHER}\n")
    );
    let begun = &TRACE[..31];
    assert_eq!(
        run(folder.path(), &["trace", begun, "logs/pay.log", "-j"])
            .1
            .lines()
            .count(),
        2
    );
    let (code, shown, _) = run(folder.path(), &["trace", OTHER, "--json"]);
    assert_eq!((code, shown.lines().count()), (0, 1));
    assert!(shown.contains(r#""message":"another""#), "{shown}");
}

#[test]
fn what_is_no_id_ends_with_2_and_what_is_not_there_with_1() {
    let folder = logs();
    let absent = "4bf92f3577b34da6a3ce929d0e0e4738";
    assert_eq!(
        run(folder.path(), &["trace", absent]),
        (
            1,
            String::new(),
            format!("dogwatch: no line has the trace id `{absent}`\n")
        )
    );
    for (arguments, told) in [
        (
            &["trace", "payment"][..],
            "`payment` is no trace id: that is 32 digits and letters from a to f, of which the first 6 or more do",
        ),
        (
            &["trace"],
            "`dogwatch trace` needs a trace id; `dogwatch trace --help` shows how",
        ),
    ] {
        assert_eq!(
            run(folder.path(), arguments),
            (2, String::new(), format!("dogwatch: {told}\n"))
        );
    }
}
