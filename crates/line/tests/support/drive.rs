//! What must hold for any bytes: the first line is a query, the others are asked it.

use std::time::UNIX_EPOCH;

use dogwatch_line::{Columns, Lens, Line, Now, Query, Times, Verdict};

/// Panics if any promise is broken.
pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (query, lines) = text.split_once('\n').unwrap_or((&text, ""));
    let query = match Query::parse(query) {
        Ok(query) => query,
        Err(error) => {
            assert!(error.offset() <= query.len(), "{query}: {error}");
            return;
        }
    };
    let written = query.to_string();
    assert_eq!(Query::parse(&written).as_ref(), Ok(&query), "{written}");

    let matcher = query.matcher(Now::utc(UNIX_EPOCH));
    let (lens, times) = (
        Lens::new(Now::utc(UNIX_EPOCH)),
        Times::new(Now::utc(UNIX_EPOCH)),
    );
    let columns = Columns::new(["status", "error.message", "latency_ms"]);
    for line in lines.lines() {
        let verdict = matcher.judge(line);
        if verdict.holds() {
            for set in query.literals().sets() {
                let has = set.iter().any(|needle| needle.is_in(line.as_bytes()));
                assert!(has, "{written}: none of {set:?} in {line}");
            }
        }
        if Line::parse(line).is_ok() {
            assert!(
                !matches!(verdict, Verdict::Text { .. }) || line.starts_with("{\"log\":\""),
                "{line}"
            );
        }
        let seen = lens.look(line);
        let _ = (
            seen.nanos(),
            seen.level(),
            seen.target(),
            seen.message(),
            times.of(line),
            columns.of(line),
        );
    }
}
