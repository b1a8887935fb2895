//! Processes that are killed, and two processes with one log.
#![cfg(feature = "gzip")]

mod support;

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    process::Child,
    time::Duration,
};

use dogwatch_appender::{
    Appender, AppenderBuilder, Compress, Fsync, NonBlocking, Roll, WhenLocked,
};

use support::lines;

const LONG: Duration = Duration::from_secs(60);

fn builder(directory: &Path) -> AppenderBuilder {
    let told = directory.join(".told");
    Appender::builder(directory.join("app.log"))
        .on_close(move |path| {
            let told = fs::OpenOptions::new().create(true).append(true).open(&told);
            let name = path.file_name().unwrap().to_str().unwrap();
            // In one piece: a kill leaves no half of it.
            told.unwrap()
                .write_all(format!("{name}\n").as_bytes())
                .unwrap();
        })
        .roll(Roll::size(100_000))
        .compress(Compress::Gzip)
        .fsync(Fsync::Every(Duration::from_millis(5)))
        .symlink(directory.join(".latest"))
}

/// Logs numbered lines for ever, and says on stdout up to which one they are flushed.
#[test]
#[ignore = "the other tests start it as a child process"]
fn child() {
    let mut directory = String::new();
    io::stdin().read_line(&mut directory).unwrap();
    if directory.is_empty() {
        return;
    }
    let appender = builder(Path::new(directory.trim())).open().unwrap();
    let (mut log, guard) = NonBlocking::builder(appender).spawn().unwrap();
    for n in 1.. {
        writeln!(log, "line {n}").unwrap();
        if n % 997 == 0 {
            guard.flush(LONG).unwrap();
            // Ends with the parent.
            writeln!(io::stdout(), "flushed {n}").unwrap();
        }
    }
}

fn start(directory: &Path) -> (Child, impl Iterator<Item = u64>) {
    let mut child = support::start("child");
    writeln!(child.stdin.take().unwrap(), "{}", directory.display()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let flushed = lines.map_while(Result::ok).filter_map(|line| {
        line.split_once("flushed ")
            .map(|(_, number)| number.parse().unwrap())
    });
    (child, flushed)
}

#[test]
fn a_killed_process_loses_no_flushed_line_and_the_next_start_mends_its_files() {
    for kill_after in [1, 2, 5, 11, 30, 60] {
        let directory = tempfile::tempdir().unwrap();
        let (mut child, mut flushed) = start(directory.path());
        let last = flushed.nth(kill_after - 1).expect("the child logs");
        child.kill().unwrap();
        child.wait().unwrap();

        let mut appender = builder(directory.path()).open().unwrap();
        writeln!(appender, "after").unwrap();
        let torn = appender.stats().torn;
        assert!(appender.close(LONG));
        let mut lines = lines(directory.path());
        assert_eq!(lines.pop().unwrap(), "after");
        if torn > 0 {
            let half = lines.pop().unwrap();
            assert!(
                format!("line {}", lines.len() + 1).starts_with(&half),
                "{half}"
            );
        }
        assert!(
            lines.len() as u64 >= last,
            "{} of {last} flushed lines",
            lines.len()
        );
        for (index, line) in lines.iter().enumerate() {
            assert_eq!(*line, format!("line {}", index + 1));
        }
        let unfinished =
            |name: &str| name != "app.log" && !name.ends_with(".gz") && !name.starts_with('.');
        let names = fs::read_dir(directory.path()).unwrap();
        let left: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| unfinished(name))
            .collect();
        assert_eq!(left, [""; 0]);
    }
}

#[test]
fn however_often_a_process_is_killed_each_closed_file_is_told() {
    let directory = tempfile::tempdir().unwrap();
    for kill_after in (1..=40).step_by(3) {
        let (mut child, mut flushed) = start(directory.path());
        flushed.nth(kill_after - 1).expect("the child logs");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let appender = builder(directory.path()).open().unwrap();
    assert!(appender.close(LONG));
    let names = fs::read_dir(directory.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut closed: Vec<_> = names.filter(|name| name.ends_with(".gz")).collect();
    closed.sort_unstable();
    assert!(closed.len() > 10, "{closed:?}");
    let told = fs::read_to_string(directory.path().join(".told")).unwrap();
    let mut told: Vec<_> = told.lines().map(str::to_owned).collect();
    let calls = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, closed);
    // A kill doubles one call at most.
    assert!(
        calls <= closed.len() + 14,
        "{calls} calls for {} files",
        closed.len()
    );
}

#[test]
fn two_processes_cannot_have_one_log_and_a_killed_one_leaves_no_lock_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, mut flushed) = start(directory.path());
    flushed.next().expect("the child logs");
    assert!(builder(directory.path()).open().unwrap_err().is_locked());
    let beside = builder(directory.path()).when_locked(WhenLocked::Suffix);
    let beside = beside.open().unwrap();
    assert_eq!(beside.path(), directory.path().join("app-2.log"));
    child.kill().unwrap();
    child.wait().unwrap();
    builder(directory.path()).open().unwrap();
}
