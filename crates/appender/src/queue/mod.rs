//! The bounded queue between those who log and the one who writes: two buffers and a short mutex.

mod caller;
mod end;
mod pace;
mod watch;
mod writer;

pub(crate) use {pace::Pace, watch::Watch, writer::Order};

use std::{
    cell::Cell,
    hint, ptr,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, SystemTime},
};

use crate::{
    Gap, WhenFull,
    account::{Counters, Reason},
    batch::{Batch, FIRST, RUN, Spare},
    clock::Clock,
    process::Process,
    ring::{self, Ring},
};

/// What callers fill and the writer empties. The mutex is held for a copy of one line, never while
/// anything is written. Longer only under `WhenFull::DropOldest`, once for an eighth of the queue: the
/// oldest lines are counted, and in a crash ring those that stay are copied.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// The writer waits here.
    work: Condvar,
    /// Callers wait here.
    room: Condvar,
    /// Those who flush and close wait here.
    progress: Condvar,
    /// The watcher waits here.
    watch: Condvar,
    pub(crate) counters: Counters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_bytes: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) flush_interval: Duration,
    process: Process,
    /// What holds the buffers, if a killed process shall lose no line.
    ring: Option<Arc<Ring>>,
}

#[derive(Default)]
struct State {
    /// Being filled.
    front: Batch,
    /// Pieces to fill next.
    spare: Spare,
    /// What the writer's batch takes of the bound.
    in_flight: usize,
    /// An ERROR line is waiting.
    urgent: bool,
    /// So many bytes wake the writer.
    enough: usize,
    /// A wait for room has expired: no line waits until there is room again.
    stalled: bool,
    callers: usize,
    gap: Option<Gap>,
    /// Dropped lines that `on_error` has not been told of.
    untold: u64,
    /// How often the writer looked for such lines.
    tellings: u64,
    /// The watcher sleeps until there are such lines.
    unwatched: bool,
    flush_wanted: u64,
    flush_done: u64,
    writer: Writer,
    phase: Phase,
}

/// What wakes the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writer {
    #[default]
    Busy,
    /// A full buffer, an urgent line, or the end of its interval.
    Waits,
    /// Any line: nothing came for a whole interval.
    Parks,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    #[default]
    Open,
    /// No more lines are taken; those there are being written.
    Closed,
    /// All are written or given up.
    Done,
    /// The writer itself is dropped.
    Ended,
}

impl Queue {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        max_bytes: usize,
        when_full: WhenFull,
        flush_interval: Duration,
    ) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            progress: Condvar::new(),
            watch: Condvar::new(),
            counters: Counters::default(),
            clock,
            max_bytes,
            when_full,
            flush_interval,
            process: Process::current(),
            ring: None,
        }
    }

    /// Takes lines into this area of the ring.
    pub(crate) fn into_ring(mut self, ring: Arc<Ring>, front: ring::Area) -> Self {
        self.ring = Some(ring);
        self.lock().front = Batch::in_ring(front);
        self
    }

    pub(crate) fn ring(&self) -> Option<&Ring> {
        self.ring.as_deref()
    }

    /// What these lines take of the bound at most.
    fn cost_of(&self, lines: &[u8]) -> usize {
        let record = if self.ring.is_some() {
            ring::RECORD
        } else {
            RUN
        };
        lines.len().saturating_add(record)
    }

    /// A line that a forked child takes would go into its parent's ring.
    fn shares_ring(&self) -> bool {
        let forked = |ring: &Arc<Ring>| ring.is_forked().unwrap_or_else(|| self.is_forked());
        self.ring.as_ref().is_some_and(forked)
    }

    #[cfg(test)]
    pub(crate) fn of(mut self, process: Process) -> Self {
        self.process = process;
        self
    }

    fn enough(&self) -> usize {
        FIRST.min(self.max_bytes / 2)
    }

    fn make_room(&self, state: &mut State) {
        state.stalled = false;
        if state.callers > 0 {
            self.room.notify_all();
        }
    }

    fn wake(&self, state: &mut State) {
        state.writer = Writer::Busy;
        self.work.notify_one();
    }

    fn miss(&self, state: &mut State, reason: Reason, slot: usize, lines: u64) {
        let now = SystemTime::try_from(self.clock.now()).expect("the clock is a SystemTime");
        state
            .gap
            .get_or_insert_with(|| Gap::at(now))
            .add(reason, slot, lines, now);
        // A system call, for the first of them only.
        if std::mem::take(&mut state.unwatched) {
            self.watch.notify_one();
        }
        state.untold += lines;
    }

    /// `None` in a forked child, if another thread of its parent had the lock at the fork: here
    /// nobody unlocks it.
    fn lock_here(&self) -> Option<MutexGuard<'_, State>> {
        // Others hold it for a copy: to ask for the process takes longer than they do.
        for round in 0..ROUNDS {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(state)) => return Some(state.into_inner()),
                Err(TryLockError::WouldBlock) if self.process.is_known_forked() => return None,
                Err(TryLockError::WouldBlock) => (0..1 << round).for_each(|_| hint::spin_loop()),
            }
        }
        (!self.is_forked()).then(|| self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As when nothing came for a while.
    #[cfg(test)]
    pub(crate) fn writer_parks(&self) {
        self.lock().writer = Writer::Parks;
    }

    /// As a thread does that is in the middle of an `offer` when another one forks.
    #[cfg(test)]
    pub(crate) fn lock_for_ever(&self) {
        std::mem::forget(self.lock());
    }

    /// This process is a forked child: it has no writer thread.
    pub(crate) fn is_forked(&self) -> bool {
        self.process.is_forked()
    }

    /// The calling thread is the writer.
    pub(crate) fn writer_is_here(&self) {
        WRITES_FOR.set(ptr::from_ref(self));
    }

    pub(crate) fn is_writer(&self) -> bool {
        ptr::eq(WRITES_FOR.get(), self)
    }
}

