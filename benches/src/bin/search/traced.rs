//! Measures how soon one trace is found in rolled, compressed files that have their indexes, by a
//! process that has just begun, beside `zstdcat | grep`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dogwatch_appender::{Appender, Compress, Keep, Roll};
use dogwatch_benches::{print, time};
use dogwatch_reader::{Family, Index};

use crate::corpus::{self, Expected};
use crate::shown;

/// Prints a table and the figures.
pub(crate) fn measure(program: &Path, lines: u64, rounds: usize) {
    let folder = tempfile::tempdir().expect("a folder for the logs");
    let log = folder.path().join("shop.log");
    let expected = written(&log, lines);
    let families = Family::find(&[folder.path()]).expect("the logs are there");
    // The one that is written to is empty.
    let files: Vec<&PathBuf> = families[0]
        .files()
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "zst"))
        .collect();
    let started = time::thread_cpu_ns();
    let indexes: Vec<Index> = files
        .iter()
        .map(|file| Index::write(file).expect("a file that can be indexed"))
        .collect();
    let seconds = (time::thread_cpu_ns() - started) as f64 / 1e9;
    assert_eq!(indexes.iter().map(Index::lines).sum::<u64>(), lines);
    let stored: u64 = indexes.iter().map(Index::file_bytes).sum();
    let index: u64 = indexes.iter().map(Index::bytes).sum();
    println!(
        "\n{lines} lines, {} bytes, in {} files of {stored} bytes with indexes of {index} bytes",
        expected.bytes,
        files.len()
    );

    let mut table = print::Table::new(&[
        "trace id",
        "dogwatch trace, ms",
        "zstdcat | grep, ms",
        "lines",
    ]);
    let (mut slowest, mut ratio) = (0_f64, None::<f64>);
    for (name, id, count) in [
        ("early", &*expected.early, 1),
        ("last", &*expected.trace, 1),
        ("absent", "4bf92f3577b34da6a3ce929d0e0e4736", 0),
    ] {
        let best = |run: &dyn Fn() -> Option<u64>| {
            let times = (0..rounds).filter_map(|_| {
                let started = Instant::now();
                let found = run()?;
                assert_eq!(found, count, "{name}");
                Some(started.elapsed())
            });
            times.min().map(millis)
        };
        let ours = best(&|| Some(ours(program, id, folder.path()))).expect("the program was built");
        let theirs = best(&|| zstdcat(id, folder.path()));
        table.row(vec![
            name.to_owned(),
            print::short(ours),
            print::cell(theirs),
            count.to_string(),
        ]);
        slowest = slowest.max(ours);
        ratio = theirs.map(|theirs| (ours / theirs).max(ratio.unwrap_or(0.0)));
    }
    table.print("One trace in rolled files, a process each, page cache warm");
    println!();
    print::figure("search.trace.ms", Some(slowest), "ms");
    print::figure("search.trace_vs_zstdcat", ratio, "ratio");
    print::figure("search.index.seconds", Some(seconds), "s");
    print::figure(
        "search.index.size_ratio",
        Some(index as f64 / stored as f64),
        "ratio",
    );
    let peak = peak(program, folder.path(), lines, &expected.trace);
    print::figure("search.rolled.peak", Some(peak), "MiB");
}

/// Writes the log as a service would: rolled and compressed by our appender.
fn written(log: &Path, lines: u64) -> Expected {
    let mut appender = Appender::builder(log)
        .roll(Roll::never().max_bytes(ROLL))
        .keep(Keep::files(10_000))
        .compress(Compress::Zstd)
        .open()
        .expect("a log");
    let expected = corpus::lines(lines, |line| {
        appender
            .write_all(line.as_bytes())
            .expect("room for the log");
    });
    appender.roll().expect("the last file is closed");
    assert!(
        appender.settle(Duration::from_secs(600)),
        "all is compressed"
    );
    assert!(appender.close(Duration::from_secs(60)));
    expected
}

fn ours(program: &Path, id: &str, folder: &Path) -> u64 {
    let output = Command::new(program)
        .args(["trace", "--json", id])
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    assert!(output.status.code().is_some_and(|code| code < 2));
    output.stdout.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// What everybody has; `None` where it is not installed.
fn zstdcat(id: &str, folder: &Path) -> Option<u64> {
    let output = Command::new("sh")
        .arg("-c")
        .arg("zstdcat -- *.zst | LC_ALL=C grep -cF -- \"$0\"")
        .arg(id)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    if !output.stderr.is_empty() {
        return None;
    }
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The most memory that each way of reading all of the files takes, in MiB: those that keep the most.
fn peak(program: &Path, folder: &Path, lines: u64, trace: &str) -> f64 {
    let mut table = print::Table::new(&["dogwatch", "the most memory, MiB"]);
    let mut peak = 0_f64;
    for words in [
        &["trace", trace][..],
        &["stats"],
        &["patterns"],
        &["* | count by trace_id"],
        &["* | p50,p99(latency_ms) by route"],
        &["* | p50,p99(latency_ms) by trace_id"],
    ] {
        let mut command = Command::new(program);
        command.args(words).arg(folder).stderr(Stdio::null());
        let (text, spent) = shown::run(&mut command).expect("the program runs");
        let rows = text.lines().count() as u64;
        assert!(rows > 1, "{words:?} printed {rows} rows");
        if words[0].contains("by trace_id") {
            // Each line has a trace of its own; beyond its bound a table says so.
            assert_eq!(rows, lines.min(100_000) + 1, "{words:?}");
        }
        peak = peak.max(spent.peak_mib);
        let words = words.join(" ").replace(trace, "ID");
        table.row(vec![words, print::short(spent.peak_mib)]);
    }
    table.print("Memory over all of the rolled files, a process each");
    println!();
    peak
}

fn millis(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1e3
}

/// The size at which the facade rolls by default.
const ROLL: u64 = 100 << 20;
