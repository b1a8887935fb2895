//! One line about the machine, without which no figure means anything.

use std::fs;
use std::process::Command;

/// `machine: AMD EPYC …, 2 cores, Linux 6.18.0, rustc 1.95.0, load 0.42`
#[must_use]
pub fn line() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = read("/proc/sys/kernel/osrelease");
    let rustc = Command::new("rustc")
        .arg("-V")
        .output()
        .map(|output| output.stdout);
    let rustc = String::from_utf8(rustc.unwrap_or_default()).unwrap_or_default();
    let rustc = rustc.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "machine: {model}, {cores} cores, Linux {}, {rustc}, load {load}",
        system.trim()
    )
}
