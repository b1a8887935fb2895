//! Holds that a reader that comes back to its cursor misses no line and is given none again that it acknowledged.
#![cfg(all(feature = "gzip", feature = "zstd"))]

#[path = "support/log.rs"]
mod log;

use std::fs::{self, File};
use std::path::Path;

use dogwatch_reader::{Cursor, Cursors, Family, Follow, Start};
use log::{Codec, Event, Log, append, compress, event, everything, new};
use proptest::prelude::*;

/// A reader of a log that may die at any time.
#[derive(Default)]
struct Reader {
    /// What it was given, in any order, and how much of it it has acknowledged.
    given: Vec<String>,
    saved: usize,
}

impl Reader {
    /// Goes on with at most so many lines.
    fn read(&mut self, follow: &mut Follow<'_>, most: usize) {
        for _ in 0..most {
            match follow.next() {
                Some(line) => self.given.push(line.unwrap().text().into_owned()),
                None => return,
            }
        }
    }

    fn save(&mut self, cursor: &mut Cursor, follow: &Follow<'_>) {
        cursor.save(follow).unwrap();
        self.saved = self.given.len();
    }

    /// What was not acknowledged is forgotten with the process.
    fn die(&mut self) {
        self.given.truncate(self.saved);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Log(Event),
    Read(usize),
    Save,
    /// The process ends here, in the middle of anything, and another takes over at once.
    Die,
    /// It takes over after the events that follow, up to the next step that is none.
    Away,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => event().prop_map(Step::Log),
        1 => Just(Step::Log(Event::CopyTruncate)),
        3 => (1..80_usize).prop_map(Step::Read),
        2 => Just(Step::Read(usize::MAX)),
        3 => Just(Step::Save),
        1 => Just(Step::Die),
        1 => Just(Step::Away),
    ]
}

/// Lines as the reader has them in the end, and as they were written, both by name.
fn kept(steps: &[Step], header: &str, codec: Codec) -> (Vec<String>, Vec<String>) {
    let mut log = Log::new(header, codec);
    let log_path = log.path();
    let path = log.folder.path().join("shop.log.ship.cursor");
    let search = everything();
    let mut reader = Reader::default();
    let mut cursor = Some(Cursor::open(&path).unwrap());
    let resume = |cursor: &Cursor| search.resume(&log_path, cursor, Start::Beginning);
    let mut follow = cursor.as_ref().map(resume);
    let end = [Step::Log(Event::Lines(1)), Step::Read(usize::MAX)];
    for step in steps.iter().chain(&end) {
        if let Step::Log(event) = step {
            log.happen(*event);
            continue;
        }
        if matches!(step, Step::Die | Step::Away) {
            reader.die();
            follow = None;
        }
        if matches!(step, Step::Away) {
            continue;
        }
        let follow = follow.get_or_insert_with(|| {
            // Its process is gone, and its lock with it.
            cursor = None;
            resume(cursor.insert(Cursor::open(&path).unwrap()))
        });
        match step {
            Step::Read(most) => reader.read(follow, *most),
            Step::Save => reader.save(cursor.as_mut().unwrap(), follow),
            _ => {}
        }
    }
    let mut given = reader.given;
    given.retain(|line| line.starts_with("line"));
    given.sort();
    let mut expected = log.expected();
    expected.sort();
    (given, expected)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    /// With a header before the lines of each file, longer than the beginning that is compared too, and
    /// in both formats.
    #[test]
    fn a_reader_that_comes_back_has_each_line_once(
        steps in prop::collection::vec(step(), 1..60),
        header in prop_oneof![Just(0), Just(1), Just(2_000)],
        codec in prop_oneof![Just(Codec::Gzip), Just(Codec::Zstd)],
    ) {
        let header = if header == 0 { String::new() } else { "#".repeat(header) + "\n" };
        let (given, expected) = kept(&steps, &header, codec);
        prop_assert_eq!(given, expected);
    }
}

#[test]
fn two_readers_of_a_log_do_not_know_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let log = at("shop.log");
    append(&log, "one\ntwo\nthree\n");
    let search = everything();
    let resume = |name: &str| {
        let cursor = Cursor::open(at(name)).unwrap();
        let follow = search.resume(&log, &cursor, Start::Beginning);
        (cursor, follow)
    };
    let (mut one, mut follow) = resume("shop.log.one.cursor");
    assert!(one.is_new());
    assert_eq!(new(&mut follow), ["one", "two", "three"]);
    one.save(&follow).unwrap();
    let (mut two, mut follow) = resume("shop.log.two.cursor");
    assert_eq!(follow.next().unwrap().unwrap().text(), "one");
    two.save(&follow).unwrap();
    append(&log, "four\n");
    drop((one, two));
    let (one, mut follow) = resume("shop.log.one.cursor");
    assert!(!one.is_new());
    assert_eq!(new(&mut follow), ["four"]);
    let (_, mut follow) = resume("shop.log.two.cursor");
    assert_eq!(new(&mut follow), ["two", "three", "four"]);
    // Their files are no logs.
    assert_eq!(Family::find(&[folder.path()]).unwrap().len(), 1);
}

