//! The floor: the same line by hand, without tracing, redaction, budgets or any choice.

use crate::cases::{self, Sample};
use dogwatch_benches::sink;
use std::cell::RefCell;
use std::hint::black_box;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) fn run(case: &str, n: u64) -> Option<Sample> {
    (case == "event").then(|| events_in_open_spans(n))
}

fn events_in_open_spans(n: u64) -> Sample {
    // The spans' fields and ids are encoded once, as a logger that cares would.
    let spans = format!(
        r#","trace_id":"{}","method":"POST","route":"/api/orders/{{id}}/pay","order_id":{},"user_id":"{}","attempt":2,"span_id":"{}","parent_span_id":"{}""#,
        cases::TRACE,
        88_123,
        cases::USER,
        "00f067aa0ba902b7",
        "b7ad6b7169203331"
    );
    cases::measured(n, |n| event(n, black_box(&spans)))
}

/// A field whose value is text, number, or true or false.
enum Value<'a> {
    Text(&'a str),
    Whole(u64),
    Real(f64),
    Flag(bool),
}

#[inline(never)]
fn event(n: u64, spans: &str) {
    let fields = [
        ("channel", Value::Text("wechat")),
        ("currency", Value::Text("CNY")),
        ("event", Value::Text("pay_settled")),
        ("amount_cents", Value::Whole(129_950 + n % 7)),
        ("latency_ms", Value::Real(12.625)),
        ("first", Value::Flag(true)),
    ];
    write(
        black_box("order settled by the channel"),
        black_box(&fields),
        spans,
    );
}

fn write(message: &str, fields: &[(&str, Value<'_>)], spans: &str) {
    LINE.with_borrow_mut(|line| {
        line.clear();
        line.extend_from_slice(b"{\"timestamp\":\"");
        timestamp(line);
        line.extend_from_slice(b"\",\"level\":\"INFO\",\"target\":\"shop::pay\",\"message\":\"");
        escaped(line, message);
        line.push(b'"');
        for (key, value) in fields {
            line.extend_from_slice(b",\"");
            line.extend_from_slice(key.as_bytes());
            line.extend_from_slice(b"\":");
            match value {
                Value::Text(text) => {
                    line.push(b'"');
                    escaped(line, text);
                    line.push(b'"');
                }
                Value::Whole(whole) => {
                    line.extend_from_slice(itoa::Buffer::new().format(*whole).as_bytes());
                }
                Value::Real(real) => {
                    line.extend_from_slice(zmij::Buffer::new().format(*real).as_bytes());
                }
                Value::Flag(flag) => line.extend_from_slice(if *flag { b"true" } else { b"false" }),
            }
        }
        line.extend_from_slice(spans.as_bytes());
        line.extend_from_slice(b"}\n");
        sink::make().write_all(line).expect("the sink takes all");
    });
}

/// Copies text that needs no escaping; the texts of this floor never do, but they are looked at.
fn escaped(line: &mut Vec<u8>, text: &str) {
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let any = text.bytes().fold(false, |any, byte| any | special(byte));
    assert!(!any, "the floor's texts are plain");
    line.extend_from_slice(text.as_bytes());
}

/// RFC 3339 with microseconds; what stands before them is made once a second.
fn timestamp(line: &mut Vec<u8>) {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != since_1970.as_secs() {
            *second = since_1970.as_secs();
            *text = civil(*second);
        }
        line.extend_from_slice(text.as_bytes());
    });
    let mut digits = *b".000000Z";
    let mut micros = since_1970.subsec_micros();
    for digit in digits[1..7].iter_mut().rev() {
        *digit = b'0' + (micros % 10) as u8;
        micros /= 10;
    }
    line.extend_from_slice(&digits);
}

/// Days to year, month and day, by Howard Hinnant's `civil_from_days`.
fn civil(second: u64) -> String {
    let (days, of_day) = (second / 86_400 + 719_468, second % 86_400);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

thread_local! {
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static SECOND: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}
