//! Lines that go to a fallback while the file takes none.

use super::*;

#[test]
fn a_file_that_fails_for_a_second_is_left_and_one_gap_line_tells_of_it_when_it_heals() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let place = Place::default();
    let builder = machine.builder().fallback(place.clone()).gap(gap_line);
    let mut appender = builder.open().unwrap();
    writeln!(appender, "line 1").unwrap();
    machine.disk.capacity(Some(10));
    let lines = b"line 2\nline 3\n";
    assert_eq!(appender.write(lines).unwrap(), 3, "in the middle of a line");
    for _ in 0..2 {
        assert!(appender.write(&lines[3..]).is_err(), "within the patience");
    }
    machine.clock.advance(Duration::from_secs(1));
    assert_eq!(appender.write(&lines[3..]).unwrap(), lines.len() - 3);
    assert_eq!(place.text(), "line 2\nline 3\n", "whole");
    assert!(appender.settle(LONG), "no pass is under way");
    let calls = machine.disk.calls();
    writeln!(appender, "line 4").unwrap();
    assert_eq!(machine.disk.calls(), calls, "the file is not tried");
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 5").unwrap();
    assert!(machine.disk.calls() > calls, "the file is tried");
    machine.disk.capacity(None);
    machine.clock.advance(Duration::from_secs(2));
    writeln!(appender, "line 6").unwrap();
    assert_eq!(place.text(), "line 2\nline 3\nline 4\nline 5\n");
    assert_eq!(
        machine.disk.text("app.log"),
        "line 1\nlin\ngap of 4 from 10:00:01 to 10:00:02: [(\"fallback\", 4)]\nline 6\n"
    );
    let stats = appender.stats();
    assert_eq!((stats.fallback, stats.torn), (4, 1));
}

#[test]
fn a_gap_line_that_the_disk_takes_by_half_is_finished_before_the_next_line() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let place = Place::default();
    let builder = machine.builder().fallback(place.clone()).gap(gap_line);
    let mut appender = builder.open().unwrap();
    machine.disk.capacity(Some(0));
    assert!(writeln!(appender, "line 1").is_err());
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 1").unwrap();
    machine.disk.capacity(Some(10));
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 2").unwrap();
    machine.disk.capacity(None);
    machine.clock.advance(Duration::from_secs(2));
    writeln!(appender, "line 3").unwrap();
    assert_eq!(place.text(), "line 1\nline 2\n");
    assert_eq!(
        machine.disk.text("app.log"),
        "gap of 1 from 10:00:01 to 10:00:01: [(\"fallback\", 1)]\n\
         gap of 1 from 10:00:02 to 10:00:02: [(\"fallback\", 1)]\nline 3\n"
    );
}

#[test]
fn a_fallback_that_fails_or_writes_short_loses_and_doubles_nothing() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let place = Place::default();
    let mut appender = machine.builder().fallback(place.clone()).open().unwrap();
    machine.disk.capacity(Some(4));
    let lines = b"line 1\nline 2\nline 3\n";
    let mut taken = appender.write(lines).unwrap();
    assert!(appender.write(&lines[taken..]).is_err());
    machine.clock.advance(Duration::from_secs(1));
    place.takes(&[2, 0, 2, 5, 0, 1, 0]);
    let mut failures = Vec::new();
    while taken < lines.len() {
        match appender.write(&lines[taken..]) {
            Ok(more) => taken += more,
            Err(error) => failures.push(error.to_string()),
        }
    }
    assert_eq!(place.text().as_bytes(), lines);
    assert_eq!(failures, ["cannot write log lines to the fallback"]);
    assert_eq!(appender.stats().fallback, 3);
}

#[test]
fn wherever_the_file_and_the_fallback_cut_a_line_each_is_whole_in_one_of_them_once() {
    let lines = b"line 1.\nline 2.\nline 3.\n";
    for file_takes in 0..=16 {
        for fallback_takes in 0..=16 {
            for healed_takes in [None, Some(3)] {
                let case = format!("{file_takes} {fallback_takes} {healed_takes:?}");
                let machine = Machine::at("2026-11-23T10:00:00Z");
                let place = Place::default();
                let builder = machine.builder().fallback(place.clone());
                let mut appender = builder.open().unwrap();
                machine.disk.capacity(Some(file_takes));
                let mut taken = 0;
                let mut go_on = |tries: usize| {
                    for _ in 0..tries {
                        taken += appender.write(&lines[taken..]).unwrap_or(0);
                    }
                    taken
                };
                go_on(3);
                machine.clock.advance(Duration::from_secs(1));
                place.takes(&[fallback_takes, 0, 0, 0]);
                go_on(2);
                // The fallback has failed, within a line perhaps, when the file heals; or it takes a
                // little, fails again, and the fallback heals.
                let room = healed_takes.map(|bytes| file_takes + 1 + bytes);
                machine.disk.capacity(room);
                machine.clock.advance(Duration::from_secs(5));
                go_on(2);
                place.takes(&[]);
                go_on(1);
                machine.clock.advance(Duration::from_secs(5));
                assert_eq!(go_on(3), lines.len(), "{case}");
                let (file, fallback) = (machine.disk.text("app.log"), place.text());
                let mut whole: Vec<_> = file.lines().chain(fallback.lines()).collect();
                whole.retain(|line| line.ends_with('.'));
                whole.sort_unstable();
                assert_eq!(
                    whole,
                    ["line 1.", "line 2.", "line 3."],
                    "{case}: {file:?} {fallback:?}"
                );
                let half = |line: &str| line.is_empty() || "line 1.line 2.line 3.".contains(line);
                assert!(
                    file.lines().chain(fallback.lines()).all(half),
                    "{case}: {file:?} {fallback:?}"
                );
            }
        }
    }
}