#[test]
fn a_cursor_that_was_saved_at_the_end_passes_over_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&folder.path().join("shop.log.2"), "long ago\n");
    compress(&folder.path().join("shop.log.2"), Codec::Gzip);
    append(&folder.path().join("shop.log.1"), "before\n");
    append(&log, "now\n");
    let search = everything();
    let path = folder.path().join("c.cursor");
    let mut cursor = Cursor::open(&path).unwrap();
    let follow = search.resume(&log, &cursor, Start::End);
    cursor.save(&follow).unwrap();
    append(&log, "new\n");
    compress(&folder.path().join("shop.log.1"), Codec::Gzip);
    drop(cursor);
    let cursor = Cursor::open(&path).unwrap();
    assert_eq!(
        new(&mut search.resume(&log, &cursor, Start::Beginning)),
        ["new"]
    );
}

#[test]
fn a_file_that_is_gone_under_its_cursor_is_told_once_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&log, "one\ntwo\n");
    let search = everything();
    let path = folder.path().join("c.cursor");
    let mut cursor = Cursor::open(&path).unwrap();
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    assert_eq!(follow.next().unwrap().unwrap().text(), "one");
    cursor.save(&follow).unwrap();
    fs::remove_file(&log).unwrap();
    append(&log, "three\n");
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    let trouble = follow.next().unwrap().unwrap_err();
    assert!(trouble.is_unfinished());
    assert_eq!(
        trouble.to_string(),
        format!(
            "`{}` is gone, in which the cursor stood before byte 4; what was behind it is lost",
            log.display()
        )
    );
    assert_eq!(follow.report().unfinished, 1);
    assert_eq!(new(&mut follow), ["three"]);
    cursor.save(&follow).unwrap();
    assert_eq!(
        new(&mut search.resume(&log, &cursor, Start::Beginning)),
        [""; 0]
    );
}

#[test]
fn a_cursor_that_cannot_be_saved_or_read_is_an_error_and_keeps_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&log, "one\n");
    let search = everything();
    let mut cursor = Cursor::open(folder.path().join("no/c.cursor")).unwrap();
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    assert_eq!(new(&mut follow), ["one"]);
    let error = cursor.save(&follow).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot save the cursor `{}`", cursor.path().display())
    );
    assert!(cursor.is_new());
    fs::create_dir(folder.path().join("no")).unwrap();
    cursor.save(&follow).unwrap();
    let path = cursor.path().to_owned();
    drop(cursor);
    assert!(!Cursor::open(&path).unwrap().is_new());
    fs::write(&path, "{\"offset\":7}").unwrap();
    assert!(Cursor::open(&path).unwrap_err().is_garbled());
    let error = Cursor::open(folder.path()).unwrap_err();
    assert!(!error.is_garbled() && !error.is_not_found(), "{error}");
}

#[test]
fn a_cursor_has_one_reader_at_a_time_and_its_lock_keeps_nobody_from_asking_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&log, "one\n");
    let search = everything();
    let path = folder.path().join("shop.log.ship.cursor");
    let mut cursor = Cursor::open(&path).unwrap();
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    let locked = || {
        let error = Cursor::open(&path).unwrap_err();
        assert!(error.is_locked() && !error.is_garbled() && !error.is_denied());
        assert_eq!(
            error.to_string(),
            format!(
                "cannot lock the cursor `{}`: another reader uses it; give each reader a cursor of its own",
                path.display()
            )
        );
    };
    locked();
    assert_eq!(new(&mut follow), ["one"]);
    cursor.save(&follow).unwrap();
    // A save puts another file in its place, and the lock stays.
    locked();
    assert!(!Cursors::beside(&log).hold(&log).unwrap());
    append(&log, "two\n");
    assert!(Cursors::beside(&log).hold(&log).unwrap());
    // One of another name has another lock.
    assert!(Cursor::open(folder.path().join("shop.log.view.cursor")).is_ok());
    drop(cursor);
    assert!(!Cursor::open(&path).unwrap().is_new());

    // In a folder that is not there nothing can be locked, until it is.
    let away = folder.path().join("later/c.cursor");
    let (mut one, mut two) = (Cursor::open(&away).unwrap(), Cursor::open(&away).unwrap());
    fs::create_dir(folder.path().join("later")).unwrap();
    one.save(&follow).unwrap();
    assert!(two.save(&follow).unwrap_err().is_locked());
}

