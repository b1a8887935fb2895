//! Spells the panels as a Grafana dashboard: JSON of its classic schema, which every Grafana since 10 imports.

mod choices;
mod look;

use serde_json::{Value, json};

use crate::panel::{Panel, Query, Row, View};
use crate::panels;

/// The whole dashboard as Grafana imports it.
pub(crate) fn dashboard() -> String {
    let dashboard = json!({
        "uid": "dogwatch",
        "title": "Service (dogwatch)",
        "description": "Requests, log and alert rules of a service with dogwatch, its process, and its host. Generated: see docs/dashboards/README.md.",
        "tags": ["dogwatch", "logging", "requests"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": SHARED_CROSSHAIR,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "liveNow": false,
        "links": [],
        "annotations": {"list": choices::annotations()},
        "templating": {"list": choices::variables()},
        "panels": placed(panels::rows()),
    });
    let text = serde_json::to_string_pretty(&dashboard).expect("JSON of plain values");
    text + "\n"
}

/// Puts the panels on the grid of 24 columns, row by row, from the left.
fn placed(rows: Vec<Row>) -> Vec<Value> {
    let (mut all, mut y) = (Vec::new(), 0);
    for row in rows {
        if !row.title.is_empty() {
            let id = all.len() + 1;
            all.push(heading(id, row.title, y));
            y += 1;
        }
        let (mut x, mut height) = (0, 0);
        for panel in &row.panels {
            let (columns, rows) = panel.size;
            if x + columns > COLUMNS {
                (x, y, height) = (0, y + height, 0);
            }
            let id = all.len() + 1;
            let mut spelled = spell(panel);
            spelled["id"] = json!(id);
            spelled["gridPos"] = json!({"x": x, "y": y, "w": columns, "h": rows});
            all.push(spelled);
            x += columns;
            height = height.max(rows);
        }
        y += height;
    }
    all
}

fn heading(id: usize, title: &str, y: u32) -> Value {
    json!({
        "id": id, "type": "row", "title": title, "collapsed": false, "panels": [],
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
    })
}

fn spell(panel: &Panel) -> Value {
    let targets: Vec<Value> = panel
        .queries
        .iter()
        .zip('A'..)
        .map(|(q, id)| target(q, id, panel.view))
        .collect();
    let mut spelled = json!({
        "title": panel.title,
        "description": panel.about,
        "type": look::kind(panel.view),
        "datasource": source(),
        "targets": targets,
        "fieldConfig": {"defaults": look::defaults(panel), "overrides": look::overrides(panel)},
        "options": look::options(panel.view),
    });
    if panel.view == View::Routes {
        spelled["transformations"] = json!([
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {
                "excludeByName": {"Time": true},
                "indexByName": {"http_route": 0, "Value #A": 1, "Value #B": 2, "Value #C": 3},
                "renameByName": {
                    "http_route": "route", "Value #A": "failing", "Value #B": "requests", "Value #C": "p99",
                },
            }},
            {"id": "sortBy", "options": {"sort": [{"field": "failing", "desc": true}]}},
        ]);
    }
    spelled
}

fn target(query: &Query, id: char, view: View) -> Value {
    // A table and a bar are of one moment; everything else is of the chosen time.
    let instant = matches!(view, View::Routes | View::Bars);
    let format = match view {
        View::Routes => "table",
        View::Heatmap => "heatmap",
        _ => "time_series",
    };
    json!({
        "refId": id.to_string(), "datasource": source(), "editorMode": "code", "expr": query.promql,
        "legendFormat": query.legend, "range": !instant, "instant": instant, "exemplar": query.exemplars,
        "format": format,
    })
}

fn source() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// Where the lines of a trace can be seen, the trace id left off. A place holder: everybody's is another.
pub(crate) const TRACE_URL: &str = "http://localhost:8080/trace/";

const COLUMNS: u32 = 24;
/// Grafana 11's; later ones migrate it at import.
const SCHEMA: u32 = 39;
const SHARED_CROSSHAIR: u32 = 1;
