//! Holds that a followed log gives each line once and none is lost, whatever is done to its files.
#![cfg(all(feature = "gzip", feature = "zstd"))]

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use dogwatch_line::{Now, Query};
use dogwatch_reader::{Follow, Search, Start};
use proptest::prelude::*;

fn everything() -> Search {
    Search::new(&Query::parse("").unwrap(), Now::utc(UNIX_EPOCH))
}

/// All that is new at the moment.
fn new(follow: &mut Follow<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(next) = follow.next() {
        lines.push(next.unwrap().text().into_owned());
    }
    lines
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn compress(path: &Path) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&fs::read(path).unwrap()).unwrap();
    let mut name = path.to_owned().into_os_string();
    name.push(".gz");
    fs::write(name, encoder.finish().unwrap()).unwrap();
    fs::remove_file(path).unwrap();
}

#[test]
fn a_log_that_is_not_there_yet_is_followed_from_its_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("new/shop.log");
    let search = everything();
    for start in [Start::Beginning, Start::End] {
        let mut follow = search.follow(&log, start);
        assert_eq!(new(&mut follow), [""; 0]);
        fs::create_dir(folder.path().join("new")).unwrap();
        File::create(&log).unwrap();
        assert_eq!(new(&mut follow), [""; 0]);
        append(&log, "one\ntwo\n");
        assert_eq!(new(&mut follow), ["one", "two"]);
        fs::remove_dir_all(folder.path().join("new")).unwrap();
    }
}

#[test]
fn from_the_end_only_what_comes_is_given_and_a_half_line_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&folder.path().join("shop.log.1"), "long ago\n");
    append(&log, "before\nhal");
    let search = everything();
    let mut follow = search.follow(&log, Start::End);
    assert_eq!(new(&mut follow), [""; 0]);
    append(&log, "f a line\nnex");
    assert_eq!(new(&mut follow), ["half a line"]);
    append(&log, "t\n");
    assert_eq!(new(&mut follow), ["next"]);
    assert_eq!(
        new(&mut search.follow(&log, Start::Beginning)),
        ["long ago", "before", "half a line", "next"]
    );
}

#[test]
fn a_writer_that_still_has_a_rolled_file_open_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    let mut old = File::create(&log).unwrap();
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    old.write_all(b"one\n").unwrap();
    assert_eq!(new(&mut follow), ["one"]);
    fs::rename(&log, folder.path().join("shop.log.1")).unwrap();
    old.write_all(b"two\n").unwrap();
    assert_eq!(new(&mut follow), ["two"]);
    append(&log, "four\n");
    assert_eq!(new(&mut follow), ["four"]);
    old.write_all(b"three\n").unwrap();
    assert_eq!(new(&mut follow), ["three"]);
}

#[test]
fn a_log_copied_and_emptied_gives_the_lines_in_between_from_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (log, copy) = (
        folder.path().join("shop.log"),
        folder.path().join("shop.log.1"),
    );
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    append(&log, "one\n");
    assert_eq!(new(&mut follow), ["one"]);
    append(&log, "two\nthr");
    assert_eq!(new(&mut follow), ["two"]);
    append(&log, "ee\nfour\n");
    fs::copy(&log, &copy).unwrap();
    File::create(&log).unwrap();
    append(&log, "five\n");
    assert_eq!(new(&mut follow), ["three", "four", "five"]);
    // Written again to more than was read, in the same place: its beginning tells.
    append(&log, "six\n");
    fs::remove_file(&copy).unwrap();
    fs::copy(&log, &copy).unwrap();
    File::create(&log).unwrap();
    append(&log, "a longer line than all that was there\n");
    assert_eq!(
        new(&mut follow),
        ["six", "a longer line than all that was there"]
    );
}

#[test]
fn files_rolled_between_two_looks_are_read_in_order_compressed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    let rolled = |sequence: u32| {
        folder
            .path()
            .join(format!("shop.2026-11-24T10-00-00.{sequence:06}.log"))
    };
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    append(&log, "1\n");
    assert_eq!(new(&mut follow), ["1"]);
    append(&log, "2\n");
    for sequence in 1..=4 {
        fs::rename(&log, rolled(sequence)).unwrap();
        if sequence != 3 {
            compress(&rolled(sequence));
        }
        append(&log, &format!("{}\n", sequence + 2));
    }
    assert_eq!(new(&mut follow), ["2", "3", "4", "5", "6"]);
    compress(&rolled(3));
    assert_eq!(new(&mut follow), [""; 0]);
    assert_eq!(follow.report().lines, 6);
}

