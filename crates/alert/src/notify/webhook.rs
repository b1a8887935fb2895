//! Posts alerts over HTTP, as Alertmanager does.

use std::fmt;
use std::time::Duration;

use ureq::Agent;
use ureq::http::{Response, Uri};

use crate::Alert;
use crate::error::Error;
use crate::notify::{Notify, NotifyError, body};
use crate::read::DEFAULT_TIMEOUT;

/// Posts each alert as JSON, in the body that Alertmanager's webhooks have (version 4), so that
/// whatever takes those takes these.
///
/// 2xx is success; 408, 429 and 5xx, a refused connection or a time-out are tried again;
/// `Retry-After` in seconds is honoured; anything else, a redirect included, is a failure for good.
/// The URL is taken for a secret: neither `Debug` nor an error shows more than its host.
pub struct Webhook {
    url: Uri,
    receiver: String,
    agent: Agent,
}

impl Webhook {
    /// Posts to this URL, with a time-out of 10 seconds for the whole exchange. A URL that is none,
    /// or asks for TLS where the feature `tls` is off, is an error.
    pub fn new(url: &str) -> Result<Self, Error> {
        let broken =
            || Error::setup("cannot use the webhook's url: it is no http(s) url with a host");
        let url: Uri = url.parse().map_err(|_| broken())?;
        match (url.scheme_str(), url.host()) {
            _ if has_broken_port(&url) => return Err(broken()),
            (Some("http"), Some(_)) => {}
            (Some("https"), Some(_)) if cfg!(feature = "tls") => {}
            (Some("https"), Some(host)) => {
                return Err(Error::setup(format!(
                    "cannot use the webhook at `{host}`: https needs the feature `tls` of dogwatch-alert"
                )));
            }
            _ => return Err(broken()),
        }
        let receiver = String::from("webhook");
        Ok(Self {
            url,
            receiver,
            agent: agent(DEFAULT_TIMEOUT),
        })
    }

    /// The longest that one try may take. Default: 10 seconds.
    #[must_use = "a webhook does nothing until it is registered"]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.agent = agent(timeout);
        self
    }

    /// What the body calls the `receiver`. Default: `webhook`; in a rules file the notifier's name.
    #[must_use = "a webhook does nothing until it is registered"]
    pub fn receiver(mut self, name: impl Into<String>) -> Self {
        self.receiver = name.into();
        self
    }

    fn host(&self) -> &str {
        self.url.host().unwrap_or("")
    }
}

impl Notify for Webhook {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        let body = body::webhook(alert, &self.receiver).to_string();
        let post = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json");
        match post.send(body) {
            Ok(response) => judge(&response, self.host()),
            Err(error) => Err(NotifyError::retry(without_url(&error, self.host()))),
        }
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let receiver = &self.receiver;
        f.debug_struct("Webhook")
            .field("host", &self.host())
            .field("receiver", receiver)
            .finish()
    }
}

/// `Uri` reads a port that is no number as no port.
fn has_broken_port(url: &Uri) -> bool {
    let address = url.authority().map_or("", |authority| authority.as_str());
    let address = address
        .rsplit_once('@')
        .map_or(address, |(_, address)| address);
    let behind_ip = address.rsplit_once(']').map_or(address, |(_, rest)| rest);
    behind_ip.contains(':') && url.port_u16().is_none()
}

fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        // A secret in the URL goes to the host that it was meant for, and to no other.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The environment is the application's to read.
        .proxy(None)
        .user_agent(concat!("dogwatch-alert/", env!("CARGO_PKG_VERSION")))
        .build();
    config.into()
}

fn judge<B>(response: &Response<B>, host: &str) -> Result<(), NotifyError> {
    let status = response.status();
    let answer = format!("`{host}` answered {}", status.as_u16());
    match status.as_u16() {
        200..=299 => Ok(()),
        408 | 429 | 500..=599 => {
            let error = NotifyError::retry(answer);
            let header = response.headers().get("retry-after");
            let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Err(match seconds {
                Some(seconds) => error.after(Duration::from_secs(seconds)),
                None => error,
            })
        }
        _ => Err(NotifyError::permanent(answer)),
    }
}

/// What went wrong, without what ureq may quote of the URL.
fn without_url(error: &ureq::Error, host: &str) -> String {
    let what = match error {
        ureq::Error::Timeout(_) => "the time-out ran out".into(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "no such host".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        _ => String::from("the exchange failed"),
    };
    format!("cannot post to `{host}`: {what}")
}
