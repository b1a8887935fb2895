//! Another process's time and memory, and a core for one's own.

use std::process::Child;
use std::time::Duration;

/// What a process took, from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Processor time, in all its threads.
    pub cpu: Duration,
    /// The most memory that was resident.
    pub peak_mib: f64,
}

/// Waits for the end of a process.
///
/// # Panics
///
/// When it was waited for before.
#[must_use]
pub fn wait(child: Child) -> Spent {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    let (id, status) = (child.id() as libc::pid_t, std::ptr::null_mut());
    // SAFETY: `usage` is a valid place for an rusage, a null status is allowed, and the call keeps no
    // pointer. `child` is dropped without a second wait, so its id is not taken for another's.
    let waited = unsafe { libc::wait4(id, status, 0, usage.as_mut_ptr()) };
    assert_eq!(waited, id, "a child that nobody waited for");
    // SAFETY: it was filled by the call, and all zeros are a valid rusage too.
    let usage = unsafe { usage.assume_init() };
    let time = |part: libc::timeval| Duration::new(part.tv_sec as u64, part.tv_usec as u32 * 1_000);
    Spent {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        // Linux counts in KiB.
        peak_mib: usage.ru_maxrss as f64 / 1_024.0,
    }
}

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
