//! How each kind of panel looks in Grafana: colours, axes, legends, links.

use serde_json::{Value, json};

use crate::panel::{Limits, Panel, View};

pub(super) fn kind(view: View) -> &'static str {
    match view {
        View::Stat => "stat",
        View::Lines | View::Stack | View::Levels => "timeseries",
        View::Heatmap => "heatmap",
        View::States => "state-timeline",
        View::Routes => "table",
        View::Bars => "bargauge",
    }
}

pub(super) fn defaults(panel: &Panel) -> Value {
    let mut defaults = json!({
        "unit": panel.unit,
        "noValue": panel.nothing,
        "color": {"mode": if matches!(panel.view, View::Stat) { "thresholds" } else { "palette-classic" }},
        "thresholds": {"mode": "absolute", "steps": steps(panel.limits)},
        "mappings": [],
    });
    match panel.view {
        View::Lines | View::Stack | View::Levels => {
            defaults["min"] = json!(0);
            defaults["custom"] = curve(panel);
        }
        View::States => {
            defaults["color"] = json!({"mode": "thresholds"});
            defaults["custom"] = json!({"fillOpacity": 80, "lineWidth": 0});
            defaults["mappings"] = json!([{"type": "value", "options": {
                "0": {"index": 0, "text": "quiet", "color": "green"},
                "1": {"index": 1, "text": "firing", "color": "red"},
            }}]);
        }
        View::Bars => defaults["min"] = json!(0),
        View::Stat | View::Heatmap | View::Routes => {}
    }
    defaults
}

fn curve(panel: &Panel) -> Value {
    let stacked = matches!(panel.view, View::Stack | View::Levels);
    let limits = if matches!(panel.limits, Limits::At(..)) {
        "dashed"
    } else {
        "off"
    };
    json!({
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": if stacked { 40 } else { 0 },
        "stacking": {"mode": if stacked { "normal" } else { "none" }, "group": "A"},
        "showPoints": "auto",
        // A scrape that failed is a gap of two points at most, not a line over an outage.
        "spanNulls": 60_000,
        "thresholdsStyle": {"mode": limits},
    })
}

fn steps(limits: Limits) -> Value {
    let step = |value: Option<f64>, colour: &str| json!({"value": value, "color": colour});
    match limits {
        Limits::None => json!([step(None, "blue")]),
        // Grafana compares with "not below": this is the least number that is not nothing.
        Limits::Zero => json!([step(None, "green"), step(Some(0.000_001), "red")]),
        Limits::At(orange, red) if orange >= red => {
            json!([step(None, "green"), step(Some(red), "red")])
        }
        Limits::At(orange, red) => {
            json!([
                step(None, "green"),
                step(Some(orange), "orange"),
                step(Some(red), "red")
            ])
        }
    }
}

pub(super) fn overrides(panel: &Panel) -> Value {
    let by_name = |name: &str, properties: Value| json!({"matcher": {"id": "byName", "options": name}, "properties": properties});
    let colour = |name: &str, colour: &str| {
        by_name(
            name,
            json!([{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]),
        )
    };
    let unit = |name: &str, unit: &str| by_name(name, json!([{"id": "unit", "value": unit}]));
    let mut all = Vec::new();
    match panel.view {
        View::Levels => all.extend(
            [
                ("ERROR", "red"),
                ("WARN", "orange"),
                ("INFO", "green"),
                ("DEBUG", "blue"),
                ("TRACE", "purple"),
            ]
            .map(|(level, its)| colour(level, its)),
        ),
        View::Routes => {
            all.push(by_name("failing", json!([
                {"id": "unit", "value": "percentunit"},
                {"id": "thresholds", "value": {"mode": "absolute", "steps": steps(Limits::At(0.01, 0.05))}},
                {"id": "custom.cellOptions", "value": {"type": "color-background"}},
            ])));
            all.extend([unit("requests", "reqps"), unit("p99", "s")]);
            all.push(by_name(
                "route",
                json!([{"id": "links", "value": [only_this_route("${__value.text}")]}]),
            ));
        }
        _ => {}
    }
    let by_route = panel
        .queries
        .iter()
        .any(|query| query.legend == "{{http_route}}");
    if by_route {
        let link = only_this_route("${__field.labels.http_route}");
        all.push(json!({
            "matcher": {"id": "byType", "options": "number"},
            "properties": [{"id": "links", "value": [link]}],
        }));
    }
    if panel.queries.iter().any(|query| query.exemplars) {
        all.push(by_name("trace_id", json!([{"id": "links", "value": [
            {"title": "The lines of this trace", "url": "${trace_url}${__value.raw}", "targetBlank": true},
        ]}])));
    }
    json!(all)
}

/// This dashboard again, with one route chosen.
fn only_this_route(route: &str) -> Value {
    json!({
        "title": "Only this route",
        "url": format!("/d/dogwatch?${{__url_time_range}}&${{datasource:queryparam}}&${{job:queryparam}}&${{instance:queryparam}}&var-route={route}"),
        "targetBlank": false,
    })
}

pub(super) fn options(view: View) -> Value {
    let reduce = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    match view {
        View::Stat => json!({
            "reduceOptions": reduce, "colorMode": "background", "graphMode": "area",
            "justifyMode": "auto", "orientation": "auto", "textMode": "value",
        }),
        View::Lines | View::Stack | View::Levels => json!({
            "legend": {"displayMode": "table", "placement": "bottom", "showLegend": true,
                "calcs": ["lastNotNull", "max"], "sortBy": "Max", "sortDesc": true},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        View::Heatmap => json!({
            "calculate": false,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5,
                "fill": "dark-orange", "reverse": false, "scale": "exponential"},
            "exemplars": {"color": "rgba(0,120,255,0.9)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": true},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "yHistogram": true, "showColorScale": false},
            "yAxis": {"axisPlacement": "left", "reverse": false, "unit": "s"},
        }),
        View::States => json!({
            "alignValue": "left", "mergeValues": true, "rowHeight": 0.8, "showValue": "never",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        View::Routes => json!({
            "cellHeight": "sm", "showHeader": true,
        }),
        View::Bars => json!({
            "reduceOptions": reduce, "displayMode": "basic", "orientation": "horizontal",
            "showUnfilled": true, "valueMode": "color", "minVizHeight": 16, "minVizWidth": 8,
            "namePlacement": "auto", "sizing": "auto", "maxVizHeight": 300,
        }),
    }
}
