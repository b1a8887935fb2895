//! Writes a line for people: time, level, target, message, then the fields. Pure.

use std::fmt::Write as _;

use dogwatch_line::{Columns, Lens, Level, Line, Seen, Value, unwrapped};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How lines are shown.
pub(crate) struct Show {
    pub(crate) lens: Lens,
    pub(crate) zone: TimeZone,
    pub(crate) color: bool,
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
        let at = seen
            .nanos()
            .and_then(|nanos| Timestamp::from_nanosecond(nanos).ok());
        if let Some(at) = at {
            let local = at.to_zoned_datetime(self.zone.clone());
            self.painted(DIM, out, |out| {
                put(
                    out,
                    format_args!("{}", local.strftime("%Y-%m-%d %H:%M:%S%.3f")),
                )
            });
            out.push(' ');
        }
        let level = seen.level();
        self.painted(level.map_or("", paint), out, |out| {
            put(out, format_args!("{:5}", level.map_or("-", Level::as_str)))
        });
        if let Some(target) = seen.target() {
            out.push(' ');
            self.painted(DIM, out, |out| safe(&target, false, out));
        }
        if let Some(message) = seen.message() {
            out.push(' ');
            safe(&message, false, out);
        }
        match &self.chosen {
            Some(chosen) => chosen
                .of(&text)
                .for_each(|(key, value)| self.field(key, &value, out)),
            None => self.fields(line, &seen, out),
        }
        out.push('\n');
    }

    fn fields(&self, line: Line<'_>, seen: &Seen<'_, '_>, out: &mut String) {
        for (key, value) in line.fields().filter(|(key, _)| !seen.shows(key)) {
            match value {
                // What tracing-subscriber puts one step down.
                Value::Raw(json) if key == "fields" && json.starts_with('{') => {
                    let inner = Line::parse_repeating(json).map(|inner| inner.fields());
                    for (key, value) in inner
                        .into_iter()
                        .flatten()
                        .filter(|(key, _)| !seen.shows(key))
                    {
                        self.field(&key, &value, out);
                    }
                }
                value => self.field(&key, &value, out),
            }
        }
    }

    fn field(&self, key: &str, value: &Value<'_>, out: &mut String) {
        out.push(' ');
        self.painted(DIM, out, |out| {
            safe(key, true, out);
            out.push('=');
        });
        match value {
            Value::Str(text) => safe(text, true, out),
            other => put(out, format_args!("{other}")),
        }
    }

    fn painted(&self, paint: &str, out: &mut String, write: impl FnOnce(&mut String)) {
        let painted = self.color && !paint.is_empty();
        if painted {
            put(out, format_args!("\u{1b}[{paint}m"));
        }
        write(out);
        if painted {
            out.push_str("\u{1b}[0m");
        }
    }
}

/// A text without what a terminal would act on: control characters, and those that turn the
/// direction of text (Unicode 16, bidirectional formatting characters). In a field it is quoted if it
/// would not read as one word.
pub(crate) fn safe(text: &str, word: bool, out: &mut String) {
    let quoted = word && (text.is_empty() || text.contains([' ', '"', '=', '\n', '\t']));
    if quoted {
        out.push('"');
    }
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '"' if quoted => out.push_str("\\\""),
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                put(out, format_args!("\\u{{{:x}}}", u32::from(char)));
            }
            control if control.is_control() => {
                put(out, format_args!("\\u{{{:x}}}", u32::from(control)))
            }
            plain => out.push(plain),
        }
    }
    if quoted {
        out.push('"');
    }
}

/// A text in which nothing moves the cursor.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::new();
    safe(text, false, &mut out);
    out
}

/// Writing to a string does not fail.
fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

pub(crate) fn paint(level: Level) -> &'static str {
    match level {
        Level::Trace => "35",
        Level::Debug => "34",
        Level::Info => "32",
        Level::Warn => "33",
        Level::Error => "31",
        Level::Fatal => "1;31",
    }
}

const DIM: &str = "2";

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use dogwatch_line::{Lens, Now};
    use jiff::tz::{TimeZone, offset};

    use super::{Chosen, Show};

    fn shown(text: &str, color: bool) -> String {
        shown_with(text, color, None)
    }

    fn shown_with(text: &str, color: bool, fields: Option<&str>) -> String {
        let zone = TimeZone::fixed(offset(8));
        let mut out = String::new();
        Show {
            lens: Lens::new(Now::utc(UNIX_EPOCH)),
            zone,
            color,
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
                "2026-11-24 15:19:00.425 ERROR shop::pay payment failed order_id=79 note=\"two words\" error={\"message\":\"x\"}\n",
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
            "\u{1b}[33mWARN \u{1b}[0m x \u{1b}[2mn=\u{1b}[0m1\n"
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
