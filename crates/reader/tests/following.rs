//! Holds that a followed log gives each line once and none is lost, whatever is done to its files.
#![cfg(all(feature = "gzip", feature = "zstd"))]

#[path = "support/log.rs"]
mod log;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use dogwatch_reader::Start;
use log::{Codec, Event, Log, append, event, everything, new};
use proptest::prelude::*;

fn compress(path: &Path) {
    log::compress(path, Codec::Zstd);
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

fn followed(events: &[Event], header: &str, codec: Codec) -> (Vec<String>, Vec<String>) {
    let mut log = Log::new(header, codec);
    let search = everything();
    let mut follow = search.follow(&log.path(), Start::Beginning);
    let mut found = Vec::new();
    for event in events.iter().chain(&[Event::Lines(1), Event::Look]) {
        if matches!(event, Event::Look) {
            found.extend(new(&mut follow));
        }
        log.happen(*event);
    }
    found.extend(new(&mut follow));
    found.retain(|line| line.starts_with("line"));
    (found, log.expected())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn every_line_is_given_once_and_in_order_across_rolls(events in prop::collection::vec(event(), 1..60)) {
        let (found, expected) = followed(&events, "", Codec::Zstd);
        prop_assert_eq!(found, expected);
    }

    /// Files that begin alike are told apart, and so is a log that was emptied, however often.
    #[test]
    fn every_line_is_given_once_across_truncation_and_headers(
        events in prop::collection::vec(prop_oneof![9 => event(), 2 => Just(Event::CopyTruncate)], 1..40),
        header in prop_oneof![Just(1), Just(2_000)],
    ) {
        let (mut found, mut expected) = followed(&events, &("#".repeat(header) + "\n"), Codec::Gzip);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_compressed_file_is_not_taken_for_another_that_begins_alike() {
    let head = "h".repeat(2_000);
    for (head, first) in [(&*head, "one\n"), ("#", "one\n"), ("#", "")] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        append(&at("shop.log.2"), &format!("{head}\n{first}"));
        compress(&at("shop.log.2"));
        append(&at("shop.log.1"), &format!("{head}\ntwo\n"));
        append(&at("shop.log"), &format!("{head}\nthree\n"));
        let search = everything();
        let mut follow = search.follow(&at("shop.log"), Start::Beginning);
        let mut expected = vec![head];
        expected.extend(first.lines());
        expected.extend([head, "two", head, "three"]);
        assert_eq!(new(&mut follow), expected);
        // Later too, when nothing but the beginning is the same.
        compress(&at("shop.log.1"));
        append(&at("shop.log.0"), &format!("{head}\nfour\n"));
        compress(&at("shop.log.0"));
        assert_eq!(new(&mut follow), [head, "four"]);
        assert_eq!(new(&mut follow), [""; 0]);
    }
}

#[test]
fn a_hundred_files_are_read_with_few_of_them_open() {
    let folder = tempfile::tempdir().unwrap();
    for index in 1..=100 {
        append(
            &folder.path().join(format!("shop.log.{index}")),
            &format!("{index}\nend of {index}"),
        );
    }
    let log = folder.path().join("shop.log");
    append(&log, "now\n");
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    let open = || match fs::read_dir("/proc/self/fd") {
        Ok(files) => files
            .filter(|file| {
                let file = fs::read_link(file.as_ref().unwrap().path());
                file.is_ok_and(|file| file.starts_with(folder.path()))
            })
            .count(),
        // Where nobody can count them.
        Err(_) => 0,
    };
    let mut most = 0;
    let mut found = Vec::new();
    while let Some(line) = follow.next() {
        found.push(line.unwrap().text().into_owned());
        most = most.max(open());
    }
    assert_eq!(
        found.iter().filter(|line| !line.starts_with('e')).count(),
        101
    );
    assert!(most <= 11, "{most} files open at once");
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
    let (found, expected) = followed(&events, "", Codec::Zstd);
    assert_eq!(found, expected);
}

#[test]
fn a_rolled_file_is_let_go_when_nobody_has_written_to_it_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    let mut old = File::create(&log).unwrap();
    let search = everything();
    let mut follow = search.follow(&log, Start::Beginning);
    old.write_all(b"one\n{\"no\":\"end").unwrap();
    assert_eq!(new(&mut follow), ["one"]);
    fs::rename(&log, folder.path().join("shop.log.1")).unwrap();
    append(&log, "two\n");
    let found: Vec<String> = (0..70).flat_map(|_| new(&mut follow)).collect();
    // Its last line got no end and never will: it is given as it is, once.
    assert_eq!(found, ["two", "{\"no\":\"end"]);
    assert_eq!(follow.report().torn, 1);
}
