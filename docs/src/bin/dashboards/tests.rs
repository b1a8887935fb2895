//! Holds the committed files to their source, and the dashboard to the rules that Grafana's linter has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::alerts::alerts;
use crate::{files, folder, grafana};

#[test]
fn the_committed_files_are_what_the_source_writes() {
    for (name, text) in files() {
        let committed = std::fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(
            committed == text,
            "docs/dashboards/{name} is old: `cargo run -p dogwatch-docs --bin dashboards`"
        );
    }
}

#[test]
fn every_panel_has_a_place_of_its_own_on_the_grid() {
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels() {
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
        assert!(w > 0 && h > 0 && x + w <= 24, "{panel}");
        for cell in (y..y + h).flat_map(|row| (x..x + w).map(move |column| (row, column))) {
            assert!(taken.insert(cell), "{} lies on another", panel["title"]);
        }
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
    }
    let rows = taken.iter().map(|(row, _)| row).max().unwrap() + 1;
    let filled: BTreeSet<_> = taken.iter().map(|(row, _)| row).collect();
    assert_eq!(filled.len() as u64, rows, "a row of the grid is empty");
}

#[test]
fn every_panel_says_what_it_shows_and_in_which_unit() {
    for panel in panels().iter().filter(|panel| panel["type"] != "row") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert!(!text(&panel["title"]).is_empty(), "{panel}");
        assert!(text(&panel["description"]).ends_with('.'), "{panel}");
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(
            UNITS.contains(&&*text(&defaults["unit"])),
            "{}",
            defaults["unit"]
        );
        assert!(!text(&defaults["noValue"]).is_empty(), "{panel}");
        let steps = defaults["thresholds"]["steps"].as_array().unwrap();
        let values: Vec<_> = steps.iter().map(|step| step["value"].as_f64()).collect();
        assert_eq!(values[0], None, "the first step holds from below");
        assert!(values.is_sorted(), "{values:?}");
    }
}

#[test]
fn every_query_asks_the_chosen_source_service_and_time() {
    let mut exemplars = 0;
    for panel in panels().iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            let promql = target["expr"].as_str().unwrap();
            for asked in [&panel["datasource"], &target["datasource"]] {
                assert_eq!(asked["uid"], "${datasource}", "{promql}");
            }
            assert!(!promql.contains('#'), "a short name is left over: {promql}");
            let chosen = [
                r#"job=~"$job",instance=~"$instance""#,
                r#"job=~"$host_job",instance=~"$host""#,
            ];
            let choices: usize = chosen.iter().map(|c| promql.matches(c).count()).sum();
            assert_eq!(promql.matches('{').count(), choices, "{promql}");
            for over in promql.split('[').skip(1) {
                let window = over.split(']').next().unwrap();
                assert!(
                    ["$__rate_interval", "$__range"].contains(&window),
                    "{promql}"
                );
            }
            assert_ne!(target["range"], target["instant"], "{promql}");
            exemplars += u32::from(target["exemplar"] == true);
        }
    }
    assert!(exemplars >= 2, "{exemplars} queries with exemplars");
}

#[test]
fn every_variable_that_is_used_is_one_that_was_chosen_before() {
    let dashboard: Value = serde_json::from_str(&grafana::dashboard()).unwrap();
    let mut known = vec!["__rate_interval".to_owned(), "__range".to_owned()];
    let used = |text: &str| -> Vec<String> {
        let word = |rest: &str| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            rest[..end.unwrap_or(rest.len())].to_owned()
        };
        text.split('$').skip(1).map(word).collect()
    };
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"]["query"].as_str().unwrap_or_default();
        for name in used(query) {
            assert!(known.contains(&name), "{query}");
        }
        known.push(variable["name"].as_str().unwrap().to_owned());
    }
    let annotations = dashboard["annotations"]["list"].as_array().unwrap();
    let all = panels();
    let targets = all.iter().filter_map(|panel| panel["targets"].as_array());
    for query in targets.flatten().chain(annotations) {
        for name in used(query["expr"].as_str().unwrap()) {
            assert!(known.contains(&name), "${name} in {query}");
        }
    }
}

#[test]
fn every_alert_says_what_to_do_and_is_tried_both_ways() {
    let mut names = BTreeSet::new();
    for alert in alerts() {
        assert!(names.insert(alert.name), "{} twice", alert.name);
        assert!(["critical", "warning"].contains(&alert.severity));
        assert!(alert.action.ends_with(['.', '?']), "{}", alert.name);
        assert!(
            !alert.fires.is_empty() && !alert.quiet.is_empty(),
            "{}",
            alert.name
        );
    }
}

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&grafana::dashboard()).unwrap();
    dashboard["panels"].as_array().unwrap().clone()
}

/// Ids of Grafana's units that the panels use: `@grafana/data`, valueFormats/categories.
const UNITS: [&str; 7] = ["reqps", "cps", "percentunit", "s", "bytes", "Bps", "short"];
