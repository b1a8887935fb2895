//! Processor time of a thread, and the best of several rounds.

/// Nanoseconds of processor time that this thread has spent: unlike the wall clock it does not grow
/// while somebody else has the core.
#[must_use]
pub fn thread_cpu_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for a timespec, and the call keeps no pointer to it.
    // (Not through rustix: its own way into the vDSO does not run under valgrind.)
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "the system has a clock for each thread");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The middle one.
#[must_use]
pub fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Processor time of all programs that this one has started and waited for.
#[must_use]
pub fn children_cpu() -> std::time::Duration {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a valid place for an rusage, and the call keeps no pointer to it.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) };
    assert_eq!(failed, 0, "the system counts for the children");
    // SAFETY: it was filled by the call, and all zeros are a valid rusage too.
    let usage = unsafe { usage.assume_init() };
    let time = |part: libc::timeval| {
        std::time::Duration::new(part.tv_sec as u64, part.tv_usec as u32 * 1_000)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}
