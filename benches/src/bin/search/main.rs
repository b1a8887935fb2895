//! Measures how fast a query finds its lines in half a gigabyte of log.
//!
//! Ours runs on one thread and is told in its processor time; the rivals are told in the processor
//! time of all their threads together, which favours nobody on a busy machine. The ratio to DuckDB is
//! to two threads of it, at twice that speed. Every answer is the count of matching lines, and all must
//! be the same. `--only-trace` leaves out all but the search for one trace in two gigabytes of rolled
//! files.

mod command;
mod corpus;
mod rivals;
mod shown;
mod traced;

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dogwatch_benches::{machine, print, quick, time};
use dogwatch_line::{Now, Query};
use dogwatch_reader::{Family, Search};

fn main() {
    let (lines, rounds) = if quick() { (4_000, 1) } else { (1_900_000, 3) };
    println!("{}", machine::line());
    let program = command::program();
    if std::env::args().any(|argument| argument == "--only-trace") {
        return traced::measure(&program, traces(), rounds);
    }
    let folder = tempfile::tempdir().expect("a folder for the log");
    let path = folder.path().join("shop.log");
    let expected = corpus::write(&path, lines);
    let bytes = fs::metadata(&path).expect("the log is there").len() as f64;
    println!("{lines} lines, {bytes} bytes, {} match", expected.failed);
    rivals::describe_for_lnav(folder.path());

    let ask = |query: &str, expected: u64| {
        let mut best = f64::INFINITY;
        for _ in 0..rounds {
            let (count, seconds) = ours(query, &path);
            assert_eq!(count, expected, "{query}");
            best = best.min(seconds);
        }
        bytes / best / 1e9
    };
    let literal = ask("level=ERROR status>=500", expected.failed);
    let parsed = ask("latency_ms>250", expected.slow);
    let traced = ask(&format!("trace_id={}", expected.trace), 1);

    let mut table = print::Table::new(&["who", "asked", "GB/s of processor time", "answer"]);
    let mut row = |who: &str, asked: &str, speed: Option<f64>, answer: u64| {
        table.row(vec![
            who.to_owned(),
            asked.to_owned(),
            print::cell(speed),
            answer.to_string(),
        ]);
        speed
    };
    row(
        "dogwatch",
        "level=ERROR status>=500",
        Some(literal),
        expected.failed,
    );
    row("dogwatch", "latency_ms>250", Some(parsed), expected.slow);
    row("dogwatch", "one trace id", Some(traced), 1);
    let rival = |rival: &rivals::Rival, expected: u64| -> Option<f64> {
        let rounds = if rival.once { 1 } else { rounds };
        let best = (0..rounds).filter_map(|_| {
            let (count, elapsed) = rival.count(&path)?;
            assert_eq!(count, expected, "{}", rival.name);
            Some(elapsed)
        });
        best.min()
            .map(|elapsed: Duration| bytes / elapsed.as_secs_f64() / 1e9)
    };
    let mut ratios = Vec::new();
    for one in rivals::failed() {
        let speed = row(
            one.name,
            "level ERROR and status >= 500",
            rival(&one, expected.failed),
            expected.failed,
        );
        ratios.push((
            format!("search.literal_vs_{}", one.name),
            // At their best its threads share the work evenly.
            speed.map(|speed| literal / (speed * one.threads)),
        ));
    }
    let ripgrep = rivals::literal(&expected.trace);
    let speed = row(ripgrep.name, "one trace id", rival(&ripgrep, 1), 1);
    ratios.push((
        "search.literal_vs_ripgrep".to_owned(),
        speed.map(|speed| traced / speed),
    ));
    table.print("The count of matching lines, page cache warm");
    println!();
    print::figure("search.literal.gbps", Some(literal), "GB/s");
    print::figure("search.parse.gbps", Some(parsed), "GB/s");
    print::figure("search.trace.gbps", Some(traced), "GB/s");
    for (name, ratio) in ratios {
        print::figure(&name, ratio, "ratio");
    }
    shown::measure(&program, &path, expected.failed, rounds);
    drop(folder);
    traced::measure(&program, traces(), rounds);
}

/// Lines of two gigabytes.
fn traces() -> u64 {
    if quick() { 20_000 } else { 7_600_000 }
}

/// How many lines our search finds, and in how many seconds of processor time.
fn ours(query: &str, path: &Path) -> (u64, f64) {
    let started = time::thread_cpu_ns();
    let query = Query::parse(query).expect("a query");
    let search = Search::new(&query, Now::utc(SystemTime::now()));
    let families = Family::find(&[path]).expect("the log is there");
    let mut reading = search.read(&families[0]);
    while let Some(line) = reading.next() {
        line.expect("a log without trouble");
    }
    let count = reading.report().found;
    (count, (time::thread_cpu_ns() - started) as f64 / 1e9)
}
