//! Every fault of the disk and the clock, on a disk in memory.

mod elsewhere;
mod locks;
mod room;
mod sweep;
mod syncs;

use std::{
    io::{self, Write as _},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use self::elsewhere::{Place, gap_line};
use crate::{
    Accounts, Appender, AppenderBuilder, Compress, Drain, Keep, NonBlocking, Roll, WhenLocked,
    fakes::{ManualClock, MemoryDisk},
};

const LONG: Duration = Duration::from_secs(60);

#[cfg(feature = "gzip")]
const COMPRESS: Compress = Compress::Gzip;
#[cfg(not(feature = "gzip"))]
const COMPRESS: Compress = Compress::None;
const FORM: &str = if cfg!(feature = "gzip") {
    ".log.gz"
} else {
    ".log"
};

struct Machine {
    disk: MemoryDisk,
    clock: Arc<ManualClock>,
    errors: Arc<Mutex<Vec<String>>>,
}

impl Machine {
    fn at(now: &str) -> Self {
        let clock = Arc::new(ManualClock::at(now));
        Self {
            disk: MemoryDisk::new(clock.clone()),
            clock,
            errors: Arc::default(),
        }
    }

    fn builder(&self) -> AppenderBuilder {
        let errors = Arc::clone(&self.errors);
        Appender::builder("logs/app.log")
            .on(Arc::new(self.disk.clone()), self.clock.clone())
            .on_error(move |error| errors.lock().unwrap().push(error.to_string()))
    }

    fn files(&self) -> Vec<(String, String)> {
        let names = self.disk.names();
        names
            .into_iter()
            .map(|name| (name.clone(), self.decoded(&name)))
            .collect()
    }

    /// All lines, in the order of the files' numbers.
    fn lines(&self) -> String {
        self.files().into_iter().map(|(_, text)| text).collect()
    }

    fn decoded(&self, name: &str) -> String {
        let content = self.disk.content(name);
        #[cfg(feature = "gzip")]
        if name.ends_with(".gz") {
            let mut text = String::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(&content[..]);
            io::Read::read_to_string(&mut decoder, &mut text).unwrap();
            return text;
        }
        String::from_utf8(content).unwrap()
    }
}

fn texts(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

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
    appender.write_all(&lines[taken..]).unwrap();
    writeln!(appender, "line 4").unwrap();
    assert_eq!(
        machine.disk.text("app.log"),
        "line 4\n",
        "no rest of a line begins a file"
    );
    assert_eq!((appender.stats().torn, appender.stats().reopened), (1, 1));
}

#[test]
fn a_roll_by_call_within_a_line_ends_the_line_in_the_old_file_if_the_disk_takes_it() {
    for (capacity, old, torn) in [(None, "line 1\nline 2\n", 0), (Some(10), "line 1\nlin", 1)] {
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
                ("app.log", "line 3\n")
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

#[cfg(feature = "gzip")]
#[test]
fn a_closed_file_is_compressed_when_it_is_old_enough_also_by_a_later_process() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (closed, closing) = mpsc::channel();
    let open = || {
        let closed = closed.clone();
        let builder = machine.builder().compress(Compress::Gzip);
        let builder = builder.on_close(move |path| closed.send(path.to_owned()).unwrap());
        builder
            .compress_after(Duration::from_secs(600))
            .open()
            .unwrap()
    };
    let first = "logs/app.2026-11-23T10-00-00.000001.log";
    let second = "logs/app.2026-11-23T10-05-00.000002.log";
    let mut appender = open();
    let log = |appender: &mut Appender, minutes: u64| {
        writeln!(appender, "line").unwrap();
        appender.roll().unwrap();
        assert!(appender.settle(LONG));
        machine.clock.advance(Duration::from_secs(minutes * 60));
    };
    log(&mut appender, 5);
    log(&mut appender, 5);
    assert_eq!(machine.files().len(), 2);
    assert_eq!(appender.stats().compressed, 0);
    // Ten minutes after the first: this roll's pass finds it old enough.
    log(&mut appender, 5);
    assert_eq!(
        closing.try_iter().collect::<Vec<_>>(),
        [format!("{first}.gz")].map(std::path::PathBuf::from)
    );
    drop(appender);
    let appender = open();
    assert!(appender.settle(LONG));
    assert_eq!(
        closing.try_iter().collect::<Vec<_>>(),
        [format!("{second}.gz")].map(std::path::PathBuf::from)
    );
}

#[cfg(feature = "gzip")]
#[test]
fn what_a_crash_left_half_done_is_finished_or_removed_at_the_start() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let closed = Arc::new(Mutex::new(Vec::new()));
    // Killed while compressing; after compressing, before the deletion; before compressing.
    for (name, text) in [
        ("app.2026-11-20T10-00-00.000001.log", "one\n"),
        ("app.2026-11-20T10-00-00.000001.log.tmp", "ha"),
        ("app.2026-11-21T10-00-00.000002.log", "two\n"),
        ("app.2026-11-22T10-00-00.000003.log", "three\nhalf a line"),
        (
            "app.2026-11-22T10-00-00.000004.log.tmp",
            "its source is gone",
        ),
        ("app.2026-11-22T10-00-00.000003.log.idx", "an index"),
        ("app.2026-11-21T10-00-00.000002.log.idx", "an index"),
    ] {
        machine.disk.put(&format!("logs/{name}"), text);
    }
    let done = "logs/app.2026-11-21T10-00-00.000002.log.gz";
    Compress::Gzip
        .run(
            &machine.disk,
            (
                "logs/app.2026-11-21T10-00-00.000002.log".as_ref(),
                done.as_ref(),
            ),
            &Default::default(),
        )
        .unwrap();
    let paths = Arc::clone(&closed);
    let appender = machine
        .builder()
        .compress(Compress::Gzip)
        .on_close(move |path| paths.lock().unwrap().push(path.to_owned()))
        .open()
        .unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-20T10-00-00.000001.log.gz", "one\n"),
            ("app.2026-11-21T10-00-00.000002.log.gz", "two\n"),
            (
                "app.2026-11-22T10-00-00.000003.log.gz",
                "three\nhalf a line"
            ),
            ("app.log", ""),
        ]
    );
    assert_eq!(closed.lock().unwrap().len(), 2);
    assert_eq!(appender.stats().compressed, 2);
}

