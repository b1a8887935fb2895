//! Processes that get signals: SIGHUP reopens, SIGTERM and SIGINT write what was accepted.
#![cfg(all(unix, feature = "signals"))]

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use dogwatch_appender::{Appender, NonBlocking, Signals};

const LONG: Duration = Duration::from_secs(60);

/// Logs a line for each that it reads, and says how often the file was reopened.
#[test]
#[ignore = "the other tests start it as a child process"]
fn child() {
    let mut words = io::stdin().lines().map_while(Result::ok);
    let Some(directory) = words.next() else {
        return;
    };
    let file = Appender::builder(Path::new(&directory).join("app.log"))
        .open()
        .unwrap();
    let watch = file.watch();
    let signals = Signals::new().reopen(&file);
    let (mut log, guard) = NonBlocking::builder(file)
        .flush_interval(LONG * 60)
        .spawn()
        .unwrap();
    signals.drain(guard.drain()).timeout(LONG).spawn().unwrap();
    for word in words {
        writeln!(log, "{word}").unwrap();
        writeln!(io::stdout(), "reopened {}", watch.stats().reopened).unwrap();
    }
}

fn start(directory: &Path) -> (Child, ChildStdin, impl Iterator<Item = u64>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", directory.display()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let counts = lines.map_while(Result::ok).filter_map(|line| {
        let (_, count) = line.split_once("reopened ")?;
        Some(count.parse().unwrap())
    });
    (child, stdin, counts)
}

fn send(signal: &str, child: &Child) {
    let kill = format!("kill -{signal} {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn sigterm_and_sigint_end_the_process_as_ever_after_what_was_accepted_is_written() {
    for (signal, number) in [("TERM", 15), ("INT", 2)] {
        let directory = tempfile::tempdir().unwrap();
        let (mut child, mut stdin, mut counts) = start(directory.path());
        for n in 0..100 {
            writeln!(stdin, "line {n}").unwrap();
            counts.next().expect("accepted");
        }
        let path = directory.path().join("app.log");
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "it waits");
        send(signal, &child);
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
        assert_eq!(fs::read_to_string(&path).unwrap(), lines);
    }
}

#[test]
fn sighup_reopens_the_file_and_ends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, mut stdin, mut counts) = start(directory.path());
    let mut next = |line: &str| {
        writeln!(stdin, "{line}").unwrap();
        counts.next().expect("the child goes on")
    };
    assert_eq!(next("before"), 0);
    send("HUP", &child);
    // It is not moved: nothing but the signal reopens it.
    let mut rounds = 0;
    while next("after") == 0 {
        rounds += 1;
        assert!(rounds < 1_000_000, "the signal is not served");
    }
    assert_eq!(next("last"), 1);
    send("TERM", &child);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    let text = fs::read_to_string(directory.path().join("app.log")).unwrap();
    assert!(text.starts_with("before\nafter\n") && text.ends_with("after\nlast\n"));
}