#[test]
fn a_fallback_that_panics_is_an_error_of_the_write() {
    struct Panics;
    impl io::Write for Panics {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            panic!("fallback")
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().fallback(Panics).open().unwrap();
    machine.disk.fail_all("write", io::ErrorKind::StorageFull);
    assert!(writeln!(appender, "one").is_err());
    machine.clock.advance(Duration::from_secs(1));
    let error = writeln!(appender, "one").unwrap_err();
    assert_eq!(error.to_string(), "cannot write log lines to the fallback");
    machine.disk.heal();
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "one").unwrap();
    assert_eq!(machine.disk.text("app.log"), "one\n");
}

#[test]
fn a_fallback_whose_reader_is_gone_costs_no_line_that_the_file_takes_later() {
    struct Gone;
    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let appender = machine.builder().fallback(Gone).open().unwrap();
    machine.disk.fail_all("write", io::ErrorKind::StorageFull);
    let (told, telling) = mpsc::channel();
    let (mut log, guard) = NonBlocking::builder(appender)
        .on_error(move |error| {
            let cause = std::error::Error::source(error).unwrap();
            told.send(cause.to_string()).unwrap();
        })
        .spawn()
        .unwrap();
    log.write_all(b"one\ntwo\n").unwrap();
    let told = telling.recv_timeout(LONG).unwrap();
    assert_eq!(told, "cannot write log file `logs/app.log`");
    machine.clock.advance(Duration::from_secs(1));
    // Tried again at once, into the fallback.
    assert_eq!(
        guard.flush(Duration::from_millis(100)).unwrap_err().lines(),
        2
    );
    machine.disk.heal();
    machine.clock.advance(Duration::from_secs(5));
    let accounts = guard.close(LONG).unwrap();
    assert_eq!((accounts.written.total(), accounts.lost.io.total()), (2, 0));
    assert_eq!(machine.disk.text("app.log"), "one\ntwo\n");
}

#[test]
fn behind_a_queue_every_line_is_in_the_file_or_in_the_fallback_and_counted_as_written() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let place = Place::default();
    let appender = machine.builder().fallback(place.clone()).open().unwrap();
    let clock = machine.clock.clone();
    machine.disk.capacity(Some(100));
    let (mut log, guard) = NonBlocking::builder(appender.clone())
        .on_error(move |_| clock.advance(Duration::from_secs(1)))
        .spawn()
        .unwrap();
    let lines: String = (0..50).map(|n| format!("line {n}\n")).collect();
    log.write_all(lines.as_bytes()).unwrap();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.total(), 50);
    let file = machine.disk.text("app.log");
    let whole = &file[..file.rfind('\n').unwrap() + 1];
    assert_eq!(whole.to_owned() + &place.text(), lines);
    assert_eq!(
        appender.stats().fallback as usize,
        place.text().lines().count()
    );
}

#[test]
fn a_log_that_is_closed_tells_of_the_lines_in_the_fallback_if_the_file_takes_the_gap_line() {
    for heals in [true, false] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        let place = Place::default();
        let builder = machine.builder().fallback(place.clone()).gap(gap_line);
        let mut appender = builder.header(|| b"header\n".to_vec()).open().unwrap();
        machine.disk.capacity(Some(0));
        assert!(writeln!(appender, "line 1").is_err());
        machine.clock.advance(Duration::from_secs(1));
        writeln!(appender, "line 1").unwrap();
        if heals {
            machine.disk.capacity(None);
        }
        assert!(appender.close(LONG));
        assert_eq!(place.text(), "line 1\n");
        let errors = machine.errors.lock().unwrap();
        let told = errors.last().unwrap().as_str();
        if heals {
            let gap = "gap of 1 from 10:00:01 to 10:00:01: [(\"fallback\", 1)]\n";
            assert_eq!(machine.disk.text("app.log"), format!("header\n{gap}"));
        } else {
            assert_eq!(machine.disk.text("app.log"), "");
            let expected = "lines are in the fallback, and the log cannot say so";
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
