//! Tells people through the messenger that they have: one notifier, each provider by its own rules.

mod dingtalk;
mod feishu;
mod pagerduty;
mod slack;
mod teams;
mod telegram;
pub(in crate::notify) mod text;
mod wecom;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::error::Error;
use crate::notify::http::{Answer, Poster};
use crate::notify::{Notify, NotifyError};
use crate::{Alert, Pace};

/// A notifier that writes to a messenger, or to PagerDuty.
///
/// Log text is escaped for each, so that no line mentions everybody, links anywhere or colours a screen; what is too
/// long is cut at a character, counted as the provider counts. Calls stay under the provider's rate, and what has to
/// wait goes as one digest. Whether a message has arrived says the body of the answer where the status alone does
/// not; what may help later is tried again for an hour.
///
/// URLs, tokens, keys and secrets are shown neither by `Debug` nor in errors.
///
/// ```
/// use dogwatch_alert::Messenger;
///
/// let robot = Messenger::dingtalk("http://127.0.0.1:9/robot/send?access_token=t", "SECdogwatch")?;
/// # drop(robot);
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
#[must_use = "a notifier does nothing until it is registered"]
pub struct Messenger {
    provider: Box<dyn Provider>,
    poster: Poster,
}

impl Messenger {
    /// Slack, by the URL of an incoming webhook. At most one message a second.
    pub fn slack(url: &str) -> Result<Self, Error> {
        Self::new(Box::new(slack::Slack), url)
    }

    /// A DingTalk robot, by its URL with the access token, and its secret, with which each message is signed; empty
    /// for a robot that goes by key words or addresses. At most 18 messages a minute, for at 20 it is deaf for ten.
    pub fn dingtalk(url: &str, secret: &str) -> Result<Self, Error> {
        Self::new(Box::new(dingtalk::DingTalk::new(secret)), url)
    }

    /// A Feishu or Lark bot, by its URL, and its secret, with which each message is signed; empty for a bot
    /// that goes by key words or addresses. At most 4 messages a second and 90 a minute.
    pub fn feishu(url: &str, secret: &str) -> Result<Self, Error> {
        Self::new(Box::new(feishu::Feishu::new(secret)), url)
    }

    /// A WeCom robot, by its URL with the key. At most 18 messages a minute.
    pub fn wecom(url: &str) -> Result<Self, Error> {
        Self::new(Box::new(wecom::WeCom), url)
    }

    /// Teams, by the URL of a workflow. At most 3 messages a second.
    pub fn teams(url: &str) -> Result<Self, Error> {
        Self::new(Box::new(teams::Teams), url)
    }

    /// A Telegram chat, by the bot's token and the chat's id or `@name`. At most one message a second and 18 a
    /// minute. `server` is `https://api.telegram.org`, or a Bot API server of your own.
    pub fn telegram(server: &str, token: &str, chat: &str) -> Result<Self, Error> {
        let server = server.trim_end_matches('/');
        let url = format!("{server}/bot{token}/sendMessage");
        Self::new(Box::new(telegram::Telegram::new(chat)), &url)
    }

    /// PagerDuty's Events API, version 2, by a service's integration key. A firing alert triggers an incident, its
    /// end resolves it. `server` is `https://events.pagerduty.com`, or `https://events.eu.pagerduty.com`.
    pub fn pagerduty(server: &str, routing_key: &str) -> Result<Self, Error> {
        let url = format!("{}/v2/enqueue", server.trim_end_matches('/'));
        Self::new(Box::new(pagerduty::PagerDuty::new(routing_key)), &url)
    }

    fn new(provider: Box<dyn Provider>, url: &str) -> Result<Self, Error> {
        let poster = Poster::new(provider.name(), url)?;
        Ok(Self { provider, poster })
    }

    /// The longest that one try may take. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.poster.timeout(timeout);
        self
    }

    fn post(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        let Message { query, body } = self.provider.message(alerts, SystemTime::now());
        let answer = self.poster.post(&query, &[], body.to_string())?;
        self.provider.judge(&answer)
    }
}

