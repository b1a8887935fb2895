//! Reads what `/proc` says of this process, under the names that Prometheus' own libraries use.

use crate::page::{Kind, Number, Page};
use std::fs;

/// Writes what can be read; on a system without `/proc` that is nothing.
pub(crate) fn write(page: &mut Page) {
    let read = |path| fs::read_to_string(path).ok();
    if let Some(stat) = read("/proc/self/stat").as_deref().and_then(Stat::parse) {
        page.family(
            CPU,
            Kind::Counter,
            "User and system CPU time spent, in seconds.",
        );
        page.counter("", Number::Real(stat.cpu_ticks as f64 / TICKS_PER_SECOND));
        if let Some(boot) = read("/proc/stat").as_deref().and_then(boot_time) {
            page.family(
                START,
                Kind::Gauge,
                "Start of the process, in seconds since 1970.",
            );
            let start = boot as f64 + stat.start_ticks as f64 / TICKS_PER_SECOND;
            page.gauge("", Number::Real(start));
        }
    }
    if let Some(status) = read("/proc/self/status") {
        let rows = [
            (MEMORY, "Resident memory in bytes.", kib(&status, "VmRSS:")),
            (VIRTUAL, "Virtual memory in bytes.", kib(&status, "VmSize:")),
            (
                THREADS,
                "Threads of the process.",
                number(&status, "Threads:"),
            ),
        ];
        for (name, help, value) in rows {
            gauge(page, name, help, value);
        }
    }
    let open = fs::read_dir("/proc/self/fd")
        .ok()
        .map(|files| files.count() as u64);
    gauge(page, FILES, "Open file descriptors.", open);
    let most = read("/proc/self/limits").as_deref().and_then(most_files);
    gauge(
        page,
        MAX_FILES,
        "Most file descriptors that may be open.",
        most,
    );
}

fn gauge(page: &mut Page, name: &str, help: &str, value: Option<u64>) {
    if let Some(value) = value {
        page.family(name, Kind::Gauge, help);
        page.gauge("", Number::Whole(value));
    }
}

#[derive(Debug, PartialEq)]
struct Stat {
    cpu_ticks: u64,
    start_ticks: u64,
}

impl Stat {
    fn parse(stat: &str) -> Option<Self> {
        // The second field is the command in parentheses, and may hold spaces and parentheses.
        let (_, rest) = stat.rsplit_once(')')?;
        let field = |number: usize| rest.split_ascii_whitespace().nth(number - 3)?.parse().ok();
        let (user, system): (u64, u64) = (field(14)?, field(15)?);
        Some(Self {
            cpu_ticks: user + system,
            start_ticks: field(22)?,
        })
    }
}

fn boot_time(stat: &str) -> Option<u64> {
    stat.lines()
        .find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// What stands behind a word at the start of a line.
fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(word))
        .map(str::trim)
}

fn number(status: &str, word: &str) -> Option<u64> {
    after(status, word)?.parse().ok()
}

/// A size in KiB, in bytes.
fn kib(status: &str, word: &str) -> Option<u64> {
    let size = after(status, word)?.strip_suffix("kB")?.trim();
    size.parse::<u64>().ok()?.checked_mul(1_024)
}

/// The soft limit, which is the one that `open` meets; none when it is `unlimited`.
fn most_files(limits: &str) -> Option<u64> {
    let limits = after(limits, "Max open files")?;
    limits.split_ascii_whitespace().next()?.parse().ok()
}

/// `USER_HZ`: 100 on every architecture that Rust's standard library supports on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) const CPU: &str = "process_cpu_seconds";
pub(crate) const MEMORY: &str = "process_resident_memory_bytes";
pub(crate) const VIRTUAL: &str = "process_virtual_memory_bytes";
pub(crate) const THREADS: &str = "process_threads";
pub(crate) const FILES: &str = "process_open_fds";
pub(crate) const MAX_FILES: &str = "process_max_fds";
pub(crate) const START: &str = "process_start_time_seconds";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_parentheses_and_spaces_shifts_no_field() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 9 9 20 0 3 0 123456 1 2 3";
        assert_eq!(
            Stat::parse(stat),
            Some(Stat {
                cpu_ticks: 300,
                start_ticks: 123_456
            })
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for stat in [
            "",
            "42 (a",
            "42 (a) S 1 2",
            "42 (a) S 1 2 3 4 5 6 7 8 9 10 11 x y",
        ] {
            assert_eq!(Stat::parse(stat), None, "{stat:?}");
        }
        assert_eq!(kib("VmRSS:\t  many kB\n", "VmRSS:"), None);
        assert_eq!(kib("VmRSS:\t  18446744073709551615 kB\n", "VmRSS:"), None);
        assert_eq!(number("Threads:\t-1\n", "Threads:"), None);
        assert_eq!(
            most_files("Max open files   unlimited   unlimited  files\n"),
            None
        );
        assert_eq!(most_files("Max open files\n"), None);
        assert_eq!(boot_time("cpu 1 2 3\nbtime x\n"), None);
    }

    #[test]
    fn each_figure_is_found_among_its_neighbours() {
        let status =
            "VmPeak:\t 1 kB\nVmSize:\t  2 kB\nVmHWM:\t  9 kB\nVmRSS:\t   1024 kB\nThreads:\t7\n";
        assert_eq!(kib(status, "VmRSS:"), Some(1_048_576));
        assert_eq!(kib(status, "VmSize:"), Some(2_048));
        assert_eq!(number(status, "Threads:"), Some(7));
        let limits = "Max processes             9        99      processes\nMax open files            1024     524288  files\n";
        assert_eq!(most_files(limits), Some(1_024));
        assert_eq!(
            boot_time("cpu  1 2\nctxt 5\nbtime 1700000000\n"),
            Some(1_700_000_000)
        );
    }
}
