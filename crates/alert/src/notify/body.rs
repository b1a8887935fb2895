//! The body of a webhook, as Alertmanager writes it: version 4.

use serde_json::{Map, Value, json};

use crate::alert::{Alert, State};
use crate::seen::rfc3339;
use crate::span_of_time;

/// One alert as the group of one that Alertmanager would send.
#[cfg(feature = "webhook")]
pub(crate) fn webhook(one: &Alert, receiver: &str) -> Value {
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname={:?}}}", one.rule),
        "truncatedAlerts": 0,
        "status": status(one),
        "receiver": receiver,
        "groupLabels": { "alertname": &*one.rule },
        "commonLabels": labels(one),
        "commonAnnotations": annotations(one),
        "externalURL": "",
        "alerts": [alert(one)],
    })
}

/// The member of the body that is one alert.
pub(crate) fn alert(alert: &Alert) -> Value {
    json!({
        "status": status(alert),
        "labels": labels(alert),
        "annotations": annotations(alert),
        "startsAt": rfc3339(alert.fired_at),
        // Go's zero time: Alertmanager's way to say that it is not over.
        "endsAt": alert.resolved_at.map_or("0001-01-01T00:00:00Z".into(), rfc3339),
        "generatorURL": "",
        "fingerprint": alert.fingerprint(),
    })
}

fn status(alert: &Alert) -> &'static str {
    match alert.state {
        State::Resolved => "resolved",
        _ => "firing",
    }
}

pub(crate) fn labels(alert: &Alert) -> Map<String, Value> {
    let mut labels = Map::new();
    for (key, value) in &alert.labels {
        labels.insert(key.clone(), value.as_str().into());
    }
    labels.insert("alertname".into(), (&*alert.rule).into());
    labels.insert("severity".into(), alert.level.as_str().into());
    labels
}

pub(crate) fn annotations(alert: &Alert) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in &alert.annotations {
        out.insert(key.clone(), value.as_str().into());
    }
    // What the rule says of itself goes before.
    let mut put = |key: &str, value: String| {
        out.entry(key).or_insert(value.into());
    };
    put("summary", alert.summary());
    put("count", alert.count.to_string());
    put("threshold", alert.threshold.to_string());
    put("window", span_of_time::show(alert.window));
    put("first_bad", rfc3339(alert.first_bad));
    if !alert.samples.is_empty() {
        put("samples", alert.samples.join("\n"));
    }
    if let Some(trace_id) = &alert.trace_id {
        put("trace_id", trace_id.clone());
    }
    for (key, value) in [
        ("total", alert.total.map(|total| total.to_string())),
        ("top", alert.top.clone()),
        ("query", alert.query.clone()),
        ("command", alert.command()),
    ] {
        if let Some(value) = value {
            put(key, value);
        }
    }
    out
}

#[cfg(all(test, feature = "webhook"))]
mod tests {
    use super::webhook;
    use crate::alert::tests::example;
    use crate::{Alert, Severity, State};
    use serde_json::json;
    use std::time::{Duration, SystemTime};

    #[test]
    fn a_body_says_what_alertmanager_would_say() {
        let at = |millis: u64| {
            SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_000 + millis)
        };
        let mut alert = Alert {
            rule: "支付失败".into(),
            level: Severity::Critical,
            count: 10,
            threshold: 10,
            window: Duration::from_secs(90),
            first_bad: at(0),
            fired_at: at(1_500),
            samples: vec!["ERROR shop: 超时".into(), "ERROR shop: b".into()],
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".into()),
            query: Some("level=error".into()),
            annotations: [("runbook".to_owned(), "http://r".to_owned())].into(),
            labels: [("service".to_owned(), "shop".to_owned())].into(),
            ..example()
        };
        let labels = json!({"alertname": "支付失败", "severity": "critical", "service": "shop"});
        let annotations = json!({
            "summary": "支付失败 fires: 10 matching events within 1m30s (threshold 10)",
            "count": "10", "threshold": "10", "window": "1m30s",
            "first_bad": "2023-11-14T22:13:20.000000Z",
            "samples": "ERROR shop: 超时\nERROR shop: b",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
            "query": "level=error",
            "command": "dogwatch 'level=error since=2023-11-14T22:12:20.000000Z'",
            "runbook": "http://r",
        });
        let firing = json!({
            "version": "4", "groupKey": "{}:{alertname=\"支付失败\"}", "truncatedAlerts": 0,
            "status": "firing", "receiver": "am", "groupLabels": {"alertname": "支付失败"},
            "commonLabels": labels, "commonAnnotations": annotations, "externalURL": "",
            "alerts": [{
                "status": "firing", "labels": labels, "annotations": annotations,
                "startsAt": "2023-11-14T22:13:21.500000Z", "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "", "fingerprint": alert.fingerprint(),
            }],
        });
        assert_eq!(webhook(&alert, "am"), firing);

        let fingerprint = alert.fingerprint();
        alert.state = State::Resolved;
        alert.resolved_at = Some(at(61_500));
        let resolved = webhook(&alert, "am");
        assert_eq!(resolved["status"], "resolved");
        assert_eq!(
            resolved["alerts"][0]["endsAt"],
            "2023-11-14T22:14:21.500000Z"
        );
        assert_eq!(resolved["alerts"][0]["fingerprint"], *fingerprint);
        let summary = "支付失败 resolved after 1m: 10 matching events in all";
        assert_eq!(resolved["commonAnnotations"]["summary"], summary);
    }
}
