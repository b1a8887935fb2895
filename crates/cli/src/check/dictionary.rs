//! Lists the fields that every line may have and what their values are (`docs/line.md`). Pure.

use dogwatch_line::{Level, Value};

/// What the value of a field has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Timestamp,
    Level,
    Text,
    /// Not only a text, but one without a query: neither a path nor a URL has one.
    NoQuery,
    SnakeCase,
    /// So many lower-case hexadecimal digits, not all zero (W3C Trace Context, sections 3.2.2.3 and 4).
    Hex(usize),
    Method,
    Status,
    Outcome,
    Whole,
    Amount,
    Error,
    List,
    Object,
}

/// A field, and whether every line has it.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) always: bool,
}

const fn always(name: &'static str, form: Form) -> Field {
    Field {
        name,
        form,
        always: true,
    }
}

const fn field(name: &'static str, form: Form) -> Field {
    Field {
        name,
        form,
        always: false,
    }
}

/// All fields of the dictionary.
pub(crate) static FIELDS: &[Field] = &[
    always("timestamp", Form::Timestamp),
    always("level", Form::Level),
    always("target", Form::Text),
    always("message", Form::Text),
    field("service", Form::Text),
    field("version", Form::Text),
    field("env", Form::Text),
    field("host", Form::Text),
    field("file", Form::Text),
    field("line", Form::Whole),
    field("event", Form::SnakeCase),
    field("trace_id", Form::Hex(32)),
    field("span_id", Form::Hex(16)),
    field("parent_span_id", Form::Hex(16)),
    field("request_id", Form::Text),
    field("user_id", Form::Text),
    field("method", Form::Method),
    field("route", Form::Text),
    field("path", Form::NoQuery),
    field("url", Form::NoQuery),
    field("status", Form::Status),
    field("outcome", Form::Outcome),
    field("latency_ms", Form::Amount),
    field("ttfb_ms", Form::Amount),
    field("bytes_in", Form::Whole),
    field("bytes_out", Form::Whole),
    field("error", Form::Error),
    field("truncated", Form::List),
    field("gap", Form::Object),
];

/// What the closing line of a request has besides, by its target.
pub(crate) const CLOSING: (&str, [&str; 5]) = (
    "dogwatch::request",
    ["method", "path", "outcome", "latency_ms", "trace_id"],
);

/// What is wrong with a value; `None` if nothing is.
pub(crate) fn fault(form: Form, value: &Value<'_>) -> Option<Fault> {
    use Fault::{Kind, Shape};
    let is_text = matches!(value, Value::Str(_));
    let is_number = matches!(value, Value::I64(_) | Value::U64(_) | Value::F64(_));
    let starts = |open: char| matches!(value, Value::Raw(json) if json.starts_with(open));
    let (kind, ok) = match form {
        Form::Whole | Form::Status | Form::Amount => ("a number", is_number),
        Form::Error | Form::Object => ("an object", starts('{')),
        Form::List => ("a list", starts('[')),
        _ => ("a text", is_text),
    };
    if !ok {
        return Some(Kind(kind));
    }
    let text = match value {
        Value::Str(text) => &**text,
        _ => "",
    };
    let (shape, ok) = match form {
        Form::Timestamp => (
            "RFC 3339 in UTC with six digits: `2026-11-24T10:00:00.000000Z`",
            is_timestamp(text),
        ),
        Form::Level => (
            "TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
            Level::ALL.iter().any(|level| level.as_str() == text),
        ),
        Form::NoQuery => ("without its query", !text.contains('?')),
        Form::SnakeCase => ("in snake_case", is_snake_case(text)),
        Form::Hex(32) => ("32 lower-case hex digits, not all zero", is_id(text, 32)),
        Form::Hex(digits) => (
            "16 lower-case hex digits, not all zero",
            is_id(text, digits),
        ),
        Form::Method => (
            "one of the nine registered methods, or `_OTHER`",
            METHODS.contains(&text),
        ),
        Form::Status => (
            "a whole number from 100 to 599",
            matches!(value, Value::I64(100..=599)),
        ),
        Form::Outcome => (
            "one of the eight outcomes of a request",
            OUTCOMES.contains(&text),
        ),
        Form::Whole => (
            "a whole number, 0 or more",
            matches!(value, Value::I64(0..) | Value::U64(_)),
        ),
        Form::Amount => (
            "a number, 0 or more",
            matches!(value, Value::I64(0..) | Value::U64(_))
                || matches!(value, Value::F64(number) if *number >= 0.0),
        ),
        Form::Error => ("an object with a text `message`", has_message(value)),
        Form::Text | Form::List | Form::Object => return None,
    };
    (!ok).then_some(Shape(shape))
}

