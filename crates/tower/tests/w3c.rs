//! The rules of the public suite of w3c/trace-context, as a table: what comes in, and what the next service gets.
//!
//! `examples/w3c-service` is for the suite itself.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use dogwatch_tower::{PropagateLayer, RequestLayer, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::Empty;
use tower::{Layer, Service, service_fn};
use tracing::subscriber::set_default;
use tracing_subscriber::registry;

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";

/// What becomes of the trace.
#[derive(Debug, PartialEq)]
enum Trace {
    Kept,
    Fresh,
}
use Trace::{Fresh, Kept};

/// `name: value` lines, what becomes of the trace, and the `tracestate` that goes out.
struct Case {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    trace: Trace,
    state: Option<String>,
}

#[test]
fn what_the_suite_sends_goes_on_as_the_suite_wants_it() {
    let _guard = set_default(registry());
    for case in cases() {
        let sent = called(&case.headers, 1).remove(0);
        let context = outgoing(&sent);
        let same = context.trace_id().to_string() == TRACE;
        let trace = if same { Kept } else { Fresh };
        assert_eq!(trace, case.trace, "{}: {:?}", case.name, case.headers);
        assert_ne!(context.span_id().to_string(), SPAN, "{}", case.name);
        let state = sent.get("tracestate").map(|s| s.to_str().unwrap());
        assert_eq!(
            state,
            case.state.as_deref(),
            "{}: {:?}",
            case.name,
            case.headers
        );
    }
}

#[test]
fn each_of_several_calls_has_a_span_id_of_its_own() {
    let _guard = set_default(registry());
    let illegal = format!("00-{}-{SPAN}-01", "0".repeat(32));
    let table = [
        (vec![("traceparent", format!("00-{TRACE}-{SPAN}-01"))], Kept),
        (vec![], Fresh),
        (vec![("traceparent", illegal)], Fresh),
    ];
    for (headers, trace) in table {
        let sent: Vec<_> = called(&headers, 3).iter().map(outgoing).collect();
        let mut spans: Vec<_> = sent.iter().map(|c| c.span_id().to_bytes()).collect();
        spans.sort();
        spans.dedup();
        assert_eq!(spans.len(), 3, "{headers:?}");
        for context in sent {
            let same = context.trace_id().to_string() == TRACE;
            assert_eq!(same, trace == Kept, "{headers:?}");
        }
    }
}

#[test]
fn the_flags_of_level_2_go_on() {
    let _guard = set_default(registry());
    for (given, expected) in [("00", 0), ("01", 1), ("02", 2), ("03", 3), ("ff", 3)] {
        let parent = format!("00-{TRACE}-{SPAN}-{given}");
        let sent = called(&[("traceparent", parent)], 1).remove(0);
        assert_eq!(outgoing(&sent).flags(), expected, "{given}");
    }
}

