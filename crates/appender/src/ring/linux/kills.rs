//! Kills a process at each of its steps in turn, its next life at each of its own, and counts lines.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{create, fuse, mortal::Mortal};
use crate::{
    Appender, Roll, WhenFull,
    clock::Clock,
    disk::RealDisk,
    fakes::ManualClock,
    queue::Queue,
    ring::{CrashRing, Ringed},
    sink::{Attempt, Sink},
};

/// What a life logged: the lines whose call returned, and the one whose call did not.
#[derive(Default)]
struct Logged {
    accepted: Vec<String>,
    under_way: Option<String>,
    /// To make room for the lines that were accepted.
    dropped: u64,
    /// Also for the one that was under way.
    dropping: u64,
    steps: u64,
}

fn open(directory: &Path) -> Option<Appender> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
    let appender = Appender::builder(directory.join("app.log"))
        .roll(Roll::size(150))
        .on_error(|_| {})
        .on(
            Arc::new(Mortal(RealDisk { mode: None }, Arc::default())),
            clock,
        );
    appender.open().ok()
}

/// Opens the log, which replays, then logs some lines and writes them in batches.
fn live(directory: &Path, life: &str, when_full: WhenFull, steps: u64) -> Logged {
    fuse::light(steps);
    let mut logged = Logged::default();
    if let Some(appender) = open(directory) {
        // Not in the middle of a line: the file's own rest comes first.
        log(appender, life, when_full, &mut logged);
    }
    logged.steps = fuse::burnt();
    fuse::light(u64::MAX);
    logged
}

fn log(appender: Appender, life: &str, when_full: WhenFull, logged: &mut Logged) {
    let sizes = if when_full == WhenFull::DropOldest {
        (400, 3)
    } else {
        (800, 2)
    };
    let family = &appender.inner.household.family;
    let Ok((ring, front, back)) = create(&CrashRing::new(), family, sizes) else {
        return;
    };
    let clock = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
    let queue =
        Queue::new(clock, sizes.0, when_full, Duration::ZERO).into_ring(Arc::clone(&ring), front);
    let writer = Ringed::new(appender.clone(), ring);
    let mut sink = Sink::new(Box::new(writer)).out_of_ring(back);
    let mut number = 0;
    for batch in [3, 1, 14, 2] {
        for _ in 0..batch {
            number += 1;
            let line = format!("{life} line {number}\n");
            logged.under_way = Some(line.clone());
            let accepted = queue.offer(None, line.as_bytes()).is_ok();
            logged.dropping = queue.counters.read().lost.oldest.total();
            if fuse::is_dead() {
                return;
            }
            logged.under_way = None;
            assert!(accepted);
            logged.accepted.push(line);
            logged.dropped = logged.dropping;
        }
        // A roll comes in the middle of a line where the write before was short.
        for _ in 0..20 {
            match sink.attempt(&queue) {
                Attempt::Complete => break,
                Attempt::Gap(_) => sink.tell(Vec::new()),
                _ if fuse::is_dead() => return,
                _ => panic!("the disk fails only when the process is dead"),
            }
        }
        if fuse::is_dead() {
            return;
        }
        if batch == 1 {
            appender.roll().ok();
        }
    }
    // The last ones are in the ring only.
    for _ in 0..2 {
        number += 1;
        let line = format!("{life} line {number}\n");
        logged.under_way = Some(line.clone());
        queue.offer(None, line.as_bytes()).ok();
        if fuse::is_dead() {
            return;
        }
        logged.under_way = None;
        logged.accepted.push(line);
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    // By the number; the current one has none.
    paths.sort_by_key(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let number = name.split('.').nth(2).map(str::to_owned);
        (number.is_none(), number)
    });
    paths
}

fn lines(directory: &Path) -> Vec<String> {
    let paths = files(directory);
    let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
    let text: String = texts.collect();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// All that was accepted, in order and once, and what was under way at most once.
fn check(logged: &[&Logged], found: &[String], what: &str) {
    let mut found = found.iter().peekable();
    for life in logged {
        let mut missing = Vec::new();
        for line in &life.accepted {
            match found.peek() == Some(&line) {
                true => drop(found.next()),
                false => missing.push(line),
            }
        }
        // The first four are written before the queue is full.
        let dropped = missing.len() as u64;
        assert!(
            missing.is_empty()
                || missing
                    == life
                        .accepted
                        .iter()
                        .skip(4)
                        .take(missing.len())
                        .collect::<Vec<_>>(),
            "{what}: missing {missing:?}"
        );
        assert!(
            [life.dropped, life.dropping].contains(&dropped),
            "{what}: missing {missing:?}, dropped were {}",
            life.dropped
        );
        if life.under_way.is_some() && found.peek().copied() == life.under_way.as_ref() {
            found.next();
        }
    }
    let more: Vec<_> = found.collect();
    assert!(
        more.is_empty(),
        "{what}: lines that nobody logged, or twice: {more:?}"
    );
}

fn sweep(when_full: WhenFull) {
    let whole = |life: &str| {
        let directory = fuse::directory();
        live(directory.path(), life, when_full, u64::MAX).steps
    };
    let steps = whole("first");
    assert!(steps > 80, "only {steps} steps");
    for first in 0..=steps {
        // The next life is killed too: mostly in its replay, at another step each time.
        for second in [first % 61, steps / 2 + first % 7] {
            let directory = fuse::directory();
            let what = format!("killed at step {first} and then at step {second}");
            let one = live(directory.path(), "first", when_full, first);
            let two = live(directory.path(), "second", when_full, second);
            let last = open(directory.path()).expect("the last start is not killed");
            drop(last);
            check(&[&one, &two], &lines(directory.path()), &what);
            let rings = fs::read_dir(directory.path()).unwrap();
            let rings = rings.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let rings: Vec<_> = rings.filter(|name| name.contains("ring")).collect();
            assert_eq!(rings, [""; 0], "{what}");
        }
    }
}

#[test]
fn a_kill_at_any_step_loses_no_accepted_line_and_doubles_none() {
    sweep(WhenFull::DropNew);
}

#[test]
fn a_kill_while_the_oldest_lines_are_dropped_loses_no_other_line() {
    sweep(WhenFull::DropOldest);
}
