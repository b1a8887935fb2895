//! Holds the query language: what it reads and writes, what it finds, and what it must never miss.
#![cfg(feature = "query")]

mod support;

use std::time::{Duration, UNIX_EPOCH};

use dogwatch_line::{Fields, Line, Now, Query, Value, Verdict};
use proptest::prelude::*;
use support::{Respell, object, query, quoted};

/// 2026-11-24T10:00:00Z.
fn now() -> Now {
    Now::utc(UNIX_EPOCH + Duration::from_secs(1_795_514_400))
}

fn judged(query: &str, line: &str) -> Verdict {
    Query::parse(query).unwrap().matcher(now()).judge(line)
}

#[track_caller]
fn holds(query: &str, line: &str) -> bool {
    match judged(query, line) {
        Verdict::Holds => true,
        Verdict::Fails => false,
        text => panic!("{line} is taken for {text:?}"),
    }
}

#[test]
fn each_spelling_is_written_in_one_form() {
    for (text, canonical) in [
        ("", "*"),
        ("  * ", "*"),
        ("level >= WARN AND status:500", "level>=warn status=500"),
        ("not a or (b c)", "-a or b c"),
        ("(a or b) c", "(a or b) c"),
        ("((a b) c)", "a b c"),
        ("NOT (a b)", "-(a b)"),
        ("--a", "--a"),
        ("-target=hyper", "-target=hyper"),
        ("\"timed out\"", "\"timed out\""),
        ("\"timed\"", "timed"),
        (
            "\"and\" \"in\" \"-x\" \"a*\"",
            "\"and\" \"in\" \"-x\" \"a*\"",
        ),
        ("path~\"^/api/\"", "path~\"^/api/\""),
        ("path!~^/api/\\d+", "path!~\"^/api/\\\\d+\""),
        ("~boom", "*~boom"),
        ("* !~ boom", "-*~boom"),
        ("status in (500, 502,\"x\")", "status in (500, 502, x)"),
        ("error exists", "error exists"),
        ("error=*", "error exists"),
        ("error!=*", "-error exists"),
        ("logged in", "logged \"in\""),
        ("latency>1h30m", "latency>90m"),
        ("bytes_out>=10240KB", "bytes_out>=10000KiB"),
        ("size>1024KiB", "size>1MiB"),
        ("since=-60m until=now", "since=-1h until=now"),
        ("time>\"2026-11-24 10:00\"", "time>2026-11-24T10:00"),
        ("order=\"500\"", "order=\"500\""),
        ("trace_id=500", "trace_id=\"500\""),
        ("\"a b\"=1", "\"a b\"=1"),
        (
            "shop::pay 10:30 http://x/y",
            "\"shop::pay\" \"10:30\" \"http://x/y\"",
        ),
        ("level>=40 severity=critical", "level>=warn severity=fatal"),
        ("x=\"\"", "x=\"\""),
        ("* | count BY status", "* | count by status"),
        ("p50,p99.9(latency_ms)|count", "ERROR"),
        (
            "a | p50, p99.9(latency_ms) by route , host",
            "a | p50(latency_ms),p99.9(latency_ms) by route,host",
        ),
        ("| rate", "* | rate 1m"),
        ("| top message", "* | top 10 message"),
        (
            "| timechart 60s by level",
            "* | timechart 1m count by level",
        ),
    ] {
        match Query::parse(text) {
            Ok(query) => assert_eq!(query.to_string(), canonical, "{text}"),
            Err(error) => assert_eq!("ERROR", canonical, "{text}: {error}"),
        }
    }
}

