//! Slack's incoming webhooks.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;

use super::text::{Text, chars, facts, html, samples, title};
use super::{Message, Provider, SECOND};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::{Alert, Pace};

pub(super) struct Slack;

impl Provider for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    /// `text` is what a notification shows, the blocks what the channel does.
    fn message(&self, alerts: &[Arc<Alert>], _: SystemTime) -> Message {
        let mut head = Text::new(HEADER, chars, html);
        head.push(&title(alerts));
        let head = head.finish();
        let mut text = Text::new(SECTION, chars, html);
        text.between("*", "*", |text| text.push(&title(alerts)));
        for (key, value) in facts(alerts) {
            text.mark("\n");
            text.push(&format!("{key}: {value}"));
        }
        let mut blocks = vec![section(text.finish())];
        for sample in samples(alerts) {
            let mut text = Text::new(SECTION, chars, html);
            text.between("```", "```", |text| text.push(sample));
            blocks.push(section(text.finish()));
        }
        Message::new(json!({ "text": head, "blocks": blocks }))
    }

    /// 200 with `ok`; a failure says why in one word (Slack, "Handling errors" of incoming webhooks).
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        let word = answer.body.trim();
        let known = word.len() <= 64 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let word = if known { word } else { "" };
        match answer.status {
            200 if word == "ok" => Ok(()),
            200 => Err(answer.permanent(if word.is_empty() { "no `ok`" } else { word })),
            408 | 429 | 500..=599 => Err(answer.retry(word)),
            _ => Err(answer.permanent(word)),
        }
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(1, SECOND)
    }
}

fn section(text: String) -> serde_json::Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// Of a section's text.
const SECTION: usize = 3_000;
/// More than a notification shows.
const HEADER: usize = 300;

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{Provider, Slack};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_message_calls_nobody_and_keeps_slacks_limits() {
        let message = Slack.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        let text = "*[FIRING error] 支付失败*\nfiring: 支付失败 fires: 1 matching events within 1m (threshold 1)\n\
                    service: shop\ntrace_id: 0af7651916cd43dd8448eb211c80319c";
        let sample =
            "```ERROR shop: &lt;!channel&gt; &lt;@all&gt; @所有人 [x](http://e) &amp; '''```";
        let section =
            |text: &str| json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
        let want =
            json!({"text": "[FIRING error] 支付失败", "blocks": [section(text), section(sample)]});
        assert_eq!(message, want);

        let message = Slack.message(&[huge()], SystemTime::UNIX_EPOCH).body;
        let blocks = message["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 4);
        let first = blocks[0]["text"]["text"].as_str().unwrap();
        assert!(first.ends_with('…') && (2_990..=3_000).contains(&first.chars().count()));
    }

    #[test]
    fn only_ok_is_ok() {
        let judge = |status, body| verdict(Slack.judge(&answer(status, body)));
        assert_eq!(judge(200, "ok"), None);
        for (status, body, permanent, why) in [
            (200, "", true, "`h` answered 200: no `ok`"),
            (200, "<html>", true, "`h` answered 200: no `ok`"),
            (
                400,
                "invalid_payload",
                true,
                "`h` answered 400: invalid_payload",
            ),
            (404, "no_service", true, "`h` answered 404: no_service"),
            (
                410,
                "channel_is_archived",
                true,
                "`h` answered 410: channel_is_archived",
            ),
            (500, "rollup_error", false, "`h` answered 500: rollup_error"),
            (403, "T0K3N", true, "`h` answered 403"),
        ] {
            assert_eq!(judge(status, body), Some((permanent, why.into(), None)));
        }
        let mut busy = answer(429, "");
        busy.retry_after = Some(Duration::from_secs(30));
        let want = (false, "`h` answered 429".into(), busy.retry_after);
        assert_eq!(verdict(Slack.judge(&busy)), Some(want));
    }
}