/// What happens to a log between two looks.
#[derive(Clone, Copy, Debug)]
enum Event {
    Lines(u8),
    HalfLine,
    Look,
    /// Rename, as our appender does.
    Roll,
    CompressOldest,
    /// As logrotate does with `copytruncate`.
    CopyTruncate,
}

struct Log {
    folder: tempfile::TempDir,
    sequence: u32,
    written: u32,
    pending: String,
}

impl Log {
    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.log")
    }

    fn rolled(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!("shop.2026-11-24T10-00-00.{:06}.log", self.sequence))
    }

    fn line(&mut self) -> String {
        self.written += 1;
        format!("line {} of some length\n", self.written)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Look => {}
            Event::Lines(count) => {
                let mut text = std::mem::take(&mut self.pending);
                text.extend((0..count).map(|_| self.line()));
                append(&self.path(), &text);
            }
            Event::HalfLine if self.pending.is_empty() => {
                let line = self.line();
                let (half, rest) = line.split_at(line.len() / 2);
                append(&self.path(), half);
                self.pending = rest.to_owned();
            }
            Event::HalfLine => {}
            // A logger rolls at a line's end.
            Event::Roll | Event::CopyTruncate => {
                self.happen(Event::Lines(1));
                self.sequence += 1;
                if matches!(event, Event::Roll) {
                    fs::rename(self.path(), self.rolled()).unwrap();
                } else {
                    fs::copy(self.path(), self.rolled()).unwrap();
                }
                File::create(self.path()).unwrap();
            }
            Event::CompressOldest => {
                let plain = |path: &PathBuf| {
                    path.extension().is_some_and(|end| end == "log") && *path != self.path()
                };
                let mut files: Vec<PathBuf> = fs::read_dir(self.folder.path())
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .filter(plain)
                    .collect();
                files.sort();
                if let Some(oldest) = files.first() {
                    compress(oldest);
                }
            }
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..60_u8).prop_map(Event::Lines),
        1 => Just(Event::HalfLine),
        4 => Just(Event::Look),
        2 => Just(Event::Roll),
        1 => Just(Event::CompressOldest),
    ]
}

fn followed(events: &[Event], look_before_truncation: bool) -> (Vec<String>, Vec<String>) {
    let mut log = Log {
        folder: tempfile::tempdir().unwrap(),
        sequence: 0,
        written: 0,
        pending: String::new(),
    };
    let search = everything();
    let mut follow = search.follow(&log.path(), Start::Beginning);
    let mut found = Vec::new();
    for event in events.iter().chain(&[Event::Lines(1), Event::Look]) {
        if matches!(event, Event::Look)
            || (look_before_truncation && matches!(event, Event::CopyTruncate))
        {
            found.extend(new(&mut follow));
        }
        log.happen(*event);
        if look_before_truncation && matches!(event, Event::CopyTruncate) {
            found.extend(new(&mut follow));
        }
    }
    found.extend(new(&mut follow));
    let expected = (1..=log.written)
        .map(|index| format!("line {index} of some length"))
        .collect();
    (found, expected)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn every_line_is_given_once_and_in_order_across_rolls(events in prop::collection::vec(event(), 1..60)) {
        let (found, expected) = followed(&events, false);
        prop_assert_eq!(found, expected);
    }

    /// A log that is copied and emptied twice between two looks has lost what nobody looked at; looked
    /// at in time, it gives all.
    #[test]
    fn every_line_is_given_once_and_in_order_across_truncation(
        events in prop::collection::vec(prop_oneof![5 => event().prop_filter("no renames", |event| !matches!(event, Event::Roll)), 2 => Just(Event::CopyTruncate)], 1..40),
    ) {
        let (found, expected) = followed(&events, true);
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn over_a_hundred_rolls_no_line_comes_twice_and_none_is_lost() {
    let events: Vec<Event> = (0..120)
        .flat_map(|index| {
            let look = if index % 3 == 0 {
                Event::Look
            } else {
                Event::CompressOldest
            };
            [Event::Lines(7), Event::HalfLine, look, Event::Roll]
        })
        .collect();
    let (found, expected) = followed(&events, false);
    assert_eq!(found, expected);
}

#[test]
fn a_rolled_file_is_let_go_when_nobody_has_written_to_it_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    let mut old = File::create(&log).unwrap();
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    old.write_all(b"one\nno end").unwrap();
    assert_eq!(new(&mut follow), ["one"]);
    fs::rename(&log, folder.path().join("shop.log.1")).unwrap();
    append(&log, "two\n");
    let found: Vec<String> = (0..70).flat_map(|_| new(&mut follow)).collect();
    // Its last line got no end and never will: it is given as it is, once.
    assert_eq!(found, ["two", "no end"]);
    assert_eq!(follow.report().torn, 1);
}
