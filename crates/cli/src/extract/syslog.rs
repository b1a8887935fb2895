//! Reads lines of syslog, of RFC 5424 and of RFC 3164. Pure.

use dogwatch_line::Level;
use regex::{Captures, Regex};

use super::object::Object;
use super::stamp::Stamps;

/// The two forms.
pub(crate) struct Forms {
    new: Regex,
    old: Regex,
}

impl Forms {
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants, which a test compiles"
    )]
    pub(crate) fn new() -> Self {
        let compiled = |pattern: &str| Regex::new(pattern).expect("a constant pattern");
        Self {
            new: compiled(NEW),
            old: compiled(OLD),
        }
    }

    pub(crate) fn line(&self, text: &str, stamps: &Stamps) -> Option<String> {
        if let Some(found) = self.new.captures(text) {
            let time = found.name("time")?.as_str();
            let time = (time != "-").then(|| time.parse::<jiff::Timestamp>().ok());
            return match time {
                Some(None) => None,
                Some(Some(time)) => object(&found, Some(time.to_string())),
                None => object(&found, None),
            };
        }
        let found = self.old.captures(text)?;
        let time = found.name("time")?.as_str();
        // systemd and rsyslog write RFC 3339 where the old form has no year.
        let time = match time.parse::<jiff::Timestamp>() {
            Ok(time) => time.to_string(),
            Err(_) => stamps.without_year(time)?,
        };
        object(&found, Some(time))
    }
}

fn object(found: &Captures<'_>, time: Option<String>) -> Option<String> {
    let group = |name: &str| {
        found
            .name(name)
            .map(|group| group.as_str())
            .filter(|text| *text != "-")
    };
    let mut object = Object::new();
    if let Some(time) = time {
        object.text("timestamp", &time);
    }
    if let Some(priority) = group("priority") {
        object.text("level", level(priority.parse().ok()?)?.as_str());
    }
    for (name, key) in [("app", "target"), ("message", "message"), ("host", "host")] {
        if let Some(text) = group(name) {
            object.text(key, text);
        }
    }
    if let Some(pid) = group("pid") {
        object.add("pid", pid);
    }
    Some(object.end())
}

/// The severity in a priority (RFC 5424 section 6.2.1); none above 191.
fn level(priority: u16) -> Option<Level> {
    let level = match priority % 8 {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warn,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    };
    (priority <= 191).then_some(level)
}

const NEW: &str = r#"(?x)^<(?<priority>\d{1,3})>1\ (?<time>\S+)\ (?<host>\S+)\ (?<app>\S+)\ (?<pid>\S+)\ \S+
    \ (?:-|(?:\[(?:[^\]\\]|\\.)*\])+)(?:\ \u{feff}?(?<message>.*))?$"#;

const OLD: &str = r"(?x)^(?:<(?<priority>\d{1,3})>)?(?<time>[A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+)
    \ (?<host>\S+)\ (?<app>[^\s:\[]+)(?:\[(?<pid>\d+)\])?:\ ?(?<message>.*)$";
