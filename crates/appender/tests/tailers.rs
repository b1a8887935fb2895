//! The log between real programs of others: rsyslog reads it, logrotate moves and cuts it.
#![cfg(unix)]

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use dogwatch_appender::{Appender, Guard, NonBlocking, Roll};

const LONG: Duration = Duration::from_secs(20);

/// A program where the PATH has it, or where daemons are; a test says so when it is nowhere.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let daemons = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = env::split_paths(&path)
        .chain(daemons)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        // Not through `println!`, which the harness would keep for itself.
        let _ = writeln!(io::stderr(), "skipped: {name} not installed");
    }
    found
}

fn line(n: u64) -> String {
    format!(
        "{{\"number\":{n:09},\"message\":\"{}\"}}\n",
        "x".repeat(160)
    )
}

fn number(line: &str) -> u64 {
    let digits = line.strip_prefix("{\"number\":").unwrap_or_default();
    let number = digits.get(..9).and_then(|digits| digits.parse().ok());
    let number = number.unwrap_or_else(|| panic!("no line of ours: {line:?}"));
    assert_eq!(line.trim_end(), self::line(number).trim_end());
    number
}

/// rsyslog's imfile on the log files below a directory; it sends on what it read.
struct Rsyslog {
    child: Child,
    lines: Receiver<u64>,
}

impl Rsyslog {
    /// With the options of its input in its own words.
    fn start(program: &Path, directory: &Path, input: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let work = directory.join("work");
        fs::create_dir(&work).unwrap();
        let rules = directory.join("rsyslog.conf");
        let text = format!(
            r#"global(workDirectory="{work}")
module(load="imfile" mode="inotify")
template(name="raw" type="string" string="%msg%\n")
ruleset(name="read") {{
    action(type="omfwd" protocol="tcp" target="127.0.0.1" port="{port}" template="raw")
}}
input(type="imfile" tag="app" ruleset="read" addMetadata="off" {input})
"#,
            work = work.display(),
            port = listener.local_addr().unwrap().port(),
            input = input.replace("logs/", &format!("{}/logs/", directory.display())),
        );
        fs::write(&rules, text).unwrap();
        let mut command = Command::new(program);
        command.arg("-n").arg("-f").arg(&rules);
        command.arg("-i").arg(directory.join("rsyslog.pid"));
        // Taken out of its package, it does not find its own parts.
        let root = program.ancestors().nth(3).unwrap_or(Path::new("/"));
        for folder in fs::read_dir(root.join("usr/lib")).into_iter().flatten() {
            let folder = folder.unwrap().path();
            if root != Path::new("/") && folder.join("rsyslog/imfile.so").is_file() {
                command.arg("-M").arg(folder.join("rsyslog"));
                command.env("LD_LIBRARY_PATH", folder);
            }
        }
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let (read, lines) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // A test that has failed listens no more.
                let _ = read.send(number(&line));
            }
        });
        Self { child, lines }
    }

    fn next(&self) -> u64 {
        self.lines
            .recv_timeout(LONG)
            .expect("rsyslog reads on as long as there are lines")
    }

    /// Ends it as its service does, and returns what it had read and not sent on yet.
    fn stop(&mut self) -> Vec<u64> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        self.lines.iter().collect()
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

fn appender(directory: &Path) -> Appender {
    Appender::builder(directory.join("logs/app.log"))
        .roll(Roll::size(2048))
        .open()
        .unwrap()
}

