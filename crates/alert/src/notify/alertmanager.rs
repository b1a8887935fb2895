//! Keeps Alertmanager's members told of what fires, over its API of version 2.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tracing_core::dispatcher::{self, Dispatch};

use crate::Alert;
use crate::error::Error;
use crate::notify::body;
use crate::notify::http::Poster;
use crate::notify::{Notify, NotifyError};
use crate::seen::rfc3339;

/// Hands alerts over to Alertmanager, which groups, silences, escalates and sends them.
///
/// Every member of a cluster is told of every alert, by itself and never through a balancer: the members agree among
/// each other on who sends. Alertmanager takes silence for the end of an alert; so all that fires is told again once
/// a minute, each time with an `endsAt` four minutes ahead, and what resolved is told for five minutes more. A
/// service that dies leaves alerts that end by themselves.
///
/// An alert has arrived when one member has it; what a further member answers is told as an error. The names of
/// labels become what Prometheus allows (`[a-zA-Z_][a-zA-Z0-9_]*`), anything else in them a `_`.
///
/// ```
/// use dogwatch_alert::Alertmanager;
///
/// let members = ["http://am-0.internal:9093", "http://am-1.internal:9093"];
/// let alertmanager = Alertmanager::new(members)?;
/// # drop(alertmanager);
/// # Ok::<(), dogwatch_alert::Error>(())
/// ```
#[must_use = "a notifier does nothing until it is registered"]
pub struct Alertmanager {
    members: Vec<Poster>,
    resend: Duration,
}

impl Alertmanager {
    /// Tells these members, each by the URL under which its own pages are. Without any, with a URL that is none, or
    /// one that asks for TLS where the feature `tls` is off, it is an error.
    pub fn new<U: AsRef<str>>(members: impl IntoIterator<Item = U>) -> Result<Self, Error> {
        let member = |url: U| {
            let url = url.as_ref().trim_end_matches('/');
            if url.contains(['?', '#']) {
                return Err(Error::setup(
                    "cannot use Alertmanager's url: it has a query",
                ));
            }
            Poster::new("Alertmanager", &format!("{url}/api/v2/alerts"))
        };
        let members: Vec<Poster> = members.into_iter().map(member).collect::<Result<_, _>>()?;
        if members.is_empty() {
            return Err(Error::setup("cannot use Alertmanager: it has no url"));
        }
        Ok(Self {
            members,
            resend: RESEND,
        })
    }

    /// How often all that fires is told again, at least once a second. Default: once a minute. An alert that is told
    /// no more ends by itself after four times as long.
    pub fn resend(mut self, every: Duration) -> Self {
        self.resend = every.max(Duration::from_secs(1));
        self
    }

    /// The longest that one try may take. Default: 10 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.members.iter_mut().for_each(|m| m.timeout(timeout));
        self
    }

    /// A header of each request, such as `authorization`. Neither `Debug` nor an error shows its value.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        for member in &mut self.members {
            member.header(name, value)?;
        }
        Ok(self)
    }

    /// To all members at once: one that hangs holds up no other.
    fn post(&self, body: &str) -> Vec<Result<(), NotifyError>> {
        let post = |member: &Poster| member.post("", &[], body.to_owned())?.judge();
        if let [only] = &self.members[..] {
            return vec![post(only)];
        }
        let post = &post;
        thread::scope(|scope| {
            let posts: Vec<_> = self
                .members
                .iter()
                .map(|member| {
                    scope.spawn(move || {
                        // As on every thread of the alerts: what the client logs raises no alert.
                        let _silent = dispatcher::set_default(&Dispatch::none());
                        post(member)
                    })
                })
                .collect();
            let lost = |_| Err(NotifyError::retry("the thread of a member panicked"));
            posts
                .into_iter()
                .map(|post| post.join().unwrap_or_else(lost))
                .collect()
        })
    }
}

impl Notify for Alertmanager {
    fn notify(&self, alert: &Alert) -> Result<(), NotifyError> {
        self.digest(&[Arc::new(alert.clone())])
    }

    fn digest(&self, alerts: &[Arc<Alert>]) -> Result<(), NotifyError> {
        let ends_at = SystemTime::now() + self.resend.saturating_mul(LIFE);
        for batch in alerts.chunks(BATCH) {
            let list: Vec<Value> = batch.iter().map(|one| alert(one, ends_at)).collect();
            together(self.post(&Value::Array(list).to_string()))?;
        }
        Ok(())
    }

    fn resend(&self) -> Option<Duration> {
        Some(self.resend)
    }
}

impl fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<&str> = self.members.iter().map(Poster::host).collect();
        f.debug_struct("Alertmanager")
            .field("hosts", &hosts)
            .field("resend", &self.resend)
            .finish()
    }
}

