//! What a rules file says of a notifier, and the notifier that it makes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Notify;
use crate::error::Error;

/// A notifier that the file declares. Its settings may be secrets and are never shown.
#[derive(PartialEq)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(super) settings: Settings,
}

/// What a type of notifier is told, all of it read.
#[derive(PartialEq)]
pub(super) struct Settings {
    pub(super) kind: &'static str,
    /// By the keys of its type; those that are left out are missing.
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) urls: Vec<String>,
    /// Addresses.
    pub(super) to: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Option<Duration>,
    pub(super) resend: Option<Duration>,
}

impl fmt::Debug for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declared")
            .field("name", &self.name)
            .field("type", &self.settings.kind)
            .finish_non_exhaustive()
    }
}

impl Declared {
    /// That of a name.
    pub(crate) fn named<'d>(all: &'d [Self], name: &str) -> Option<&'d Self> {
        all.iter().find(|declared| declared.name == name)
    }

    #[cfg(feature = "webhook")]
    pub(crate) fn notifier(&self) -> Result<Arc<dyn Notify>, Error> {
        let settings = &self.settings;
        let text = |key| settings.texts.get(key).map_or("", String::as_str);
        let or = |key, default| {
            Some(text(key))
                .filter(|text| !text.is_empty())
                .unwrap_or(default)
        };
        let messenger = match settings.kind {
            "alertmanager" => return self.alertmanager(),
            "email" => return self.email(text("server"), text("from")),
            "webhook" => return self.webhook(text("url")),
            "dingtalk" => crate::Messenger::dingtalk(text("url"), text("secret"))?,
            "feishu" => crate::Messenger::feishu(text("url"), text("secret"))?,
            "pagerduty" => {
                let server = or("server", "https://events.pagerduty.com");
                crate::Messenger::pagerduty(server, text("routing_key"))?
            }
            "slack" => crate::Messenger::slack(text("url"))?,
            "teams" => crate::Messenger::teams(text("url"))?,
            "telegram" => {
                let server = or("server", "https://api.telegram.org");
                crate::Messenger::telegram(server, text("token"), text("chat"))?
            }
            _ => crate::Messenger::wecom(text("url"))?,
        };
        Ok(match settings.timeout {
            Some(timeout) => Arc::new(messenger.timeout(timeout)),
            None => Arc::new(messenger),
        })
    }

    #[cfg(feature = "webhook")]
    fn alertmanager(&self) -> Result<Arc<dyn Notify>, Error> {
        let settings = &self.settings;
        let mut alertmanager = crate::Alertmanager::new(&settings.urls)?;
        for (name, value) in &settings.headers {
            alertmanager = alertmanager.header(name, value)?;
        }
        if let Some(resend) = settings.resend {
            alertmanager = alertmanager.resend(resend);
        }
        if let Some(timeout) = settings.timeout {
            alertmanager = alertmanager.timeout(timeout);
        }
        Ok(Arc::new(alertmanager))
    }

    #[cfg(feature = "email")]
    fn email(&self, server: &str, from: &str) -> Result<Arc<dyn Notify>, Error> {
        let text = |key| self.settings.texts.get(key);
        let mut email = crate::Email::new(server, from, &self.settings.to)?;
        if let Some((user, password)) = text("user").zip(text("password")) {
            email = email.credentials(user, password);
        }
        if let Some(pem) = text("ca") {
            email = email.ca(pem)?;
        }
        Ok(match self.settings.timeout {
            Some(timeout) => Arc::new(email.timeout(timeout)),
            None => Arc::new(email),
        })
    }

    #[cfg(all(feature = "webhook", not(feature = "email")))]
    fn email(&self, _: &str, _: &str) -> Result<Arc<dyn Notify>, Error> {
        let name = &self.name;
        Err(Error::setup(format!(
            "cannot use the notifier `{name}`: it needs the feature `email` of dogwatch-alert"
        )))
    }

    #[cfg(feature = "webhook")]
    fn webhook(&self, url: &str) -> Result<Arc<dyn Notify>, Error> {
        let settings = &self.settings;
        let mut webhook = crate::Webhook::new(url)?.receiver(&*self.name);
        for (name, value) in &settings.headers {
            webhook = webhook.header(name, value)?;
        }
        if let Some(secret) = settings.texts.get("secret") {
            webhook = webhook.secret(secret)?;
        }
        if let Some(timeout) = settings.timeout {
            webhook = webhook.timeout(timeout);
        }
        Ok(Arc::new(webhook))
    }

    #[cfg(not(feature = "webhook"))]
    pub(crate) fn notifier(&self) -> Result<Arc<dyn Notify>, Error> {
        let name = &self.name;
        Err(Error::setup(format!(
            "cannot use the notifier `{name}`: it needs the feature `webhook` of dogwatch-alert"
        )))
    }
}
