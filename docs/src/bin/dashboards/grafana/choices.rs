//! What the dashboard lets its reader choose, and what it marks over all panels.

use serde_json::{Value, json};

use super::{TRACE_URL, source};

pub(super) fn annotations() -> Value {
    let annotation = |name: &str, colour: &str, expr: &str, title: &str, text: &str| {
        json!({
            "name": name, "enable": true, "hide": false, "iconColor": colour, "datasource": source(),
            "expr": expr, "titleFormat": title, "textFormat": text, "step": "15s",
        })
    };
    let mut start = annotation(
        "Starts",
        "blue",
        r#"process_start_time_seconds{job=~"$job",instance=~"$instance"} * 1000"#,
        "started",
        "{{instance}}",
    );
    // The value is the moment, in milliseconds.
    start["useValueForTime"] = json!(true);
    json!([
        start,
        annotation(
            "Rules firing",
            "red",
            r#"max by (rule) (dogwatch_alert_state{job=~"$job",instance=~"$instance",state="firing"}) == 1"#,
            "{{rule}}",
            "an alert rule of the service",
        ),
    ])
}

pub(super) fn variables() -> Value {
    json!([
        {
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
            "regex": "", "refresh": 1, "hide": 0, "multi": false, "includeAll": false,
            "options": [], "skipUrlSync": false,
        },
        choice("job", "Job", "label_values(dogwatch_lines_total, job)", false),
        choice("instance", "Instance", r#"label_values(dogwatch_lines_total{job=~"$job"}, instance)"#, true),
        choice("route", "Route", r#"label_values(http_server_request_duration_seconds_count{job=~"$job",instance=~"$instance"}, http_route)"#, true),
        choice("host_job", "Host job", "label_values(node_uname_info, job)", false),
        choice("host", "Host", r#"label_values(node_uname_info{job=~"$host_job"}, instance)"#, true),
        {
            "name": "trace_url", "label": "Trace link", "type": "textbox", "hide": 0,
            "description": "What a trace id is put behind, to see its lines.",
            "query": TRACE_URL, "current": {"text": TRACE_URL, "value": TRACE_URL, "selected": true},
            "options": [{"text": TRACE_URL, "value": TRACE_URL, "selected": true}], "skipUrlSync": false,
        },
    ])
}

fn choice(name: &str, label: &str, query: &str, many: bool) -> Value {
    let mut choice = json!({
        "name": name, "label": label, "type": "query", "datasource": source(), "definition": query,
        "query": {"query": query, "refId": format!("variable-{name}")},
        "refresh": ON_TIME_RANGE_CHANGE, "regex": "", "sort": ALPHABETICAL, "hide": 0,
        "multi": many, "includeAll": many, "options": [], "skipUrlSync": false,
    });
    if many {
        choice["allValue"] = json!(".*");
        choice["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    }
    choice
}

const ON_TIME_RANGE_CHANGE: u32 = 2;
const ALPHABETICAL: u32 = 1;
