//! WeCom's group robots.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::text::{Text, bytes, facts, samples, title, wide};
use super::{MINUTE, Message, Provider, code, unread};
use crate::notify::NotifyError;
use crate::notify::http::Answer;
use crate::{Alert, Pace};

pub(super) struct WeCom;

impl Provider for WeCom {
    fn name(&self) -> &'static str {
        "wecom"
    }

    fn message(&self, alerts: &[Arc<Alert>], _: SystemTime) -> Message {
        let mut text = Text::new(MARKDOWN, bytes, wide);
        text.between("**", "**", |text| text.push(&title(alerts)));
        for (key, value) in facts(alerts) {
            text.mark("\n");
            text.push(&format!("{key}: {value}"));
        }
        for sample in samples(alerts) {
            text.mark("\n> ");
            text.push(&sample.replace('\n', " "));
        }
        let markdown = json!({ "content": text.finish() });
        Message::new(json!({ "msgtype": "markdown", "markdown": markdown }))
    }

    /// Always 200; `errcode` says the rest.
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        answer.judge()?;
        match code(answer, "errcode") {
            Some(0) => Ok(()),
            Some(45_009) => Err(answer.retry("errcode 45009, too fast").after(DEAF)),
            Some(93_000) => Err(answer.permanent("errcode 93000: look at the robot's key")),
            Some(-1) => Err(answer.retry("errcode -1, busy")),
            Some(code) => Err(answer.permanent(&format!("errcode {code}"))),
            None => Err(unread(answer)),
        }
    }

    fn pace(&self) -> Pace {
        Pace::unlimited().at_most(18, MINUTE)
    }
}

/// In bytes of UTF-8 (WeCom, "Group robot configuration": 最长不超过4096个字节).
const MARKDOWN: usize = 4_096;
/// The rate counts by the minute.
const DEAF: Duration = Duration::from_secs(65);

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{Provider, WeCom};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_message_calls_nobody_and_is_cut_at_a_character_by_bytes() {
        let message = WeCom.message(&[nasty()], SystemTime::UNIX_EPOCH).body;
        let text = "**［FIRING error］ 支付失败**\nfiring: 支付失败 fires: 1 matching events within 1m (threshold 1)\n\
                    service: shop\ntrace_id: 0af7651916cd43dd8448eb211c80319c\n\
                    > ERROR shop: ＜!channel＞ ＜＠all＞ ＠所有人 ［x］(http://e) & '''";
        let want = json!({"msgtype": "markdown", "markdown": {"content": text}});
        assert_eq!(message, want);
        let message = WeCom.message(&[huge()], SystemTime::UNIX_EPOCH).body;
        let text = message["markdown"]["content"].as_str().unwrap();
        assert!(
            text.ends_with('…') && (4_090..=4_096).contains(&text.len()),
            "{}",
            text.len()
        );
    }

    #[test]
    fn a_200_counts_by_its_errcode() {
        let judge = |body| verdict(WeCom.judge(&answer(200, body)));
        assert_eq!(judge(r#"{"errcode":0,"errmsg":"ok"}"#), None);
        let wait = Some(Duration::from_secs(65));
        for (body, permanent, why, wait) in [
            (
                r#"{"errcode":45009}"#,
                false,
                "`h` answered 200: errcode 45009, too fast",
                wait,
            ),
            (
                r#"{"errcode":93000}"#,
                true,
                "`h` answered 200: errcode 93000: look at the robot's key",
                None,
            ),
            (
                r#"{"errcode":40008}"#,
                true,
                "`h` answered 200: errcode 40008",
                None,
            ),
            (
                "",
                false,
                "`h` answered 200: its body is not what the provider answers",
                None,
            ),
        ] {
            assert_eq!(judge(body), Some((permanent, why.into(), wait)), "{body}");
        }
    }
}
