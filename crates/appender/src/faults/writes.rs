//! Writes that fail, fall short, or meet a file that somebody else touched.

use super::*;

#[test]
fn a_moved_or_deleted_file_is_left_at_the_next_look() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    writeln!(appender, "one").unwrap();
    machine.disk.take("logs/app.log");
    writeln!(appender, "into the void").unwrap();
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "two").unwrap();
    assert_eq!(machine.disk.text("app.log"), "two\n");
    machine.disk.put("logs/app.log", "logrotate made this\n");
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "three").unwrap();
    assert_eq!(machine.disk.text("app.log"), "logrotate made this\nthree\n");
    assert_eq!(appender.stats().reopened, 2);
}

#[test]
fn a_failure_of_the_write_path_is_told_on_another_thread_that_may_drain_the_queue() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let handle: Arc<Mutex<Option<Drain>>> = Arc::default();
    let (told, telling) = mpsc::channel();
    let drain = Arc::clone(&handle);
    let appender = machine
        .builder()
        .roll(Roll::size(8))
        .on_error(move |_| {
            let drain = drain
                .lock()
                .unwrap()
                .clone()
                .expect("set before the first line");
            told.send(drain.drain(LONG).is_ok()).unwrap();
        })
        .open()
        .unwrap();
    machine
        .disk
        .fail_all("rename", io::ErrorKind::PermissionDenied);
    let (mut log, guard) = NonBlocking::builder(appender).spawn().unwrap();
    *handle.lock().unwrap() = Some(guard.drain());
    let lines: String = (0..20).map(|n| format!("line {n}\n")).collect();
    log.write_all(lines.as_bytes()).unwrap();
    // What `exit` inside `on_error` needs.
    assert!(telling.recv_timeout(LONG).unwrap());
    assert_eq!(machine.lines(), lines);
    guard.close(LONG).unwrap();
}

#[test]
fn a_header_that_panics_is_told_and_the_lines_are_written() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine
        .builder()
        .header(|| panic!("header"))
        .open()
        .unwrap();
    writeln!(appender, "line").unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(machine.lines(), "line\n");
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["the `header` callback panicked"]
    );
}

#[test]
fn short_writes_are_continued_and_lines_stay_whole() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    machine.disk.largest_write(3);
    let mut appender = machine.builder().roll(Roll::size(20)).open().unwrap();
    let lines: String = (0..20).map(|n| format!("line {n}\n")).collect();
    appender.write_all(lines.as_bytes()).unwrap();
    assert_eq!(machine.lines(), lines);
    assert!(
        machine
            .files()
            .iter()
            .all(|(_, text)| text.ends_with('\n') && text.len() <= 20)
    );
    assert_eq!(appender.stats().torn, 0);
}

#[test]
fn a_full_disk_loses_nothing_of_a_caller_who_goes_on_where_it_stopped() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().roll(Roll::size(30)).open().unwrap();
    machine.disk.capacity(Some(45));
    let lines: String = (0..20).map(|n| format!("line {n}\n")).collect();
    let taken = appender.write(lines.as_bytes()).unwrap();
    assert_eq!(taken, 45, "in the middle of a line");
    let full = appender.write(&lines.as_bytes()[taken..]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    assert_eq!(full.to_string(), "cannot write log file `logs/app.log`");
    machine.disk.capacity(None);
    appender.write_all(&lines.as_bytes()[taken..]).unwrap();
    assert_eq!(machine.lines(), lines);
    assert_eq!(appender.stats().torn, 0);
}

#[test]
fn a_line_that_the_caller_gave_up_is_closed_and_counted_as_torn() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    machine.disk.capacity(Some(6));
    assert!(appender.write_all(b"given up\n").is_err());
    machine.disk.capacity(None);
    writeln!(appender, "next").unwrap();
    assert_eq!(machine.disk.text("app.log"), "given \nnext\n");
    assert_eq!(appender.stats().torn, 1);
}