#[test]
fn an_error_points_at_the_column_and_says_what_was_meant() {
    for (text, column, message) in [
        (
            "level>=warm",
            8,
            "unknown level `warm`, did you mean `warn`?",
        ),
        ("支付 level=loud", 10, "unknown level `loud`"),
        ("a == b", 3, "unknown operator `==`, did you mean `=`?"),
        ("path =~ x", 6, "unknown operator `=~`, did you mean `~`?"),
        ("a<>b", 2, "unknown operator `<>`, did you mean `!=`?"),
        (
            "a<~>b",
            2,
            "unknown operator `<~>`; there are = != < <= > >= ~ !~",
        ),
        ("(a or b", 1, "this `(` is never closed"),
        ("a)", 2, "`)` closes nothing"),
        ("a or", 5, "something to look for is missing"),
        (
            "or a",
            1,
            "something to look for is missing; a word like this is looked for in quotes",
        ),
        (
            "a and | count",
            7,
            "something to look for is missing before `|`",
        ),
        ("=5", 1, "the name of a field is missing"),
        ("status=", 8, "a value is missing"),
        ("status= | count", 9, "expected a value, found `|`"),
        ("say \"hello", 5, "this quote is never closed"),
        ("since=1h", 7, "unknown time `1h`, did you mean `-1h`?"),
        (
            "since=yesteday",
            7,
            "unknown time `yesteday`, did you mean `yesterday`?",
        ),
        (
            "since=soon",
            7,
            "unknown time `soon`; write `-1h`, `today`, `yesterday`, `10:30`, `2026-11-24` or `2026-11-24T10:30:00Z`",
        ),
        (
            "since>-1h",
            6,
            "`since` is a bound already: write `since=…`",
        ),
        (
            "path>/api/*",
            6,
            "a wildcard is the same or not, never more or less",
        ),
        ("path~\"(\"", 6, "not a regular expression: unclosed group"),
        (
            "path~\"\\w{9999}\"",
            6,
            "not a regular expression: Compiled regex exceeds size limit of 1048576 bytes.",
        ),
        (
            "path~(?i)x",
            6,
            "a value that begins with `(` stands in quotes",
        ),
        ("a in (1 2)", 9, "expected `,` or `)` in the list"),
        ("a in (1", 6, "this list is never closed"),
        ("*=5", 2, "`*` stands for any field only before `~`"),
        (
            "a | coutn",
            5,
            "unknown summary `coutn`, did you mean `count`?",
        ),
        ("a | p50", 5, "`p50` of what? Write `p50(latency_ms)`"),
        (
            "a | p101(x)",
            5,
            "unknown summary `p101`; there are count, rate, top, timechart, min, max, avg, sum and p0 to p100",
        ),
        ("a | timechart 0s", 15, "`0s` is no duration; write `1m`"),
        ("a | top 0 x", 9, "`0` is no number of rows"),
        ("a | count | count", 11, "there can be only one summary"),
        ("a | count x", 11, "expected the end, found `x`"),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot read the query at column {column}: {message}"),
            "{text}"
        );
    }
    let deep = format!("{}a", "-".repeat(65));
    assert_eq!(
        Query::parse(&deep).unwrap_err().to_string(),
        "cannot read the query at column 65: it is nested deeper than 64"
    );
    assert!(Query::parse(&deep[2..]).is_ok());
    let long = "a".repeat(16_385);
    assert_eq!(
        Query::parse(&long).unwrap_err().to_string(),
        "cannot read the query at column 16385: it is longer than 16384 bytes"
    );
}

#[test]
fn a_line_is_found_by_its_fields() {
    let line = r#"{"timestamp":"2026-11-24T09:30:00.000000Z","level":"ERROR","target":"shop::pay","message":"支付 timed out",
        "status":502,"path":"/api/orders/79/pay","latency_ms":217.324,"bytes_out":46,"user_id":"30","order":{"id":79,"tags":["vip","cn"]},
        "error":{"message":"the channel answered 502","causes":[]},"ok":false,"none":null,"wait_us":1500}"#;
    for (query, expected) in [
        ("level=error", true),
        ("level>=warn level<=fatal", true),
        ("level<error", false),
        ("level in (warn, error)", true),
        ("severity=error", true),
        ("status>=500", true),
        ("status=502", true),
        ("status=502.0", true),
        ("status=\"502\"", true),
        ("status=50", false),
        ("status=50*", true),
        ("status!=200", true),
        ("nothing!=200", false),
        ("-nothing=200", true),
        ("path~\"^/api/\"", true),
        ("path!~\"^/api/\"", false),
        ("path=/api/*/pay", true),
        ("path=/api", false),
        ("user_id=30", true),
        ("user_id>29", true),
        ("latency_ms>250", false),
        ("latency>200ms", true),
        ("latency_ms<=217.324", true),
        ("wait_us>1ms", true),
        ("wait_us>1500us", false),
        ("bytes_out<1KiB", true),
        ("order.id=79", true),
        ("order.tags=vip", true),
        ("order.tags=v*", true),
        ("order=79", false),
        ("order exists", true),
        ("error.message~channel", true),
        ("error~channel", true),
        ("ok=false", true),
        ("ok=true", false),
        ("none exists", false),
        ("none=null", false),
        ("-none exists", true),
        ("\"timed out\"", true),
        ("\"timed  out\"", false),
        ("支付", true),
        ("vip", true),
        ("502", true),
        ("Timed", false),
        ("~\"(?i)TIMED\"", true),
        ("tim*out", true),
        ("timestamp", false),
        ("since=-1h", true),
        ("since=-10m", false),
        ("since=today until=09:30", false),
        ("timestamp=09:30", true),
        ("timestamp=2026-11-24", true),
        ("timestamp>2026-11-23 timestamp<2026-11-25", true),
        ("timestamp>2026-11-24", false),
        ("since=yesterday until=today", false),
        ("target=shop::pay", true),
        ("(status=1 or status=502) and not level=info", true),
        ("", true),
        ("-*", false),
    ] {
        assert_eq!(holds(query, line), expected, "{query}");
    }
}

