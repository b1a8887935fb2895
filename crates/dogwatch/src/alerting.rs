//! Starts the alert rules of a log, with its redaction, its fixed fields and its shed switch.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use dogwatch_alert::{AlertGuard, AlertLayer, Alerts, Builder, Notify, Playbook, Rules, Shed};

use crate::Error;
use crate::config::{Config, RulesFrom};
use crate::env;
use crate::filter::Filter;
use crate::raising::{self, RaiseLogLevel};
use crate::settings::Settings;

/// The name that a rules file gives the playbook of [`Guard::shed_switch`](crate::Guard::shed_switch).
const DEGRADE: &str = "degrade_route";

/// What the code registered for rules to name.
#[derive(Clone, Default)]
pub(crate) struct Registered {
    pub(crate) notifiers: Vec<(String, Arc<dyn Notify>)>,
    pub(crate) playbooks: Vec<(String, Arc<dyn Playbook>)>,
    pub(crate) dead_letters: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
}

/// Running rules.
pub(crate) struct Alerting {
    layer: Option<AlertLayer>,
    guard: AlertGuard,
}

impl Alerting {
    pub(crate) fn open(
        config: &Config,
        settings: &Settings,
        switch: &Arc<AtomicBool>,
        filter: &Filter,
    ) -> Result<Option<Self>, Error> {
        let Some(from) = &settings.rules else {
            return Ok(None);
        };
        let rules = match from {
            RulesFrom::Text(yaml) => Rules::parse_with(yaml, env::variable),
            RulesFrom::File(path) => Rules::load_with(path, env::variable),
        };
        let rules = rules.map_err(|e| Error::start("cannot load the alert rules").because(e))?;
        let builder = AlertLayer::builder(rules)
            .variables(env::variable)
            .playbook(DEGRADE, Shed::new(Arc::clone(switch)))
            .playbook(raising::NAME, RaiseLogLevel::new(filter.clone()))
            .playbooks_on(settings.playbooks);
        let (layer, guard) = registered(builder, config, settings)
            .spawn()
            .map_err(|e| Error::start("cannot start the alert rules").because(e))?;
        Ok(Some(Self {
            layer: Some(layer),
            guard,
        }))
    }

    /// The layer, the first time.
    pub(crate) fn layer(&mut self) -> Option<AlertLayer> {
        self.layer.take()
    }

    pub(crate) fn alerts(&self) -> &Alerts {
        self.guard.alerts()
    }

    /// How the rules stand, read anew at each call.
    #[cfg(feature = "metrics")]
    pub(crate) fn read(&self) -> impl Fn() -> Vec<dogwatch_metrics::Alert> + Send + Sync + 'static {
        let alerts = self.alerts().clone();
        move || {
            let alert = |(state, counts): (dogwatch_alert::AlertState, _)| {
                let dogwatch_alert::RuleCounts {
                    rule,
                    matched,
                    fired,
                    ..
                } = counts;
                dogwatch_metrics::Alert {
                    rule: rule.to_string(),
                    state: state.state.as_str(),
                    matched,
                    fired,
                }
            };
            alerts.standing().into_iter().map(alert).collect()
        }
    }

    /// What could not be sent in time was told to `on_error`.
    pub(crate) fn close(&self, timeout: Duration) {
        let _ = self.alerts().close(timeout);
    }
}

fn registered(mut builder: Builder, config: &Config, settings: &Settings) -> Builder {
    let tell = config.on_error.clone();
    builder = builder.on_error(move |error| tell.of("alerts", error));
    #[cfg(feature = "json")]
    {
        let redact = crate::json::redact(config);
        builder = builder.redact(redact.judge()).nested(redact.nested());
    }
    let fixed = [
        ("service", &settings.service),
        ("version", &config.version),
        ("env", &config.env),
        ("host", &config.host),
    ];
    for (key, value) in fixed {
        if let Some(value) = value {
            builder = builder.field(key, value);
        }
    }
    for (key, value) in &config.fields {
        builder = builder.field(key, value);
    }
    for (name, notifier) in &config.alert.notifiers {
        builder = builder.notifier(name, Arc::clone(notifier));
    }
    if let Some(path) = &config.alert.dead_letters {
        builder = builder.dead_letters(path);
    }
    if let Some(path) = config
        .alert
        .state
        .as_ref()
        .or(settings.alert_state.as_ref())
    {
        builder = builder.state_file(path);
    }
    for (name, playbook) in &config.alert.playbooks {
        builder = builder.playbook(name, Arc::clone(playbook));
    }
    builder
}
