//! One run of one writer: threads that write, the clock around them, the search afterwards.

use crate::lines::{self, Line};
use crate::subjects::{Files, Open, Subject};
use dogwatch_benches::latency::Latencies;
use std::io::Write;
use std::sync::Barrier;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) threads: u64,
    /// Of all threads together.
    pub(crate) lines: u64,
    pub(crate) timing: Timing,
    pub(crate) pace: Pace,
    pub(crate) files: Files,
    /// What the clock takes of each call's time, and is taken off.
    pub(crate) clock_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// From the first call to the last byte in the file; no clock between.
    Whole,
    /// Each call.
    Calls,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    Free,
    LinesPerSecond(u64),
}

pub(crate) struct Outcome {
    /// Of those found in the file.
    pub(crate) lines_per_second: f64,
    pub(crate) missing: u64,
    /// What the writer itself knew to be missing.
    pub(crate) told: u64,
    pub(crate) latencies: Latencies,
}

/// `None` if the subject cannot do it.
pub(crate) fn run(subject: &Subject, run: Run) -> Option<Outcome> {
    let directory = tempfile::tempdir().expect("a place for files");
    let open = (subject.open)(directory.path(), run.files)?;
    let (took, told, latencies) = timed(open, run);
    let found = lines::found(directory.path());
    let missing = run.lines - found;
    if subject.key.starts_with("ours") {
        assert_eq!(
            missing, told,
            "{}: what is missing was counted",
            subject.name
        );
    }
    Some(Outcome {
        lines_per_second: found as f64 / took.as_secs_f64(),
        missing,
        told,
        latencies,
    })
}

/// Without the search, which reads whole files into memory.
pub(crate) fn write_only(subject: &Subject, run: Run) {
    let directory = tempfile::tempdir().expect("a place for files");
    timed(
        (subject.open)(directory.path(), run.files).expect("it can"),
        run,
    );
}

fn timed(open: Box<dyn Open>, run: Run) -> (Duration, u64, Latencies) {
    let barrier = Barrier::new(run.threads as usize + 1);
    let mut latencies = Latencies::new();
    let started = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..run.threads)
            .map(|thread| {
                let (mut handle, barrier) = (open.handle(), &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    write(&mut *handle, thread, run)
                })
            })
            .collect();
        let started = Instant::now();
        barrier.wait();
        for thread in threads {
            latencies.merge(&thread.join().expect("no writer panics"));
        }
        started
    });
    let told = open.close();
    (started.elapsed(), told, latencies)
}

fn write(handle: &mut dyn Write, thread: u64, run: Run) -> Latencies {
    let mut line = Line::of_thread(thread);
    let mut latencies = Latencies::new();
    let begin = Instant::now();
    for number in 0..run.lines / run.threads {
        let text = line.number(number);
        if let Pace::LinesPerSecond(pace) = run.pace {
            let due = Duration::from_nanos(1_000_000_000 / pace * number);
            while begin.elapsed() < due {
                std::hint::spin_loop();
            }
        }
        match run.timing {
            Timing::Whole => handle.write_all(text).expect("a writer takes its lines"),
            Timing::Calls => {
                let before = Instant::now();
                handle.write_all(text).expect("a writer takes its lines");
                let took = before.elapsed().as_nanos() as u64;
                latencies.record(took.saturating_sub(run.clock_ns));
            }
        }
    }
    latencies
}
