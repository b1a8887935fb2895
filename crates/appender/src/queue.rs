//! The bounded queue between those who log and the one who writes: two buffers and a short mutex.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    Gap, Level, WhenFull,
    account::{Counters, Loss, Refusal, slot},
    batch::{Batch, FIRST},
    clock::Clock,
};

/// What callers fill and the writer empties. The mutex is held for a copy of one line, never while
/// anything is written.
pub(crate) struct Queue {
    state: Mutex<State>,
    /// The writer waits here.
    work: Condvar,
    /// Callers wait here.
    room: Condvar,
    /// Those who flush and close wait here.
    progress: Condvar,
    pub(crate) counters: Counters,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_bytes: usize,
    pub(crate) when_full: WhenFull,
    pub(crate) flush_interval: Duration,
}

#[derive(Default)]
struct State {
    /// Being filled.
    front: Batch,
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
    flush_wanted: u64,
    flush_done: u64,
    writer: Writer,
    writer_id: Option<ThreadId>,
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

/// What the writer was given with its batch.
pub(crate) struct Order {
    /// Serves all flushes up to this one.
    pub(crate) flush: u64,
    /// Told after the batch: lines are refused when the queue is full of what comes before.
    pub(crate) gap: Option<Gap>,
}

/// What the writer has seen; a pause ends when there is something new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    flush: u64,
    phase: Phase,
}

