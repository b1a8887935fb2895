//! Full disks that the oldest files make room on, free space that is kept, files that are held.

use super::*;

/// So many rolled files of 10 bytes, the newest last.
fn rolled(machine: &Machine, files: usize) {
    for n in 1..=files {
        let name = format!("logs/app.2026-11-20T10-00-00.{n:06}.log");
        machine.disk.put(&name, "123456789\n");
    }
}

fn numbers(machine: &Machine) -> Vec<u64> {
    let names = machine.disk.names();
    let rolled = names.iter().filter(|name| name.starts_with("app.2"));
    rolled
        .map(|name| name.split('.').nth(2).unwrap().parse().unwrap())
        .collect()
}

#[test]
fn a_full_disk_lets_one_old_file_go_for_each_write_that_fails_down_to_the_floor() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 5);
    let builder = machine.builder().keep(Keep::files(9).floor(3));
    let mut appender = builder.open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.capacity(Some(50));
    for left in [vec![2, 3, 4, 5], vec![3, 4, 5]] {
        assert!(appender.write(b"123456789\n").is_err());
        assert!(appender.settle(LONG));
        assert_eq!(numbers(&machine), left);
        writeln!(appender, "123456789").unwrap();
    }
    for _ in 0..3 {
        assert!(appender.write(b"123456789\n").is_err());
        assert!(appender.settle(LONG));
    }
    assert_eq!(numbers(&machine), [3, 4, 5], "the floor");
    assert_eq!(appender.stats().deleted, 2);
    assert_eq!(*machine.errors.lock().unwrap(), [""; 0]);
}

#[test]
fn a_full_disk_takes_no_file_of_a_log_that_keeps_all_and_none_for_another_failure() {
    for (keep, kind) in [
        (Keep::all(), io::ErrorKind::StorageFull),
        (Keep::files(9), io::ErrorKind::PermissionDenied),
    ] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        rolled(&machine, 5);
        let mut appender = machine.builder().keep(keep).open().unwrap();
        machine.disk.fail_all("write", kind);
        assert!(appender.write(b"line\n").is_err());
        assert!(appender.settle(LONG));
        assert_eq!(numbers(&machine), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn a_full_quota_counts_as_a_full_disk() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 3);
    let mut appender = machine.builder().keep(Keep::files(9)).open().unwrap();
    machine.disk.fail_all("write", io::ErrorKind::QuotaExceeded);
    assert!(appender.write(b"line\n").is_err());
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [2, 3]);
}

#[test]
fn behind_a_queue_a_full_disk_heals_itself_by_the_oldest_files_and_no_line_is_missing() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 9);
    let builder = machine.builder().keep(Keep::files(9).floor(0));
    let appender = builder.open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.capacity(Some(95));
    let (mut log, guard) = NonBlocking::builder(appender.clone())
        .on_error(|_| {})
        .spawn()
        .unwrap();
    log.write_all("line\n".repeat(10).as_bytes()).unwrap();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.total(), 10);
    assert_eq!(machine.disk.text("app.log"), "line\n".repeat(10));
    assert!(numbers(&machine).len() < 9);
}

#[test]
fn free_space_is_kept_by_the_oldest_files_at_each_roll_and_between_two() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 5);
    machine.disk.capacity(Some(100));
    let builder = machine.builder().keep(Keep::all().free_bytes(60).floor(1));
    let mut appender = builder.open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [2, 3, 4, 5], "at the start");
    writeln!(appender, "123456789").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [3, 4, 5, 6], "at a roll");
    machine.disk.put("other/file", "somebody else's 18");
    writeln!(appender, "123456789").unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [3, 4, 5, 6], "not at each write");
    machine.clock.advance(Duration::from_secs(5));
    writeln!(appender, "1").unwrap();
    assert!(appender.settle(LONG));
    // 100 less 18, 40 and 12 leave 30: three files go.
    assert_eq!(numbers(&machine), [6], "between two rolls");
    assert!(machine.errors.lock().unwrap().is_empty());
    machine.disk.put("other/more", "another twenty bytes");
    machine.clock.advance(Duration::from_secs(5));
    writeln!(appender, "2").unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [6]);
    assert_eq!(
        *machine.errors.lock().unwrap(),
        [
            "cannot keep the free space wanted in log directory `logs`: 22 bytes are missing, and \
             no further file may go"
        ]
    );
}

