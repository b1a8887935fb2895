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
    if let Some(bytes) = read("/proc/self/status")
        .as_deref()
        .and_then(resident_bytes)
    {
        page.family(MEMORY, Kind::Gauge, "Resident memory in bytes.");
        page.gauge("", Number::Whole(bytes));
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        page.family(FILES, Kind::Gauge, "Open file descriptors.");
        page.gauge("", Number::Whole(files.count() as u64));
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

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()?
        .checked_mul(1_024)
}

/// `USER_HZ`: 100 on every architecture that Rust's standard library supports on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) const CPU: &str = "process_cpu_seconds";
pub(crate) const MEMORY: &str = "process_resident_memory_bytes";
pub(crate) const FILES: &str = "process_open_fds";
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
        assert_eq!(resident_bytes("VmRSS:\t  many kB\n"), None);
        assert_eq!(resident_bytes("VmRSS:\t  18446744073709551615 kB\n"), None);
        assert_eq!(boot_time("cpu 1 2 3\nbtime x\n"), None);
    }

    #[test]
    fn memory_and_boot_time_are_found_among_their_neighbours() {
        assert_eq!(
            resident_bytes("VmHWM:\t  9 kB\nVmRSS:\t   1024 kB\n"),
            Some(1_048_576)
        );
        assert_eq!(
            boot_time("cpu  1 2\nctxt 5\nbtime 1700000000\n"),
            Some(1_700_000_000)
        );
    }
}
