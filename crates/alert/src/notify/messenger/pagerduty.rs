//! PagerDuty's Events API, version 2.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::text::{Text, chars, plain};
use super::{Message, Provider};
use crate::notify::NotifyError;
use crate::notify::body::annotations;
use crate::notify::http::Answer;
use crate::seen::rfc3339;
use crate::{Alert, State};

pub(super) struct PagerDuty {
    routing_key: String,
}

impl PagerDuty {
    pub(super) fn new(routing_key: &str) -> Self {
        Self {
            routing_key: routing_key.to_owned(),
        }
    }

    fn event(&self, alert: &Alert) -> Value {
        let mut summary = Text::new(SUMMARY, chars, plain);
        summary.push(&alert.summary());
        let label = |key: &str| alert.labels.get(key).map(String::as_str);
        let mut details = Map::new();
        for (key, value) in &alert.labels {
            details.insert(key.clone(), value.as_str().into());
        }
        details.extend(annotations(alert));
        let resolved = alert.state == State::Resolved;
        json!({
            "routing_key": self.routing_key,
            "event_action": if resolved { "resolve" } else { "trigger" },
            "dedup_key": alert.fingerprint(),
            "client": "dogwatch",
            "payload": {
                "summary": summary.finish(),
                // Who is in trouble: the most exact that is known.
                "source": label("host").or(label("service")).unwrap_or("dogwatch"),
                "component": label("service"),
                "severity": alert.level.as_str(),
                "timestamp": rfc3339(alert.fired_at),
                "class": &*alert.rule,
                "custom_details": details,
            },
        })
    }
}

impl Provider for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    /// Beyond the size that is taken, without the details.
    fn message(&self, alerts: &[Arc<Alert>], _: SystemTime) -> Message {
        let mut event = alerts
            .first()
            .map_or(Value::Null, |alert| self.event(alert));
        if event.to_string().len() > EVENT {
            event["payload"]["custom_details"] = json!({ "error": "the details were too large" });
        }
        Message::new(event)
    }

    fn judge(&self, answer: &Answer) -> Result<(), NotifyError> {
        match answer.status {
            429 => Err(answer
                .retry("too fast")
                .after(answer.retry_after.unwrap_or(BUSY))),
            _ => answer.judge(),
        }
    }
}

/// In characters (Events API v2, "PD-CEF": summary).
const SUMMARY: usize = 1_024;
/// Alertmanager's own bound below PagerDuty's 512 KB.
const EVENT: usize = 512_000;
/// "A backoff of a few minutes" (Events API v2, "API Response Codes & Retry Logic").
const BUSY: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::super::tests::{answer, huge, nasty, verdict};
    use super::{PagerDuty, Provider};
    use crate::State;
    use crate::queue::tests::alert;
    use serde_json::json;
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    #[test]
    fn an_event_triggers_and_its_end_resolves_the_same_incident() {
        let duty = PagerDuty::new("R0UT1NG");
        let nasty = nasty();
        let body = duty
            .message(std::slice::from_ref(&nasty), SystemTime::UNIX_EPOCH)
            .body;
        let summary = "支付失败 fires: 1 matching events within 1m (threshold 1)";
        let details = json!({
            "service": "shop", "summary": summary, "count": "1", "threshold": "1", "window": "1m",
            "first_bad": "1970-01-01T00:00:00.000000Z", "samples": nasty.samples[0],
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
        });
        let payload = json!({
            "summary": summary, "source": "shop", "component": "shop", "severity": "error",
            "timestamp": "1970-01-01T00:00:00.000000Z", "class": "支付失败", "custom_details": details,
        });
        let want = json!({
            "routing_key": "R0UT1NG", "event_action": "trigger", "dedup_key": nasty.fingerprint(),
            "client": "dogwatch", "payload": payload,
        });
        assert_eq!(body, want);
        let end = alert("r", State::Resolved);
        let resolve = duty
            .message(std::slice::from_ref(&end), SystemTime::UNIX_EPOCH)
            .body;
        assert_eq!(resolve["event_action"], "resolve");
        assert_eq!(resolve["dedup_key"], end.fingerprint());
    }

    #[test]
    fn an_event_too_large_goes_without_its_details() {
        let mut huge = huge();
        let labels = &mut Arc::make_mut(&mut huge).labels;
        labels.insert("much".into(), "多".repeat(200_000));
        let body = PagerDuty::new("k")
            .message(&[huge], SystemTime::UNIX_EPOCH)
            .body;
        assert!(body.to_string().len() < 10_000);
        let details = json!({"error": "the details were too large"});
        assert_eq!(body["payload"]["custom_details"], details);
        let summary = body["payload"]["summary"].as_str().unwrap();
        assert!(summary.chars().count() <= 1_024, "{summary}");
    }

    #[test]
    fn a_throttled_event_waits_for_minutes() {
        let duty = PagerDuty::new("k");
        let judge = |status| verdict(duty.judge(&answer(status, "")));
        let busy = (
            false,
            "`h` answered 429: too fast".into(),
            Some(Duration::from_secs(120)),
        );
        assert_eq!(judge(202), None);
        assert_eq!(judge(429), Some(busy));
        assert_eq!(judge(400), Some((true, "`h` answered 400".into(), None)));
        assert_eq!(judge(503), Some((false, "`h` answered 503".into(), None)));
    }
}
