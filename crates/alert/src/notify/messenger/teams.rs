//! Teams' workflows.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::text::{Text, bytes, facts, plain, samples, title};
use super::{Message, Provider, SECOND};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::{Alert, Pace};

pub(super) struct Teams;

impl Provider for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    /// An adaptive card of text runs, which know no Markdown.
    fn message(&self, alerts: &[Arc<Alert>], _: SystemTime) -> Message {
        let mut head = Text::new(TITLE, bytes, plain);
        head.push(&title(alerts));
        let run = json!({ "type": "TextRun", "text": head.finish(), "weight": "Bolder" });
        let mut body = vec![rich(run)];
        let mut text = Text::new(TEXT, bytes, plain);
        for (at, (key, value)) in facts(alerts).into_iter().enumerate() {
            text.mark(if at == 0 { "" } else { "\n" });
            text.push(&format!("{key}: {value}"));
        }
        body.push(rich(json!({ "type": "TextRun", "text": text.finish() })));
        for sample in samples(alerts) {
            let mut text = Text::new(SAMPLE, bytes, plain);
            text.push(sample);
            let run = json!({ "type": "TextRun", "text": text.finish(), "fontType": "Monospace" });
            body.push(rich(run));
        }
        let card = json!({
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
        });
        let attachment = json!({
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        });
        Message::new(json!({ "type": "message", "attachments": [attachment] }))
    }

    /// 202 as a rule. A connector of old answers 200 whatever happened, with a text that says what.
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        answer.judge()?;
        if !answer.body.contains("delivery failed") {
            return Ok(());
        }
        let later = answer.body.contains("HTTP error 429") || answer.body.contains("HTTP error 5");
        Err(match later {
            true => answer.retry("the delivery failed for now"),
            false => answer.permanent("the delivery failed"),
        })
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(3, SECOND)
    }
}

fn rich(run: Value) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

/// Of the 28 kB that a message may have, without what JSON adds.
const TEXT: usize = 16_000;
const TITLE: usize = 500;
const SAMPLE: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{Provider, Teams};
    use serde_json::json;
    use std::time::SystemTime;

    #[test]
    fn a_card_is_plain_text_within_teams_limit() {
        let body = Teams.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        assert_eq!(body["type"], "message");
        let attachment = &body["attachments"][0];
        assert_eq!(
            attachment["contentType"],
            "application/vnd.microsoft.card.adaptive"
        );
        let sample = "ERROR shop: <!channel> <@all> @所有人 [x](http://e) & ```";
        let text = "firing: 支付失败 fires: 1 matching events within 1m (threshold 1)\nservice: shop\n\
                    trace_id: 0af7651916cd43dd8448eb211c80319c";
        let rich = |run| json!({"type": "RichTextBlock", "inlines": [run]});
        let want = json!([
            rich(json!({"type": "TextRun", "text": "[FIRING error] 支付失败", "weight": "Bolder"})),
            rich(json!({"type": "TextRun", "text": text})),
            rich(json!({"type": "TextRun", "text": sample, "fontType": "Monospace"})),
        ]);
        assert_eq!(attachment["content"]["body"], want);
        let length = Teams
            .message(&[huge()], SystemTime::UNIX_EPOCH)
            .body
            .to_string()
            .len();
        assert!((16_000..28_000).contains(&length), "{length}");
    }

    #[test]
    fn a_200_with_a_failure_in_its_text_is_one() {
        let judge = |status, body: &str| verdict(Teams.judge(&answer(status, body)));
        let old = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ";
        assert_eq!(judge(202, ""), None);
        assert_eq!(judge(200, "1"), None);
        for (status, body, permanent, why) in [
            (
                200,
                format!("{old}429"),
                false,
                "`h` answered 200: the delivery failed for now",
            ),
            (
                200,
                format!("{old}413"),
                true,
                "`h` answered 200: the delivery failed",
            ),
            (413, String::new(), true, "`h` answered 413"),
            (429, String::new(), false, "`h` answered 429"),
        ] {
            assert_eq!(
                judge(status, &body),
                Some((permanent, why.into(), None)),
                "{body}"
            );
        }
    }
}