fn cases() -> Vec<Case> {
    let valid = format!("00-{TRACE}-{SPAN}-01");
    let parent = |name, value: String, trace| Case {
        name,
        headers: vec![("traceparent", value)],
        trace,
        state: None,
    };
    let state = |name, lines: &[&str], state: Option<&str>| Case {
        name,
        headers: std::iter::once(("traceparent", valid.clone()))
            .chain(lines.iter().map(|&line| ("tracestate", line.to_owned())))
            .collect(),
        trace: Kept,
        state: state.map(str::to_owned),
    };
    let with = |name, headers: Vec<(&'static str, String)>, trace| Case {
        name,
        headers,
        trace,
        state: None,
    };
    let zeros = "0".repeat(32);
    let mut cases = vec![
        with("both_missing", vec![], Fresh),
        parent("tracestate_missing", valid.clone(), Kept),
        with(
            "traceparent_duplicated",
            vec![
                ("traceparent", valid.replace("9012-", "9011-")),
                ("traceparent", valid.clone()),
            ],
            Fresh,
        ),
        with("header_name", vec![("trace-parent", valid.clone())], Fresh),
        with("header_name", vec![("trace.parent", valid.clone())], Fresh),
        with(
            "header_name_casing",
            vec![("TraceParent", valid.clone())],
            Kept,
        ),
        with(
            "header_name_casing",
            vec![("TrAcEpArEnT", valid.clone())],
            Kept,
        ),
        with(
            "header_name_casing",
            vec![("TRACEPARENT", valid.clone())],
            Kept,
        ),
    ];
    let parents = [
        ("version_0x00", "00-T-S-01.", Fresh),
        (
            "version_0x00",
            "00-T-S-01-what-the-future-will-be-like",
            Fresh,
        ),
        ("version_0xcc", "cc-T-S-01", Kept),
        (
            "version_0xcc",
            "cc-T-S-01-what-the-future-will-be-like",
            Kept,
        ),
        (
            "version_0xcc",
            "cc-T-S-01.what-the-future-will-be-like",
            Fresh,
        ),
        ("version_0xff", "ff-T-S-01", Fresh),
        ("version_illegal_characters", ".0-T-S-01", Fresh),
        ("version_illegal_characters", "0.-T-S-01", Fresh),
        ("version_too_long", "000-T-S-01", Fresh),
        ("version_too_long", "0000-T-S-01", Fresh),
        ("version_too_short", "0-T-S-01", Fresh),
        (
            "trace_id_illegal_characters",
            "00-.2345678901234567890123456789012-S-01",
            Fresh,
        ),
        (
            "trace_id_illegal_characters",
            "00-1234567890123456789012345678901.-S-01",
            Fresh,
        ),
        ("trace_id_too_long", "00-T3-S-01", Fresh),
        (
            "trace_id_too_short",
            "00-1234567890123456789012345678901-S-01",
            Fresh,
        ),
        ("parent_id_all_zero", "00-T-0000000000000000-01", Fresh),
        (
            "parent_id_illegal_characters",
            "00-T-.234567890123456-01",
            Fresh,
        ),
        (
            "parent_id_illegal_characters",
            "00-T-123456789012345.-01",
            Fresh,
        ),
        ("parent_id_too_long", "00-T-S7-01", Fresh),
        ("parent_id_too_short", "00-T-123456789012345-01", Fresh),
        ("trace_flags_illegal_characters", "00-T-S-.0", Fresh),
        ("trace_flags_illegal_characters", "00-T-S-0.", Fresh),
        ("trace_flags_too_long", "00-T-S-001", Fresh),
        ("trace_flags_too_short", "00-T-S-1", Fresh),
        ("ows_handling", " 00-T-S-01", Kept),
        ("ows_handling", "\t00-T-S-01", Kept),
        ("ows_handling", "00-T-S-01 ", Kept),
        ("ows_handling", "00-T-S-01\t", Kept),
        ("ows_handling", "\t 00-T-S-01 \t", Kept),
        ("propagates_random_flag", "00-T-S-02", Kept),
    ];
    for (name, text, trace) in parents {
        let text = text.replace('T', TRACE).replace('S', SPAN);
        cases.push(parent(name, text, trace));
    }
    cases.push(parent(
        "trace_id_all_zero",
        format!("00-{zeros}-{SPAN}-01"),
        Fresh,
    ));

    for line in ["foo=1", "foo=1,bar=2"] {
        let headers = vec![("tracestate", line.to_owned())];
        cases.push(with("tracestate_without_traceparent", headers, Fresh));
    }
    for (name, kept) in [
        ("trace-state", None),
        ("trace.state", None),
        ("TraceState", Some("foo=1")),
        ("TrAcEsTaTe", Some("foo=1")),
        ("TRACESTATE", Some("foo=1")),
    ] {
        let mut case = state("tracestate_header_name", &[], kept);
        case.headers.push((name, "foo=1".to_owned()));
        cases.push(case);
    }
    let key: String = ('a'..='z').chain('0'..='9').chain("_-*/".chars()).collect();
    let vendor = format!("{key}@a-z0-9_-*/");
    let value: String = (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect();
    let members = |from: u32, to: u32| {
        let members = (from..=to).map(|n| format!("bar{n:02}={n:02}"));
        members.collect::<Vec<_>>().join(",")
    };
    let lines = [
        members(1, 10),
        members(11, 20),
        members(21, 30),
        members(31, 32),
    ];
    let mut full: Vec<&str> = lines.iter().map(String::as_str).collect();
    let one_more = members(31, 33);
    cases.push(state("member_count_limit", &full, Some(&members(1, 32))));
    full[3] = &one_more;
    cases.push(state("member_count_limit", &full, None));
    for key in [&key, &vendor] {
        let line = format!("{key}={value}");
        cases.push(state("all_allowed_characters", &[&line], Some(&line)));
    }
    for (key, legal) in [
        ("z".repeat(256), true),
        ("z".repeat(257), false),
        (format!("{}@{}", "t".repeat(241), "v".repeat(14)), true),
        (format!("{}@v", "t".repeat(242)), true),
        (format!("t@{}", "v".repeat(15)), true),
    ] {
        let line = format!("{key}=1");
        let joined = format!("foo=1,{line}");
        cases.push(state(
            "key_length_limit",
            &["foo=1", &line],
            legal.then_some(&joined),
        ));
    }
    let states: [(_, &[&str], _); 26] = [
        ("included", &["foo=1,bar=2"], Some("foo=1,bar=2")),
        ("empty_header", &[""], None),
        ("empty_header", &["foo=1", ""], Some("foo=1")),
        ("empty_header", &["", "foo=1"], Some("foo=1")),
        (
            "multiple_headers_different_keys",
            &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            Some("foo=1,bar=2,rojo=1,congo=2,baz=3"),
        ),
        ("duplicated_keys", &["foo=1,foo=1"], Some("foo=1")),
        ("duplicated_keys", &["foo=1,foo=2"], Some("foo=1")),
        ("duplicated_keys", &["foo=1", "foo=1"], Some("foo=1")),
        ("duplicated_keys", &["foo=1", "foo=2"], Some("foo=1")),
        (
            "ows",
            &["foo=1 \t , \t bar=2, \t baz=3"],
            Some("foo=1,bar=2,baz=3"),
        ),
        (
            "ows",
            &["foo=1\t \t,\t \tbar=2,\t \tbaz=3"],
            Some("foo=1,bar=2,baz=3"),
        ),
        ("ows", &[" foo=1"], Some("foo=1")),
        ("ows", &["\tfoo=1"], Some("foo=1")),
        ("ows", &["foo=1 "], Some("foo=1")),
        ("ows", &["foo=1\t"], Some("foo=1")),
        ("ows", &["\t foo=1 \t"], Some("foo=1")),
        ("key_illegal_characters", &["foo =1"], None),
        ("key_illegal_characters", &["FOO=1"], None),
        ("key_illegal_characters", &["foo.bar=1"], None),
        (
            "key_illegal_vendor_format",
            &["foo@=1,bar=2"],
            Some("foo@=1,bar=2"),
        ),
        ("key_illegal_vendor_format", &["@foo=1,bar=2"], None),
        (
            "key_illegal_vendor_format",
            &["foo@@bar=1,bar=2"],
            Some("foo@@bar=1,bar=2"),
        ),
        (
            "key_illegal_vendor_format",
            &["foo@bar@baz=1,bar=2"],
            Some("foo@bar@baz=1,bar=2"),
        ),
        ("value_illegal_characters", &["foo=bar=baz"], None),
        ("value_illegal_characters", &["foo=,bar=3"], None),
        ("value_illegal_characters", &["foo=b\u{e9}"], None),
    ];
    cases.extend(states.map(|(name, lines, expected)| state(name, lines, expected)));
    cases
}

/// The headers of `calls` outgoing calls of a handler whose request came with `headers`.
fn called(headers: &[(&str, String)], calls: usize) -> Vec<HeaderMap> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    let client = PropagateLayer::new().layer(service_fn(move |request: Request<()>| {
        kept.lock().unwrap().push(request.headers().clone());
        async { Ok::<_, Infallible>(Response::new(())) }
    }));
    let mut service = RequestLayer::new().layer(service_fn(move |_: Request<()>| {
        let mut client = client.clone();
        async move {
            for _ in 0..calls {
                client
                    .call(Request::get("http://next/").body(()).unwrap())
                    .await?;
            }
            Ok::<_, Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
        }
    }));
    let mut request = Request::new(());
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    let mut future = pin!(service.call(request));
    let Poll::Ready(Ok(_)) = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("nothing of it waits");
    };
    let sent = sent.lock().unwrap();
    sent.clone()
}

/// Exactly one `traceparent`, and a valid one.
fn outgoing(headers: &HeaderMap) -> TraceContext {
    let parents: Vec<_> = headers.get_all("traceparent").iter().collect();
    assert_eq!(parents.len(), 1);
    assert!(headers.get_all("tracestate").iter().count() <= 1);
    TraceContext::parse(parents[0].to_str().unwrap()).unwrap()
}
