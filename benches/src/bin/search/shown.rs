//! Measures what a person waits for: the first line, the last lines, and what memory it takes.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dogwatch_benches::{print, process};

/// Prints a table and the figures.
pub(crate) fn measure(program: &Path, log: &Path, found: u64, rounds: usize) {
    let mut table = print::Table::new(&["what", "dogwatch", "fblog"]);
    let queries = [QUERY, "* | count"];
    let first = queries[..1].iter().chain(&["*"]).map(|query| {
        let times = (0..rounds).map(|_| first_line(program, query, log));
        let best = times.min().expect("a round").as_secs_f64() * 1e3;
        (format!("the first line of `{query}`, ms"), best)
    });
    let first: Vec<(String, f64)> = first.collect();
    for (what, ms) in &first {
        table.row(vec![what.clone(), print::short(*ms), "-".to_owned()]);
    }

    let last = log.with_file_name("last");
    let cut = Command::new("tail")
        .args(["-n", "10000"])
        .arg(log)
        .stdout(File::create(&last).expect("a file for the last lines"))
        .status();
    assert!(cut.is_ok_and(|status| status.success()));
    let ours = best(rounds, || {
        let mut command = Command::new(program);
        command.args(["--tail", "10000"]).arg(log);
        shown(&mut command)
    });
    // It has no such option: it is given the last lines alone.
    let theirs = best(rounds, || shown(Command::new("fblog").arg(&last)));
    let ours = ours.expect("the program was built");
    table.row(vec![
        "the last 10,000 lines, ms of processor time".to_owned(),
        print::short(ours),
        print::cell(theirs),
    ]);

    let mut peak = 0_f64;
    for query in queries {
        let mut command = Command::new(program);
        command.arg(query).arg(log).stderr(Stdio::inherit());
        let (text, spent) = run(&mut command).expect("the program runs");
        if query == QUERY {
            assert_eq!(text.lines().count() as u64, found);
        }
        peak = peak.max(spent.peak_mib);
        let what = format!("the most memory for `{query}`, MiB");
        table.row(vec![what, print::short(spent.peak_mib), "-".to_owned()]);
    }
    table.print("What a person sees, a process each, page cache warm");
    println!();
    let slowest = first.iter().map(|(_, ms)| *ms).fold(0.0, f64::max);
    print::figure("search.first.ms", Some(slowest), "ms");
    print::figure(
        "search.tail_vs_fblog",
        theirs.map(|theirs| ours / theirs),
        "ratio",
    );
    print::figure("search.peak", Some(peak), "MiB");
}

/// How long it takes until the first line has come through a pipe, from the start of the process on.
fn first_line(program: &Path, query: &str, log: &Path) -> Duration {
    let started = Instant::now();
    let mut child = Command::new(program)
        .arg(query)
        .arg(log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut output = child.stdout.take().expect("it is piped");
    let mut buffer = [0; 64 << 10];
    let mut line = Vec::new();
    while !line.contains(&b'\n') {
        let read = output.read(&mut buffer).expect("a pipe");
        assert!(read > 0, "no line was found");
        line.extend_from_slice(&buffer[..read]);
    }
    let elapsed = started.elapsed();
    // It ends by itself when nobody reads on; this is sooner.
    let _ = child.kill();
    child.wait().expect("a child of this process");
    elapsed
}

/// The least processor time of some rounds, in milliseconds.
fn best(rounds: usize, mut round: impl FnMut() -> Option<Duration>) -> Option<f64> {
    let times = (0..rounds).filter_map(|_| round());
    times.min().map(|time| time.as_secs_f64() * 1e3)
}

/// The processor time of a program that shows 10,000 lines, or as many as there are; `None` if it is
/// not installed.
fn shown(command: &mut Command) -> Option<Duration> {
    let (text, spent) = run(command)?;
    let lines = text.lines().count();
    assert!((4_000..=10_000).contains(&lines), "{lines} lines");
    Some(spent.cpu)
}

/// What a program printed and spent; `None` if it is not installed.
pub(crate) fn run(command: &mut Command) -> Option<(String, process::Spent)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut bytes = Vec::new();
    let mut output = child.stdout.take()?;
    output.read_to_end(&mut bytes).ok()?;
    let spent = process::wait(child);
    let _ = std::io::stdout().flush();
    Some((String::from_utf8(bytes).ok()?, spent))
}

const QUERY: &str = "level=ERROR status>=500";
