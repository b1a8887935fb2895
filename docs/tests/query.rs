//! Holds what the page of the query language says against the language: each query of it finds a line
//! and leaves another.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use dogwatch_line::{Now, Query};

const PAGE: &str = include_str!("../query.md");

/// 2026-11-24 12:00:00 UTC.
const NOON: u64 = 1_795_521_600;

fn holds(query: &str, line: &str) -> bool {
    let parsed = Query::parse(query).unwrap_or_else(|error| panic!("{error}: {query}"));
    let now = Now::utc(UNIX_EPOCH + Duration::from_secs(NOON));
    parsed.matcher(now).judge(line).holds()
}

/// A query with a line that it finds and one that it does not.
fn told_apart(samples: &[(&str, &str, &str)]) {
    for (query, found, other) in samples {
        assert!(holds(query, found), "{query} does not find {found}");
        assert!(!holds(query, other), "{query} finds {other}");
    }
}

/// The part of the page below a heading.
fn section(heading: &str) -> &'static str {
    let below = PAGE.split(&format!("\n## {heading}\n")).nth(1);
    let below = below.unwrap_or_else(|| panic!("no heading {heading}"));
    below.split("\n## ").next().unwrap_or_default()
}

/// What stands in backquotes.
fn code(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Every one of the codes of a text has its sample, and the other way round.
fn same(of: &str, codes: BTreeSet<&str>, sampled: impl IntoIterator<Item = &'static str>) {
    let sampled: BTreeSet<&str> = sampled.into_iter().collect();
    assert_eq!(codes, sampled, "{of}");
}

#[test]
fn the_first_query_of_the_page_finds_the_line_that_has_all_of_it() {
    let query = PAGE.split("```text\n").nth(1).unwrap();
    let query = query.split("\n```").next().unwrap();
    let line = |level: &str, time: &str, target: &str| {
        format!(
            r#"{{"timestamp":"2026-11-24T{time}Z","level":"{level}","target":"{target}","status":504,"path":"/api/pay","trace_id":"4bf92f3577b34da6","message":"it timed out"}}"#
        )
    };
    assert!(holds(query, &line("WARN", "11:30:00", "shop")));
    assert!(!holds(query, &line("INFO", "11:30:00", "shop")));
    assert!(!holds(query, &line("WARN", "10:30:00", "shop")));
    assert!(!holds(query, &line("WARN", "11:30:00", "hyper")));
}

#[test]
fn each_query_of_the_table_finds_a_line_and_leaves_another() {
    let samples = [
        (
            "timeout",
            r#"{"a":"a timeouts"}"#,
            r#"{"timeout":"x","a":"Timeout"}"#,
        ),
        (
            "\"timed out\"",
            r#"{"a":"it timed out"}"#,
            r#"{"a":"timed","b":"out"}"#,
        ),
        (
            "time*out",
            r#"{"a":"times without"}"#,
            r#"{"a":"out of time"}"#,
        ),
        ("~\"ti(m|p)ed\"", r#"{"a":"tiped"}"#, r#"{"a":"tided"}"#),
        ("~\"(?i)TIMED\"", r#"{"a":"timed"}"#, r#"{"a":"time"}"#),
        ("status=500", r#"{"status":500.0}"#, r#"{"status":5000}"#),
        ("status:500", r#"{"status":500}"#, r#"{"status":501}"#),
        (
            "path=/api/*",
            r#"{"path":"/api/pay"}"#,
            r#"{"path":"/v2/api/pay"}"#,
        ),
        (
            "path=\"/api/*\"",
            r#"{"path":"/api/*"}"#,
            r#"{"path":"/api/pay"}"#,
        ),
        ("status!=200", r#"{"status":500}"#, r#"{"a":1}"#),
        ("-status=200", r#"{"a":1}"#, r#"{"status":200}"#),
        ("status>=500", r#"{"status":500}"#, r#"{"status":499}"#),
        ("status<500", r#"{"status":499}"#, r#"{"status":500}"#),
        ("status<=500", r#"{"status":500}"#, r#"{"status":501}"#),
        ("status>500", r#"{"status":501}"#, r#"{"status":500}"#),
        ("level<=warn", r#"{"level":"INFO"}"#, r#"{"level":"ERROR"}"#),
        ("name<b", r#"{"name":"aa"}"#, r#"{"name":"ba"}"#),
        (
            "path~\"^/api/\"",
            r#"{"path":"/api/pay"}"#,
            r#"{"path":"x/api/"}"#,
        ),
        (
            "path!~\"^/api/\"",
            r#"{"path":"/pay"}"#,
            r#"{"path":"/api/pay"}"#,
        ),
        (
            "status in (500, 502)",
            r#"{"status":502}"#,
            r#"{"status":501}"#,
        ),
        ("error exists", r#"{"error":""}"#, r#"{"error":null}"#),
        ("error=*", r#"{"error":{"message":"x"}}"#, r#"{"a":1}"#),
        (
            "order.id=79",
            r#"{"order":{"id":79}}"#,
            r#"{"order":79,"id":79}"#,
        ),
        ("order.id=79", r#"{"order.id":79}"#, r#"{"order":{"id":7}}"#),
        (
            "tags=vip",
            r#"{"tags":["new","vip"]}"#,
            r#"{"tags":["vips"]}"#,
        ),
        (
            "\"a name\"=x",
            r#"{"a name":"x"}"#,
            r#"{"a":"x","name":"x"}"#,
        ),
        (r#""\"x\"""#, r#"{"a":"the \"x\""}"#, r#"{"a":"x"}"#),
        (r#"~"\d+""#, r#"{"a":"n 7"}"#, r#"{"a":"d+"}"#),
        // What joins them.
        ("a=1 b=1", r#"{"a":1,"b":1}"#, r#"{"a":1,"b":2}"#),
        ("a=1 or not (b=1)", r#"{"a":2,"b":2}"#, r#"{"a":2,"b":1}"#),
    ];
    told_apart(&samples);
    for all in ["", "*"] {
        assert!(holds(all, "{}") && holds(all, "text"));
    }
    let table = PAGE.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    // A bar in code does not end a cell where it is escaped, or is in no cell's border.
    let first = |row: &'static str| row.split("` | ").next().unwrap();
    let codes: BTreeSet<&str> = rows.flat_map(|row| code(first(row))).collect();
    // A lone operator stands beside a query that shows where it goes.
    let lone = ["<", "<=", ">", "!~"];
    let missing: Vec<&str> = codes
        .into_iter()
        .filter(|code| !lone.contains(code))
        .filter(|code| !samples.iter().any(|(query, ..)| query == code))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "no line is tried");
}

/// A code of the page, a query that uses it, a line that this finds and one that it does not; so below.
const LEVELS: [(&str, &str, &str, &str); 6] = [
    (
        "trace debug info warn error fatal",
        "level>=error",
        r#"{"level":"FATAL"}"#,
        r#"{"level":"WARN"}"#,
    ),
    (
        "critical",
        "level>=fatal",
        r#"{"level":"critical"}"#,
        r#"{"level":"error"}"#,
    ),
    (
        "WARNING",
        "level=warn",
        r#"{"level":"WARNING"}"#,
        r#"{"level":"info"}"#,
    ),
    (
        "notice",
        "level=info",
        r#"{"level":"notice"}"#,
        r#"{"level":"debug"}"#,
    ),
    ("30", "level=info", r#"{"level":30}"#, r#"{"level":40}"#),
    (
        "severityNumber",
        "level=error",
        r#"{"severityNumber":17}"#,
        r#"{"severityNumber":9}"#,
    ),
];

const TIMES: [(&str, &str, &str, &str); 13] = [
    (
        "since=",
        "since=2026-11-24T10:00:00Z",
        r#"{"timestamp":"2026-11-24T10:00:00Z"}"#,
        r#"{"timestamp":"2026-11-24T09:59:59.999999Z"}"#,
    ),
    (
        "until=",
        "until=2026-11-24T10:00:00Z",
        r#"{"timestamp":"2026-11-24T09:59:59.999999Z"}"#,
        r#"{"timestamp":"2026-11-24T10:00:00Z"}"#,
    ),
    (
        "timestamp",
        "timestamp<=10:30",
        r#"{"timestamp":"2026-11-24T10:30:00Z"}"#,
        r#"{"timestamp":"2026-11-24T10:31:00Z"}"#,
    ),
    (
        "-1h",
        "since=-1h",
        r#"{"timestamp":1795518000}"#,
        r#"{"timestamp":1795517999}"#,
    ),
    (
        "now",
        "since=now",
        r#"{"timestamp":1795521600000}"#,
        r#"{"timestamp":1795521599999}"#,
    ),
    (
        "today",
        "since=today",
        r#"{"timestamp":"2026-11-24T00:00:00Z"}"#,
        r#"{"timestamp":"2026-11-23T23:59:59Z"}"#,
    ),
    (
        "yesterday",
        "since=yesterday",
        r#"{"timestamp":"2026-11-23T00:00:00Z"}"#,
        r#"{"timestamp":"2026-11-22T23:59:59Z"}"#,
    ),
    (
        "10:30",
        "since=10:30",
        r#"{"timestamp":1795516200000000}"#,
        r#"{"timestamp":1795516199999999}"#,
    ),
    (
        "2026-11-24",
        "until=2026-11-24",
        r#"{"timestamp":"2026-11-23T23:59:59Z"}"#,
        r#"{"timestamp":"2026-11-24T00:00:00Z"}"#,
    ),
    (
        "\"2026-11-24 10:30\"",
        "since=\"2026-11-24 10:30\"",
        r#"{"timestamp":1795516200000000000}"#,
        r#"{"timestamp":1795516199999999999}"#,
    ),
    (
        "2026-11-24T10:30:00Z",
        "since=2026-11-24T10:30:00Z",
        r#"{"timestamp":"2026-11-24T18:30:00+08:00"}"#,
        r#"{"timestamp":"2026-11-24T10:30:00+08:00"}"#,
    ),
    (
        "timestamp=2026-11-24",
        "timestamp=2026-11-24",
        r#"{"timestamp":"2026-11-24T23:59:59.9Z"}"#,
        r#"{"timestamp":"2026-11-25T00:00:00Z"}"#,
    ),
    (
        ">",
        "timestamp>2026-11-24",
        r#"{"timestamp":"2026-11-25T00:00:00Z"}"#,
        r#"{"timestamp":"2026-11-24T23:59:59.9Z"}"#,
    ),
];

const DURATIONS: [(&str, &str, &str, &str); 6] = [
    (
        "250ms",
        "latency_ms>=250ms",
        r#"{"latency_ms":250}"#,
        r#"{"latency_ms":249.9}"#,
    ),
    (
        "1.5s",
        "wait_s>=1.5s",
        r#"{"wait_s":1.5}"#,
        r#"{"wait_s":1.4}"#,
    ),
    (
        "1h30m",
        "age_s>1h30m",
        r#"{"age_s":5401}"#,
        r#"{"age_s":5400}"#,
    ),
    (
        "ns us ms s m h d w",
        "took<1w",
        r#"{"took":604799999}"#,
        r#"{"took":604800000}"#,
    ),
    (
        "_ns _us _ms _s",
        "took_us>=1ms",
        r#"{"took_us":1000}"#,
        r#"{"took_us":999}"#,
    ),
    (
        "\"0.25s\"",
        "latency_ms>=250ms",
        r#"{"latency_ms":"0.25s"}"#,
        r#"{"latency_ms":"0.24s"}"#,
    ),
];

const SIZES: [(&str, &str, &str, &str); 3] = [
    (
        "512B",
        "bytes_out>=512B",
        r#"{"bytes_out":512}"#,
        r#"{"bytes_out":511}"#,
    ),
    (
        "10MB",
        "bytes_out>=10MB",
        r#"{"bytes_out":10000000}"#,
        r#"{"bytes_out":9999999}"#,
    ),
    (
        "10MiB",
        "bytes_out>=10MiB",
        r#"{"bytes_out":10485760}"#,
        r#"{"bytes_out":10485759}"#,
    ),
];

#[test]
fn levels_times_durations_and_sizes_are_read_as_each_of_them_says() {
    let bullets = section("Levels, times, durations, sizes");
    for (name, samples) in [
        ("Levels", &LEVELS[..]),
        ("Times", &TIMES),
        ("Durations", &DURATIONS),
        ("Sizes", &SIZES),
    ] {
        let begin = format!("- **{name}**");
        let bullet = bullets.lines().find(|line| line.starts_with(&begin));
        same(
            name,
            code(bullet.unwrap()),
            samples.iter().map(|sample| sample.0),
        );
        for (_, query, found, other) in samples {
            told_apart(&[(query, found, other)]);
        }
    }
    // In their order, and each unit by what it is worth.
    let levels = LEVELS[0].0.split(' ').collect::<Vec<_>>();
    for pair in levels.windows(2) {
        let line = |level: &str| format!("{{\"level\":\"{level}\"}}");
        assert!(
            holds(&format!("level<{}", pair[1]), &line(pair[0])),
            "{pair:?}"
        );
        assert!(
            !holds(&format!("level<{}", pair[0]), &line(pair[1])),
            "{pair:?}"
        );
    }
    let worth = [
        "1000us", "1000ns", "1us", "1000ms", "60s", "60m", "24h", "7d",
    ];
    for (unit, same) in ["ms", "us", "us", "s", "m", "h", "d", "w"]
        .iter()
        .zip(worth)
    {
        let query = format!("took=1{unit}");
        assert!(
            holds(&query, &format!("{{\"took\":\"{same}\"}}")),
            "{unit} {same}"
        );
    }
    for (unit, number) in DURATIONS[4]
        .0
        .split(' ')
        .zip(["1500000000", "1500000", "1500", "1.5"])
    {
        let line = format!("{{\"took{unit}\":{number}}}");
        assert!(holds(&format!("took{unit}=1500ms"), &line), "{line}");
    }
}

/// The names of a field; the first is the one that is asked for.
const NAMES: [(&[&str], &str, &str, &str); 5] = [
    (
        &[
            "status",
            "http.response.status_code",
            "httpRequest.status",
            "res.statusCode",
        ],
        "status=502",
        "502",
        "500",
    ),
    (
        &["level", "severity", "log.level"],
        "level=warn",
        "\"warn\"",
        "\"info\"",
    ),
    (
        &["message", "msg"],
        "message=paid",
        "\"paid\"",
        "\"unpaid\"",
    ),
    (
        &["timestamp", "@timestamp", "time", "ts"],
        "since=-1h",
        "\"2026-11-24T11:30:00Z\"",
        "\"2026-11-24T10:30:00Z\"",
    ),
    (
        &["trace_id", "trace.id", "traceId", "dd.trace_id"],
        "trace_id=4bf92f35",
        "\"4bf92f35\"",
        "\"00000000\"",
    ),
];

/// `a.b` as a key, and as a key in an object.
fn spelled(name: &str, value: &str) -> Vec<String> {
    let mut lines = vec![format!("{{\"{name}\":{value}}}")];
    if let Some((outer, inner)) = name.split_once('.') {
        lines.push(format!("{{\"{outer}\":{{\"{inner}\":{value}}}}}"));
    }
    lines
}

#[test]
fn a_field_is_found_under_every_name_that_the_page_gives_it() {
    let paragraphs: Vec<&str> = section("Everybody's lines").trim().split("\n\n").collect();
    let latency = ["latency_ms", "responseTime", "event.duration"];
    let names = NAMES.iter().flat_map(|(names, ..)| names.iter().copied());
    same("names", code(paragraphs[0]), names.chain(latency));
    for (names, query, found, other) in NAMES {
        for name in names {
            for (found, other) in spelled(name, found).iter().zip(spelled(name, other)) {
                told_apart(&[(query, found, &other)]);
            }
        }
    }
    told_apart(&[
        (
            "latency_ms>=250ms",
            r#"{"responseTime":250}"#,
            r#"{"responseTime":249}"#,
        ),
        // Nanoseconds (ECS).
        (
            "latency_ms>=250ms",
            r#"{"event":{"duration":250000000}}"#,
            r#"{"event":{"duration":249000000}}"#,
        ),
        // The name that was asked for comes first.
        (
            "msg=a",
            r#"{"message":"b","msg":"a"}"#,
            r#"{"message":"a","msg":"b"}"#,
        ),
    ]);
}

#[test]
fn fields_below_others_count_and_texts_have_none() {
    let page = section("Everybody's lines");
    for below in ["fields", "attributes", "jsonPayload", "labels", "span"] {
        assert!(page.contains(&format!("`{below}`")), "{below}");
        let line = |top: &str, value: u8| format!("{{{top}\"{below}\":{{\"a\":{value}}}}}");
        told_apart(&[
            ("a=1", &line("", 1), &line("", 2)),
            ("a=1", &line("\"a\":1,", 2), &line("\"a\":2,", 1)),
        ]);
    }
    told_apart(&[
        ("a=1", r#"{"spans":[{"a":1}]}"#, r#"{"spans":[{"a":2}]}"#),
        (
            "a=1",
            r#"{"log":"{\"a\":1}\n","stream":"stdout"}"#,
            r#"{"log":"a=1\n","stream":"stdout"}"#,
        ),
        ("timeout", "level=ERROR timeout", "level=ERROR"),
        ("-level=error", "level=error", r#"{"level":"error"}"#),
        ("a=1", r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
        ("vip", r#"{"a":"x","a":"vip"}"#, r#"{"a":"x","a":"y"}"#),
    ]);
}
