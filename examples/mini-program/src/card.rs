//! Writes the incident card: what fired, on which evidence, how fast, and one payment that failed.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dogwatch_line::{Columns, Value};
use jiff::Timestamp;

use crate::counts::Tally;
use crate::oncall::Page;
use crate::readback::{self, Book};
use crate::story::ALERT;

/// The incident as the desk and the files tell it.
#[derive(Debug, Default)]
pub(crate) struct Card {
    /// Label and text, in the order of the card.
    rows: Vec<(&'static str, String)>,
    /// The failed payment's lines, made short.
    payment: Vec<String>,
}

impl Card {
    pub(crate) fn new(pages: &[Page], tally: &Tally, book: &Book, logs: &Path) -> io::Result<Card> {
        let mut card = Card::default();
        let ours = |page: &&Page| page.rule == ALERT;
        let Some(fired) = pages.iter().filter(ours).find(|page| page.firing) else {
            return Ok(card);
        };
        card.evidence(fired);
        card.times(
            fired,
            pages.iter().filter(ours).rfind(|page| !page.firing),
            tally,
        );
        if let Some(trace) = &book.failed {
            card.rows.push(("failed payment", format!("trace {trace}")));
            card.payment = readback::trace(logs, trace)?
                .iter()
                .map(|line| short(line))
                .collect();
        }
        Ok(card)
    }

    fn evidence(&mut self, fired: &Page) {
        let note = |name: &str| text(&fired.alert["annotations"][name]);
        let level = text(&fired.alert["labels"]["severity"]);
        self.rows
            .push(("rule", format!("{} ({level})", fired.rule)));
        let (count, window) = (note("count"), note("window"));
        self.rows.push((
            "count",
            format!("{count} in {window}, threshold {}", note("threshold")),
        ));
        self.rows.push(("first bad", note("first_bad")));
        if let Some(sample) = note("samples").lines().next() {
            self.rows.push(("sample", cut(sample)));
        }
    }

    fn times(&mut self, fired: &Page, resolved: Option<&Page>, tally: &Tally) {
        let first_bad = fired.alert["annotations"]["first_bad"].as_str();
        let Some(first_bad) = first_bad.and_then(|text| text.parse::<Timestamp>().ok()) else {
            return;
        };
        let since = u64::try_from(first_bad.as_microsecond()).unwrap_or(0);
        let first_bad = UNIX_EPOCH + Duration::from_micros(since);
        self.rows
            .push(("time to alert", after(first_bad, Some(fired.at))));
        self.rows
            .push(("time to degrade", after(first_bad, tally.first_degraded)));
        self.rows.push((
            "time to resolve",
            after(first_bad, resolved.map(|page| page.at)),
        ));
    }
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "incident")?;
        for (label, text) in &self.rows {
            writeln!(f, "  {label:<16}{text}")?;
        }
        for line in &self.payment {
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

fn after(begin: SystemTime, event: Option<SystemTime>) -> String {
    let Some(event) = event else {
        return "never".to_owned();
    };
    // A clock that was set back meanwhile shows 0.
    let took = event.duration_since(begin).unwrap_or(Duration::ZERO);
    format!("{:.1} s after the first bad line", took.as_secs_f64())
}

/// A line as the card shows it: time, level, what happened, and the few fields that matter.
fn short(text: &str) -> String {
    let fields = Columns::new(HEADED.into_iter().chain(SHOWN)).of(text);
    let (headed, shown) = fields.split_at(HEADED.len());
    let [Some(time), level, event, message] = headed else {
        return text.to_owned();
    };
    let what = event.as_ref().or(message.as_ref());
    let plain = |value: Option<&Value<'_>>| value.map(Value::to_string).unwrap_or_default();
    let mut short = format!("{time} {:<5} {}", plain(level.as_ref()), plain(what));
    for (name, value) in SHOWN.iter().zip(shown) {
        if let Some(value) = value {
            short += &format!(" {name}={value}");
        }
    }
    short
}

/// A text for one row; what is cut off stands in the alert's body.
fn cut(text: &str) -> String {
    match text.char_indices().nth(ROW) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn text(value: &serde_json::Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// How many characters of a sample the card shows.
const ROW: usize = 120;
/// What a shortened line begins with.
const HEADED: [&str; 4] = ["timestamp", "level", "event", "message"];
/// The fields that it keeps.
const SHOWN: [&str; 11] = [
    "peer",
    "rule",
    "order_id",
    "amount",
    "currency",
    "price",
    "method",
    "route",
    "status",
    "latency_ms",
    "error.message",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shortened_to_what_an_operator_reads() {
        let line = r#"{"timestamp":"2026-11-24T10:00:00.000001Z","level":"ERROR","target":"t",
            "message":"payment failed","event":"pay_failed","order_id":3,"error":{"message":"502"}}"#;
        let want = "2026-11-24T10:00:00.000001Z ERROR pay_failed order_id=3 error.message=502";
        assert_eq!(short(line), want);
    }

    #[test]
    fn a_long_sample_is_cut_between_characters() {
        assert_eq!(cut("支付失败"), "支付失败");
        assert_eq!(cut(&"支".repeat(ROW + 1)), "支".repeat(ROW) + "…");
    }
}
