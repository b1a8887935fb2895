//! The latest matching events, kept to show them when a rule fires.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use dogwatch_line::{Level, Value};

use crate::known::hash;
use crate::seen::Judged;
use crate::shape;
use crate::width::cut;

/// The latest events of one rule, of all its groups; the memory of the oldest is used again.
#[derive(Debug)]
pub(crate) struct Samples {
    latest: VecDeque<Sample>,
    kept: usize,
    shown: usize,
}

#[derive(Debug, Default)]
struct Sample {
    group: u64,
    text: String,
    level: Option<Level>,
    target: String,
    message: String,
    trace_id: String,
}

/// What an alert shows of the events that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) samples: Vec<String>,
    pub(crate) trace_id: Option<String>,
    /// The commonest kind of message among them.
    pub(crate) top: Option<String>,
    /// The labels with which an earlier process told it: an alert keeps its name until it is over.
    pub(crate) told_as: Option<BTreeMap<String, String>>,
}

impl Samples {
    pub(crate) fn new(shown: usize, grouped: bool) -> Self {
        // Of all groups together, so that ten thousand groups cost no ten thousand samples.
        let kept = if grouped {
            KEPT.max(shown)
        } else {
            shown.max(3)
        };
        Self {
            latest: VecDeque::new(),
            kept,
            shown,
        }
    }

    pub(crate) fn push(&mut self, group: &str, event: &mut impl Judged) {
        let mut sample = match self.latest.len() {
            len if len == self.kept => self.latest.pop_front().unwrap_or_default(),
            _ => Sample::default(),
        };
        sample.group = hash([group]);
        sample.text.clear();
        clean(event.text(), MAX_SAMPLE, &mut sample.text);
        // As it is: what varies in it is only looked for when the rule fires.
        sample.level = Some(event.level());
        for (kept, text, max) in [
            (&mut sample.target, event.target(), MAX_TARGET),
            (&mut sample.message, &*message(event), MAX_SAMPLE),
        ] {
            kept.clear();
            kept.push_str(cut(text, max));
        }
        sample.trace_id.clear();
        let trace_id = event.trace_id().unwrap_or_default();
        sample.trace_id.push_str(cut(&trace_id, MAX_TRACE_ID));
        self.latest.push_back(sample);
    }

    /// The evidence of a group that fires over the latest `count` of its events.
    pub(crate) fn evidence(&self, group: &str, count: u64) -> Evidence {
        let group = hash([group]);
        // A threshold of one is reached by one event: the samples before it are old.
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let of_group = self.latest.iter().rev().filter(|one| one.group == group);
        let latest: Vec<&Sample> = of_group.take(most).collect();
        let traced = latest.iter().find(|one| !one.trace_id.is_empty());
        let shapes: Vec<String> = latest.iter().rev().map(|one| one.shape()).collect();
        let times = |shape: &String| shapes.iter().filter(|other| *other == shape).count();
        // Of two as common the later.
        let top = shapes.iter().max_by_key(|shape| times(shape));
        Evidence {
            samples: latest
                .iter()
                .take(self.shown)
                .rev()
                .map(|one| one.text.clone())
                .collect(),
            trace_id: traced.map(|one| one.trace_id.clone()),
            top: top.map(|shape| format!("{:016x} {shape}", hash([&**shape]))),
            told_as: None,
        }
    }
}

impl Sample {
    fn shape(&self) -> String {
        let mut out = String::new();
        let level = self.level.unwrap_or(Level::Info);
        write_shape(level, &self.target, &self.message, &mut out);
        out
    }
}

/// `LEVEL target: message`, what varies in the message taken out.
pub(crate) fn shape_of(event: &impl Judged, out: &mut String) {
    write_shape(event.level(), event.target(), &message(event), out);
}

fn message(event: &impl Judged) -> Cow<'_, str> {
    match event.field("message") {
        Some(Value::Str(message)) => message,
        _ => Cow::Borrowed(""),
    }
}

fn write_shape(level: Level, target: &str, message: &str, out: &mut String) {
    out.push_str(level.as_str());
    out.push(' ');
    clean(target, MAX_TARGET, out);
    out.push_str(": ");
    let start = out.len();
    shape::write(cut(message, MAX_SAMPLE), out);
    if out[start..].contains(char::is_control) {
        let raw = out.split_off(start);
        clean(&raw, MAX_SAMPLE, out);
    }
}

/// Copies text so that it can do no harm where it is shown: no control characters, no bidi tricks.
/// At most `max` bytes.
pub(crate) fn clean(text: &str, max: usize, out: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return out.push_str(cut(text, max));
    }
    let max = out.len() + max;
    for char in text.chars() {
        let start = out.len();
        let bidi = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        if char.is_control() || bidi {
            out.extend(char.escape_default());
        } else {
            out.push(char);
        }
        if out.len() > max {
            out.truncate(start);
            return;
        }
    }
}

/// In bytes: three of them fit the smallest sink beside their alert.
const MAX_SAMPLE: usize = 512;

/// In bytes: no module path of a readable program is longer.
const MAX_TARGET: usize = 128;

/// In bytes: four times a W3C trace id.
const MAX_TRACE_ID: usize = 128;

/// For all groups of a rule: 40 kB of the usual lines.
const KEPT: usize = 32;

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLE, clean};

    #[test]
    fn a_sample_is_cut_at_a_character_and_carries_no_control() {
        let mut out = String::new();
        clean(&"支".repeat(300), MAX_SAMPLE, &mut out);
        assert_eq!(out, "支".repeat(MAX_SAMPLE / 3));
        out.clear();
        clean("a\u{1b}[31mred\nb\u{202e}c", MAX_SAMPLE, &mut out);
        assert_eq!(out, "a\\u{1b}[31mred\\nb\\u{202e}c");
    }
}
