//! A disk of 1 MiB that is really full, and freed while the process logs.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use dogwatch_appender::{Appender, CrashRing, Keep, Level, NonBlocking, Roll, WhenFull};

const LONG: Duration = Duration::from_secs(60);

fn line(n: usize) -> String {
    format!("line {n:05} {}\n", "x".repeat(88))
}

/// The disk that a child was given; `None` if it was started as a test like the others.
fn disk() -> Option<PathBuf> {
    let mut directory = String::new();
    io::stdin().read_line(&mut directory).unwrap();
    (!directory.is_empty()).then(|| directory.trim().into())
}

/// All files of the log, the oldest first, the current one last.
fn everything(directory: &Path) -> String {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("app"))
        .collect();
    names.sort_by_key(|name| (name == "app.log", name.split('.').nth(2).map(str::to_owned)));
    let read = |name| fs::read_to_string(directory.join(name)).unwrap();
    names.iter().map(read).collect()
}

#[test]
#[ignore = "another test starts it as a child process, in a mount namespace of its own"]
fn emergency() {
    let Some(directory) = disk() else { return };
    let file = Appender::builder(directory.join("app.log"))
        .roll(Roll::size(64 * 1024))
        .keep(Keep::files(99).floor(3))
        .open()
        .unwrap();
    let watch = file.watch();
    let (log, guard) = NonBlocking::builder(file)
        .when_full(WhenFull::Wait(LONG))
        .on_error(|_| {})
        .spawn()
        .unwrap();
    // Three times what the disk holds.
    assert!((0..30_000).all(|n| log.offer(Some(Level::Info), line(n).as_bytes())));
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.of(Level::Info), 30_000);
    let text = everything(&directory);
    let kept = text.lines().count();
    let newest: String = (30_000 - kept..30_000).map(line).collect();
    assert!(text == newest, "the newest lines, whole, in order");
    assert!(kept > 5_000, "{kept} lines are left");
    assert!(watch.stats().deleted >= 20, "{:?}", watch.stats());
}

#[test]
#[ignore = "another test starts it as a child process, in a mount namespace of its own"]
fn free_space() {
    let Some(directory) = disk() else { return };
    let mut file = Appender::builder(directory.join("app.log"))
        .roll(Roll::size(64 * 1024))
        .keep(Keep::all().free_percent(40))
        .open()
        .unwrap();
    for n in 0..30_000 {
        file.write_all(line(n).as_bytes()).unwrap();
        if n % 600 == 0 {
            assert!(file.settle(LONG));
        }
    }
    file.roll().unwrap();
    assert!(file.settle(LONG));
    let space = rustix::fs::statvfs(&directory).unwrap();
    let (free, all) = (space.f_bavail, space.f_blocks);
    assert!(free * 10 >= all * 4, "{free} of {all}");
    assert_eq!(file.stats().torn, 0);
}

#[test]
#[ignore = "another test starts it as a child process, in a mount namespace of its own"]
fn fallback() {
    let Some(directory) = disk() else { return };
    let filler = directory.join("filler");
    fs::write(&filler, vec![0; 900 * 1024]).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let fallback = Appender::builder(elsewhere.path().join("app.log"));
    let file = Appender::builder(directory.join("app.log"))
        .fallback(fallback.open().unwrap())
        .gap(|gap| format!("gap of {} lines\n", gap.lines().total()).into())
        .open()
        .unwrap();
    let watch = file.watch();
    let (log, guard) = NonBlocking::builder(file)
        .when_full(WhenFull::Wait(LONG))
        .on_error(|_| {})
        .spawn()
        .unwrap();
    assert!((0..9000).all(|n| log.offer(Some(Level::Info), line(n).as_bytes())));
    guard.flush(LONG).unwrap();
    let gone = watch.stats().fallback;
    assert!(gone > 6000, "{gone}");
    fs::remove_file(&filler).unwrap();
    let mut n = 9000;
    // The file is tried again when there is something to write, a second later at the soonest.
    while !everything(&directory).contains("gap of ") {
        assert!(log.offer(Some(Level::Info), line(n).as_bytes()));
        guard.flush(LONG).unwrap();
        n += 1;
    }
    assert!(log.offer(Some(Level::Info), line(n).as_bytes()));
    assert_eq!(guard.close(LONG).unwrap().written.total(), n as u64 + 1);
    let elsewhere = everything(elsewhere.path());
    let file = everything(&directory);
    let (before, after) = file.split_once("gap of ").unwrap();
    let (gap, after) = after.split_once(" lines\n").unwrap();
    assert_eq!(gap, elsewhere.lines().count().to_string());
    // The half of a line that went elsewhere whole.
    let before = &before[..before.rfind("line").unwrap()];
    let whole = if watch.stats().torn == 0 {
        file.split("gap").next().unwrap()
    } else {
        before
    };
    let all: String = (0..=n).map(line).collect();
    assert!(
        whole.to_owned() + &elsewhere + after == all,
        "every line once, in order"
    );
}

