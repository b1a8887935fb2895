//! DingTalk's robots.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::text::{Text, bytes, facts, samples, title, wide};
use super::{MINUTE, Message, Provider, code, unread};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::notify::sign::{percent, sign};
use crate::{Alert, Pace};

pub(super) struct DingTalk {
    secret: Option<String>,
}

impl DingTalk {
    pub(super) fn new(secret: &str) -> Self {
        let secret = (!secret.is_empty()).then(|| secret.to_owned());
        Self { secret }
    }

    /// DingTalk, "Custom robot security settings": the message signed is `timestamp "\n" secret`, the key the
    /// secret.
    fn query(&self, now: SystemTime) -> String {
        let Some(secret) = &self.secret else {
            return String::new();
        };
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        let millis = now.unwrap_or_default().as_millis();
        let signature = sign(secret.as_bytes(), format!("{millis}\n{secret}").as_bytes());
        format!("timestamp={millis}&sign={}", percent(&signature))
    }
}

impl Provider for DingTalk {
    fn name(&self) -> &'static str {
        "dingtalk"
    }

    fn message(&self, alerts: &[Arc<Alert>], now: SystemTime) -> Message {
        let mut head = Text::new(TITLE, bytes, wide);
        head.push(&title(alerts));
        let mut text = Text::new(TEXT, bytes, wide);
        text.between("#### ", "\n", |text| text.push(&title(alerts)));
        for (key, value) in facts(alerts) {
            text.mark("\n- ");
            text.push(&format!("{key}: {value}"));
        }
        for sample in samples(alerts) {
            text.mark("\n\n> ");
            text.push(&sample.replace('\n', " "));
        }
        let markdown = json!({ "title": head.finish(), "text": text.finish() });
        Message {
            query: self.query(now),
            // It says by itself that nobody is called.
            body: json!({ "msgtype": "markdown", "markdown": markdown, "at": { "isAtAll": false } }),
        }
    }

    /// Always 200; `errcode` says the rest.
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        answer.judge()?;
        match code(answer, "errcode") {
            Some(0) => Ok(()),
            Some(code @ (130_101 | 660_026)) => Err(answer
                .retry(&format!("errcode {code}, too fast"))
                .after(DEAF)),
            Some(310_000) => Err(answer.permanent(
                "errcode 310000: look at the robot's secret, its key words and addresses, and the clock",
            )),
            Some(-1) => Err(answer.retry("errcode -1, busy")),
            Some(code) => Err(answer.permanent(&format!("errcode {code}"))),
            None => Err(unread(answer)),
        }
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(18, MINUTE)
    }
}

/// Of the 20 kB that a message may have, without what JSON adds.
const TEXT: usize = 16_000;
const TITLE: usize = 200;
/// How long a robot is deaf that was called too often.
const DEAF: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{DingTalk, Provider};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_signature_is_the_one_that_others_compute() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(
            DingTalk::new("SECdogwatch").query(at),
            "timestamp=1700000000000&sign=dKmC01NatWGvTAjyOgSK6hVY1qkAeXAmGWw4TMISlBM%3D"
        );
        assert_eq!(DingTalk::new("").query(at), "");
    }

    #[test]
    fn a_message_calls_nobody_and_keeps_the_robots_limit() {
        let robot = DingTalk::new("");
        let message = robot.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        let text = "#### ［FIRING error］ 支付失败\n\n- firing: 支付失败 fires: 1 matching events within 1m (threshold 1)\n\
                    - service: shop\n- trace_id: 0af7651916cd43dd8448eb211c80319c\n\n\
                    > ERROR shop: ＜!channel＞ ＜＠all＞ ＠所有人 ［x］(http://e) & '''";
        let markdown = json!({"title": "［FIRING error］ 支付失败", "text": text});
        let want = json!({"msgtype": "markdown", "markdown": markdown, "at": {"isAtAll": false}});
        assert_eq!(message, want);
        let message = robot.message(&[huge()], SystemTime::UNIX_EPOCH).body;
        let length = message.to_string().len();
        assert!((15_900..20_000).contains(&length), "{length}");
    }

    #[test]
    fn a_200_counts_by_its_errcode() {
        let robot = DingTalk::new("");
        let judge = |body| verdict(robot.judge(&answer(200, body)));
        assert_eq!(judge(r#"{"errcode":0,"errmsg":"ok"}"#), None);
        let deaf = Some(Duration::from_secs(600));
        let secret = "`h` answered 200: errcode 310000: look at the robot's secret, its key words and addresses, and the clock";
        for (body, permanent, why, wait) in [
            (
                r#"{"errcode":130101,"errmsg":"send too fast"}"#,
                false,
                "`h` answered 200: errcode 130101, too fast",
                deaf,
            ),
            (
                r#"{"errcode":310000,"errmsg":"sign not match"}"#,
                true,
                secret,
                None,
            ),
            (
                r#"{"errcode":-1}"#,
                false,
                "`h` answered 200: errcode -1, busy",
                None,
            ),
            (
                r#"{"errcode":300001}"#,
                true,
                "`h` answered 200: errcode 300001",
                None,
            ),
            (
                "<html>",
                false,
                "`h` answered 200: its body is not what the provider answers",
                None,
            ),
        ] {
            assert_eq!(judge(body), Some((permanent, why.into(), wait)), "{body}");
        }
        let down = verdict(robot.judge(&answer(502, "")));
        assert_eq!(down, Some((false, "`h` answered 502".into(), None)));
    }
}
