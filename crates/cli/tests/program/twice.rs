//! Holds that a key that stands twice means the same wherever it is asked for: its first value.

use crate::{folder, run};

const JSON: &str = r#"{"timestamp":"2026-11-24T10:00:00Z","level":"INFO","target":"t","message":"one","status":200,"level":"ERROR","message":"two","status":500,"timestamp":"2027-11-24T10:00:00Z","order":{"id":1,"id":2},"order":{"id":3}}"#;
const LOGFMT: &str = "timestamp=2026-11-24T10:00:00Z level=info message=one status=200 level=error message=two status=500 timestamp=2027-11-24T10:00:00Z order.id=1 order.id=2";
const RULES: &str = "
rules:
  - name: first
    type: any
    match: status=200 level=info order.id=1
  - name: second
    type: any
    match: status=500 or level=error or order.id in (2, 3)
";

#[test]
fn a_key_that_stands_twice_counts_with_its_first_value_in_queries_tables_fields_and_rules() {
    let json = format!("{JSON}\n");
    let logfmt = format!("{LOGFMT}\n");
    let folder = folder(&[("json.log", &json), ("logfmt.log", &logfmt)]);
    let ways = [&["json.log"][..], &["logfmt.log", "--extract", "logfmt"]];
    for way in ways {
        let asked = |words: &[&str]| {
            let (code, out, error) = run(folder.path(), &[words, way].concat());
            assert_eq!(error, "", "{words:?}");
            (code, out)
        };
        for (query, found) in [
            ("status=200", true),
            ("status=500", false),
            ("level<=info", true),
            ("level=error", false),
            ("message=one", true),
            ("message=two", false),
            ("order.id=1", true),
            ("order.id in (2, 3)", false),
            ("until=2027-01-01", true),
            ("since=2027-01-01", false),
        ] {
            let expected = (i32::from(!found), format!("{}\n", i32::from(found)));
            assert_eq!(asked(&[query, "-c"]), expected, "{query} {way:?}");
        }
        for (summary, table) in [
            ("count by status", "status  count\n200         1\n"),
            ("max(status)", "max(status)\n        200\n"),
            ("top 3 message", "message  count\none          1\n"),
            ("count by order.id", "order.id  count\n1             1\n"),
        ] {
            let query = format!("* | {summary}");
            assert_eq!(asked(&[&query]), (0, table.to_owned()), "{way:?}");
        }
        let shown = asked(&["", "--utc", "--fields=status,order.id"]);
        assert!(
            shown.1.starts_with("2026-11-24 10:00:00.000 INFO ")
                && shown.1.ends_with(" one status=200 order.id=1\n"),
            "{shown:?}"
        );
        let rows = asked(&["", "--csv", "--fields=level,message,status,order.id"]).1;
        let row = rows.lines().nth(1).unwrap().to_lowercase();
        assert!(row.ends_with(",one,200,1"), "{row}");
    }
    // Words are not a field's: they are looked for in all that stands in the line.
    assert_eq!(run(folder.path(), &["two", "json.log", "-c"]).1, "1\n");
}

#[test]
fn rules_judge_a_key_that_stands_twice_as_queries_do() {
    let folder = folder(&[("json.log", &format!("{JSON}\n")), ("rules.yaml", RULES)]);
    let (code, out, error) = run(
        folder.path(),
        &["backtest", "--rules=rules.yaml", "--json", "json.log"],
    );
    assert_eq!((code, &*error), (0, ""), "{out}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let matched: Vec<_> = report["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["rule"].as_str(), rule["matched"].as_u64()))
        .collect();
    assert_eq!(
        matched,
        [(Some("first"), Some(1)), (Some("second"), Some(0))],
        "{out}"
    );
}
