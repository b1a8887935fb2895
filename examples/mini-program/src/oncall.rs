//! Plays the on-call desk: takes the alert webhook over HTTP, keeps each body, and knows what burns.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::watch;

/// One alert that reached the desk.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) rule: String,
    /// The same for each page of one alert.
    pub(crate) fingerprint: String,
    pub(crate) firing: bool,
    /// When it arrived.
    pub(crate) at: SystemTime,
    /// The alert's member of the body, as received.
    pub(crate) alert: Value,
}

/// The desk.
#[derive(Debug)]
pub(crate) struct Desk {
    pages: watch::Sender<Vec<Page>>,
    keep: PathBuf,
}

impl Desk {
    /// A desk that keeps every body as one line of this file.
    pub(crate) fn new(keep: PathBuf) -> Arc<Desk> {
        Arc::new(Desk {
            pages: watch::Sender::new(Vec::new()),
            keep,
        })
    }

    pub(crate) fn router(self: &Arc<Desk>) -> Router {
        Router::new()
            .route("/page", post(page))
            .with_state(self.clone())
    }

    pub(crate) fn pages(&self) -> Vec<Page> {
        self.pages.borrow().clone()
    }

    /// Returns once this rule has paged.
    pub(crate) async fn paged(&self, rule: &str) {
        self.reach(|pages| pages.iter().any(|page| page.rule == rule && page.firing))
            .await;
    }

    /// Returns once something paged and everything that did is resolved.
    pub(crate) async fn quiet(&self) {
        self.reach(|pages| !pages.is_empty() && burning(pages).is_empty())
            .await;
    }

    async fn reach(&self, enough: impl FnMut(&Vec<Page>) -> bool) {
        // `wait_for` fails only when the sender is gone, and `self` holds it.
        let _ = self.pages.subscribe().wait_for(enough).await;
    }
}

/// The rules that have an alert whose last page was not a resolved one.
pub(crate) fn burning(pages: &[Page]) -> Vec<String> {
    let last: BTreeMap<&str, &Page> = pages
        .iter()
        .map(|page| (page.fingerprint.as_str(), page))
        .collect();
    let firing = last.into_values().filter(|page| page.firing);
    // One rule may have several alerts.
    let rules: BTreeSet<&str> = firing.map(|page| page.rule.as_str()).collect();
    rules.into_iter().map(str::to_owned).collect()
}

/// `POST /page`, in the body that Alertmanager sends.
async fn page(State(desk): State<Arc<Desk>>, body: Bytes) -> StatusCode {
    let Ok(read) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let Some(alerts) = read["alerts"].as_array() else {
        return StatusCode::BAD_REQUEST;
    };
    let kept = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&desk.keep)
        .and_then(|mut file| writeln!(file, "{read}"));
    if kept.is_err() {
        // The sender tries again.
        return StatusCode::INSUFFICIENT_STORAGE;
    }
    let now = SystemTime::now();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    desk.pages.send_modify(|pages| {
        pages.extend(alerts.iter().map(|alert| Page {
            rule: text(&alert["labels"]["alertname"]),
            fingerprint: text(&alert["fingerprint"]),
            firing: alert["status"] == "firing",
            at: now,
            alert: alert.clone(),
        }));
    });
    StatusCode::OK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_burns_until_the_last_page_of_each_of_its_alerts_is_resolved() {
        let page = |rule: &str, fingerprint: &str, firing| Page {
            rule: rule.to_owned(),
            fingerprint: fingerprint.to_owned(),
            firing,
            at: SystemTime::UNIX_EPOCH,
            alert: Value::Null,
        };
        let pages = [
            page("a", "1", true),
            page("b", "2", true),
            page("a", "3", true),
            page("a", "1", false),
            page("b", "2", false),
            page("a", "3", false),
            page("a", "1", true),
        ];
        let burning = [1, 2, 3, 4, 5, 6, 7].map(|told| burning(&pages[..told]).join(" "));
        assert_eq!(burning, ["a", "a b", "a b", "a b", "a", "", "a"]);
    }
}