#[test]
fn the_lines_of_others_are_found_by_the_same_query() {
    let query =
        r#"level>=error "pool" status>=500 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 since=-1h"#;
    for (logger, line) in [
        (
            "ours",
            r#"{"timestamp":"2026-11-24T09:59:00.000000Z","level":"ERROR","target":"shop","message":"pool timed out","status":503,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "tracing-subscriber",
            r#"{"timestamp":"2026-11-24T09:59:00.000000Z","level":"ERROR","fields":{"message":"pool timed out","status":503},"target":"shop","span":{"name":"pay"},"spans":[{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","name":"http"},{"name":"pay"}]}"#,
        ),
        (
            "bunyan",
            r#"{"name":"shop","hostname":"h","pid":1,"level":50,"time":"2026-11-24T09:59:00.000Z","msg":"pool timed out","v":0,"req_id":"r","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","res":{"statusCode":503}}"#,
        ),
        (
            "pino",
            r#"{"level":50,"time":1795514340000,"pid":1,"hostname":"h","traceId":"4bf92f3577b34da6a3ce929d0e0e4736","res":{"statusCode":503},"responseTime":12,"msg":"pool timed out"}"#,
        ),
        (
            "zap",
            r#"{"level":"error","ts":1795514340.25,"logger":"shop","caller":"pay/pay.go:42","msg":"pool timed out","status":503,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","error":"busy"}"#,
        ),
        (
            "slog",
            r#"{"time":"2026-11-24T17:59:00.123456789+08:00","level":"ERROR+2","msg":"pool timed out","status":503,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "zerolog",
            r#"{"level":"error","error":"busy","status":503,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","time":1795514340,"message":"pool timed out"}"#,
        ),
        (
            "logrus",
            r#"{"level":"fatal","msg":"pool timed out","status":503,"time":"2026-11-24T09:59:00Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "logstash",
            r#"{"@timestamp":"2026-11-24T09:59:00.000Z","@version":"1","message":"pool timed out","logger_name":"shop","thread_name":"main","level":"ERROR","level_value":40000,"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","status":"503"}"#,
        ),
        (
            "ecs",
            r#"{"@timestamp":"2026-11-24T09:59:00.000Z","log.level":"error","message":"pool timed out","ecs.version":"8.11.0","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","http":{"response":{"status_code":503}}}"#,
        ),
        (
            "ecs nested",
            r#"{"@timestamp":"2026-11-24T09:59:00.000Z","log":{"level":"ERROR","logger":"shop"},"message":"pool timed out","trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"},"http.response.status_code":503}"#,
        ),
        (
            "gcp",
            r#"{"severity":"CRITICAL","timestamp":"2026-11-24T09:59:00Z","jsonPayload":{"message":"pool timed out"},"httpRequest":{"status":503,"latency":"0.5s"},"logging.googleapis.com/trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "otel",
            r#"{"timeUnixNano":"1795514340000000000","severityNumber":17,"body":{"stringValue":"pool timed out"},"attributes":{"http.response.status_code":503},"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "datadog",
            r#"{"timestamp":1795514340000,"status":"error","level":"error","message":"pool timed out","http.status_code":503,"dd.trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#,
        ),
        (
            "docker",
            r#"{"log":"{\"time\":\"2026-11-24T09:59:00Z\",\"level\":\"ERROR\",\"msg\":\"pool timed out\",\"status\":503,\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}\n","stream":"stdout","time":"2026-11-24T09:59:00.1Z"}"#,
        ),
    ] {
        // Datadog's `status` is a level; the number has another name.
        let query = if logger == "datadog" {
            query.replace("status>=", "http.status_code>=")
        } else {
            query.to_owned()
        };
        assert!(holds(&query, line), "{logger}");
        assert!(
            !holds(
                &query.replace(">=500", ">=504").replace("pool", "pol"),
                line
            ),
            "{logger}"
        );
        for set in Query::parse(&query).unwrap().literals().sets() {
            let found = set.iter().any(|needle| needle.is_in(line.as_bytes()));
            assert!(found, "{logger}: none of {set:?}");
        }
    }
}

