//! What people read of alerts: escaped for the place it goes to, and cut where that place cuts. Pure.

use std::sync::Arc;

use crate::{Alert, State};

/// A text that grows up to a limit. What no longer fits is cut at a character, never inside of an escape.
pub(crate) struct Text {
    out: String,
    left: usize,
    measure: fn(&str) -> usize,
    escape: fn(char, &mut String),
    cut: bool,
}

impl Text {
    /// Of at most `limit` by this measure.
    pub(crate) fn new(
        limit: usize,
        measure: fn(&str) -> usize,
        escape: fn(char, &mut String),
    ) -> Self {
        Self {
            out: String::new(),
            // Room to say that there was more.
            left: limit.saturating_sub(measure(MORE)),
            measure,
            escape,
            cut: false,
        }
    }

    /// Ours: as it is, whole or not at all.
    pub(crate) fn mark(&mut self, markup: &str) {
        let length = (self.measure)(markup);
        if self.cut || length > self.left {
            self.cut = true;
            return;
        }
        self.left -= length;
        self.out.push_str(markup);
    }

    /// From a log: escaped, without control characters and what turns the direction of writing.
    pub(crate) fn push(&mut self, text: &str) {
        let mut escaped = String::new();
        for char in text.chars().filter(|char| is_shown(*char)) {
            if self.cut {
                return;
            }
            escaped.clear();
            (self.escape)(char, &mut escaped);
            self.mark(&escaped);
        }
    }

    /// Between two marks, the second of which is always there if the first is.
    pub(crate) fn between(&mut self, open: &str, close: &str, fill: impl FnOnce(&mut Self)) {
        let both = (self.measure)(open) + (self.measure)(close);
        if self.cut || both > self.left {
            self.cut = true;
            return;
        }
        self.left -= both;
        self.out.push_str(open);
        fill(self);
        self.out.push_str(close);
    }

    pub(crate) fn finish(mut self) -> String {
        if self.cut {
            self.out.push_str(MORE);
        }
        self.out
    }
}

/// `[FIRING critical] name`, or of several `[2 FIRING, 1 RESOLVED]`.
pub(crate) fn title(alerts: &[Arc<Alert>]) -> String {
    if let [only] = alerts {
        let Alert { rule, level, .. } = &**only;
        return match only.state {
            State::Resolved => format!("[RESOLVED] {rule}"),
            _ => format!("[FIRING {level}] {rule}"),
        };
    }
    let resolved = alerts
        .iter()
        .filter(|alert| alert.state == State::Resolved)
        .count();
    let told = [(alerts.len() - resolved, "FIRING"), (resolved, "RESOLVED")];
    let told: Vec<String> = told
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    format!("[{}]", told.join(", "))
}

/// What is worth reading of one alert beside its title, each with its name; of several one line each.
pub(crate) fn facts(alerts: &[Arc<Alert>]) -> Vec<(String, String)> {
    let first = |alert: &Arc<Alert>| (state(alert).to_owned(), summary(alert));
    let [only] = alerts else {
        return alerts.iter().map(first).collect();
    };
    let mut facts = vec![first(only)];
    let own = only.annotations.iter().filter(|(key, _)| *key != SUMMARY);
    for (key, value) in own.chain(&only.labels) {
        facts.push((key.clone(), value.clone()));
    }
    let more = [
        ("trace_id", only.trace_id.clone()),
        ("command", only.command()),
    ];
    for (key, value) in more {
        facts.extend(value.map(|value| (key.to_owned(), value)));
    }
    facts
}

/// What the rule says of itself goes before.
fn summary(alert: &Alert) -> String {
    let own = alert.annotations.get(SUMMARY);
    own.cloned().unwrap_or_else(|| alert.summary())
}

/// The lines that show what happened; of one alert only.
pub(crate) fn samples(alerts: &[Arc<Alert>]) -> &[String] {
    match alerts {
        [only] if only.state == State::Firing => &only.samples,
        _ => &[],
    }
}

fn state(alert: &Alert) -> &'static str {
    match alert.state {
        State::Resolved => "resolved",
        _ => "firing",
    }
}

pub(crate) fn bytes(text: &str) -> usize {
    text.len()
}

/// As JavaScript and Telegram count: UTF-16.
pub(crate) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

pub(crate) fn chars(text: &str) -> usize {
    text.chars().count()
}

/// `& < >`: Slack's `<!channel>` and Telegram's HTML.
pub(crate) fn html(char: char, out: &mut String) {
    match char {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        // Would end a block of code.
        '`' => out.push('\''),
        char => out.push(char),
    }
}