/// Before a caller sleeps until the lock is free: 255 turns, a few microseconds.
const ROUNDS: u32 = 8;

thread_local! {
    // Not a `ThreadId`: an exit handler asks when the thread's own handle may be gone. The queue
    // outlives its writer thread, so no other queue has its address.
    static WRITES_FOR: Cell<*const Queue> = const { Cell::new(ptr::null()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::ManualClock;

    #[test]
    fn memory_is_kept_while_lines_come_fast_and_given_back_when_they_stop() {
        let clock = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
        let queue = Queue::new(clock, 8 << 20, WhenFull::DropNew, Duration::ZERO);
        let mut batch = Batch::default();
        // (lines of a KiB, pieces that are empty while they wait, and after them)
        for (lines, meanwhile, after) in [(2048, 0, 8), (2048, 0, 8), (1024, 4, 8), (1, 7, 8)] {
            (0..lines).for_each(|_| queue.offer(None, &[b'\n'; 1024]).unwrap());
            queue.take(&mut batch);
            assert_eq!(queue.lock().spare.count(), meanwhile);
            while !batch.is_empty() {
                let bytes = batch.first().len();
                queue.settle(&mut batch, (bytes as u64, bytes), None);
            }
            queue.release(&mut batch);
            assert_eq!(queue.lock().spare.count(), after);
        }
        let mut fast = Pace::new(Duration::from_millis(100));
        fast.found(FIRST, false);
        queue.lock().spare = Spare::default();
        queue.offer(None, b"line\n").unwrap();
        assert!(queue.wait(&mut fast, None), "it looks by itself");
        assert_eq!(queue.lock().spare.count(), 4, "made before they are needed");
        let mut slow = Pace::new(Duration::ZERO);
        queue.wait(&mut slow, None);
        assert_eq!(queue.lock().spare.count(), 4, "they may come fast again");
        queue.take(&mut batch);
        queue.release(&mut batch);
        let mut slow = Pace::new(Duration::ZERO);
        queue.wait(&mut slow, Some(Duration::ZERO));
        assert_eq!(queue.lock().spare.count(), 1);
    }

    #[test]
    fn what_waits_and_what_is_written_share_one_bound() {
        let clock = Arc::new(ManualClock::at("2026-11-24T10:00:00Z"));
        let queue = Queue::new(clock, 1000, WhenFull::DropNew, Duration::ZERO);
        let mut batch = Batch::default();
        let fill = || {
            (0..)
                .take_while(|_| queue.offer(None, &[b'\n'; 92]).is_ok())
                .count()
        };
        // 92 bytes, and 8 for the level: of the first line, and of each at its admission.
        assert_eq!(fill(), 10);
        queue.take(&mut batch);
        assert_eq!(fill(), 0);
        queue.release(&mut batch);
        assert_eq!(fill(), 10);
        let accounts = queue.counters.read();
        assert_eq!(accounts.pending().total(), 20 * 92);
        assert_eq!(accounts.refused.full.total(), 3 * 92);
    }
}
