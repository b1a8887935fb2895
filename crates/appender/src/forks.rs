//! A forked child, played by a queue without a writer thread whose process gets another id.

use std::{
    cell::Cell,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    Guard, Level, NonBlocking, WhenFull,
    clock::Clock,
    fakes::ManualClock,
    process::Process,
    queue::Queue,
    report::{Callback, Reporter},
    sink::Sink,
    worker::Shared,
};

/// A test that waits so long has failed.
const FOR_EVER: Duration = Duration::from_secs(3600);

thread_local! {
    static PROCESS: Cell<u32> = const { Cell::new(1) };
}

/// Neither the file nor `on_error` is a child's business. A panic of either is in the accounts.
struct Forbidden;

impl Write for Forbidden {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("the child writes")
    }

    fn flush(&mut self) -> io::Result<()> {
        panic!("the child flushes")
    }
}

fn parent(when_full: WhenFull) -> (NonBlocking, Guard, Arc<Shared>) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
    let on_error = Callback::new(|error| panic!("the child tells: {error}"));
    let queue = Queue::new(Arc::clone(&clock), 100, when_full, FOR_EVER);
    let shared = Arc::new(Shared {
        queue: queue.of(Process::of(|| PROCESS.get())),
        sink: Mutex::new(Sink::new(Box::new(Forbidden))),
        reporter: Reporter::new(on_error, clock),
        gap: None,
    });
    let log = NonBlocking::new(Arc::clone(&shared));
    (log, Guard::new(Arc::clone(&shared)), shared)
}

fn fork() {
    PROCESS.set(2);
}

fn offer(log: &NonBlocking) -> bool {
    log.offer(Some(Level::Info), b"a line of twenty ch\n")
}

#[test]
fn a_child_is_refused_at_the_first_line_that_would_wake_the_writer() {
    let (log, guard, shared) = parent(WhenFull::Wait(FOR_EVER));
    shared.queue.writer_parks();
    fork();
    assert!(!offer(&log));
    assert!(!offer(&log));
    let accounts = guard.close(FOR_EVER).unwrap();
    assert_eq!(accounts.refused.closed.of(Level::Info), 2);
    assert_eq!(accounts.offered().total(), 2);
    assert_eq!(accounts.panics, 0);
}

#[test]
fn a_child_that_would_wait_for_room_is_refused_instead() {
    let (log, guard, _) = parent(WhenFull::Wait(FOR_EVER));
    assert!(offer(&log));
    fork();
    let taken = (0..10).filter(|_| offer(&log)).count();
    let accounts = log.accounts();
    assert_eq!(accounts.refused.closed.total(), 10 - taken as u64);
    assert_eq!(accounts.lost.unwritten.total(), 1 + taken as u64);
    assert_eq!(accounts.pending().total(), 0);
    let accounts = guard.close(FOR_EVER).unwrap();
    assert_eq!((accounts.written.total(), accounts.panics), (0, 0));
}

#[test]
fn a_child_flushes_and_closes_at_once_and_says_that_its_copy_is_not_written() {
    let (log, guard, _) = parent(WhenFull::DropNew);
    assert!(offer(&log));
    fork();
    assert!(offer(&log));
    let unwritten = guard.flush(FOR_EVER).unwrap_err();
    assert_eq!(unwritten.lines(), 2);
    assert_eq!(unwritten.accounts().lost.unwritten.of(Level::Info), 2);
    guard.drain().drain(FOR_EVER).unwrap();
    assert!(!offer(&log));
    assert_eq!(guard.close(FOR_EVER).unwrap().panics, 0);
}

#[test]
fn a_child_drops_its_guard_at_once_and_in_silence() {
    let (log, guard, _) = parent(WhenFull::DropNew);
    assert!(offer(&log));
    fork();
    drop(guard);
    let accounts = log.accounts();
    assert_eq!(accounts.lost.unwritten.total(), 1);
    assert_eq!((accounts.pending().total(), accounts.panics), (0, 0));
}

#[test]
fn a_child_waits_for_no_lock_that_its_parent_had_at_the_fork() {
    let (log, guard, shared) = parent(WhenFull::Wait(FOR_EVER));
    assert!(offer(&log));
    shared.queue.lock_for_ever();
    fork();
    assert!(!offer(&log));
    assert_eq!(guard.flush(FOR_EVER).unwrap_err().lines(), 1);
    let unwritten = guard.close(FOR_EVER).unwrap_err();
    assert_eq!(unwritten.lines(), 1);
    assert_eq!(unwritten.accounts().refused.closed.total(), 1);
    assert_eq!(unwritten.accounts().panics, 0);
}

#[test]
fn the_fork_is_drained_by_nobody_though_the_writer_thread_itself_forked() {
    let (log, guard, shared) = parent(WhenFull::Wait(FOR_EVER));
    assert!(offer(&log));
    shared.queue.writer_is_here();
    fork();
    assert_eq!(guard.flush(FOR_EVER).unwrap_err().lines(), 1);
    assert_eq!(guard.close(FOR_EVER).unwrap().panics, 0);
}