/// For robots whose Markdown knows no escape: what mentions people, links or draws a picture is written wide.
pub(crate) fn wide(char: char, out: &mut String) {
    out.push(match char {
        '<' => '＜',
        '>' => '＞',
        '@' => '＠',
        '[' => '［',
        ']' => '］',
        '`' => '\'',
        char => char,
    });
}

/// For places that show text as it is.
pub(crate) fn plain(char: char, out: &mut String) {
    out.push(char);
}

/// Line breaks apart, no control characters (ANSI colours begin with one), none that turn the direction.
fn is_shown(char: char) -> bool {
    let turns = matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    char == '\n' || !(char.is_control() || turns)
}

const MORE: &str = "…";
const SUMMARY: &str = "summary";

#[cfg(test)]
mod tests {
    use super::{Text, bytes, chars, facts, html, plain, title, utf16, wide};
    use crate::State;
    use crate::queue::tests::alert;
    use std::sync::Arc;

    #[test]
    fn a_text_is_cut_at_a_character_and_its_marks_are_closed() {
        for limit in 0..40 {
            let mut text = Text::new(limit, bytes, html);
            text.mark("*a*");
            text.between("<pre>", "</pre>", |text| text.push("支付<失败>&超时"));
            let text = text.finish();
            assert!(text.len() <= limit.max(3), "{text}");
            assert_eq!(text.contains("<pre>"), text.contains("</pre>"), "{text}");
            for escape in text.split('&').skip(1) {
                assert!(
                    escape.starts_with("lt;")
                        || escape.starts_with("gt;")
                        || escape.starts_with("amp;")
                );
            }
        }
        let mut all = Text::new(100, bytes, html);
        all.push("支付<失败>&超时");
        assert_eq!(all.finish(), "支付&lt;失败&gt;&amp;超时");
    }

    #[test]
    fn limits_are_counted_as_the_place_counts() {
        for (measure, limit, fits) in [
            (bytes as fn(&str) -> usize, 12, 3),
            (chars, 12, 11),
            (utf16, 12, 11),
        ] {
            let mut text = Text::new(limit, measure, plain);
            text.push(&"支".repeat(50));
            assert_eq!(text.finish(), "支".repeat(fits) + "…");
        }
        let mut text = Text::new(4, utf16, plain);
        text.push("🐕🐕🐕");
        assert_eq!(text.finish(), "🐕…");
    }

    #[test]
    fn no_log_text_calls_anybody_or_colours_anything() {
        let mut text = Text::new(200, bytes, wide);
        text.push("\u{1b}[31m<@all> [x](http://e) `@13800000000`\r\u{202e}\0");
        assert_eq!(
            text.finish(),
            "［31m＜＠all＞ ［x］(http://e) '＠13800000000'"
        );
        let mut text = Text::new(200, bytes, html);
        text.push("<!channel> ```");
        assert_eq!(text.finish(), "&lt;!channel&gt; '''");
    }

    #[test]
    fn a_title_says_how_many_and_a_digest_has_a_line_for_each() {
        let (a, b) = (alert("a", State::Firing), alert("b", State::Resolved));
        assert_eq!(title(std::slice::from_ref(&a)), "[FIRING error] a");
        assert_eq!(title(std::slice::from_ref(&b)), "[RESOLVED] b");
        assert_eq!(title(&[a.clone(), b.clone()]), "[1 FIRING, 1 RESOLVED]");
        assert_eq!(title(&[b.clone(), b.clone()]), "[2 RESOLVED]");
        let told = facts(&[a.clone(), b.clone()]);
        let want = [
            ("firing".to_owned(), a.summary()),
            ("resolved".to_owned(), b.summary()),
        ];
        assert_eq!(told, want);
    }

    #[test]
    fn what_a_rule_says_of_itself_is_told_with_the_command_that_shows_the_lines() {
        let mut alert = alert("r", State::Firing);
        let full = Arc::make_mut(&mut alert);
        for (key, value) in [("summary", "付款坏了"), ("runbook", "http://r")] {
            full.annotations.insert(key.into(), value.into());
        }
        full.labels.insert("team".into(), "pay".into());
        full.query = Some("level=error".into());
        let command = full.command().unwrap();
        let want = [
            ("firing", "付款坏了"),
            ("runbook", "http://r"),
            ("team", "pay"),
            ("command", &command),
        ];
        let want = want.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(facts(&[alert]), want);
    }
}
