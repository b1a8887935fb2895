//! Telegram's bots.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::text::{Text, facts, html, samples, title, utf16};
use super::{MINUTE, Message, Provider, SECOND, unread};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::{Alert, Pace};

pub(super) struct Telegram {
    /// A group that becomes a supergroup gets another id.
    chat: Mutex<String>,
}

impl Telegram {
    pub(super) fn new(chat: &str) -> Self {
        Self {
            chat: Mutex::new(chat.to_owned()),
        }
    }

    fn chat(&self) -> std::sync::MutexGuard<'_, String> {
        self.chat.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn message(&self, alerts: &[Arc<Alert>], _: SystemTime) -> Message {
        let mut text = Text::new(TEXT, utf16, html);
        text.between("<b>", "</b>", |text| text.push(&title(alerts)));
        for (key, value) in facts(alerts) {
            text.mark("\n");
            text.push(&format!("{key}: {value}"));
        }
        for sample in samples(alerts) {
            text.mark("\n");
            text.between("<pre>", "</pre>", |text| text.push(sample));
        }
        Message::new(json!({
            "chat_id": *self.chat(),
            "text": text.finish(),
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
        }))
    }

    /// `ok` in the body, or `parameters` that say what to do (Bot API, "Making requests").
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let parameters = &body["parameters"];
        if let Some(chat) = parameters["migrate_to_chat_id"].as_i64() {
            let chat = chat.to_string();
            let mut known = self.chat();
            // Told again of the same chat, it would go round for ever.
            if *known != chat {
                *known = chat;
                return Err(answer.retry("the chat has moved").after(Duration::ZERO));
            }
        }
        match answer.status {
            200..=299 if body["ok"] == true => Ok(()),
            200..=299 => Err(unread(answer)),
            429 => {
                let error = answer.retry("too fast");
                let wait = parameters["retry_after"].as_u64().map(Duration::from_secs);
                Err(match wait {
                    Some(wait) => error.after(wait),
                    None => error,
                })
            }
            _ => answer.judge(),
        }
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(1, SECOND).at_most(18, MINUTE)
    }
}

/// After the markup is read; counted with it, it is less.
const TEXT: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{Provider, Telegram};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_message_is_html_that_is_closed_within_telegrams_limit() {
        let bot = Telegram::new("-100");
        let body = bot.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        let text = "<b>[FIRING error] 支付失败</b>\nfiring: 支付失败 fires: 1 matching events within 1m (threshold 1)\n\
                    service: shop\ntrace_id: 0af7651916cd43dd8448eb211c80319c\n\
                    <pre>ERROR shop: &lt;!channel&gt; &lt;@all&gt; @所有人 [x](http://e) &amp; '''</pre>";
        let want = json!({"chat_id": "-100", "text": text, "parse_mode": "HTML",
                          "link_preview_options": {"is_disabled": true}});
        assert_eq!(body, want);
        let body = bot.message(&[huge()], SystemTime::UNIX_EPOCH).body;
        let length = body["text"].as_str().unwrap().encode_utf16().count();
        assert!((4_080..=4_096).contains(&length), "{length}");
    }

    #[test]
    fn a_chat_that_moved_is_written_to_where_it_is() {
        let bot = Telegram::new("-5");
        let moved = answer(
            400,
            r#"{"ok":false,"parameters":{"migrate_to_chat_id":-1009}}"#,
        );
        let again = (
            false,
            "`h` answered 400: the chat has moved".into(),
            Some(Duration::ZERO),
        );
        assert_eq!(verdict(bot.judge(&moved)), Some(again));
        assert_eq!(
            bot.message(&[nasty()], SystemTime::UNIX_EPOCH).body["chat_id"],
            "-1009"
        );
        let refused = (true, "`h` answered 400".into(), None);
        assert_eq!(verdict(bot.judge(&moved)), Some(refused));
    }

    #[test]
    fn ok_is_in_the_body_and_so_is_the_wait() {
        let bot = Telegram::new("1");
        let judge = |status, body| verdict(bot.judge(&answer(status, body)));
        assert_eq!(judge(200, r#"{"ok":true,"result":{}}"#), None);
        let wait = Some(Duration::from_secs(35));
        for (status, body, permanent, why, wait) in [
            (
                429,
                r#"{"ok":false,"parameters":{"retry_after":35}}"#,
                false,
                "`h` answered 429: too fast",
                wait,
            ),
            (401, r#"{"ok":false}"#, true, "`h` answered 401", None),
            (502, "", false, "`h` answered 502", None),
            (
                200,
                "<html>",
                false,
                "`h` answered 200: its body is not what the provider answers",
                None,
            ),
        ] {
            assert_eq!(
                judge(status, body),
                Some((permanent, why.into(), wait)),
                "{body}"
            );
        }
    }
}