#[test]
fn a_save_that_was_cut_short_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("shop.log");
    append(&log, "one\ntwo\n");
    let search = everything();
    let path = folder.path().join("shop.log.ship.cursor");
    let mut cursor = Cursor::open(&path).unwrap();
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    assert_eq!(follow.next().unwrap().unwrap().text(), "one");
    cursor.save(&follow).unwrap();
    let saved = fs::read(&path).unwrap();
    assert_eq!(follow.next().unwrap().unwrap().text(), "two");
    // What a killed process leaves beside it: any part of the next one.
    let unfinished = folder.path().join("shop.log.ship.cursor.tmp");
    for length in [0, 1, saved.len() / 2, saved.len()] {
        fs::write(&unfinished, &saved[..length]).unwrap();
        drop(cursor);
        cursor = Cursor::open(&path).unwrap();
        let mut follow = search.resume(&log, &cursor, Start::Beginning);
        assert_eq!(new(&mut follow), ["two"]);
        assert!(Cursors::beside(&log).hold(&log).unwrap());
    }
    // The next save takes its place, whatever is in it.
    cursor.save(&follow).unwrap();
    assert!(!unfinished.exists());
    let mut follow = search.resume(&log, &cursor, Start::Beginning);
    assert_eq!(new(&mut follow), [""; 0]);
}

#[test]
fn last_lines_without_ends_that_wait_together_are_acknowledged_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    append(&at("shop.log.3"), "one\nno end of 3");
    append(&at("shop.log.2"), "two\nno end of 2");
    append(&at("shop.log.1"), "three\nno end of 1");
    append(&at("shop.log"), "four\n");
    let search = everything();
    let mut cursor = Cursor::open(at("shop.log.ship.cursor")).unwrap();
    let mut follow = search.resume(&at("shop.log"), &cursor, Start::Beginning);
    assert_eq!(new(&mut follow), ["one", "two", "three", "four"]);
    // All three are let go at once, when nobody has written to them for long.
    let first = (0..100).find_map(|_| Some(follow.next()?.unwrap().text().into_owned()));
    assert_eq!(first.unwrap(), "no end of 3");
    cursor.save(&follow).unwrap();
    compress(&at("shop.log.2"), Codec::Zstd);
    compress(&at("shop.log.3"), Codec::Zstd);
    let mut follow = search.resume(&at("shop.log"), &cursor, Start::Beginning);
    let rest: Vec<String> = (0..100).flat_map(|_| new(&mut follow)).collect();
    assert_eq!(rest, ["no end of 2", "no end of 1"]);
}

/// What of the files in a folder the cursors hold.
fn held(cursors: &Cursors, folder: &Path) -> Vec<String> {
    let mut held: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_none_or(|end| end != "cursor" && end != "lock")
        })
        .filter(|path| cursors.hold(path).unwrap())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    held.sort();
    held
}

#[test]
fn a_file_is_held_until_every_cursor_has_finished_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let log = at("shop.log");
    append(&at("shop.log.2"), "one\n");
    append(&at("shop.log.1"), "two\nthree\n");
    append(&log, "four\n");
    File::create(at("shop.log.3")).unwrap();
    let cursors = Cursors::beside(&log);
    assert_eq!(held(&cursors, folder.path()), [""; 0]);

    let search = everything();
    let mut slow = Cursor::open(at("shop.log.slow.cursor")).unwrap();
    let mut follow = search.resume(&log, &slow, Start::Beginning);
    slow.save(&follow).unwrap();
    assert_eq!(
        held(&cursors, folder.path()),
        ["shop.log", "shop.log.1", "shop.log.2"]
    );
    assert_eq!(follow.next().unwrap().unwrap().text(), "one");
    assert_eq!(follow.next().unwrap().unwrap().text(), "two");
    slow.save(&follow).unwrap();
    assert_eq!(held(&cursors, folder.path()), ["shop.log", "shop.log.1"]);
    compress(&at("shop.log.1"), Codec::Zstd);
    compress(&at("shop.log.2"), Codec::Gzip);
    assert_eq!(
        held(&cursors, folder.path()),
        ["shop.log", "shop.log.1.zst"]
    );
    assert_eq!(new(&mut follow), ["three", "four"]);
    slow.save(&follow).unwrap();
    assert_eq!(held(&cursors, folder.path()), [""; 0]);
    // A cursor of another log is none of this one's.
    fs::write(at("shop.log2.x.cursor"), "garbage").unwrap();
    fs::write(at("shop.cursor"), "garbage").unwrap();
    assert_eq!(held(&cursors, folder.path()), [""; 0]);
    fs::write(at("shop.log.x.cursor"), "garbage").unwrap();
    assert!(cursors.hold(&log).unwrap_err().is_garbled());
    assert!(!cursors.hold(&at("gone")).unwrap());
}