#[test]
fn a_file_that_is_held_stays_until_the_hard_bound_and_what_goes_unread_is_counted() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 6);
    let held = Arc::new(Mutex::new(vec!["000001", "000003", "000004"]));
    let claims = Arc::clone(&held);
    let mut appender = machine
        .builder()
        .keep(Keep::files(2).unread(Keep::files(5)))
        .held(move |path| {
            let name = path.to_str().unwrap();
            claims
                .lock()
                .unwrap()
                .iter()
                .any(|held| name.contains(held))
        })
        .open()
        .unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        numbers(&machine),
        [3, 4, 5, 6],
        "the first was over the hard bound"
    );
    let stats = appender.stats();
    assert_eq!((stats.deleted, stats.deleted_unread), (2, 1));
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["deleted log file `logs/app.2026-11-20T10-00-00.000001.log` unread"]
    );
    held.lock().unwrap().retain(|name| *name == "000004");
    writeln!(appender, "more").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [4, 6, 7], "3 was read meanwhile");
}

#[test]
fn who_waits_for_room_waits_for_no_long_pass() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 4);
    let (at, reached) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let disk = machine.disk.clone();
    let mut appender = machine
        .builder()
        .keep(Keep::files(9))
        .compress(COMPRESS)
        .on_close(move |_| {
            at.send(disk.names().len()).unwrap();
            let _ = gate.lock().unwrap().recv();
        })
        .open()
        .unwrap();
    if COMPRESS == Compress::None {
        return;
    }
    let files = reached.recv_timeout(LONG).unwrap();
    machine.disk.fail_all("write", io::ErrorKind::StorageFull);
    assert!(appender.write(b"line\n").is_err());
    machine.disk.heal();
    go.send(()).unwrap();
    assert_eq!(reached.recv_timeout(LONG).unwrap(), files - 1);
    drop(go);
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [2, 3, 4]);
}

#[test]
fn a_full_disk_takes_no_file_that_is_held() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 5);
    let mut appender = machine
        .builder()
        .keep(Keep::files(9))
        .held(|path| path.to_str().unwrap().contains("000001"))
        .open()
        .unwrap();
    machine.disk.capacity(Some(50));
    assert!(appender.write(b"line\n").is_err());
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [1, 3, 4, 5]);
}

#[test]
fn a_held_callback_that_panics_keeps_the_file_and_is_told() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 2);
    let builder = machine.builder().keep(Keep::files(1));
    let appender = builder.held(|_| panic!("held")).open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [1, 2]);
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["the `held` callback panicked on `logs/app.2026-11-20T10-00-00.000001.log`"]
    );
}

#[test]
fn a_link_to_the_file_is_made_and_mended_and_never_takes_a_files_place() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().symlink("latest").open().unwrap();
    assert!(appender.settle(LONG));
    let target = || machine.disk.link_at("latest");
    assert_eq!(target().unwrap(), std::path::Path::new("logs/app.log"));
    machine.disk.put("latest", "somebody's file");
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(machine.disk.text("latest"), "somebody's file");
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["cannot make symbolic link `latest`"]
    );
}

#[test]
fn each_roll_is_called_with_the_plain_file_and_each_close_with_the_final_one() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let calls = Arc::clone(&calls);
        move |path: &std::path::Path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            calls.lock().unwrap().push(format!("{what} {name}"));
        }
    };
    let builder = machine.builder().compress(COMPRESS);
    let builder = builder.on_roll(note("rolled")).on_close(note("closed"));
    let mut appender = builder.open().unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    let name = "app.2026-11-23T10-00-00.000001";
    assert_eq!(
        *calls.lock().unwrap(),
        [format!("rolled {name}.log"), format!("closed {name}{FORM}")]
    );
}

#[test]
fn a_file_of_which_one_form_cannot_be_deleted_is_deleted_when_the_last_form_is() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 1);
    let packed = "logs/app.2026-11-20T10-00-00.000001.log.gz";
    machine.disk.put(packed, "packed");
    machine.disk.immutable(packed);
    let mut appender = machine.builder().keep(Keep::files(0)).open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(appender.stats().deleted, 0, "one form is left");
    let name = packed.strip_prefix("logs/").unwrap();
    assert_eq!(machine.disk.names(), [name, "app.log"]);
    let told = format!("cannot delete old log file `{packed}`");
    assert_eq!(*machine.errors.lock().unwrap(), [told]);
    machine.disk.mutable();
    writeln!(appender, "line").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        appender.stats().deleted,
        2,
        "its last form, and the new one"
    );
    assert_eq!(machine.disk.names(), [""; 0]);
}

#[test]
fn on_a_full_disk_the_next_file_goes_in_the_place_of_one_that_cannot_be_deleted() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    rolled(&machine, 4);
    machine
        .disk
        .immutable("logs/app.2026-11-20T10-00-00.000001.log");
    let mut appender = machine.builder().keep(Keep::files(9)).open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.fail_all("write", io::ErrorKind::StorageFull);
    assert!(appender.write(b"line\n").is_err());
    assert!(appender.settle(LONG));
    assert_eq!(numbers(&machine), [1, 3, 4]);
    assert_eq!(appender.stats().deleted, 1);
}