#[test]
fn a_full_disk_heals_when_somebody_deletes_the_very_file_that_fills_it() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    machine.disk.capacity(Some(14));
    let lines = b"line 1\nline 2\nline 3\n";
    let mut taken = appender.write(&lines[..]).unwrap();
    taken += appender.write(&lines[taken..]).unwrap_or(0);
    assert_eq!(taken, 14);
    machine.disk.capacity(Some(17));
    taken += appender.write(&lines[taken..]).unwrap();
    assert_eq!(taken, 17, "three bytes of the third line");
    machine.disk.take("logs/app.log");
    machine.clock.advance(Duration::from_millis(250));
    // Its room is free once it is closed.
    assert!(appender.write(&lines[taken..]).is_err());
    appender.write_all(&lines[taken..]).unwrap();
    writeln!(appender, "line 4").unwrap();
    assert_eq!(
        machine.disk.text("app.log"),
        "line 3\nline 4\n",
        "whole, as the full disk had not taken its rest"
    );
    assert_eq!((appender.stats().torn, appender.stats().reopened), (1, 1));
}

#[test]
fn a_roll_by_call_within_a_line_ends_it_in_the_old_file_or_writes_it_whole_into_the_new_one() {
    for (capacity, old, new, torn) in [
        (None, "line 1\nline 2\n", "line 3\n", 0),
        (Some(10), "line 1\nlin", "line 2\nline 3\n", 1),
        (Some(12), "line 1\nline ", "line 2\nline 3\n", 1),
        // A line that lacks only its end is there.
        (Some(13), "line 1\nline 2", "line 3\n", 1),
    ] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        let mut appender = machine.builder().open().unwrap();
        machine.disk.capacity(Some(10));
        let lines = b"line 1\nline 2\nline 3\n";
        let taken = appender.write(lines).unwrap();
        assert_eq!(taken, 10);
        machine.disk.capacity(capacity);
        appender.roll().unwrap();
        machine.disk.capacity(None);
        appender.write_all(&lines[taken..]).unwrap();
        assert_eq!(
            texts(&machine.files()),
            [
                ("app.2026-11-23T10-00-00.000001.log", old),
                ("app.log", new)
            ]
        );
        assert_eq!(appender.stats().torn, torn);
    }
}

#[test]
fn a_file_that_copytruncate_cut_rolls_by_its_new_length_and_the_cut_is_told() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (told, telling) = mpsc::channel();
    let builder = machine.builder().roll(Roll::size(20));
    let builder = builder.on_error(move |error| told.send(error.to_string()).unwrap());
    let mut appender = builder.open().unwrap();
    writeln!(appender, "0123456789abcdef").unwrap();
    crate::disk::Disk::create(&machine.disk, "logs/app.log".as_ref()).unwrap();
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "after").unwrap();
    assert_eq!(texts(&machine.files()), [("app.log", "after\n")]);
    assert_eq!((appender.stats().rolls, appender.stats().cut), (0, 1));
    assert_eq!(
        telling.recv_timeout(LONG).unwrap(),
        "log file `logs/app.log` was cut by somebody else, and lines may be missing: let logrotate \
         use `create` in the place of `copytruncate`"
    );
    machine.clock.advance(Duration::from_millis(250));
    writeln!(appender, "more").unwrap();
    assert_eq!(appender.stats().cut, 1);
}

#[test]
fn the_callers_thread_never_calls_the_disk() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    // Opened elsewhere, so that only the logging is seen.
    let builder = machine.builder().roll(Roll::size(50));
    let appender = thread::spawn(|| builder.open().unwrap()).join().unwrap();
    let (mut log, guard) = NonBlocking::builder(appender).spawn().unwrap();
    let lines: String = (0..50).map(|n| format!("line {n}\n")).collect();
    log.write_all(lines.as_bytes()).unwrap();
    guard.flush(LONG).unwrap();
    guard.close(LONG).unwrap();
    assert_eq!(machine.lines(), lines);
    assert!(!machine.disk.was_called_by(thread::current().id()));
}
