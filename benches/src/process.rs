//! Another process's time, and a core for one's own.

use std::time::Duration;

/// The processor time that a process has spent, in all its threads.
///
/// # Panics
///
/// When there is no such process.
#[must_use]
pub fn cpu(pid: u32) -> Duration {
    let mut clock: libc::clockid_t = 0;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: both places are valid for the calls, which keep no pointer to them.
    let failed = unsafe {
        libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) != 0
            || libc::clock_gettime(clock, &mut time) != 0
    };
    assert!(!failed, "process {pid} runs");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread, and those that it starts from now on, on one core. False if it cannot be had.
#[must_use]
pub fn pin(core: usize) -> bool {
    // SAFETY: a cpu_set_t is plain bits, for which zeros are valid; the call reads it and keeps no pointer.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) == 0
    }
}

/// As [`pin`], and says on stderr when the core cannot be had.
pub fn pin_or_warn(core: usize) {
    if !pin(core) {
        eprintln!("core {core} cannot be had alone: the figures over sockets are worth less");
    }
}
