//! What a rule may ask of an event: its own fields, and those that every line of the service carries.

use std::borrow::Cow;
use std::time::SystemTime;

use dogwatch_line::{Fields, Level, Value};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::view::View;

/// What a rule judges: an event as it happens, or the line that it left.
pub(crate) trait Judged: Fields {
    fn level(&self) -> Level;
    fn target(&self) -> &str;
    /// `LEVEL target: message key=value …`: what a pattern is matched against, and a sample shows.
    fn text(&mut self) -> &str;
    fn trace_id(&self) -> Option<Cow<'_, str>>;
}

/// An event, and behind it the fields that every line of the service carries.
pub(crate) struct Seen<'a> {
    pub(crate) view: &'a mut View,
    pub(crate) fixed: &'a [(String, String)],
    /// Tells when it happens: now.
    pub(crate) clock: &'a dyn Clock,
}

impl Fields for Seen<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let fixed = |name: &str| self.fixed.iter().find(|(key, _)| key == name);
        if let Some((_, value)) = fixed(name) {
            return Some(Value::from(&**value));
        }
        if name == "timestamp" {
            return Some(rfc3339(self.clock.wall()).into());
        }
        // A field of that name stands in a line with a `_` behind it.
        let posing = name.strip_suffix('_').filter(|name| fixed(name).is_some());
        self.view.field(posing.unwrap_or(name))
    }
}

impl Judged for Seen<'_> {
    fn level(&self) -> Level {
        self.view.level()
    }

    fn target(&self) -> &str {
        self.view.target()
    }

    fn text(&mut self) -> &str {
        self.view.text()
    }

    fn trace_id(&self) -> Option<Cow<'_, str>> {
        self.view.trace_id().map(Cow::Borrowed)
    }
}

/// As the lines carry time: UTC, six digits.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    match Timestamp::try_from(time) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string(),
        // Beyond the year 9999: no clock of ours shows it.
        Err(_) => String::from("9999-12-31T23:59:59.999999Z"),
    }
}
