//! `AlertLayer` alone: a rule fires, and its notifier gets the evidence.

use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

use dogwatch_alert::{Alert, AlertLayer, NotifyError, Rules};
use tracing_subscriber::prelude::*;

pub(crate) fn rule() -> Result<String, Box<dyn Error>> {
    let (pager, paged) = mpsc::channel();
    let (layer, alerts) = AlertLayer::builder(Rules::parse(RULES)?)
        .notifier("send_alert_to_pagerduty", move |alert: &Alert| {
            pager
                .send(alert.clone())
                .map_err(|_| NotifyError::permanent("nobody listens"))
        })
        .spawn()?;
    let filter = layer.filter();
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    tracing::subscriber::with_default(registry, || {
        for attempt in 1..=10 {
            tracing::error!(attempt, "request failed [5xx]");
        }
    });

    let alert = paged.recv_timeout(Duration::from_secs(10))?;
    crate::same("the rule", &*alert.rule, "HighErrorRate")?;
    crate::same("the count", alert.count, 10)?;
    crate::same("the number of samples", alert.samples.len(), 3)?;
    alerts.close(Duration::from_secs(10))?;
    Ok(format!("{}\n{}", alert.summary(), alert.samples.join("\n")))
}

const RULES: &str = r#"
- name: "HighErrorRate"
  pattern: "ERROR.*\\[5xx\\]"
  threshold: 10
  level: "critical"
  action: "send_alert_to_pagerduty"
"#;
