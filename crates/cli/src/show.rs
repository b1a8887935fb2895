//! Writes a line for people: time, level, target, message, then the fields; causes of errors and
//! stacks under it. Pure.

use std::borrow::Cow;

use dogwatch_line::{Columns, Lens, Level, Line, Seen, Value, unwrapped};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::paint::{DIM, Paint, RED, level_style, trace_style};
use crate::safe::{put, safe};

/// How lines are shown.
pub(crate) struct Show {
    pub(crate) lens: Lens,
    pub(crate) zone: TimeZone,
    pub(crate) paint: Paint,
    /// The fields behind the message, if not all.
    pub(crate) chosen: Option<Chosen>,
}

/// Fields by any of their names, in the order in which they were asked for.
pub(crate) struct Chosen {
    names: Vec<String>,
    columns: Columns,
}

impl Chosen {
    /// Reads a list with commas.
    pub(crate) fn new(list: &str) -> Self {
        let names = list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(str::to_owned).collect();
        Self {
            columns: Columns::new(names.iter().map(|name| &**name)),
            names,
        }
    }

    /// Those that a line has.
    pub(crate) fn of(&self, line: &str) -> impl Iterator<Item = (&str, Value<'static>)> {
        let values = self.columns.of(line);
        let names = self.names.iter().map(|name| &**name);
        names
            .zip(values)
            .filter_map(|(name, value)| Some((name, value?)))
    }
}

impl Show {
    /// Adds a line and its end. No control character of it gets through.
    pub(crate) fn line(&self, text: &str, out: &mut String) {
        let text = unwrapped(text);
        let Ok(line) = Line::parse_repeating(&text) else {
            // Text as it is.
            safe(&text, false, out);
            out.push('\n');
            return;
        };
        let seen = self.lens.look(&text);
        self.head(&seen, out);
        let mut to = To {
            seen: &seen,
            line: out,
            under: String::new(),
        };
        match &self.chosen {
            Some(chosen) => chosen
                .of(&text)
                .for_each(|(key, value)| self.field(key, &value, &mut to)),
            None => self.fields(line, &mut to),
        }
        let under = to.under;
        out.push('\n');
        out.push_str(&under);
    }

    /// Time, level, target, message.
    fn head(&self, seen: &Seen<'_, '_>, out: &mut String) {
        let at = seen
            .nanos()
            .and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
        if let Some(at) = at {
            let local = at.to_zoned_datetime(self.zone.clone());
            self.paint.with(DIM, out, |out| {
                put(
                    out,
                    format_args!("{}", local.strftime("%Y-%m-%d %H:%M:%S%.3f")),
                )
            });
            out.push(' ');
        }
        let level = seen.level();
        self.paint.with(level.map_or("", level_style), out, |out| {
            put(out, format_args!("{:5}", level.map_or("-", Level::as_str)))
        });
        if let Some(target) = seen.target() {
            out.push(' ');
            self.paint.with(DIM, out, |out| safe(&target, false, out));
        }
        if let Some(message) = seen.message() {
            out.push(' ');
            safe(&message, false, out);
        }
    }

    fn fields(&self, line: Line<'_>, to: &mut To<'_>) {
        let listed =
            matches!(line.field("spans"), Some(Value::Raw(list)) if list.starts_with("[{"));
        for (key, value) in line.fields().filter(|(key, _)| !to.seen.shows(key)) {
            match (&*key, &value) {
                // What tracing-subscriber and the clouds put one step down; the inner span is the last of
                // the list.
                ("fields" | "attributes" | "jsonPayload", Value::Raw(json))
                    if json.starts_with('{') =>
                {
                    for (key, value) in members(json).filter(|(key, _)| !to.seen.shows(key)) {
                        self.field(&key, &value, to);
                    }
                }
                ("span", _) if listed => {}
                ("spans", list) if listed => {
                    for span in list.elements() {
                        self.span(&span, to);
                    }
                }
                (key, value) => self.field(key, value, to),
            }
        }
    }

    /// A span as its name, then its fields.
    fn span(&self, span: &Value<'_>, to: &mut To<'_>) {
        let Value::Raw(json) = span else {
            return self.plain("span", span, to.line);
        };
        for (key, value) in members(json) {
            match &*key {
                "name" => self.plain("span", &value, to.line),
                key => self.field(key, &value, to),
            }
        }
    }

    fn field(&self, key: &str, value: &Value<'_>, to: &mut To<'_>) {
        match value {
            Value::Raw(json) if ERRORS.contains(&key) && has_message(json) => {
                self.error(key, json, to);
            }
            Value::Str(text) if is_stack(key, text) => {
                for line in text.lines() {
                    self.under("| ", line, &mut to.under);
                }
            }
            // As a query names what is within.
            Value::Raw(json) if json.starts_with('{') && members(json).next().is_some() => {
                for (name, value) in members(json) {
                    let path = format!("{key}.{name}");
                    if !to.seen.shows(&path) {
                        self.field(&path, &value, to);
                    }
                }
            }
            value => self.plain(key, value, to.line),
        }
    }

