//! Holds what the pages show against the crates: every line of JSON parses, every rules file loads.
#![forbid(unsafe_code)]

use dogwatch_alert::Rules;
use dogwatch_line::{Line, Query};

const README: &str = include_str!("../../README.md");
const LINE: &str = include_str!("../line.md");
const ALERTS: &str = include_str!("../alerts.md");
const QUERY: &str = include_str!("../query.md");
const OPERATE: &str = include_str!("../operate.md");
const MIGRATE: &str = include_str!("../migrate.md");

/// The texts of a page's blocks with this tag.
fn blocks<'a>(page: &'a str, tag: &str) -> Vec<&'a str> {
    let open = format!("```{tag}\n");
    page.split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_line_of_json_in_a_page_is_a_line() {
    let mut lines = 0;
    for page in [README, LINE, ALERTS, OPERATE, MIGRATE] {
        for text in blocks(page, "json").iter().flat_map(|block| block.lines()) {
            let line = Line::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert!(line.level().is_some() && line.message().is_some(), "{text}");
            lines += 1;
        }
    }
    assert!(lines >= 3, "{lines} lines of JSON found");
}

#[test]
fn every_rules_file_in_a_page_loads() {
    let mut files = 0;
    for page in [README, ALERTS] {
        for text in blocks(page, "yaml") {
            // Variables stand for secrets.
            if let Err(error) = Rules::parse_with(text, |name| Some(name.to_owned())) {
                panic!("{error}\n{text}");
            }
            files += 1;
        }
    }
    assert!(files >= 3, "{files} rules files found");
}

/// Every piece of code in the left column of a table, and in the text blocks, is a query.
#[test]
fn every_query_in_its_page_reads() {
    let rows = QUERY.lines().filter(|line| line.starts_with("| `"));
    let mut queries: Vec<String> = Vec::new();
    for row in rows {
        let row = row.replace("\\|", "\u{1f}");
        let left = row.split(" | ").next().unwrap_or_default();
        let code = left.split('`').skip(1).step_by(2);
        queries.extend(code.map(|code| code.replace('\u{1f}', "|")));
    }
    queries.extend(
        blocks(QUERY, "text")
            .iter()
            .map(|block| block.trim().to_owned()),
    );
    assert!(queries.len() >= 20, "{} queries found", queries.len());
    for query in queries {
        // A lone operator stands beside a query that shows where it goes.
        if !["<", "<=", ">", "!~"].contains(&&*query) {
            Query::parse(&query).unwrap_or_else(|error| panic!("{error}: {query}"));
        }
    }
}
