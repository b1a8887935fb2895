//! When files are synced, and syncs that fail.

use super::*;
use crate::{Fsync, Level};

#[test]
fn a_rolled_file_is_synced_with_its_directory_and_the_current_one_is_not() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().fsync(Fsync::OnRoll);
    let mut appender = builder.open().unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    writeln!(appender, "two").unwrap();
    assert!(appender.close(LONG));
    let name = "app.2026-11-23T10-00-00.000001.log".to_owned();
    assert_eq!(machine.disk.synced(), [(name, 4), ("logs".to_owned(), 0)]);
}

#[test]
fn a_file_that_was_written_to_is_synced_at_a_roll_and_at_the_end() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().fsync(Fsync::Every(LONG * 60));
    let mut appender = builder.open().unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    writeln!(appender, "two").unwrap();
    writeln!(appender, "three").unwrap();
    assert!(appender.close(LONG));
    let name = "app.2026-11-23T10-00-00.000001.log".to_owned();
    let logs = ("logs".to_owned(), 0);
    assert_eq!(
        machine.disk.synced(),
        [(name, 4), logs.clone(), ("app.log".to_owned(), 10), logs]
    );
}

#[test]
fn the_last_line_is_synced_at_the_end_though_it_made_the_roll_itself() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().fsync(Fsync::Every(LONG * 60));
    let mut appender = builder.roll(Roll::size(5)).open().unwrap();
    writeln!(appender, "one").unwrap();
    writeln!(appender, "two").unwrap();
    assert!(appender.close(LONG));
    let name = "app.2026-11-23T10-00-00.000001.log".to_owned();
    let logs = ("logs".to_owned(), 0);
    assert_eq!(
        machine.disk.synced(),
        [(name, 4), logs.clone(), ("app.log".to_owned(), 4), logs]
    );
}

#[test]
fn nothing_is_synced_by_itself_unless_it_is_asked_for() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    writeln!(appender, "two").unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(machine.disk.synced(), []);
    appender.sync().unwrap();
    assert_eq!(machine.disk.synced(), [("app.log".to_owned(), 4)]);
}

#[test]
fn a_sync_that_fails_is_told_and_counted_and_not_tried_again() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (told, telling) = mpsc::channel();
    let builder = machine
        .builder()
        .fsync(Fsync::Every(Duration::from_millis(1)));
    let builder = builder.on_error(move |error| told.send(error.to_string()).unwrap());
    let mut appender = builder.open().unwrap();
    machine.disk.fail_all("sync", io::ErrorKind::StorageFull);
    assert!(appender.settle(LONG), "no pass is under way");
    let calls = machine.disk.calls();
    writeln!(appender, "one").unwrap();
    assert_eq!(
        telling.recv_timeout(LONG).unwrap(),
        "cannot sync log file `logs/app.log`"
    );
    machine.disk.heal();
    let stats = appender.stats();
    assert!(appender.close(LONG));
    assert_eq!(stats.unsynced, 1);
    assert_eq!(machine.disk.synced(), [], "nothing was written after it");
    assert_eq!(machine.disk.calls(), calls + 2, "one write, one sync");
}

#[test]
fn a_sync_by_call_that_fails_is_returned_and_counted() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    writeln!(appender, "one").unwrap();
    machine.disk.fail_all("sync", io::ErrorKind::StorageFull);
    let error = appender.sync().unwrap_err();
    assert_eq!(error.to_string(), "cannot sync log file `logs/app.log`");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(appender.stats().unsynced, 1);
}

#[test]
fn a_line_of_the_level_is_synced_before_its_flush_returns_and_others_are_not() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let appender = machine.builder().open().unwrap();
    let handle = appender.clone();
    let (log, guard) = NonBlocking::builder(appender)
        .sync_at(Level::Error, move || handle.sync())
        .spawn()
        .unwrap();
    for (level, synced) in [
        (Some(Level::Warn), 0),
        (None, 0),
        (Some(Level::Error), 1),
        (Some(Level::Info), 1),
        (Some(Level::Error), 2),
    ] {
        assert!(log.offer(level, b"line\n"));
        guard.flush(LONG).unwrap();
        assert_eq!(machine.disk.synced().len(), synced, "{level:?}");
    }
    guard.close(LONG).unwrap();
    assert_eq!(
        machine.disk.synced(),
        [("app.log".to_owned(), 15), ("app.log".to_owned(), 25)]
    );
    // The clone that the closure holds keeps nothing open.
    machine.builder().open().unwrap();
}

#[test]
fn a_sync_at_a_level_that_fails_or_panics_is_told_and_the_line_is_written() {
    for panics in [false, true] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        let errors = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&errors);
        let (log, guard) = NonBlocking::builder(machine.builder().open().unwrap())
            .sync_at(Level::Error, move || match panics {
                true => panic!("sync_at"),
                false => Err(io::ErrorKind::StorageFull.into()),
            })
            .on_error(move |error| told.lock().unwrap().push(error.to_string()))
            .spawn()
            .unwrap();
        assert!(log.offer(Some(Level::Error), b"line\n"));
        let accounts = guard.close(LONG).unwrap();
        assert_eq!(accounts.written.of(Level::Error), 1);
        assert_eq!(accounts.panics, u64::from(panics));
        assert_eq!(machine.disk.text("app.log"), "line\n");
        assert_eq!(
            *errors.lock().unwrap(),
            ["cannot sync log lines, they may not survive a power cut"]
        );
    }
}

#[test]
fn while_a_sync_hangs_the_files_that_wait_for_theirs_are_bounded_and_those_over_it_counted() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (begun, begins) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let waits = Mutex::new(waits);
    // The thread that syncs tells of the first failure, and stays there.
    let builder = machine.builder().fsync(Fsync::OnRoll).on_error(move |_| {
        if begun.send(()).is_ok() {
            let _ = waits.lock().unwrap().recv();
        }
    });
    let mut appender = builder.open().unwrap();
    machine.disk.fail_all("sync", io::ErrorKind::StorageFull);
    let mut roll = || {
        writeln!(appender, "line").unwrap();
        appender.roll().unwrap();
    };
    roll();
    begins.recv_timeout(LONG).unwrap();
    machine.disk.heal();
    (0..100).for_each(|_| roll());
    assert_eq!(appender.stats().unsynced, 1 + 100 - 64);
    drop((go_on, begins));
    assert!(appender.settle(LONG));
    let files = machine
        .disk
        .synced()
        .into_iter()
        .filter(|(_, length)| *length > 0);
    assert_eq!(files.count(), 64);
    assert_eq!(appender.stats().unsynced, 1 + 100 - 64);
}