/// Runs within the full disk.
#[test]
#[ignore = "another test starts it as a child process, in a mount namespace of its own"]
fn child() {
    let Some(directory) = disk() else { return };
    let directory = directory.as_path();
    let filler = directory.join("filler");
    fs::write(&filler, vec![0; 900 * 1024]).unwrap();

    let (told, telling) = mpsc::channel();
    let file = Appender::builder(directory.join("app.log")).roll(Roll::size(64 * 1024));
    let (log, guard) = NonBlocking::builder(file.open().unwrap())
        .max_bytes(512 * 1024)
        .when_full(WhenFull::DropNew)
        .gap(|gap| format!("gap of {} lines\n", gap.lines().total()).into())
        .on_error(move |error| told.send(error.is_io()).unwrap())
        .spawn()
        .unwrap();
    let (mut accepted, mut refused) = (Vec::new(), 0);
    let mut offer = |n| match log.offer(Some(Level::Info), line(n).as_bytes()) {
        true => accepted.push(line(n)),
        false => refused += 1,
    };
    (0..4000).for_each(&mut offer);
    assert!(telling.recv_timeout(LONG).unwrap(), "the disk is full");
    (4000..9000).for_each(&mut offer);
    fs::remove_file(&filler).unwrap();
    guard.flush(LONG).unwrap();
    (9000..9100).for_each(&mut offer);
    let accounts = guard.close(LONG).unwrap();

    assert!(
        refused > 1000,
        "{refused}: the queue was too large to prove anything"
    );
    assert_eq!(accounts.refused.full.of(Level::Info), refused);
    assert_eq!(accounts.written.of(Level::Info), accepted.len() as u64);
    assert_eq!(accounts.lost.total().total(), 0);
    let text = everything(directory);
    let (gaps, lines): (Vec<_>, Vec<_>) = text
        .split_inclusive('\n')
        .partition(|line| line.starts_with("gap"));
    assert!(
        lines == accepted,
        "every accepted line once, whole, in order"
    );
    assert_eq!(gaps.len() as u64, accounts.gap_lines);
    let told: u64 = gaps
        .iter()
        .map(|gap| gap.split(' ').nth(2).unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(told, refused, "the gap lines tell of all that is missing");
}

/// Runs within the full disk.
#[test]
#[ignore = "the other test starts it as a child process, in a mount namespace of its own"]
fn ring_child() {
    let Some(directory) = disk() else { return };
    let directory = directory.as_path();
    let open = || {
        let (told, telling) = mpsc::channel();
        let file = Appender::builder(directory.join("app.log"));
        let file = file.on_error(move |error| told.send(error.to_string()).unwrap());
        (file.open().unwrap(), telling)
    };
    let hidden = || {
        let names = fs::read_dir(directory).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.contains("ring"))
            .collect::<Vec<_>>()
    };

    // A hole in the ring would be a SIGBUS later.
    let log = NonBlocking::builder(open().0).max_bytes(1 << 20);
    let error = log
        .crash_ring(CrashRing::new())
        .spawn()
        .map(drop)
        .unwrap_err();
    let path = directory.join(".app.log.000001.ring.tmp");
    let path = path.display();
    assert_eq!(
        error.to_string(),
        format!("cannot allocate 2101248 bytes for the crash ring `{path}`")
    );
    assert!(error.is_io());
    assert_eq!(hidden(), [""; 0]);

    // The disk fills up, and the log is closed before there is room.
    let (file, _telling) = open();
    let log = NonBlocking::builder(file).max_bytes(200_000);
    let (held, ended) = mpsc::channel::<()>();
    let log = log.crash_ring(CrashRing::new()).on_error(move |_| {
        let _held_until_the_writer_thread_has_ended = &held;
    });
    let (log, guard) = log.spawn().unwrap();
    let filler = directory.join("filler");
    let mut bytes = fs::File::create(&filler).unwrap();
    while bytes.write_all(&[0; 4096]).is_ok() {}
    drop(bytes);
    (0..1000).for_each(|n| assert!(log.offer(None, line(n).as_bytes())));
    let unwritten = guard.close(Duration::ZERO).unwrap_err();
    assert_eq!(unwritten.lines(), 1000);
    drop((log, unwritten));
    let ended = ended.recv_timeout(LONG);
    assert_eq!(ended, Err(mpsc::RecvTimeoutError::Disconnected));

    // Its lines are kept until a start finds room.
    assert_eq!(hidden(), [".app.log.000001.ring"]);
    let (file, telling) = open();
    let told = telling.recv_timeout(LONG).unwrap();
    assert!(
        told.contains("cannot write the lines of a killed process"),
        "{told}"
    );
    assert!(file.stats().replayed < 1000);
    drop((file, telling));
    fs::remove_file(&filler).unwrap();
    let (file, telling) = open();
    drop(file);
    assert_eq!(telling.recv().ok(), None, "nothing is wrong any more");
    let text = fs::read_to_string(directory.join("app.log")).unwrap();
    let expected: String = (0..1000).map(line).collect();
    assert!(
        text == expected,
        "every accepted line once, whole, in order"
    );
    assert_eq!(hidden(), [""; 0]);
}