    /// An error as `error=message`, its causes and its stack under the line.
    fn error(&self, key: &str, json: &str, to: &mut To<'_>) {
        for (name, value) in members(json) {
            match value {
                value if name == "message" => self.plain(key, &value, to.line),
                Value::Raw(json) if name == "causes" && json.starts_with('[') => {
                    for cause in value.elements() {
                        self.under("caused by ", &cause.to_string(), &mut to.under);
                    }
                }
                value => self.field(&format!("{key}.{name}"), &value, to),
            }
        }
    }

    fn under(&self, what: &str, text: &str, under: &mut String) {
        under.push_str("             ");
        self.paint.with(RED, under, |under| under.push_str(what));
        safe(&text.replace('\t', "    "), false, under);
        under.push('\n');
    }

    fn plain(&self, key: &str, value: &Value<'_>, out: &mut String) {
        out.push(' ');
        self.paint.with(DIM, out, |out| {
            safe(key, true, out);
            out.push('=');
        });
        let style = match value {
            Value::Str(id) if TRACES.contains(&key) => trace_style(id),
            _ => DIM,
        };
        self.paint.with(style, out, |out| match value {
            Value::Str(text) => safe(text, true, out),
            // Its strings may hold what a terminal acts on.
            Value::Raw(json) => safe(json, false, out),
            other => put(out, format_args!("{other}")),
        });
    }
}

/// The members of an object; none if it is not one.
fn members(json: &str) -> impl Iterator<Item = (Cow<'_, str>, Value<'_>)> {
    let line = Line::parse_repeating(json).ok();
    line.into_iter().flat_map(|line| line.fields())
}

fn has_message(json: &str) -> bool {
    members(json).any(|(name, _)| name == "message")
}

/// Where fields are written to.
struct To<'o> {
    /// What stands before them.
    seen: &'o Seen<'o, 'o>,
    line: &'o mut String,
    /// What stands under the line.
    under: String,
}

/// A text of several lines that tells where an error came from.
fn is_stack(key: &str, text: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    STACKS.contains(&last) && text.contains('\n')
}

/// Objects that say what went wrong: ours, and those of pino, bunyan, logback.
const ERRORS: [&str; 3] = ["error", "err", "exception"];

const STACKS: [&str; 6] = [
    "backtrace",
    "stack",
    "stack_trace",
    "stacktrace",
    "errorVerbose",
    "exc_info",
];