/// One member is enough: then another's error is told, no more. If none is, it is worth another try as long as one of
/// them may change its mind.
fn together(answers: Vec<Result<(), NotifyError>>) -> Result<(), NotifyError> {
    let arrived = answers.iter().any(Result::is_ok);
    let mut errors: Vec<NotifyError> = answers.into_iter().filter_map(Result::err).collect();
    let hopeful = errors.iter().position(|error| !error.is_permanent());
    match errors.len() {
        0 => Ok(()),
        _ if arrived => Err(NotifyError::partly(errors.swap_remove(0))),
        _ => Err(errors.swap_remove(hopeful.unwrap_or(0))),
    }
}

/// As `POST /api/v2/alerts` has it (Alertmanager, api/v2/openapi.yaml, `postableAlert`).
fn alert(alert: &Alert, ends_at: SystemTime) -> Value {
    let mut labels = Map::new();
    for (key, value) in body::labels(alert) {
        labels.entry(label(&key)).or_insert(value);
    }
    // Under its own name whatever a field was called.
    labels.insert("alertname".into(), (&*alert.rule).into());
    json!({
        "labels": labels,
        "annotations": body::annotations(alert),
        "startsAt": rfc3339(alert.fired_at),
        "endsAt": rfc3339(alert.resolved_at.unwrap_or(ends_at)),
    })
}

/// What Prometheus calls a label (its data model, "Metric names and labels").
fn label(key: &str) -> String {
    let plain = |char: char| match char {
        '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => char,
        _ => '_',
    };
    let mut name: String = key.chars().map(plain).collect();
    if name.starts_with(|char: char| char.is_ascii_digit()) || name.is_empty() {
        name.insert(0, '_');
    }
    name
}

/// As often as Prometheus does (`--rules.alert.resend-delay`).
const RESEND: Duration = Duration::from_secs(60);
/// Of how many re-sends none must be lost for an alert to live: Prometheus' and Grafana's four.
const LIFE: u32 = 4;
/// How many alerts Prometheus puts into one request.
const BATCH: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Alertmanager, alert, label, together};
    use crate::notify::NotifyError;
    use crate::queue;
    use crate::{Notify, State};
    use serde_json::json;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    #[test]
    fn an_alert_is_what_the_api_takes() {
        let mut firing = queue::tests::alert("支付失败", State::Firing);
        let labels = &mut Arc::make_mut(&mut firing).labels;
        for key in ["service", "k8s.pod", "团队", "9", "alertname"] {
            labels.insert(key.into(), key.into());
        }
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(240);
        let body = alert(&firing, end);
        assert_eq!(
            body["labels"],
            json!({"alertname": "支付失败", "severity": "error", "service": "service",
                   "k8s_pod": "k8s.pod", "__": "团队", "_9": "9"})
        );
        assert_eq!(body["startsAt"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(body["endsAt"], "1970-01-01T00:04:00.000000Z");
        let resolved = alert(&queue::tests::alert("r", State::Resolved), end);
        assert_eq!(resolved["endsAt"], "1970-01-01T00:01:30.000000Z");
        assert_eq!(label(""), "_");
    }

    #[test]
    fn one_member_is_enough_and_the_others_errors_are_told() {
        let (retry, never) = (
            || NotifyError::retry("down"),
            || NotifyError::permanent("no"),
        );
        let verdict = |answers| {
            together(answers)
                .map_err(|error| (error.is_partly(), error.is_permanent()))
                .err()
        };
        assert_eq!(verdict(vec![Ok(()), Ok(())]), None);
        assert_eq!(verdict(vec![Err(retry()), Ok(())]), Some((true, false)));
        assert_eq!(
            verdict(vec![Err(never()), Err(retry())]),
            Some((false, false))
        );
        assert_eq!(
            verdict(vec![Err(never()), Err(never())]),
            Some((false, true))
        );
    }

    #[test]
    fn it_has_members_and_shows_none_of_their_secrets() {
        let none = Alertmanager::new([""; 0])
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert_eq!(none, "cannot use Alertmanager: it has no url");
        let query = Alertmanager::new(["http://a/?s3cret"])
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert_eq!(query, "cannot use Alertmanager's url: it has a query");
        let two = Alertmanager::new(["http://u:s3cret@a:1/", "http://b/s3cret"]).unwrap();
        let two = two.header("authorization", "Bearer s3cret").unwrap();
        assert_eq!(
            format!("{two:?}"),
            r#"Alertmanager { hosts: ["a", "b"], resend: 60s }"#
        );
        let two = two.resend(Duration::ZERO);
        assert_eq!(Notify::resend(&two), Some(Duration::from_secs(1)));
    }
}