#[cfg(feature = "gzip")]
#[test]
fn a_failed_compression_leaves_the_plain_file_alone_and_is_done_at_the_next_roll() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().compress(Compress::Gzip).open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.fail_all("sync", io::ErrorKind::StorageFull);
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [("app.2026-11-23T10-00-00.000001.log", "one\n")]
    );
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["cannot compress log file `logs/app.2026-11-23T10-00-00.000001.log`"]
    );
    machine.disk.heal();
    writeln!(appender, "two").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-23T10-00-00.000001.log.gz", "one\n"),
            ("app.2026-11-23T10-00-00.000002.log.gz", "two\n"),
        ]
    );
}

#[test]
fn a_deleted_file_takes_its_index_along() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    for name in [
        "000001.log.gz",
        "000001.log.gz.idx",
        "000002.log.gz",
        "000002.log.gz.idx",
    ] {
        machine
            .disk
            .put(&format!("logs/app.2026-11-20T10-00-00.{name}"), "");
    }
    let appender = machine.builder().keep(Keep::files(1)).open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        machine.disk.names(),
        [
            "app.2026-11-20T10-00-00.000002.log.gz",
            "app.2026-11-20T10-00-00.000002.log.gz.idx",
            "app.log"
        ]
    );
}

#[test]
fn a_callback_that_panics_hinders_no_housekeeping() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine
        .builder()
        .keep(Keep::files(1))
        .on_close(|_| panic!("on_close"))
        .open()
        .unwrap();
    for line in ["one", "two"] {
        writeln!(appender, "{line}").unwrap();
        appender.roll().unwrap();
    }
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [("app.2026-11-23T10-00-00.000002.log", "two\n")]
    );
    assert!(machine.errors.lock().unwrap()[0].starts_with("the `on_close` callback panicked"));
}
