//! Tells a forked child from the process that started the writer thread.

use std::sync::atomic::{AtomicBool, Ordering};

/// The process that a queue belongs to.
///
/// A fork copies the memory but not the writer thread: in the child nobody empties the queue, and a
/// lock that another thread had at that moment is never given back.
pub(crate) struct Process {
    id: fn() -> u32,
    home: u32,
    left: AtomicBool,
}

impl Process {
    pub(crate) fn current() -> Self {
        Self::of(std::process::id)
    }

    pub(crate) fn of(id: fn() -> u32) -> Self {
        Self {
            id,
            home: id(),
            left: AtomicBool::new(false),
        }
    }

    /// A system call, until the answer is yes: not for each line.
    pub(crate) fn is_forked(&self) -> bool {
        if !self.is_known_forked() && (self.id)() != self.home {
            self.left.store(true, Ordering::Relaxed);
        }
        self.is_known_forked()
    }

    /// What was answered last.
    pub(crate) fn is_known_forked(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }
}

/// The calling thread gives way to those that serve: compression waits for them, not they for it.
///
/// On Linux the nice value is the I/O priority, too: a thread without a class of its own is best-effort
/// at the level (nice + 20) / 5 of 0 to 7 (ioprio_set(2)), so that 19 makes 7, the last. Not the
/// class `idle`: on a busy disk it would wait for ever, and this thread makes room on a full one.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{getpriority_process, setpriority_process};
        // Of this thread alone: setpriority(2), NOTES. Where a sandbox forbids it, it competes.
        let nice = getpriority_process(None).unwrap_or(NICE);
        if nice < NICE {
            let _ = setpriority_process(None, NICE);
        }
    }
}

/// The last there is: beside busy threads it gets 15 parts to their 1,024 each (sched(7), and the
/// kernel's `sched_prio_to_weight`). With 10, 110 parts, a writer at its limit on two cores was kept
/// waiting for whole slices of time, and one call in 10,000 was up to 30 times slower than without
/// compression; with 19 it is some 2 times.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static ID: Cell<u32> = const { Cell::new(1) };
        static ASKED: Cell<u32> = const { Cell::new(0) };
    }

    #[test]
    fn a_child_asks_for_its_id_until_it_knows() {
        let process = Process::of(|| {
            ASKED.set(ASKED.get() + 1);
            ID.get()
        });
        assert!(!process.is_forked());
        ID.set(2);
        assert!(!process.is_known_forked());
        assert!(process.is_forked());
        assert!(process.is_known_forked());
        assert!(process.is_forked());
        assert_eq!(ASKED.get(), 3);
    }
}
