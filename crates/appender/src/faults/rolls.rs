//! When a file is rolled, under which name, and rolls that fail.

use super::*;

#[test]
fn a_day_that_is_over_is_rolled_by_the_next_line_and_named_by_its_first() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().roll(Roll::daily()).open().unwrap();
    writeln!(appender, "monday").unwrap();
    machine.clock.set("2026-11-23T23:59:59Z");
    writeln!(appender, "still monday").unwrap();
    machine.clock.set("2026-11-24T00:00:00Z");
    assert_eq!(appender.stats().rolls, 0);
    writeln!(appender, "tuesday").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            (
                "app.2026-11-23T10-00-00.000001.log",
                "monday\nstill monday\n"
            ),
            ("app.log", "tuesday\n"),
        ]
    );
}

#[test]
fn a_zone_moves_midnight_and_the_names() {
    let machine = Machine::at("2026-11-23T15:00:00Z");
    let builder = machine.builder().roll(Roll::daily()).zone("Asia/Shanghai");
    let mut appender = builder.open().unwrap();
    writeln!(appender, "before").unwrap();
    machine.clock.set("2026-11-23T16:00:00Z");
    writeln!(appender, "after").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-23T23-00-00.000001.log", "before\n"),
            ("app.log", "after\n")
        ]
    );
}

#[test]
fn an_empty_file_is_not_rolled_and_belongs_to_the_day_of_its_first_line() {
    let machine = Machine::at("2026-11-20T10:00:00Z");
    let mut appender = machine.builder().roll(Roll::daily()).open().unwrap();
    machine.clock.set("2026-11-24T10:00:00Z");
    writeln!(appender, "first").unwrap();
    machine.clock.set("2026-11-25T10:00:00Z");
    writeln!(appender, "second").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-24T10-00-00.000001.log", "first\n"),
            ("app.log", "second\n")
        ]
    );
}

#[test]
fn a_clock_that_goes_back_over_midnight_rolls_nothing_twice() {
    let machine = Machine::at("2026-11-23T23:59:00Z");
    let roll = Roll::daily().max_bytes(8);
    let mut appender = machine.builder().roll(roll).open().unwrap();
    writeln!(appender, "one").unwrap();
    machine.clock.set("2026-11-24T00:00:01Z");
    writeln!(appender, "two").unwrap();
    machine.clock.set("2026-11-23T23:59:50Z");
    writeln!(appender, "three").unwrap();
    assert_eq!(appender.stats().rolls, 2, "one by time, one by size");
    machine.clock.set("2026-11-24T00:00:02Z");
    writeln!(appender, "4").unwrap();
    assert_eq!(appender.stats().rolls, 2);
    assert_eq!(machine.disk.text("app.log"), "three\n4\n");
}

#[test]
fn a_clock_set_back_by_years_is_believed() {
    let machine = Machine::at("2036-01-01T10:00:00Z");
    let mut appender = machine.builder().roll(Roll::daily()).open().unwrap();
    for (now, line) in [
        ("2036-01-01T10:00:00Z", "wrong clock"),
        ("2026-11-24T10:00:00Z", "right clock"),
        ("2026-11-25T00:00:00Z", "next day"),
    ] {
        machine.clock.set(now);
        writeln!(appender, "{line}").unwrap();
    }
    assert_eq!(appender.stats().rolls, 1);
    assert_eq!(machine.disk.text("app.log"), "next day\n");
}

#[test]
fn the_repeated_hour_of_a_clock_change_is_two_files() {
    let machine = Machine::at("2026-10-25T00:30:00Z");
    let builder = machine.builder().roll(Roll::hourly()).zone("Europe/Berlin");
    let mut appender = builder.open().unwrap();
    writeln!(appender, "summer").unwrap();
    machine.clock.set("2026-10-25T01:30:00Z");
    writeln!(appender, "winter").unwrap();
    machine.clock.set("2026-10-25T02:30:00Z");
    writeln!(appender, "later").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-10-25T02-30-00.000001.log", "summer\n"),
            ("app.2026-10-25T02-30-00.000002.log", "winter\n"),
            ("app.log", "later\n"),
        ]
    );
}

#[test]
fn a_restart_goes_on_in_todays_file_and_rolls_yesterdays() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let open = || machine.builder().roll(Roll::daily()).open().unwrap();
    writeln!(open(), "one").unwrap();
    machine.clock.set("2026-11-23T20:00:00Z");
    writeln!(open(), "two").unwrap();
    machine.clock.set("2026-11-24T08:00:00Z");
    writeln!(open(), "three").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-23T20-00-00.000001.log", "one\ntwo\n"),
            ("app.log", "three\n")
        ]
    );
}

#[test]
fn numbers_grow_over_restarts_and_step_over_taken_names() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    machine
        .disk
        .put("logs/app.2026-11-20T10-00-00.000041.log", "old\n");
    let mut appender = machine.builder().roll_at_start(true).open().unwrap();
    writeln!(appender, "new").unwrap();
    machine.disk.put(
        "logs/app.2026-11-23T10-00-00.000042.log",
        "restored meanwhile\n",
    );
    appender.roll().unwrap();
    assert_eq!(
        machine.disk.text("app.2026-11-23T10-00-00.000043.log"),
        "new\n"
    );
    assert_eq!(
        machine.disk.text("app.2026-11-23T10-00-00.000042.log"),
        "restored meanwhile\n"
    );
}

#[test]
fn a_missing_file_is_no_error_of_a_roll() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    writeln!(appender, "one").unwrap();
    machine.disk.take("logs/app.log");
    appender.roll().unwrap();
    writeln!(appender, "two").unwrap();
    assert_eq!(texts(&machine.files()), [("app.log", "two\n")]);
    assert!(appender.settle(LONG));
    assert_eq!(*machine.errors.lock().unwrap(), [""; 0]);
}

#[test]
fn a_failed_roll_goes_on_in_the_file_and_is_tried_again_a_second_later() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().roll(Roll::size(8)).open().unwrap();
    writeln!(appender, "line 1").unwrap();
    machine
        .disk
        .fail_all("rename", io::ErrorKind::PermissionDenied);
    writeln!(appender, "line 2").unwrap();
    assert!(appender.settle(LONG), "no pass is under way");
    let calls = machine.disk.calls();
    writeln!(appender, "line 3").unwrap();
    assert_eq!(machine.disk.calls(), calls + 1, "one write, no further try");
    machine.disk.heal();
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 4").unwrap();
    assert_eq!(
        texts(&machine.files()),
        [
            (
                "app.2026-11-23T10-00-00.000002.log",
                "line 1\nline 2\nline 3\n"
            ),
            ("app.log", "line 4\n"),
        ]
    );
    assert!(appender.settle(LONG));
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["cannot roll log file `logs/app.log`"]
    );
}
