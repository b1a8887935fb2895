//! Holds that an index changes no answer, be it whole, damaged or another file's.

#[path = "../../../line/tests/support/mod.rs"]
mod support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use dogwatch_line::{Now, Query};
use proptest::prelude::*;
use support::{Respell, object, query};

use super::make::{make, path_of};
use crate::{Family, Report, Search};

/// Half a day from UTC: what has no zone must not be skipped for it.
fn now() -> Now {
    let ten = UNIX_EPOCH + Duration::from_secs(1_795_514_400);
    Now::zoned(ten, |_| 12 * 3600)
}

fn found(search: &Search, path: &Path) -> (Vec<String>, Report) {
    let families = Family::find(&[path]).unwrap();
    let mut reading = search.read(&families[0]);
    let mut lines = Vec::new();
    while let Some(next) = reading.next() {
        match next {
            Ok(line) => lines.push(line.text().into_owned()),
            Err(trouble) => assert!(trouble.is_index(), "{trouble}"),
        }
    }
    (lines, *reading.report())
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Plain,
    Gzip,
    Zstd,
}

fn stored(how: Stored, frame: &[u8]) -> Vec<u8> {
    match how {
        Stored::Plain => frame.to_vec(),
        Stored::Zstd => zstd::bulk::compress(frame, 1).unwrap(),
        Stored::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(frame).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// Ids that begin alike, a UUID, and one of digits alone.
const IDS: [&str; 5] = [
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "4bf92f3577b34da6a3ce929d0e0e4737",
    "4BF92F3577B34DA6A3CE929D0E0E4736",
    "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
    "10000000000000000000000000000000",
];

fn id_query() -> impl Strategy<Value = String> {
    let field = prop::sample::select(&["trace_id=", "traceId=", "req=", "trace_id:", "", "-"][..]);
    (field, prop::sample::select(&IDS[..])).prop_map(|(field, id)| format!("{field}{id}"))
}

fn any_query() -> impl Strategy<Value = String> {
    let one = || prop_oneof![id_query(), query_alone()];
    prop_oneof![
        id_query(),
        query_alone(),
        (one(), one()).prop_map(|(a, b)| format!("({a}) ({b})")),
        (one(), one()).prop_map(|(a, b)| format!("({a}) or ({b})")),
    ]
}

/// Without what stands behind a pipe.
fn query_alone() -> impl Strategy<Value = String> {
    query().prop_map(|query| query.split(" | ").next().unwrap_or_default().to_owned())
}

/// Lines as they are written, some within Docker's wrapper, some no JSON.
fn line() -> impl Strategy<Value = String> {
    let id = prop::sample::select(&IDS[..]);
    let around = prop::sample::select(&["", "projects/p/traces/", "00-", "x", "\n", "<", "é"][..]);
    let key = prop::sample::select(&["trace_id", "traceId", "trace.id", "req", "message"][..]);
    (
        object(),
        prop::option::of((key, around, id)),
        any::<u64>(),
        0..8,
    )
        .prop_map(|(mut object, id, seed, kind)| {
            if let (Some((key, around, id)), Some(members)) = (&id, object.as_object_mut()) {
                members.insert((*key).to_owned(), format!("{around}{id}").into());
            }
            let mut line = String::new();
            Respell(seed).write(&object, &mut line);
            match kind {
                0 => {
                    let wrapped = serde_json::json!({"log": line + "\n", "stream": "stdout"});
                    let mut wrapped = wrapped.to_string();
                    if seed % 2 == 0 {
                        wrapped = wrapped.replace("\\\"", "\\u0022");
                    }
                    wrapped
                }
                1 => format!("text {}", id.map_or("without an id", |(_, _, id)| id)),
                2 => line[..floor(&line, line.len() / 2)]
                    .trim_end_matches(|char| char != '"')
                    .to_owned(),
                _ => line,
            }
        })
}

fn frames(lines: &[String], cuts: &[prop::sample::Index], how: Stored) -> Vec<u8> {
    let text: String = lines.iter().map(|line| line.clone() + "\n").collect();
    let mut borders: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(text.len() + 1))
        // Half of them between lines.
        .map(|cut| {
            if cut % 2 == 0 {
                cut
            } else {
                text[..floor(&text, cut)].rfind('\n').map_or(0, |at| at + 1)
            }
        })
        .chain([0, text.len()])
        .collect();
    borders.sort_unstable();
    borders
        .windows(2)
        .flat_map(|border| stored(how, &text.as_bytes()[border[0]..border[1]]))
        .collect()
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

fn file(folder: &Path, content: &[u8]) -> PathBuf {
    let path = folder.join("shop.log");
    fs::write(&path, content).unwrap();
    path
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn an_index_changes_no_answer_be_it_whole_or_damaged(
        lines in prop::collection::vec(line(), 0..20),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        how in prop::sample::select(&[Stored::Plain, Stored::Gzip, Stored::Zstd][..]),
        queries in prop::collection::vec(any_query(), 6),
        damage in (any::<prop::sample::Index>(), 1..=255_u8, any::<bool>()),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), &frames(&lines, &cuts, how));
        let queries: Vec<Query> = queries.iter().map(|query| Query::parse(query).unwrap()).collect();
        let answers: Vec<_> = queries.iter().map(|query| found(&Search::thorough(query, now()), &path)).collect();
        make(&path, 1).unwrap();
        for (query, (lines, all)) in queries.iter().zip(&answers) {
            let (with, report) = found(&Search::new(query, now()), &path);
            prop_assert_eq!(&with, lines, "{}", query);
            prop_assert_eq!((report.lines + report.skipped, report.unfit), (all.lines, 0));
            let (ahead, mut read) = found(&Search::new(query, now()).threads(3), &path);
            prop_assert_eq!(&ahead, lines, "{}", query);
            // Each thread finds out for itself when the sieve is not worth while.
            read.text = report.text;
            prop_assert_eq!(read, report);
        }
        let index = path_of(&path);
        let mut bytes = fs::read(&index).unwrap();
        let at = damage.0.index(bytes.len());
        if damage.2 {
            bytes[at] ^= damage.1;
        } else {
            bytes.truncate(at);
        }
        fs::write(&index, bytes).unwrap();
        for (query, (lines, all)) in queries.iter().zip(&answers) {
            let (with, report) = found(&Search::new(query, now()), &path);
            prop_assert_eq!(&with, lines, "{}", query);
            // Found out before anything is skipped for it, or not looked at.
            prop_assert_eq!((report.lines, report.skipped), (all.lines, 0));
        }
    }
}