impl Seen {
    pub(crate) fn is_given_up(self) -> bool {
        self.phase >= Phase::Done
    }
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
            counters: Counters::default(),
            clock,
            max_bytes,
            when_full,
            flush_interval,
        }
    }

    /// Takes the lines, or refuses and counts them.
    pub(crate) fn offer(&self, level: Option<Level>, lines: &[u8]) -> Result<(), Refusal> {
        if lines.is_empty() {
            return Ok(());
        }
        let count = memchr::memchr_iter(b'\n', lines).count() as u64;
        let slot = slot(level);
        let (mut state, admitted) = self.admit(self.lock(), Batch::cost_of(lines));
        let wake = match admitted {
            Ok(()) => {
                state.front.push(slot, count, lines, self.max_bytes);
                self.counters.accept(slot, count);
                state.urgent |= level == Some(Level::Error);
                match state.writer {
                    Writer::Busy => false,
                    Writer::Waits => state.urgent || state.front.cost() >= state.enough,
                    Writer::Parks => true,
                }
            }
            Err(refusal) => {
                // A piece without a newline is less than a line, but missing all the same.
                let count = count.max(1);
                self.counters.refuse(refusal, slot, count);
                if refusal != Refusal::Closed {
                    self.miss(&mut state, slot, count);
                }
                state.writer != Writer::Busy
            }
        };
        if wake {
            state.writer = Writer::Busy;
            drop(state);
            self.work.notify_one();
        }
        admitted
    }

    // Returns once the lines fit, or may not wait any longer.
    fn admit<'q>(
        &'q self,
        mut state: MutexGuard<'q, State>,
        cost: usize,
    ) -> (MutexGuard<'q, State>, Result<(), Refusal>) {
        if state.phase != Phase::Open {
            return (state, Err(Refusal::Closed));
        }
        if cost > self.max_bytes {
            return (state, Err(Refusal::TooLong));
        }
        let fits = |state: &State| state.front.cost() + state.in_flight + cost <= self.max_bytes;
        if fits(&state) {
            return (state, Ok(()));
        }
        // The writer waits for nobody: it would wait for itself.
        let is_writer = state.writer_id == Some(thread::current().id());
        let WhenFull::Wait(timeout) = self.when_full else {
            return (state, Err(Refusal::Full));
        };
        if state.stalled || is_writer || timeout.is_zero() {
            return (state, Err(Refusal::Full));
        }
        self.wake(&mut state);
        state.callers += 1;
        let waits = |state: &mut State| state.phase == Phase::Open && !fits(state);
        let waited = self.room.wait_timeout_while(state, timeout, waits);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.callers -= 1;
        let admitted = match state.phase {
            Phase::Open if fits(&state) => Ok(()),
            Phase::Open => Err(Refusal::Full),
            _ => Err(Refusal::Closed),
        };
        state.stalled |= admitted == Err(Refusal::Full);
        (state, admitted)
    }

    /// Waits until there is something to write, a flush, or the end; at most for `at_most`.
    ///
    /// While lines come fast (`busy`) it looks by itself after a moment: to wake a sleeping thread
    /// costs the caller microseconds.
    pub(crate) fn wait(&self, at_most: Option<Duration>, busy: bool) {
        let mut state = self.lock();
        if busy && !self.is_due(&state) {
            state.enough = PLENTY.min(self.max_bytes / 4);
            state.writer = Writer::Waits;
            let asleep = |state: &mut State| state.writer != Writer::Busy;
            let woken = self.work.wait_timeout_while(state, MOMENT, asleep);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
            state.writer = Writer::Busy;
        }
        state.enough = self.enough();
        let mut start = Instant::now();
        let mut quiet = false;
        while !self.is_due(&state) {
            state.writer = if quiet { Writer::Parks } else { Writer::Waits };
            let (woken, timed_out) = match (quiet, at_most) {
                (true, None) => {
                    let asleep = |state: &mut State| state.writer == Writer::Parks;
                    let woken = self.work.wait_while(state, asleep);
                    (woken.unwrap_or_else(PoisonError::into_inner), false)
                }
                _ => {
                    let asleep = |state: &mut State| state.writer != Writer::Busy;
                    let left = self.flush_interval.saturating_sub(start.elapsed());
                    let time = if quiet { at_most.unwrap_or(left) } else { left };
                    let woken = self.work.wait_timeout_while(state, time, asleep);
                    let (woken, result) = woken.unwrap_or_else(PoisonError::into_inner);
                    (woken, result.timed_out())
                }
            };
            state = woken;
            state.writer = Writer::Busy;
            match (quiet, timed_out) {
                // The interval is over, or lines enough have come.
                (false, _) if !state.front.is_empty() => return,
                (false, _) => {
                    quiet = true;
                    if state.front.capacity() > PLENTY {
                        state.front = Batch::default();
                    }
                }
                (true, true) => return,
                // The first line after a while: the next ones have an interval to join it.
                (true, false) => {
                    quiet = false;
                    start = Instant::now();
                }
            }
        }
    }

    fn is_due(&self, state: &State) -> bool {
        state.phase != Phase::Open
            || state.flush_wanted > state.flush_done
            || state.urgent
            || state.gap.is_some()
            || state.front.cost() >= self.enough()
    }

    fn enough(&self) -> usize {
        FIRST.min(self.max_bytes / 2)
    }

    /// Swaps the filled buffer for the empty `batch`.
    pub(crate) fn take(&self, batch: &mut Batch) -> Order {
        let mut state = self.lock();
        std::mem::swap(&mut state.front, batch);
        state.in_flight = batch.cost();
        state.urgent = false;
        Order {
            flush: state.flush_wanted,
            gap: state.gap.take(),
        }
    }

    /// Counts the next `lines` of the batch, `bytes` long, as written or lost. False: the whole
    /// batch was given up and counted meanwhile.
    pub(crate) fn settle(
        &self,
        batch: &mut Batch,
        (lines, bytes): (u64, usize),
        loss: Option<Loss>,
    ) -> bool {
        let mut state = self.lock();
        if state.phase >= Phase::Done {
            return false;
        }
        state.in_flight = state.in_flight.saturating_sub(bytes);
        // Not for each little room: a caller that is woken shall find enough to go on.
        if state.front.cost() + state.in_flight <= self.max_bytes / 4 * 3 {
            self.make_room(&mut state);
        }
        batch.settle(lines, |slot, lines| match loss {
            None => self.counters.write(slot, lines),
            Some(loss) => {
                self.counters.lose(loss, slot, lines);
                self.miss(&mut state, slot, lines);
            }
        });
        true
    }

    /// The batch is dealt with: there is room again.
    pub(crate) fn release(&self, batch: &mut Batch) {
        batch.clear();
        let mut state = self.lock();
        state.in_flight = 0;
        // Kept only while lines come fast.
        if batch.capacity() > PLENTY && state.front.cost() < FIRST {
            *batch = Batch::default();
        }
        self.make_room(&mut state);
    }

    fn make_room(&self, state: &mut State) {
        state.stalled = false;
        if state.callers > 0 {
            self.room.notify_all();
        }
    }

    /// All that was taken with this order is written.
    pub(crate) fn served(&self, flush: u64) {
        let mut state = self.lock();
        if flush > state.flush_done {
            state.flush_done = flush;
            self.progress.notify_all();
        }
    }

    /// How many lines went missing since the last call.
    pub(crate) fn untold(&self) -> u64 {
        std::mem::take(&mut self.lock().untold)
    }

    pub(crate) fn seen(&self) -> Seen {
        let state = self.lock();
        Seen {
            flush: state.flush_wanted,
            phase: state.phase,
        }
    }

    /// Waits, unless a flush or the end came after `seen`.
    pub(crate) fn pause(&self, time: Duration, seen: Seen) {
        let same = |state: &mut State| {
            Seen {
                flush: state.flush_wanted,
                phase: state.phase,
            } == seen
        };
        drop(self.work.wait_timeout_while(self.lock(), time, same));
    }

    /// The calling thread is the writer.
    pub(crate) fn writer_is_here(&self) {
        self.lock().writer_id = Some(thread::current().id());
    }

    pub(crate) fn is_writer(&self) -> bool {
        self.lock().writer_id == Some(thread::current().id())
    }

    /// Closed, and nothing is left to take.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.lock();
        let empty = state.front.is_empty() && state.gap.is_none();
        state.phase >= Phase::Done || (state.phase == Phase::Closed && empty)
    }

    pub(crate) fn is_drained(&self) -> bool {
        let state = self.lock();
        state.front.is_empty() && state.in_flight == 0 && state.gap.is_none()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        state.phase = state.phase.max(phase);
        self.wake(&mut state);
        self.room.notify_all();
        self.progress.notify_all();
    }

    /// Asks for a flush and waits until it is served; false if the time did not suffice.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let mut state = self.lock();
        state.flush_wanted += 1;
        let flush = state.flush_wanted;
        self.wake(&mut state);
        let open = |state: &mut State| state.flush_done < flush && state.phase < Phase::Done;
        let waited = self.progress.wait_timeout_while(state, timeout, open);
        waited.unwrap_or_else(PoisonError::into_inner).0.flush_done >= flush
    }

    /// Waits for a phase; false if the time did not suffice.
    pub(crate) fn reach(&self, phase: Phase, timeout: Duration) -> bool {
        let before = |state: &mut State| state.phase < phase;
        let waited = self
            .progress
            .wait_timeout_while(self.lock(), timeout, before);
        waited.unwrap_or_else(PoisonError::into_inner).0.phase >= phase
    }

    /// Gives up what is not written, and counts it as lost. Returns how much that is.
    pub(crate) fn give_up(&self) -> u64 {
        let mut state = self.lock();
        if state.phase >= Phase::Done {
            return 0;
        }
        let pending = self.counters.read().pending();
        for (slot, lines) in pending.slots() {
            self.counters.lose(Loss::Unwritten, slot, lines);
        }
        state.phase = Phase::Done;
        state.front = Batch::default();
        self.wake(&mut state);
        self.progress.notify_all();
        pending.total()
    }

    fn wake(&self, state: &mut State) {
        state.writer = Writer::Busy;
        self.work.notify_one();
    }

    fn miss(&self, state: &mut State, slot: usize, lines: u64) {
        let now = SystemTime::try_from(self.clock.now()).expect("the clock is a SystemTime");
        state
            .gap
            .get_or_insert_with(|| Gap::at(now))
            .add(slot, lines, now);
        state.untold += lines;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writer looks again after this time while lines come fast.
const MOMENT: Duration = Duration::from_millis(2);

/// What wakes a writer that looks by itself; also the largest buffer kept when nothing comes.
const PLENTY: usize = 1024 * 1024;