#[test]
fn rsyslog_that_keeps_up_reads_every_line_once_over_100_rolls() {
    let Some(program) = program("rsyslogd") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let appender = appender(directory.path());
    let mut rsyslog = Rsyslog::start(&program, directory.path(), r#"file="logs/app.log""#);
    let (mut log, guard) = NonBlocking::builder(appender.clone()).spawn().unwrap();

    let (mut read, mut offered) = (Vec::new(), 0);
    while appender.stats().rolls < 100 {
        // Of a batch of seven some lines end a file and the others begin the next one.
        for _ in 0..7 {
            log.write_all(line(offered).as_bytes()).unwrap();
            offered += 1;
        }
        guard.flush(LONG).unwrap();
        read.extend((0..7).map(|_| rsyslog.next()));
    }
    guard.close(LONG).unwrap();
    read.extend(rsyslog.stop());
    assert_eq!(read, Vec::from_iter(0..offered));
}

/// It may read some twice. It looks whether the file it has open was renamed, and then which names
/// there are: a file that is renamed in between is read under both, from where it had got to.
#[test]
fn rsyslog_that_falls_behind_misses_no_line_over_100_rolls() {
    let Some(program) = program("rsyslogd") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let appender = appender(directory.path());
    let (mut log, guard) = NonBlocking::builder(appender.clone()).spawn().unwrap();
    let mut offered = 0;
    let mut until_roll = |roll| {
        while appender.stats().rolls < roll {
            log.write_all(line(offered).as_bytes()).unwrap();
            offered += 1;
            guard.flush(LONG).unwrap();
        }
        offered
    };
    // Before it runs, and faster than it reads while it does.
    until_roll(50);
    let mut rsyslog = Rsyslog::start(
        &program,
        directory.path(),
        r#"file="logs/app*.log" persistStateInterval="1" deleteStateOnFileDelete="off""#,
    );
    let mut read = BTreeSet::from([rsyslog.next()]);
    let offered = until_roll(110);
    guard.close(LONG).unwrap();
    while read.len() < offered as usize {
        read.insert(rsyslog.next());
    }
    read.extend(rsyslog.stop());
    assert_eq!(read, BTreeSet::from_iter(0..offered));
}

/// Runs logrotate on the log, whatever it thinks of the time.
struct Logrotate {
    program: PathBuf,
    rules: PathBuf,
    state: PathBuf,
}

impl Logrotate {
    fn new(program: &Path, directory: &Path, how: &str) -> Self {
        let rules = directory.join("logrotate.conf");
        let log = directory.join("logs/app.log");
        let text = format!("{} {{\nrotate 1000\nnocompress\n{how}\n}}\n", log.display());
        fs::write(&rules, text).unwrap();
        // It reads no rules and no directory that others may write to.
        for (path, mode) in [(&rules, 0o644), (&directory.join("logs"), 0o755)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        Self {
            program: program.to_owned(),
            state: directory.join("logrotate.state"),
            rules,
        }
    }

    fn run(&self) {
        let mut command = Command::new(&self.program);
        command.arg("--force").arg("--state").arg(&self.state);
        // Taken out of its package, it does not find its library.
        let root = self.program.ancestors().nth(3).unwrap_or(Path::new("/"));
        for folder in fs::read_dir(root.join("usr/lib")).into_iter().flatten() {
            let folder = folder.unwrap().path();
            if root != Path::new("/") && folder.join("libpopt.so.0").exists() {
                command.env("LD_LIBRARY_PATH", folder);
            }
        }
        let ran = command.arg(&self.rules).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }
}

/// The numbers of the lines in `app.log.2`, `app.log.1`, `app.log`, in this order.
fn rotated(directory: &Path) -> Vec<u64> {
    let logs = directory.join("logs");
    let rotated = (1..)
        .map(|nth| logs.join(format!("app.log.{nth}")))
        .take_while(|path| path.exists());
    let mut paths: Vec<_> = rotated.collect();
    paths.reverse();
    paths.push(logs.join("app.log"));
    let text: String = paths
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    text.lines().map(number).collect()
}

/// Logs until all is `done`; returns how many lines.
fn logged(log: &NonBlocking, guard: &Guard, mut done: impl FnMut() -> bool) -> u64 {
    let (start, mut offered) = (Instant::now(), 0);
    while !done() {
        assert!(start.elapsed() < LONG, "not done after {offered} lines");
        // Line by line, or logrotate's copy on a busy machine never comes to the end.
        assert!(log.offer(None, line(offered).as_bytes()));
        offered += 1;
        guard.flush(LONG).unwrap();
    }
    offered
}

#[cfg(feature = "signals")]
#[test]
fn logrotate_that_creates_a_new_file_and_sends_sighup_loses_no_line() {
    let Some(program) = program("logrotate") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let appender = never_rolling(directory.path());
    let signals = dogwatch_appender::Signals::new().reopen(&appender);
    signals.spawn().unwrap();
    let process = std::process::id();
    let how = format!("create\npostrotate\nkill -HUP {process}\nendscript");
    let logrotate = Logrotate::new(&program, directory.path(), &how);
    let (log, guard) = NonBlocking::builder(appender.clone()).spawn().unwrap();
    let meanwhile = thread::spawn(move || (0..20).for_each(|_| logrotate.run()));
    let offered = logged(&log, &guard, || meanwhile.is_finished());
    meanwhile.join().unwrap();
    guard.close(LONG).unwrap();
    assert_eq!(rotated(directory.path()), Vec::from_iter(0..offered));
    let reopened = appender.stats().reopened;
    assert!((1..=40).contains(&reopened), "{reopened}");
}

#[test]
fn logrotate_that_creates_a_new_file_and_tells_nobody_loses_no_line() {
    let Some(program) = program("logrotate") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let appender = never_rolling(directory.path());
    let logrotate = Logrotate::new(&program, directory.path(), "create");
    let (log, guard) = NonBlocking::builder(appender.clone()).spawn().unwrap();
    let mut runs = 0;
    // The appender looks by itself while it writes.
    let offered = logged(&log, &guard, || {
        let noticed = appender.stats().reopened == runs;
        if noticed && runs < 3 {
            logrotate.run();
            runs += 1;
            return false;
        }
        noticed
    });
    guard.close(LONG).unwrap();
    assert_eq!(rotated(directory.path()), Vec::from_iter(0..offered));
    assert_eq!(appender.stats().reopened, 3);
}

#[test]
fn logrotate_that_copies_and_truncates_between_two_lines_loses_none() {
    let Some(program) = program("logrotate") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let appender = never_rolling(directory.path());
    let logrotate = Logrotate::new(&program, directory.path(), "copytruncate");
    let (log, guard) = NonBlocking::builder(appender).spawn().unwrap();
    for n in 0..500 {
        assert!(log.offer(None, line(n).as_bytes()));
        if n % 50 == 0 {
            guard.flush(LONG).unwrap();
            logrotate.run();
        }
    }
    guard.close(LONG).unwrap();
    // After the cut it goes on at the beginning of the file: no hole of zeros.
    assert_eq!(rotated(directory.path()), Vec::from_iter(0..500));
}

#[test]
fn logrotate_that_copies_and_truncates_while_lines_flow_loses_some_and_the_cut_is_told() {
    let Some(program) = program("logrotate") else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (told, telling) = mpsc::channel();
    let appender = Appender::builder(directory.path().join("logs/app.log"))
        .on_error(move |error| told.send(error.is_loss()).unwrap())
        .open()
        .unwrap();
    let logrotate = Logrotate::new(&program, directory.path(), "copytruncate");
    let (log, guard) = NonBlocking::builder(appender.clone()).spawn().unwrap();
    let meanwhile = thread::spawn(move || logrotate.run());
    let offered = logged(&log, &guard, || {
        meanwhile.is_finished() && appender.stats().cut > 0
    });
    meanwhile.join().unwrap();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(appender.stats().cut, 1);
    assert!(telling.recv_timeout(LONG).unwrap(), "it is told as a loss");
    assert_eq!(accounts.written.total(), offered, "the disk took them all");
    // The copy may end within a line: logrotate reads while a write goes on.
    let copy = fs::read_to_string(directory.path().join("logs/app.log.1")).unwrap();
    let copied = copy.lines().filter(|line| line.ends_with('}')).map(number);
    let copied: Vec<_> = copied.collect();
    assert_eq!(copied, Vec::from_iter(0..copied.len() as u64));
    let rest = fs::read_to_string(directory.path().join("logs/app.log")).unwrap();
    let rest: Vec<_> = rest.lines().map(number).collect();
    assert_eq!(
        rest,
        Vec::from_iter(rest[0]..offered),
        "whole, from a line's beginning on"
    );
    assert!(rest[0] >= copied.len() as u64, "nothing is there twice");
}

fn never_rolling(directory: &Path) -> Appender {
    Appender::builder(directory.join("logs/app.log"))
        .open()
        .unwrap()
}
