//! Rings of processes that were killed within a write, and files that changed since.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use super::{area::Ring, create, edges::Place};
use crate::{
    batch::{Batch, Spare},
    ring::{CrashRing, Mark as _},
};

/// A ring in the middle of a write: "one" and the first half of "two" went into the file.
pub(super) fn within_a_write(place: &Place) -> PathBuf {
    let (ring, front, back) = create(&CrashRing::new(), &place.family(), (4000, 2)).unwrap();
    let (mut front, mut back) = (Batch::in_ring(front), Batch::in_ring(back));
    for line in ["one\n", "two\n", "three\n"] {
        front.push((0, 1), line.as_bytes(), &mut Spare::default(), 4000);
    }
    front.hand_over(&mut back);
    front.push((0, 1), b"four\n", &mut Spare::default(), 4000);
    let path = place.at("app.log");
    fs::write(&path, "before\n").unwrap();
    begin(&ring, &path);
    append(&path, "one\ntw");
    ring.path().to_owned()
}

fn begin(ring: &Ring, path: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let facts = fs::metadata(path).unwrap();
    ring.begin((facts.dev(), facts.ino()), facts.len()).unwrap();
}

pub(super) fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_line_that_the_kill_cut_in_half_is_completed() {
    let place = Place::new();
    within_a_write(&place);
    let (stats, told) = place.start();
    // The half line was not torn after all, and is not one of those that were written whole.
    assert_eq!((stats.replayed, stats.torn, stats.doubtful), (2, 0, 0));
    assert_eq!(told, [""; 0]);
    assert_eq!(place.log(), "before\none\ntwo\nthree\nfour\n");
}

#[test]
fn a_half_line_in_a_file_that_was_rolled_meanwhile_is_completed_there() {
    let place = Place::new();
    within_a_write(&place);
    let rolled = place.at("app.log.1");
    fs::rename(place.at("app.log"), &rolled).unwrap();
    let (stats, told) = place.start();
    assert_eq!((stats.replayed, stats.torn, stats.doubtful), (2, 0, 0));
    assert_eq!(told, [""; 0]);
    assert_eq!(fs::read_to_string(rolled).unwrap(), "before\none\ntwo\n");
    assert_eq!(place.log(), "three\nfour\n");
}

#[test]
fn where_somebody_wrote_after_the_half_line_the_line_is_written_again_whole() {
    let place = Place::new();
    within_a_write(&place);
    append(&place.at("app.log"), " - echo by hand\n");
    let (stats, _) = place.start();
    assert_eq!((stats.replayed, stats.doubtful), (3, 0));
    assert_eq!(
        place.log(),
        "before\none\ntw - echo by hand\ntwo\nthree\nfour\n"
    );
}

#[test]
fn a_line_of_somebody_else_before_the_write_hides_nothing() {
    let place = Place::new();
    within_a_write(&place);
    fs::write(place.at("app.log"), "before\n").unwrap();
    append(&place.at("app.log"), "echo by hand\none\ntwo\n");
    let (stats, _) = place.start();
    assert_eq!((stats.replayed, stats.doubtful), (2, 0));
    assert_eq!(place.log(), "before\necho by hand\none\ntwo\nthree\nfour\n");
}

#[test]
fn a_line_of_somebody_else_that_begins_as_ours_do_hides_nothing() {
    let of = |message: &str| format!("{{\"timestamp\":\"2026\",\"message\":\"{message}\"}}\n");
    let (one, two, theirs) = (of("one"), of("two"), of("theirs"));
    let texts = [
        (
            theirs.clone() + &one + &two,
            0,
            theirs.clone() + &one + &two,
        ),
        (theirs.clone() + &one, 1, theirs.clone() + &one + &two),
        (
            theirs.clone() + &one + &two[..30],
            0,
            theirs.clone() + &one + &two,
        ),
        (theirs.clone(), 2, theirs.clone() + &one + &two),
        (one[..20].to_owned(), 1, one.clone() + &two),
    ];
    for (text, replayed, expected) in texts {
        let place = Place::new();
        let (ring, front, back) = create(&CrashRing::new(), &place.family(), (4000, 2)).unwrap();
        let (mut front, mut back) = (Batch::in_ring(front), Batch::in_ring(back));
        for line in [&one, &two] {
            front.push((0, 1), line.as_bytes(), &mut Spare::default(), 4000);
        }
        front.hand_over(&mut back);
        let path = place.at("app.log");
        fs::write(&path, "").unwrap();
        begin(&ring, &path);
        append(&path, &text);
        drop((ring, front, back));
        let (stats, told) = place.start();
        assert_eq!(
            (stats.replayed, stats.torn, stats.doubtful),
            (replayed, 0, 0),
            "{text}"
        );
        assert_eq!(told, [""; 0]);
        assert_eq!(place.log(), expected);
    }
}

#[test]
fn if_the_file_is_gone_or_cut_the_lines_are_written_again_and_said_to_be_doubtful() {
    let gone: fn(&Path) = |path| fs::remove_file(path).unwrap();
    let cut: fn(&Path) = |path| fs::write(path, "").unwrap();
    for spoil in [gone, cut] {
        let place = Place::new();
        within_a_write(&place);
        spoil(&place.at("app.log"));
        let (stats, told) = place.start();
        assert_eq!((stats.replayed, stats.doubtful), (4, 3));
        assert_eq!(place.log(), "one\ntwo\nthree\nfour\n");
        assert_eq!(
            told,
            [
                "crash ring `DIR/.app.log.000001.ring`: 3 lines may be in the log twice: the file \
              that they went to is gone"
            ]
        );
    }
}
