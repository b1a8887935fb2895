//! Two appenders on one path, locks that vanish, and starts that fail.

use super::*;

#[test]
fn a_lock_that_vanished_is_taken_anew_at_the_next_look() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    machine.disk.take("logs/.app.log.lock");
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "one").unwrap();
    assert!(machine.builder().open().unwrap_err().is_locked());
    drop(appender);
    machine.builder().open().unwrap();
}

#[test]
fn a_directory_that_was_moved_is_made_anew_with_a_lock_and_numbers_go_on() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    writeln!(appender, "two").unwrap();
    machine.disk.move_directory("logs", "moved");
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "three").unwrap();
    assert!(machine.builder().open().unwrap_err().is_locked());
    appender.roll().unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-23T10-00-00.000002.log", "three\n"),
            ("app.2026-11-23T10-00-00.000001.log", "one\n"),
            ("app.log", "two\n"),
        ]
    );
    assert_eq!(appender.stats().reopened, 1);
}

#[test]
fn who_lost_the_lock_to_another_writes_on_and_touches_no_file_until_it_is_free() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().roll(Roll::size(12)).keep(Keep::files(0));
    let mut first = builder.open().unwrap();
    writeln!(first, "line 1").unwrap();
    machine.disk.take("logs/.app.log.lock");
    let second = machine.builder().open().unwrap();
    machine
        .disk
        .put("logs/app.2026-11-20T10-00-00.000001.log", "theirs\n");
    machine.clock.advance(Duration::from_millis(250));
    writeln!(first, "line 2").unwrap();
    assert!(first.roll().is_err());
    assert!(first.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-20T10-00-00.000001.log", "theirs\n"),
            ("app.log", "line 1\nline 2\n"),
        ]
    );
    assert_eq!(
        *machine.errors.lock().unwrap(),
        [
            "cannot log to `logs/app.log`: another appender writes to it; give each process a path \
             of its own"
        ]
    );
    drop(second);
    machine.clock.advance(Duration::from_secs(1));
    writeln!(first, "line 3").unwrap();
    assert!(first.settle(LONG));
    assert_eq!(texts(&machine.files()), [("app.log", "line 3\n")]);
    assert_eq!(first.stats().deleted, 2);
}

#[test]
fn a_pass_that_loses_the_lock_on_its_way_touches_no_further_file() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let old = [
        ("app.2026-11-20T10-00-00.000001.log", "one\n"),
        ("app.2026-11-21T10-00-00.000002.log", "two\n"),
    ];
    for (name, text) in old {
        machine.disk.put(&format!("logs/{name}"), text);
    }
    let (disk, second) = (machine.disk.clone(), Arc::new(Mutex::new(None)));
    let (other, takes_it) = (machine.builder(), Arc::clone(&second));
    let other = Mutex::new(Some(other));
    // Asked after the directory was listed, before anything is deleted.
    let first = machine.builder().keep(Keep::files(0)).held(move |_| {
        if let Some(builder) = other.lock().unwrap().take() {
            disk.take("logs/.app.log.lock");
            *takes_it.lock().unwrap() = Some(builder.open().unwrap());
        }
        false
    });
    let first = first.open().unwrap();
    assert!(first.settle(LONG));
    assert!(second.lock().unwrap().is_some());
    assert_eq!(texts(&machine.files())[..2], old);
    assert_eq!(first.stats().deleted, 0);
}

#[test]
fn a_second_appender_may_take_a_name_of_its_own_and_the_number_is_used_again() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let open = || {
        let builder = machine.builder().when_locked(WhenLocked::Suffix);
        builder.open().unwrap()
    };
    let mut first = open();
    let mut second = open();
    let third = open();
    writeln!(first, "first").unwrap();
    writeln!(second, "second").unwrap();
    assert_eq!(second.path(), std::path::Path::new("logs/app-2.log"));
    assert_eq!(third.path(), std::path::Path::new("logs/app-3.log"));
    second.roll().unwrap();
    drop(second);
    let mut again = open();
    writeln!(again, "again").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app-2.2026-11-23T10-00-00.000001.log", "second\n"),
            ("app-2.log", "again\n"),
            ("app-3.log", ""),
            ("app.log", "first\n"),
        ]
    );
}

#[test]
fn a_suffix_helps_against_a_lock_and_against_no_other_failure() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    machine
        .disk
        .fail_all("lock", io::ErrorKind::PermissionDenied);
    let builder = machine.builder().when_locked(WhenLocked::Suffix);
    let error = builder.open().unwrap_err();
    assert_eq!(error.to_string(), "cannot lock log file `logs/app.log`");
}

#[test]
fn a_degraded_start_goes_to_the_fallback_and_takes_the_file_as_soon_as_it_can() {
    for call in ["create_directory", "lock", "list", "append", "fstat"] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        machine
            .disk
            .put("logs/app.2026-11-20T10-00-00.000041.log", "old\n");
        machine.disk.fail_all(call, io::ErrorKind::PermissionDenied);
        assert!(machine.builder().open().is_err(), "{call}");
        let place = Place::default();
        let mut appender = machine
            .builder()
            .degraded(true)
            .fallback(place.clone())
            .gap(gap_line)
            .open()
            .unwrap();
        for line in ["one", "two"] {
            writeln!(appender, "{line}").unwrap();
        }
        machine.clock.advance(Duration::from_secs(1));
        writeln!(appender, "three").unwrap();
        assert_eq!(place.text(), "one\ntwo\nthree\n", "{call}");
        machine.disk.heal();
        machine.clock.advance(Duration::from_secs(2));
        writeln!(appender, "four").unwrap();
        appender.roll().unwrap();
        assert_eq!(
            texts(&machine.files()),
            [
                ("app.2026-11-20T10-00-00.000041.log", "old\n"),
                (
                    "app.2026-11-23T10-00-03.000042.log",
                    "gap of 3 from 10:00:00 to 10:00:01: [(\"fallback\", 3)]\nfour\n"
                ),
            ],
            "{call}"
        );
        assert_eq!(appender.stats().fallback, 3);
        assert!(machine.builder().open().unwrap_err().is_locked());
        assert!(appender.settle(LONG));
        assert_eq!(machine.errors.lock().unwrap().len(), 1, "{call}");
    }
}

#[test]
fn a_degraded_start_waits_for_an_old_process_that_still_has_the_lock() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let old = machine.builder().open().unwrap();
    let place = Place::default();
    let builder = machine.builder().degraded(true).fallback(place.clone());
    let mut new = builder.open().unwrap();
    writeln!(new, "one").unwrap();
    drop(old);
    machine.clock.advance(Duration::from_secs(1));
    writeln!(new, "two").unwrap();
    assert_eq!(place.text(), "one\n");
    assert_eq!(texts(&machine.files()), [("app.log", "two\n")]);
}