/// What other loggers call `trace_id`.
const TRACES: [&str; 6] = [
    "trace_id",
    "trace.id",
    "traceId",
    "traceID",
    "TraceId",
    "dd.trace_id",
];

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use dogwatch_line::{Lens, Now};
    use jiff::tz::{TimeZone, offset};

    use super::{Chosen, Show};
    use crate::paint::Paint;

    fn shown(text: &str, color: bool) -> String {
        shown_with(text, color, None)
    }

    fn shown_with(text: &str, color: bool, fields: Option<&str>) -> String {
        let zone = TimeZone::fixed(offset(8));
        let mut out = String::new();
        Show {
            lens: Lens::new(Now::utc(UNIX_EPOCH)),
            zone,
            paint: Paint { on: color },
            chosen: fields.map(Chosen::new),
        }
        .line(text, &mut out);
        out
    }

    #[test]
    fn a_line_is_time_level_target_message_and_fields() {
        for (text, expected) in [
            (
                r#"{"timestamp":"2026-11-24T07:19:00.425250Z","level":"ERROR","target":"shop::pay","message":"payment failed","order_id":79,"note":"two words","error":{"message":"x"}}"#,
                "2026-11-24 15:19:00.425 ERROR shop::pay payment failed order_id=79 note=\"two words\" error=x\n",
            ),
            (
                r#"{"timestamp":"2026-11-24T07:19:00Z","level":"INFO","fields":{"message":"ready","port":80},"target":"shop"}"#,
                "2026-11-24 15:19:00.000 INFO  shop ready port=80\n",
            ),
            (
                r#"{"level":30,"time":1795514400000,"msg":"hi","pid":1}"#,
                "2026-11-24 18:00:00.000 INFO  hi pid=1\n",
            ),
            (
                r#"{"log":"{\"level\":\"warn\",\"msg\":\"in\"}\n","stream":"stdout","time":"x"}"#,
                "WARN  in\n",
            ),
            ("plain text\tand a tab", "plain text\\tand a tab\n"),
            (r#"{"a":""}"#, "-     a=\"\"\n"),
            // As zerolog and logrus may write: both are shown.
            (
                r#"{"level":"info","msg":"x","id":1,"id":2}"#,
                "INFO  x id=1 id=2\n",
            ),
        ] {
            assert_eq!(shown(text, false), expected);
        }
        assert_eq!(
            shown(r#"{"level":"WARN","message":"x","n":1}"#, true),
            "\u{1b}[33mWARN \u{1b}[0m x \u{1b}[2mn=\u{1b}[0m\u{1b}[2m1\u{1b}[0m\n"
        );
    }

    #[test]
    fn chosen_fields_stand_in_the_order_that_was_asked_for_by_any_of_their_names() {
        let line =
            r#"{"level":"WARN","message":"x","http.route":"/a b","n":1,"res":{"statusCode":503}}"#;
        for (fields, expected) in [
            ("status, route,none", "WARN  x status=503 route=\"/a b\"\n"),
            ("n", "WARN  x n=1\n"),
            ("", "WARN  x\n"),
        ] {
            assert_eq!(shown_with(line, false, Some(fields)), expected, "{fields}");
        }
    }

    #[test]
    fn an_error_has_its_causes_and_its_stack_under_it() {
        for (line, expected) in [
            (
                r#"{"level":"ERROR","message":"failed","error":{"message":"the channel answered 502","causes":["reset","网络断开"],"type":"Pay"},"n":1}"#,
                "ERROR failed error=\"the channel answered 502\" error.type=Pay n=1\n             caused by reset\n             caused by 网络断开\n",
            ),
            (
                r#"{"level":50,"msg":"failed","err":{"type":"Error","message":"boom","stack":"Error: boom\n    at f (a.js:1)"}}"#,
                "ERROR failed err.type=Error err=boom\n             | Error: boom\n             |     at f (a.js:1)\n",
            ),
            (
                r#"{"log.level":"error","message":"failed","error.message":"boom","error.stack_trace":"a\nb"}"#,
                "ERROR failed error.message=boom\n             | a\n             | b\n",
            ),
            (
                r#"{"level":"error","error":{"code":7},"a":{"b":{"c":1},"d":{}}}"#,
                "ERROR error.code=7 a.b.c=1 a.d={}\n",
            ),
            (
                r#"{"level":"error","stack":"one line"}"#,
                "ERROR stack=\"one line\"\n",
            ),
        ] {
            assert_eq!(shown(line, false), expected, "{line}");
        }
    }

    #[test]
    fn one_trace_has_one_colour() {
        let id = |id: &str| {
            let line = format!(r#"{{"message":"x","trace_id":"{id}"}}"#);
            shown(&line, true).replace(id, "")
        };
        let (a, b) = (
            "1bdc65ad7f09cb94e580365e6a2a0274",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        );
        assert_eq!(id(a), id(a));
        assert_ne!(id(a), id(b));
    }

    proptest::proptest! {
        /// Whatever stands in keys, values, nested values, errors and stacks, in JSON or not: the
        /// only codes are our own colours, and a line of text is a line of the log or one of ours.
        #[test]
        fn no_line_moves_the_terminal(
            key in "(error|err|trace_id|message|level|stack|\\PC*[\u{1b}\u{9b}\u{202e}\u{7f}]?)",
            value in ".*[\u{1b}\u{9b}\u{202e}\u{2066}\u{0}\r\n]?.*",
            form in 0..5_usize,
        ) {
            let quoted = |text: &str| {
                let mut out = String::from("\"");
                for char in text.chars() {
                    match char {
                        '"' | '\\' => out.extend(['\\', char]),
                        // JSON lets all others through as they are.
                        char if u32::from(char) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(char))),
                        char => out.push(char),
                    }
                }
                out.push('"');
                out
            };
            let (key, json) = (quoted(&key), quoted(&value));
            let line = match form {
                0 => value.clone(),
                1 => format!("{{{key}:{json}}}"),
                2 => format!("{{{key}:[{json}]}}"),
                3 => format!("{{{key}:{{\"message\":{json},\"causes\":[{json}],{key}:{json}}}}}"),
                _ => format!("{{\"log\":{},\"stream\":\"stdout\"}}", quoted(&format!("{{{key}:{json}}}\n"))),
            };
            let acts = |char: char| (char.is_control() && char != '\n')
                || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            proptest::prop_assert!(!shown(&line, false).contains(acts));
            let mut colored = shown(&line, true);
            for style in ["0", "1;31", "2", "31", "32", "33", "34", "35", "36"] {
                colored = colored.replace(&format!("\u{1b}[{style}m"), "");
            }
            proptest::prop_assert!(!colored.contains(acts));
            proptest::prop_assert_eq!(colored, shown(&line, false));
        }
    }

    #[test]
    fn no_line_sends_codes_to_the_terminal() {
        for text in [
            "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1m\u{202e}",
            r#"{"message":"\u001b[2J\u009b","\u001b[1m":"\u001b\u202e","level":"\u001b"}"#,
        ] {
            let shown = shown(text, false);
            let bad = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
            assert!(!shown.contains(bad), "{shown:?}");
            assert_eq!(shown.matches('\n').count(), 1);
        }
    }
}