impl Notify for Messenger {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        self.post(&[Arc::new(alert.clone())])
    }

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        self.post(alerts)
    }

    fn pace(&self) -> Pace {
        self.provider.pace()
    }
}

impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messenger")
            .field("provider", &self.provider.name())
            .field("host", &self.poster.host())
            .finish()
    }
}

/// The rules of one provider.
trait Provider: Send + Sync {
    fn name(&self) -> &'static str;

    /// What to post. Several alerts only where [`pace`](Self::pace) limits.
    fn message(&self, alerts: &[Arc<Alert>], now: SystemTime) -> Message;

    /// Whether it arrived.
    fn judge(&self, answer: &Answer) -> Result<(), NotifyError>;

    fn pace(&self) -> Pace {
        Pace::unlimited()
    }
}

struct Message {
    /// Behind that of the URL.
    query: String,
    body: Value,
}

impl Message {
    fn new(body: Value) -> Self {
        Self {
            query: String::new(),
            body,
        }
    }
}

/// The number under this key of the answer's body, where robots say what became of a message.
fn code(answer: &Answer, key: &str) -> Option<i64> {
    serde_json::from_str::<Value>(&answer.body).ok()?[key].as_i64()
}

/// A body that cannot be read says nothing: the message may go again.
fn unread(answer: &Answer) -> NotifyError {
    answer.retry("its body is not what the provider answers")
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::Messenger;
    use crate::notify::NotifyError;
    use crate::notify::http::Answer;
    use crate::queue;
    use crate::{Alert, State};
    use std::error::Error as _;
    use std::sync::Arc;
    use std::time::Duration;

    /// An alert with everything, and a log line that means harm.
    pub(super) fn nasty() -> Arc<Alert> {
        let mut alert = queue::tests::alert("支付失败", State::Firing);
        let full = Arc::make_mut(&mut alert);
        full.labels.insert("service".into(), "shop".into());
        full.trace_id = Some("0af7651916cd43dd8448eb211c80319c".into());
        full.samples = vec!["ERROR shop: <!channel> <@all> @所有人 [x](http://e) & ```".into()];
        alert
    }

    /// One whose samples are as long as samples get, in Chinese, with a great many labels.
    pub(super) fn huge() -> Arc<Alert> {
        let mut alert = queue::tests::alert(&"长".repeat(400), State::Firing);
        let full = Arc::make_mut(&mut alert);
        for n in 0..300 {
            full.labels.insert(format!("标签{n}"), "值<&>".repeat(200));
        }
        full.samples = vec!["失".repeat(170); 3];
        alert
    }

    pub(super) fn answer(status: u16, body: &str) -> Answer {
        Answer {
            host: "h".into(),
            status,
            retry_after: None,
            body: body.into(),
        }
    }

    /// What a verdict is: whether for good, what for, and how long to wait.
    pub(super) fn verdict(
        judged: Result<(), NotifyError>,
    ) -> Option<(bool, String, Option<Duration>)> {
        let error = judged.err()?;
        let why = error.source().map(ToString::to_string).unwrap_or_default();
        Some((error.is_permanent(), why, error.retry_after()))
    }

    #[test]
    fn a_messenger_shows_none_of_its_secrets() {
        let shown = [
            Messenger::slack("http://h/services/s3cret"),
            Messenger::dingtalk("http://h/send?access_token=s3cret", "s3cret"),
            Messenger::feishu("http://h/hook/s3cret", "s3cret"),
            Messenger::wecom("http://h/send?key=s3cret"),
            Messenger::teams("http://u:s3cret@h/s3cret"),
            Messenger::telegram("http://h/", "s3cret", "-1"),
            Messenger::pagerduty("http://h/", "s3cret"),
        ]
        .map(|messenger| format!("{:?}", messenger.unwrap()));
        let names = [
            "slack",
            "dingtalk",
            "feishu",
            "wecom",
            "teams",
            "telegram",
            "pagerduty",
        ];
        for (shown, name) in shown.iter().zip(names) {
            let want = format!("Messenger {{ provider: {name:?}, host: \"h\" }}");
            assert_eq!(*shown, want);
        }
    }
}
