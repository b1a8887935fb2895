//! Processes with a crash ring that are really killed, at random moments, and what their logs hold.
#![cfg(all(target_os = "linux", feature = "gzip"))]

mod support;

use std::{
    collections::BTreeMap,
    fmt::Display,
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use dogwatch_appender::{
    Appender, AppenderBuilder, Compress, CrashRing, NonBlocking, Roll, WhenFull,
};

use support::{lines, start};

const LONG: Duration = Duration::from_secs(60);
const THREADS: usize = 3;

/// The bound of a queue without a ring.
const QUEUE: usize = 16 * 1024;

fn builder(directory: &Path) -> AppenderBuilder {
    Appender::builder(directory.join("app.log"))
        .roll(Roll::size(200_000))
        .compress(Compress::Gzip)
}

/// How a child keeps its lines.
#[derive(Clone)]
enum Kept {
    InMemory,
    BesideTheLog,
    In(PathBuf),
}

impl Kept {
    fn encode(&self) -> String {
        match self {
            Self::InMemory => "memory".into(),
            Self::BesideTheLog => "beside".into(),
            Self::In(directory) => directory.display().to_string(),
        }
    }
}

/// Logs numbered lines in three threads until it is killed. After each call that logged it says so
/// on stdout, in one small write: what stands there was accepted.
#[test]
#[ignore = "the other tests start it as a child process"]
fn child() {
    let mut order = String::new();
    io::stdin().read_line(&mut order).unwrap();
    let Some((directory, rest)) = order.trim().split_once('\t') else {
        return;
    };
    let (kept, life) = rest.split_once('\t').unwrap();
    writeln!(io::stdout(), "\nopening").unwrap();
    let file = builder(Path::new(directory)).open().unwrap();
    let mut builder = NonBlocking::builder(file).when_full(WhenFull::Wait(LONG));
    match kept {
        "memory" => builder = builder.max_bytes(QUEUE),
        "beside" => builder = builder.crash_ring(CrashRing::new()),
        directory => builder = builder.crash_ring(CrashRing::new().directory(directory)),
    }
    let (log, _guard) = builder.spawn().unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let log = log.clone();
            scope.spawn(move || {
                for n in 1u64.. {
                    let line = line(life, thread, n);
                    assert!(log.offer(None, line.as_bytes()));
                    // Shorter than PIPE_BUF, so in one piece; it ends with the parent.
                    let accepted = format!("accepted {thread} {n}\n");
                    rustix::io::write(rustix::stdio::stdout(), accepted.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn line(life: impl Display, thread: usize, n: u64) -> String {
    format!("{life} {thread} {n} {}\n", "x".repeat(n as usize % 200))
}

/// A child and what it says.
struct Life {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    accepted: [u64; THREADS],
}

impl Life {
    fn start(directory: &Path, kept: &Kept, life: usize) -> Self {
        let mut child = start("child");
        let (directory, kept) = (directory.display(), kept.encode());
        writeln!(child.stdin.take().unwrap(), "{directory}\t{kept}\t{life}").unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while line != "opening\n" {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "the child has ended");
        }
        Self {
            child,
            said,
            accepted: [0; THREADS],
        }
    }

    fn hear(&mut self) -> bool {
        let mut line = String::new();
        if self.said.read_line(&mut line).unwrap() == 0 {
            return false;
        }
        if let Some(accepted) = line.strip_prefix("accepted ") {
            let (thread, number) = accepted.trim().split_once(' ').unwrap();
            self.accepted[thread.parse::<usize>().unwrap()] = number.parse().unwrap();
        }
        true
    }

    /// Kills it after so many accepted lines, and gives back up to which number each thread came.
    fn kill_after(mut self, lines: usize) -> [u64; THREADS] {
        for _ in 0..lines {
            assert!(self.hear(), "the child has ended by itself");
        }
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.hear() {}
        self.accepted
    }
}

/// By life and thread the numbers in the order in which they are found.
fn numbers(lines: &[String]) -> BTreeMap<(usize, usize), Vec<u64>> {
    let mut numbers = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        let words: Vec<_> = line.split(' ').collect();
        let [life, thread, number, filler] = words[..] else {
            panic!("half a line: {line:?}");
        };
        let number: u64 = number.parse().unwrap();
        assert_eq!(filler.len() as u64, number % 200, "half a line: {line:?}");
        let key = (life.parse().unwrap(), thread.parse().unwrap());
        numbers.entry(key).or_default().push(number);
    }
    numbers
}

/// Chance, the same at each run.
fn dice(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn hidden(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("ring")).collect()
}

/// Says on stdout when a line is in the file.
struct Telling(Appender);

impl io::Write for Telling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes)?;
        rustix::io::write(rustix::stdio::stdout(), b"written\n").unwrap();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs a line for each that it is given on stdin.
#[test]
#[ignore = "another test starts it as a child process"]
fn quiet_child() {
    let mut orders = io::stdin().lines();
    let Some(directory) = orders.next() else {
        return;
    };
    let file = builder(Path::new(&directory.unwrap())).open().unwrap();
    let (log, _guard) = NonBlocking::builder(Telling(file)).spawn().unwrap();
    writeln!(io::stdout(), "\nopening").unwrap();
    for order in orders {
        assert!(log.offer(None, format!("{}\n", order.unwrap()).as_bytes()));
    }
}

/// Fifty lives in one directory, each killed; a third of them while it replays the one before.
fn fifty_lives(kept: &Kept) {
    let directory = tempfile::tempdir().unwrap();
    let mut state = 20_261_124;
    let mut accepted = BTreeMap::new();
    for life in 0..50 {
        let lines = match dice(&mut state) % 3 {
            0 => 0,
            _ => dice(&mut state) % 6000,
        };
        let last = Life::start(directory.path(), kept, life).kill_after(lines);
        for (thread, last) in last.into_iter().enumerate() {
            accepted.insert((life, thread), last);
        }
    }
    let appender = builder(directory.path()).open().unwrap();
    let stats = appender.stats();
    assert_eq!((stats.torn, stats.doubtful, stats.torn_records), (0, 0, 0));
    assert!(appender.close(LONG));
    assert_eq!(hidden(directory.path()), [""; 0]);

    let found = numbers(&lines(directory.path()));
    let mut sum = 0;
    for (key, last) in accepted {
        let numbers = found.get(&key).map_or(&[][..], |numbers| numbers);
        // One call may have been under way in each thread: its line is there, or not.
        let expected = last..=last + 1;
        let count = numbers.len() as u64;
        assert!(
            expected.contains(&count),
            "{key:?}: {count} lines, {last} were accepted"
        );
        assert!(
            numbers.iter().copied().eq(1..=count),
            "{key:?}: {numbers:?}"
        );
        sum += last;
    }
    assert!(sum > 20_000, "{sum} lines prove little");
}

#[test]
fn fifty_kills_lose_no_accepted_line_and_double_none() {
    fifty_lives(&Kept::BesideTheLog);
}

#[test]
fn fifty_kills_lose_nothing_with_the_ring_in_another_directory() {
    let directory = tempfile::tempdir_in("/dev/shm").unwrap();
    fifty_lives(&Kept::In(directory.path().to_owned()));
    assert_eq!(hidden(directory.path()), [""; 0]);
}

#[test]
fn without_a_ring_fifty_kills_lose_only_the_last_lines() {
    let mut state = 20_261_124;
    let (mut lost, mut most) = (0, 0);
    for life in 0..50 {
        let directory = tempfile::tempdir().unwrap();
        let moment = dice(&mut state) % 6000;
        let last = Life::start(directory.path(), &Kept::InMemory, life).kill_after(moment);
        let appender = builder(directory.path()).open().unwrap();
        let torn = appender.stats().torn;
        assert!(appender.close(LONG));
        let mut lines = lines(directory.path());
        if torn == 1 {
            lines.pop();
        }
        let mut bytes = 0;
        for (thread, last) in last.into_iter().enumerate() {
            let found = numbers(&lines).remove(&(life, thread)).unwrap_or_default();
            let count = found.len() as u64;
            assert!(found.into_iter().eq(1..=count));
            lost += last.saturating_sub(count);
            bytes += (count + 1..=last)
                .map(|n| line(life, thread, n).len())
                .sum::<usize>();
        }
        // As the README says: what was in the queue, and no more than fits into it.
        assert!(bytes <= QUEUE, "{bytes} bytes are lost");
        most = most.max(bytes);
    }
    assert!(most > QUEUE / 8, "at most {most} bytes lost prove little");
    assert!(
        lost > 0,
        "the other tests prove nothing: a kill loses nothing anyway"
    );
}

#[test]
fn without_a_ring_a_kill_in_quiet_times_loses_the_last_flush_interval_at_most() {
    const INTERVAL: Duration = Duration::from_millis(100);
    let directory = tempfile::tempdir().unwrap();
    let mut child = start("quiet_child");
    let mut orders = child.stdin.take().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut hear = |word: &str| {
        let heard = said.any(|line| line.unwrap() == word);
        assert!(heard, "the child has ended before `{word}`");
    };
    writeln!(orders, "{}", directory.path().display()).unwrap();
    hear("opening");
    let mut ages = Vec::new();
    for n in 0..10 {
        let before = Instant::now();
        writeln!(orders, "line {n}").unwrap();
        // Nothing asks for it, and no other line comes.
        hear("written");
        ages.push(before.elapsed());
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let expected: Vec<_> = (0..10).map(|n| format!("line {n}")).collect();
    assert_eq!(lines(directory.path()), expected);
    // The machine may keep the writer from it, but not each time.
    let least = ages.iter().min().unwrap();
    assert!(*least < INTERVAL * 3 / 2, "{ages:?}");
}
