//! Posts alerts over HTTP, as Alertmanager does.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::Alert;
use crate::error::Error;
use crate::notify::http::Poster;
use crate::notify::sign::{sign, webhook_key};
use crate::notify::{Notify, NotifyError, body};

/// Posts each alert as JSON, in the body that Alertmanager's webhooks have (version 4), so that
/// whatever takes those takes these.
///
/// 2xx is success; 408, 429 and 5xx, a refused connection or a time-out are tried again;
/// `Retry-After` is honoured; anything else, a redirect included, is a failure for good.
/// The URL is taken for a secret: neither `Debug` nor an error shows more than its host.
///
/// With a [`secret`](Self::secret) each request carries the headers of
/// [Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, the same over all tries of one state of an
/// alert, `webhook-timestamp` and `webhook-signature`.
#[must_use = "a webhook does nothing until it is registered"]
pub struct Webhook {
    poster: Poster,
    receiver: String,
    key: Option<Vec<u8>>,
}

impl Webhook {
    /// Posts to this URL, with a time-out of 10 seconds for the whole exchange. A URL that is none,
    /// or asks for TLS where the feature `tls` is off, is an error.
    pub fn new(url: &str) -> Result<Self, Error> {
        Ok(Self {
            poster: Poster::new("webhook", url)?,
            receiver: "webhook".into(),
            key: None,
        })
    }

    /// The longest that one try may take. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.poster.timeout(timeout);
        self
    }

    /// What the body calls the `receiver`. Default: `webhook`; in a rules file the notifier's name.
    pub fn receiver(mut self, name: impl Into<String>) -> Self {
        self.receiver = name.into();
        self
    }

    /// Signs each request with this secret: `whsec_` and the key in base64, or any other text as it is. Default:
    /// not signed.
    pub fn secret(mut self, secret: &str) -> Result<Self, Error> {
        let key = webhook_key(secret).ok_or_else(|| {
            let host = self.poster.host();
            let what = "its secret is empty, or no base64 behind `whsec_`";
            Error::setup(format!("cannot use the webhook at `{host}`: {what}"))
        })?;
        self.key = Some(key);
        Ok(self)
    }

    /// A header of each request, such as `authorization`. Neither `Debug` nor an error shows its value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.poster.header(name, value)?;
        Ok(self)
    }
}

impl Notify for Webhook {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        let body = body::webhook(alert, &self.receiver).to_string();
        let headers = match &self.key {
            Some(key) => signed(key, &message_id(alert), SystemTime::now(), &body).to_vec(),
            None => Vec::new(),
        };
        self.poster.post("", &headers, body)?.judge()
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receiver = &self.receiver;
        f.debug_struct("Webhook")
            .field("host", &self.poster.host())
            .field("receiver", receiver)
            .finish()
    }
}

/// The three headers of Standard Webhooks ("Webhook Headers").
fn signed(key: &[u8], id: &str, now: SystemTime, body: &str) -> [(&'static str, String); 3] {
    let now = now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = now.unwrap_or_default().as_secs().to_string();
    let signature = sign(key, format!("{id}.{seconds}.{body}").as_bytes());
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", format!("v1,{signature}")),
    ]
}

/// The same for each try of one state of an alert, and for no other.
pub(super) fn message_id(alert: &Alert) -> String {
    let fired = alert.fired_at.duration_since(SystemTime::UNIX_EPOCH);
    let micros = fired.unwrap_or_default().as_micros();
    let (name, state, count) = (alert.fingerprint(), alert.state, alert.count);
    format!("alert_{name}_{micros}_{state}_{count}")
}

#[cfg(test)]
mod tests {
    use super::{message_id, signed};
    use crate::State;
    use crate::notify::sign::webhook_key;
    use crate::queue::tests::alert;
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_headers_are_those_of_the_standards_example() {
        let key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let headers = signed(&key, id, at, "{\"test\": 2432232314}");
        let want = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", "1614265330".to_owned()),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            ),
        ];
        assert_eq!(headers, want);
    }

    #[test]
    fn a_state_of_an_alert_has_one_id() {
        let firing = message_id(&alert("r", State::Firing));
        assert_eq!(firing, message_id(&alert("r", State::Firing)));
        assert_ne!(firing, message_id(&alert("r", State::Resolved)));
        assert_ne!(firing, message_id(&alert("s", State::Firing)));
    }
}
