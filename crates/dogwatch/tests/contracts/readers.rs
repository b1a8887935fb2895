//! What the appender writes, rolls and compresses, the reader finds and follows.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use dogwatch::{Compress, Config, Keep, Roll};
use dogwatch_line::{Now, Query};
use dogwatch_reader::{Family, Follow, Search, Start};
use tracing_core::dispatcher::{Dispatch, with_default};
use tracing_subscriber::layer::SubscriberExt;

/// The field `n` of each line that is new.
fn new(follow: &mut Follow<'_>) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(line) = follow.next() {
        numbers.push(number(&line.expect("a log without trouble").text()));
    }
    numbers
}

fn number(line: &str) -> u64 {
    let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    line["n"].as_u64().expect("a number")
}

fn read(search: &Search, log: &Path) -> Vec<u64> {
    let family = &Family::find(&[log]).expect("the log is there")[0];
    let mut reading = search.read(family);
    let mut numbers = Vec::new();
    while let Some(line) = reading.next() {
        numbers.push(number(&line.expect("a log without trouble").text()));
    }
    numbers
}

#[test]
fn over_a_hundred_rolls_and_compressions_every_line_is_found_and_followed_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("test.log");
    let config = Config::prod()
        .file(&log)
        .stdout(false)
        .filter("info")
        .roll(Roll::size(2_000))
        .keep(Keep::files(1_000))
        .compress(Compress::Zstd);
    let (layers, guard) = config.layers().expect("starts");
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));

    let search = Search::new(
        &Query::parse("n exists").expect("a query"),
        Now::utc(UNIX_EPOCH),
    );
    let mut follow = search.follow(&log, Start::Beginning);
    let mut followed = Vec::new();
    with_default(&dispatch, || {
        for n in 0..LINES {
            tracing::info!(n, "a line of some length, so that files are full soon");
            if n % 70 == 0 {
                guard.flush(Duration::from_secs(10)).expect("written");
                followed.extend(new(&mut follow));
            }
        }
    });
    guard.close(Duration::from_secs(30)).expect("written");
    followed.extend(new(&mut follow));

    // Each once. A file that is compressed while it is read may come after the one behind it.
    followed.sort_unstable();
    let expected: Vec<u64> = (0..LINES).collect();
    assert_eq!(followed, expected);
    assert_eq!(read(&search, &log), expected);
    let files = Family::find(&[&log]).expect("the log is there")[0]
        .files()
        .len();
    assert!(files > 100, "{files} files");
}

const LINES: u64 = 2_000;