#[test]
fn durations_of_others_count_in_their_own_unit() {
    for line in [
        r#"{"latency_ms":250}"#,
        r#"{"event":{"duration":250000000}}"#,
        r#"{"httpRequest":{"latency":"0.25s"}}"#,
        r#"{"http.server.request.duration":0.25}"#,
        r#"{"responseTime":250}"#,
        r#"{"duration":"250ms"}"#,
        r#"{"elapsed":"250000µs"}"#,
    ] {
        for query in [
            "latency_ms=250",
            "latency=250ms",
            "latency=0.25s",
            "event.duration=250000000",
            "http.server.request.duration<=0.25",
        ] {
            assert!(holds(query, line), "{query} {line}");
        }
        assert!(!holds("latency_ms>250", line), "{line}");
    }
}

#[test]
fn what_is_no_json_is_text_and_has_no_fields() {
    let text = |query: &str, line: &str| match judged(query, line) {
        Verdict::Text { holds } => holds,
        json => panic!("{line} is taken for {json:?}"),
    };
    assert!(text("\"out of memory\"", "Killed: out of memory"));
    assert!(text("", "anything"));
    assert!(text("-level=error", "anything"));
    assert!(!text("level=error", "level=error"));
    // A torn line is text: it may hold what is looked for.
    assert!(text("half", r#"{"message":"half a li"#));
    assert!(!text(
        "level=error",
        r#"{"level":"ERROR","message":"half a li"#
    ));
    assert!(text(
        "level=error or half",
        r#"{"level":"ERROR","message":"half a li"#
    ));
    assert!(!text("level=error", r#"{"level":"ERROR"} and more"#));
    assert!(text(
        "warning",
        r#"{"log":"a warning\n","stream":"stderr","time":"2026-11-24T09:59:00.1Z"}"#
    ));
    // What a walk does not need to see, it does not check.
    assert_eq!(
        judged("level=info", r#"{"level":"ERROR","message":"half a li"#),
        Verdict::Fails
    );
}

#[test]
fn a_key_that_stands_twice_counts_with_its_first_value() {
    assert!(holds("status=1", r#"{"status":1,"status":2}"#));
    assert!(!holds("status=2", r#"{"status":1,"status":2}"#));
}

#[test]
fn a_live_event_is_asked_by_the_same_query() {
    struct Event;
    impl Fields for Event {
        fn field(&self, name: &str) -> Option<Value<'_>> {
            match name {
                "level" => Some(Value::from("ERROR")),
                "message" => Some(Value::from("pool timed out")),
                "status" => Some(Value::from(503_i64)),
                _ => None,
            }
        }
    }
    for (query, expected) in [
        ("level>=warn status>=500 \"timed out\"", true),
        ("http.response.status_code=503", true),
        ("route exists", false),
        ("-route=/x", true),
        ("503", false),
    ] {
        assert_eq!(
            Query::parse(query).unwrap().matcher(now()).holds(&Event),
            expected,
            "{query}"
        );
    }
}

/// Every string of a line, and the path that leads to it.
fn said(json: &serde_json::Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in json.as_object().into_iter().flatten() {
        match value {
            serde_json::Value::String(text) => found.push((key.clone(), text.clone())),
            inner => found.extend(
                said(inner)
                    .into_iter()
                    .map(|(path, text)| (format!("{key}.{path}"), text)),
            ),
        }
    }
    found
}

fn regex_escaped(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            char.is_ascii_punctuation()
                .then_some('\\')
                .into_iter()
                .chain([char])
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_query_that_is_written_reads_back_as_the_same(text in query()) {
        let query = Query::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        let written = query.to_string();
        let again = Query::parse(&written).map_err(|error| TestCaseError::fail(format!("{text} -> {written}: {error}")))?;
        prop_assert_eq!(&again, &query, "{} -> {}", text, written);
        prop_assert_eq!(again.to_string(), written);
    }

    #[test]
    fn any_text_is_a_query_that_reads_back_or_an_error_within_it(text in "[a-c*:=<>!~\"\\\\ ()|,.0-3-]{0,24}|\\PC{0,24}") {
        match Query::parse(&text) {
            Ok(query) => {
                let again = Query::parse(&query.to_string());
                prop_assert_eq!(again, Ok(query), "{}", text);
            }
            Err(error) => prop_assert!(error.offset() <= text.len()),
        }
    }

    #[test]
    fn a_line_is_judged_alike_however_it_is_spelled(text in query(), json in object(), seed: u64) {
        let query = Query::parse(&text).unwrap();
        let matcher = query.matcher(now());
        let mut respelled = String::new();
        Respell(seed).write(&json, &mut respelled);
        let plain = matcher.judge(&json.to_string());
        prop_assert_eq!(matcher.judge(&respelled), plain, "{} {}", query, respelled);
        prop_assert!(!matches!(plain, Verdict::Text { .. }), "{}", respelled);
    }

    #[test]
    fn a_line_that_matches_has_a_needle_of_every_set(text in query(), json in object(), seed: u64) {
        let query = Query::parse(&text).unwrap();
        let mut line = String::new();
        Respell(seed).write(&json, &mut line);
        if query.matcher(now()).judge(&line).holds() {
            if query.literals().sets().next().is_some() { use std::io::Write; std::fs::OpenOptions::new().append(true).create(true).open("/tmp/query-count").unwrap().write_all(b"x").unwrap(); }
            for set in query.literals().sets() {
                let found = set.iter().any(|needle| needle.is_in(line.as_bytes()));
                prop_assert!(found, "{}: none of {:?} in {}", query, set, line);
            }
        }
    }

    #[test]
    fn what_a_line_says_of_itself_is_found_in_every_spelling_and_has_its_needles(
        json in object(), pick: prop::sample::Index, way in 0..6, seed: u64,
    ) {
        let said = said(&json);
        let Some((path, text)) = said.get(pick.index(said.len().max(1))) else {
            return Ok(());
        };
        let query = match way {
            0 => quoted(text),
            1 => format!("{}={}", quoted(path), quoted(text)),
            2 => format!("{}~{}", quoted(path), quoted(&format!("^{}$", regex_escaped(text)))),
            3 => format!("{} exists", quoted(path)),
            4 => format!("{} or {}=nothing", quoted(text), quoted(path)),
            _ => format!("{} in (nothing, {})", quoted(path), quoted(text)),
        };
        // A level and a time have literals of their own.
        let Ok(query) = Query::parse(&query) else { return Ok(()) };
        let mut line = String::new();
        Respell(seed).write(&json, &mut line);
        let holds = query.matcher(now()).judge(&line).holds();
        // By its path a field may be hidden by one of the same name nearer the top.
        prop_assert!(holds || !matches!(way, 0 | 4), "{} {}", query, line);
        for set in query.literals().sets().filter(|_| holds) {
            let found = set.iter().any(|needle| needle.is_in(line.as_bytes()));
            prop_assert!(found, "{}: none of {:?} in {}", query, set, line);
        }
    }

    #[test]
    fn without_holders_the_walk_finds_what_the_fields_of_the_line_answer(text in query(), json in object()) {
        let mut json = json;
        let object = json.as_object_mut().unwrap();
        for holder in ["fields", "attributes", "jsonPayload", "labels", "span", "spans"] {
            object.remove(holder);
        }
        let text_of_line = json.to_string();
        let matcher = Query::parse(&text).unwrap().matcher(now());
        let line = Line::parse(&text_of_line).unwrap();
        prop_assert_eq!(matcher.judge(&text_of_line).holds(), matcher.holds(&line), "{} {}", text, text_of_line);
    }
}