/// How a value is not what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Of another type.
    Kind(&'static str),
    /// Of its type, but not well formed.
    Shape(&'static str),
}

fn is_timestamp(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00.000000Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == *form,
        })
        && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_snake_case(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && text.bytes().any(|byte| byte != b'0')
}

fn has_message(value: &Value<'_>) -> bool {
    let Value::Raw(json) = value else {
        return false;
    };
    dogwatch_line::Line::parse_repeating(json)
        .is_ok_and(|error| matches!(error.field("message"), Some(Value::Str(_))))
}

/// RFC 9110 section 9.3, RFC 5789; any other is `_OTHER`.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER",
];

const OUTCOMES: [&str; 8] = [
    "completed",
    "error",
    "body_error",
    "panicked",
    "shed",
    "cancelled_before_headers",
    "cancelled_in_body",
    "upgraded",
];

#[cfg(test)]
mod tests {
    use dogwatch_line::{Line, Value};

    use super::{FIELDS, Fault, Form, fault};

    #[test]
    fn each_form_takes_its_own_values_and_no_others() {
        use Fault::{Kind, Shape};
        for (form, json, expected) in [
            (Form::Timestamp, r#""2026-11-24T10:00:00.000000Z""#, None),
            (
                Form::Timestamp,
                r#""2026-11-24T10:00:00Z""#,
                Some(Shape(
                    "RFC 3339 in UTC with six digits: `2026-11-24T10:00:00.000000Z`",
                )),
            ),
            (
                Form::Timestamp,
                r#""2026-13-24T10:00:00.000000Z""#,
                Some(Shape(
                    "RFC 3339 in UTC with six digits: `2026-11-24T10:00:00.000000Z`",
                )),
            ),
            (Form::Timestamp, "1795514400", Some(Kind("a text"))),
            (Form::Level, r#""FATAL""#, None),
            (
                Form::Level,
                r#""info""#,
                Some(Shape("TRACE, DEBUG, INFO, WARN, ERROR or FATAL")),
            ),
            (
                Form::NoQuery,
                r#""/a?token=1""#,
                Some(Shape("without its query")),
            ),
            (Form::SnakeCase, r#""order_created_2""#, None),
            (
                Form::SnakeCase,
                r#""orderCreated""#,
                Some(Shape("in snake_case")),
            ),
            (Form::SnakeCase, r#""""#, Some(Shape("in snake_case"))),
            (Form::Hex(16), r#""00f067aa0ba902b7""#, None),
            (
                Form::Hex(16),
                r#""00F067AA0BA902B7""#,
                Some(Shape("16 lower-case hex digits, not all zero")),
            ),
            (
                Form::Hex(32),
                r#""00000000000000000000000000000000""#,
                Some(Shape("32 lower-case hex digits, not all zero")),
            ),
            (
                Form::Method,
                r#""get""#,
                Some(Shape("one of the nine registered methods, or `_OTHER`")),
            ),
            (Form::Status, "499", None),
            (Form::Status, r#""499""#, Some(Kind("a number"))),
            (
                Form::Status,
                "20.5",
                Some(Shape("a whole number from 100 to 599")),
            ),
            (
                Form::Outcome,
                r#""done""#,
                Some(Shape("one of the eight outcomes of a request")),
            ),
            (Form::Whole, "18446744073709551615", None),
            (Form::Whole, "-1", Some(Shape("a whole number, 0 or more"))),
            (Form::Amount, "0.5", None),
            (Form::Amount, "-0.5", Some(Shape("a number, 0 or more"))),
            (Form::Error, r#"{"message":"x","causes":[]}"#, None),
            (
                Form::Error,
                r#"{"causes":[]}"#,
                Some(Shape("an object with a text `message`")),
            ),
            (Form::Error, r#""x""#, Some(Kind("an object"))),
            (Form::List, "[]", None),
            (Form::Object, "[]", Some(Kind("an object"))),
            (Form::Text, "null", Some(Kind("a text"))),
        ] {
            let line = format!("{{\"x\":{json}}}");
            let value: Value<'_> = Line::parse(&line).unwrap().field("x").unwrap();
            assert_eq!(fault(form, &value), expected, "{form:?} {json}");
        }
    }

    #[test]
    fn the_dictionary_is_that_of_the_page() {
        // Outside the repository the page is not there.
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/line.md");
        let Ok(page) = std::fs::read_to_string(page) else {
            return;
        };
        for field in FIELDS {
            assert!(
                page.contains(&format!("`{}`", field.name)),
                "{}",
                field.name
            );
        }
    }
}
