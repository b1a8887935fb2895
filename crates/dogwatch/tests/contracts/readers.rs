//! What the appender writes, rolls and compresses, the reader finds and follows.

use std::path::Path;
#[cfg(feature = "cursors")]
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use dogwatch::{Compress, Config, Keep, Roll};
use dogwatch_line::{Now, Query};
#[cfg(feature = "cursors")]
use dogwatch_reader::Cursor;
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

/// A log of small files of which two are kept, six at most, and what is told of it.
#[cfg(feature = "cursors")]
fn small(log: &Path) -> (Dispatch, dogwatch::Guard, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let config = Config::prod()
        .file(log)
        .stdout(false)
        .filter("info")
        .roll(Roll::size(2_000))
        .keep(Keep::files(2).unread(Keep::files(6)))
        .compress(Compress::Zstd)
        .hold_for_cursors()
        .on_error(move |text| tell.lock().unwrap().push(text.to_owned()));
    let (layers, guard) = config.layers().expect("starts");
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));
    (dispatch, guard, told)
}

/// Logs from `n` on until so many more files were rolled.
#[cfg(feature = "cursors")]
fn roll(guard: &dogwatch::Guard, log: &Path, n: &mut u64, files: u64) {
    let newest = || {
        let family = &Family::find(&[log]).expect("the log is there")[0];
        let rolled = family.files().iter().rev().nth(1);
        rolled.map(|path| path.file_name().unwrap().to_str().unwrap()[..32].to_owned())
    };
    for _ in 0..files {
        let before = newest();
        while newest() == before {
            tracing::info!(n = *n, "a line of some length, so that files are full soon");
            *n += 1;
            guard.flush(Duration::from_secs(10)).expect("written");
        }
    }
}

#[cfg(feature = "cursors")]
fn rolled(log: &Path) -> usize {
    Family::find(&[log]).expect("the log is there")[0]
        .files()
        .len()
        - 1
}

/// Starts the log anew, which tidies up, and ends it.
#[cfg(feature = "cursors")]
fn tidied(log: &Path) -> (usize, Vec<String>) {
    let (_, guard, told) = small(log);
    guard.close(Duration::from_secs(30)).expect("written");
    let told = told.lock().unwrap().clone();
    (rolled(log), told)
}

#[cfg(feature = "cursors")]
#[test]
fn what_a_slow_reader_has_not_finished_stays_until_it_has_or_up_to_the_hard_bound() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("test.log");
    let path = dir.path().join("test.log.ship.cursor");
    let search = Search::new(
        &Query::parse("n exists").expect("a query"),
        Now::utc(UNIX_EPOCH),
    );
    let (dispatch, guard, told) = small(&log);
    let mut cursor = Cursor::open(&path).expect("a new cursor");
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    let mut n = 0;
    with_default(&dispatch, || roll(&guard, &log, &mut n, 1));
    assert_eq!(number(&follow.next().unwrap().unwrap().text()), 0);
    cursor.save(&follow).expect("saved");
    with_default(&dispatch, || roll(&guard, &log, &mut n, 4));
    guard.close(Duration::from_secs(30)).expect("written");
    drop(dispatch);
    // Two would be kept; the reader is in the first of five.
    assert_eq!(tidied(&log), (5, vec![]));
    assert_eq!(*told.lock().unwrap(), [""; 0]);

    // Another process reads on from there, in files that were compressed meanwhile.
    drop(cursor);
    let mut cursor = Cursor::open(&path).expect("a cursor");
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    assert_eq!(new(&mut follow), Vec::from_iter(1..n));
    assert_eq!(tidied(&log).0, 5);
    cursor.save(&follow).expect("saved");
    assert_eq!(tidied(&log), (2, vec![]));

    // Then it stands still for too long, and its files go all the same, which is told.
    let (dispatch, guard, told) = small(&log);
    with_default(&dispatch, || roll(&guard, &log, &mut n, 9));
    guard.close(Duration::from_secs(30)).expect("written");
    drop(dispatch);
    tidied(&log);
    assert_eq!(rolled(&log), 6);
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("unread"), "{told}");

    // Garbage keeps what is there, and is told once, not for each file.
    std::fs::write(&path, "garbage").expect("written");
    let (kept, told) = tidied(&log);
    let expected = format!(
        "{}: cannot read the cursor `{}`: its line 1 is garbled; delete it, and its reader begins anew",
        log.display(),
        path.display()
    );
    assert_eq!((kept, told), (6, vec![expected]));
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(tidied(&log), (2, vec![]));
}

const LINES: u64 = 2_000;
