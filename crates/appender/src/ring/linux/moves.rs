//! Logs whose directory is moved or deleted while a ring lies in it or leads out of it.

use std::{fs, path::PathBuf, time::Duration};

use super::{
    edges::Place,
    failures::{Life, World},
};
use crate::ring::CrashRing;

/// "one" is written, then something happens to the directory, then "two" is written.
fn live(place: &Place, world: &World, happens: impl FnOnce(PathBuf)) -> Life {
    let mut life = world.open(place, |builder| builder).unwrap();
    life.log("one\n");
    life.write_until_done();
    happens(place.at("."));
    life.wait(Duration::from_millis(250));
    life.log("two\n");
    life.write_until_done();
    life
}

#[test]
fn a_ring_whose_directory_was_moved_is_found_by_the_next_start_all_the_same() {
    for outside in [false, true] {
        let (place, moved) = (Place::new(), tempfile::tempdir().unwrap());
        let rings = tempfile::tempdir().unwrap();
        let mut world = World::default();
        if outside {
            world.ring = CrashRing::new().directory(rings.path());
        }
        let to = moved.path().join("logs");
        let life = live(&place, &world, |from| {
            fs::rename(from.canonicalize().unwrap(), &to).unwrap()
        });
        life.log("three\n");
        life.end();
        let (stats, told) = place.start();
        assert_eq!((stats.replayed, told.len()), (1, 0), "{told:?}");
        assert_eq!(fs::read_to_string(to.join("app.log")).unwrap(), "one\n");
        assert_eq!(place.log(), "two\nthree\n");
        assert_eq!(place.names(), [""; 0]);
        assert_eq!(*world.told.lock().unwrap(), [""; 0]);
    }
}

#[test]
fn a_ring_that_is_deleted_with_its_directory_is_told_once_and_the_log_goes_on() {
    let (place, world) = (Place::new(), World::default());
    let mut life = live(&place, &world, |from| {
        for entry in fs::read_dir(from).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    });
    for line in ["three\n", "four\n"] {
        life.wait(Duration::from_secs(1));
        life.log(line);
        life.write_until_done();
    }
    life.settle();
    assert_eq!(place.log(), "two\nthree\nfour\n");
    let told = world.told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("the crash ring is not beside its log any more"),
        "{told:?}"
    );
}

#[test]
fn a_line_cut_by_a_full_disk_is_whole_after_a_kill_though_its_file_was_moved_away_meanwhile() {
    for takes in 0..=12 {
        for more in 0..=12 {
            let (place, world) = (Place::new(), World::default());
            let mut life = world.open(&place, |builder| builder).unwrap();
            life.failures.room(takes);
            life.log("line 1.\n");
            life.log("line 2.\n");
            life.write();
            fs::rename(place.at("app.log"), place.at("app.log.1")).unwrap();
            life.wait(Duration::from_millis(250));
            life.failures.room(more);
            for _ in 0..3 {
                life.write();
            }
            life.end();
            let (stats, _) = place.start();
            let case = format!("{takes} and {more} bytes");
            assert_eq!(stats.doubtful, 0, "{case}");
            let old = fs::read_to_string(place.at("app.log.1")).unwrap();
            let text = format!("{old}\n{}", place.log());
            let whole: Vec<_> = text.lines().filter(|line| line.ends_with('.')).collect();
            assert_eq!(whole, ["line 1.", "line 2."], "{case}: {text:?}");
            let begins = |line: &str| "line 1.".starts_with(line) || "line 2.".starts_with(line);
            assert!(text.lines().all(begins), "{case}: {text:?}");
        }
    }
}
