//! A line of a log, judged as the event that it was.

use std::borrow::Cow;
use std::fmt::Write as _;

use dogwatch_line::{Fields, Level, Line, Seen, Value};

use crate::seen::Judged;

/// A line, with what every line has looked up already.
pub(crate) struct Written<'a> {
    line: Line<'a>,
    level: Level,
    target: Cow<'a, str>,
    message: Option<Cow<'a, str>>,
    text: String,
}

impl<'a> Written<'a> {
    /// `None` if it is no JSON. A line without a level counts as INFO.
    pub(crate) fn new(text: &'a str, seen: &Seen<'_, 'a>) -> Option<Self> {
        Some(Self {
            line: Line::parse_repeating(text).ok()?,
            level: seen.level().unwrap_or(Level::Info),
            target: seen.target().unwrap_or_default(),
            message: seen.message(),
            text: String::new(),
        })
    }

    fn render(&self) -> String {
        let mut out = format!("{} {}:", self.level, self.target);
        if let Some(message) = self.message.as_ref().filter(|message| !message.is_empty()) {
            out.push(' ');
            out.push_str(message);
        }
        for (key, value) in self.line.fields() {
            if FIXED.contains(&&*key) || out.len() > MAX_TEXT {
                continue;
            }
            let _ = match &value {
                Value::Raw(json) if key == "error" => write!(out, " error={}", error(json)),
                value => write!(out, " {key}={value}"),
            };
        }
        out
    }
}

impl Fields for Written<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let found = self.line.field(name);
        match name {
            "message" if found.is_none() => self.message.as_deref().map(Value::from),
            "target" if found.is_none() => Some(Value::from(&*self.target)),
            _ => found,
        }
    }
}

impl Judged for Written<'_> {
    fn level(&self) -> Level {
        self.level
    }

    fn target(&self) -> &str {
        &self.target
    }

    fn text(&mut self) -> &str {
        if self.text.is_empty() {
            self.text = self.render();
        }
        &self.text
    }

    fn trace_id(&self) -> Option<Cow<'_, str>> {
        match self.field("trace_id")? {
            Value::Str(id) => Some(id),
            _ => None,
        }
    }
}

/// An error's message and its causes, as a live event shows them.
fn error(json: &str) -> String {
    let Ok(error) = Line::parse_repeating(json) else {
        return json.to_owned();
    };
    let mut out = error.message().unwrap_or_default().into_owned();
    if let Some(Value::Raw(causes)) = error.field("causes") {
        let causes: Vec<String> = serde_json::from_str(causes).unwrap_or_default();
        for cause in causes {
            out.push_str(": ");
            out.push_str(&cause);
        }
    }
    out
}

/// What stands elsewhere in the text, or is no field of the event.
const FIXED: [&str; 12] = [
    "timestamp",
    "level",
    "target",
    "message",
    "service",
    "version",
    "env",
    "host",
    "file",
    "line",
    "truncated",
    "gap",
];

/// As of a live event.
const MAX_TEXT: usize = 64 << 10;
