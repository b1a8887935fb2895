//! Rings that outlived a restart of the machine: they count if they fit the end of the log.

use std::{fs, path::Path, time::Duration};

use super::{
    edges::{Place, load, store},
    failures::Life,
    halves::{append, within_a_write},
    layout::{at, header_check},
};

/// Makes a ring one of an earlier start of the machine.
fn restart(ring: &Path) {
    store(ring, at::BOOT, 1);
    let words = (0..at::CHECK).map(|at| load(ring, at));
    store(ring, at::CHECK, header_check(words));
}

const ASIDE: &str =
    "it is from before the machine was restarted, and does not fit the end of the log";

#[test]
fn after_a_restart_of_the_machine_a_ring_counts_only_if_it_fits_the_file_to_the_byte() {
    for (more, fits) in [("", true), ("o\nthree\n", true), ("o\nthree\nx", false)] {
        let place = Place::new();
        let ring = within_a_write(&place);
        append(&place.at("app.log"), more);
        restart(&ring);
        let (stats, told) = place.start();
        if fits {
            assert_eq!(place.log(), "before\none\ntwo\nthree\nfour\n");
            assert_eq!(told, [""; 0]);
        } else {
            assert_eq!(stats.replayed, 0);
            assert!(told[0].contains(ASIDE), "{told:?}");
            assert_eq!(place.names(), [".app.log.000001.ring.bad"]);
        }
    }
}

/// A life that ends with lines in its ring, a restart of the machine, and what stands in the log then.
fn restarted(live: impl FnOnce(&mut Life)) -> (String, Vec<String>) {
    let place = Place::new();
    fs::write(place.at("app.log"), "before\n").unwrap();
    let mut life = Life::start(&place);
    live(&mut life);
    let ring = life.end();
    restart(&ring);
    let (_, told) = place.start();
    (place.log(), told)
}

#[test]
fn a_ring_of_which_nothing_was_written_fits_a_log_that_nobody_wrote_to() {
    let log = restarted(|life| life.log("one\n"));
    assert_eq!(log, ("before\none\n".into(), vec![]));
}

#[test]
fn a_ring_whose_first_write_is_in_the_log_and_not_in_the_ring_is_set_aside() {
    let place = Place::new();
    let life = Life::start(&place);
    life.log("one\n");
    let ring = life.end();
    // What a power cut leaves of a ring: its first page, older than the log.
    append(&place.at("app.log"), "one\n");
    restart(&ring);
    let (stats, told) = place.start();
    assert_eq!((stats.replayed, place.log()), (0, "one\n".into()));
    assert!(told[0].contains(ASIDE), "{told:?}");
}

#[test]
fn a_ring_fits_after_a_gap_line() {
    let log = restarted(|life| {
        life.log("one\n");
        life.miss_one();
        life.write();
        life.log("two\n");
    });
    assert_eq!(log, ("before\none\na gap\ntwo\n".into(), vec![]));
}

#[test]
fn a_ring_fits_while_lines_go_to_the_fallback_whatever_the_file_took_of_the_first() {
    for room in 0..12 {
        let log = restarted(|life| {
            life.log("first\n");
            life.write();
            life.failures.room(room);
            life.log("one\n");
            life.write_until_done();
            // The file is tried again, and takes a newline at most.
            life.failures.room(room % 2);
            life.wait(Duration::from_secs(5));
            life.log("two\n");
            life.write_until_done();
            life.log("three\n");
        });
        let (text, told) = log;
        assert_eq!(told, [""; 0], "room for {room} bytes");
        assert!(text.ends_with("three\n"), "room for {room} bytes: {text:?}");
    }
}