#[test]
fn a_really_full_disk_loses_no_accepted_line_and_tells_of_every_refused_one() {
    in_a_small_disk("child");
}

#[test]
fn a_really_full_disk_makes_room_by_its_oldest_files_and_loses_no_new_line() {
    in_a_small_disk("emergency");
}

#[test]
fn free_space_is_really_kept() {
    in_a_small_disk("free_space");
}

#[test]
fn a_really_full_disk_sends_lines_to_the_fallback_until_it_heals() {
    in_a_small_disk("fallback");
}

#[test]
fn on_a_really_full_disk_a_ring_is_refused_or_keeps_its_lines_until_there_is_room() {
    in_a_small_disk("ring_child");
}

/// Runs another test of this file with a disk of 1 MiB.
fn in_a_small_disk(test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let child = Command::new("sh")
        .args(["-c", IN_A_SMALL_DISK, "sh"])
        .arg(directory.path())
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    // A child that could not mount does not read.
    let _ = writeln!(
        child.stdin.take().unwrap(),
        "{}",
        directory.path().display()
    );
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NO_DISK) {
        return skipped(&format!("no tmpfs can be mounted here: {}", stderr.trim()));
    }
    assert!(output.status.success(), "{stdout}{stderr}");
    assert!(stdout.contains("1 passed"), "{stdout}{stderr}");
}

/// Ends with the code 77, by which automake's tests say that they were skipped, if there is no such
/// disk to be had; with any other, the test has run.
const IN_A_SMALL_DISK: &str = r#"
    unshare -rm true || exit 77
    exec unshare -rm sh -c '
        mount -t tmpfs -o size=1m tmpfs "$1" || exit 77
        shift
        exec "$@"
    ' sh "$@"
"#;

const NO_DISK: i32 = 77;

fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "skipped: {why}");
}
