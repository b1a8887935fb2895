//! Feishu's and Lark's bots.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::text::{Text, bytes, facts, plain, samples, title};
use super::{MINUTE, Message, Provider, SECOND, code, unread};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::notify::sign::sign;
use crate::{Alert, Pace, Severity, State};

pub(super) struct Feishu {
    secret: Option<String>,
}

impl Feishu {
    pub(super) fn new(secret: &str) -> Self {
        let secret = (!secret.is_empty()).then(|| secret.to_owned());
        Self { secret }
    }
}

impl Provider for Feishu {
    fn name(&self) -> &'static str {
        "feishu"
    }

    /// All text is `plain_text`: no tag in it means anything, `<at id=all>` least of all.
    fn message(&self, alerts: &[Arc<Alert>], now: SystemTime) -> Message {
        let mut text = Text::new(TEXT, bytes, plain);
        for (at, (key, value)) in facts(alerts).into_iter().enumerate() {
            text.mark(if at == 0 { "" } else { "\n" });
            text.push(&format!("{key}: {value}"));
        }
        for sample in samples(alerts) {
            text.mark("\n\n");
            text.push(sample);
        }
        let mut head = Text::new(TITLE, bytes, plain);
        head.push(&title(alerts));
        let card = json!({
            "header": { "title": words(head.finish()), "template": colour(alerts) },
            "elements": [{ "tag": "div", "text": words(text.finish()) }],
        });
        let mut body = json!({ "msg_type": "interactive", "card": card });
        if let Some(secret) = &self.secret {
            let (timestamp, signature) = signed(secret, now);
            body["timestamp"] = timestamp.into();
            body["sign"] = signature.into();
        }
        Message::new(body)
    }

    /// 200, and in the body `code`, which older bots call `StatusCode`.
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        if let Some(code @ (11_232 | 11_233)) = code(answer, "code") {
            return Err(answer.retry(&format!("code {code}, too fast")));
        }
        answer.judge()?;
        match code(answer, "code").or_else(|| code(answer, "StatusCode")) {
            Some(0) => Ok(()),
            Some(19_021) => {
                Err(answer.permanent("code 19021: look at the bot's secret and the clock"))
            }
            Some(19_022) => Err(answer.permanent("code 19022: the bot takes no such address")),
            Some(19_024) => Err(answer.permanent("code 19024: the bot's key words are missing")),
            Some(code) => Err(answer.permanent(&format!("code {code}"))),
            None => Err(unread(answer)),
        }
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(4, SECOND).at_most(90, MINUTE)
    }
}

/// Feishu, "Custom bot usage guide": the key is `timestamp "\n" secret`, the message empty.
fn signed(secret: &str, now: SystemTime) -> (String, String) {
    let now = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = now.unwrap_or_default().as_secs().to_string();
    let signature = sign(format!("{seconds}\n{secret}").as_bytes(), b"");
    (seconds, signature)
}

fn words(text: String) -> Value {
    json!({ "tag": "plain_text", "content": text })
}

fn colour(alerts: &[Arc<Alert>]) -> &'static str {
    let firing = alerts.iter().filter(|alert| alert.state != State::Resolved);
    match firing.map(|alert| alert.level).max() {
        None => "green",
        Some(Severity::Critical | Severity::Error) => "red",
        Some(Severity::Warning) => "orange",
        Some(Severity::Info) => "blue",
    }
}

/// Of the 20 kB that a message may have, without what JSON adds.
const TEXT: usize = 15_000;
const TITLE: usize = 300;

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{Feishu, Provider, signed};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let signature = "5RGF2mSdHklI1TyxaiB6B02sGwpjhhI2wyH3DeBYTP8=";
        let want = ("1700000000".to_owned(), signature.to_owned());
        assert_eq!(signed("dogwatch", at), want);
        let body = Feishu::new("dogwatch").message(&[nasty()], at).body;
        assert_eq!(
            (&body["timestamp"], &body["sign"]),
            (&json!("1700000000"), &json!(signature))
        );
        let body = Feishu::new("").message(&[nasty()], at).body;
        assert_eq!((body.get("timestamp"), body.get("sign")), (None, None));
    }

    #[test]
    fn a_card_is_plain_text_within_the_bots_limit() {
        let bot = Feishu::new("");
        let body = bot.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        let text = "firing: 支付失败 fires: 1 matching events within 1m (threshold 1)\nservice: shop\n\
                    trace_id: 0af7651916cd43dd8448eb211c80319c\n\n\
                    ERROR shop: <!channel> <@all> @所有人 [x](http://e) & ```";
        let words = |text: &str| json!({"tag": "plain_text", "content": text});
        let header = json!({"title": words("[FIRING error] 支付失败"), "template": "red"});
        let card = json!({"header": header, "elements": [{"tag": "div", "text": words(text)}]});
        assert_eq!(body, json!({"msg_type": "interactive", "card": card}));
        let length = bot
            .message(&[huge()], SystemTime::UNIX_EPOCH)
            .body
            .to_string()
            .len();
        assert!((14_900..20_000).contains(&length), "{length}");
    }

    #[test]
    fn a_200_counts_by_its_code() {
        let bot = Feishu::new("");
        let judge = |status, body| verdict(bot.judge(&answer(status, body)));
        assert_eq!(judge(200, r#"{"code":0,"msg":"success"}"#), None);
        assert_eq!(judge(200, r#"{"StatusCode":0}"#), None);
        for (status, body, permanent, why) in [
            (
                200,
                r#"{"code":19021}"#,
                true,
                "`h` answered 200: code 19021: look at the bot's secret and the clock",
            ),
            (
                200,
                r#"{"code":19024}"#,
                true,
                "`h` answered 200: code 19024: the bot's key words are missing",
            ),
            (
                200,
                r#"{"code":11232}"#,
                false,
                "`h` answered 200: code 11232, too fast",
            ),
            (
                400,
                r#"{"code":11232}"#,
                false,
                "`h` answered 400: code 11232, too fast",
            ),
            (400, r#"{"code":9499}"#, true, "`h` answered 400"),
            (429, "", false, "`h` answered 429"),
            (
                200,
                "{}",
                false,
                "`h` answered 200: its body is not what the provider answers",
            ),
        ] {
            assert_eq!(
                judge(status, body),
                Some((permanent, why.into(), None)),
                "{body}"
            );
        }
    }
}
