//! The non-blocking writer before writers that are slow, broken or hostile.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use dogwatch_appender::{Drain, Gap, Level, NonBlocking, NonBlockingBuilder, WhenFull};

const LONG: Duration = Duration::from_secs(60);

/// A writer that keeps what it is given, one entry a call; while the gate is shut it waits.
#[derive(Clone, Default)]
struct Gate(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    writes: Vec<String>,
    shut: bool,
    passes: usize,
    at_the_gate: bool,
}

impl Gate {
    fn shut() -> Self {
        let gate = Self::default();
        gate.close();
        gate
    }

    fn close(&self) {
        let mut state = self.0.state.lock().unwrap();
        (state.shut, state.at_the_gate) = (true, false);
    }

    fn open(&self) {
        self.0.state.lock().unwrap().shut = false;
        self.0.changed.notify_all();
    }

    /// Lets one write through.
    fn pass(&self) {
        self.reached();
        self.0.state.lock().unwrap().passes = 1;
        self.0.changed.notify_all();
        // Until it has passed.
        let state = self.0.state.lock().unwrap();
        drop(
            self.0
                .changed
                .wait_timeout_while(state, LONG, |state| state.passes > 0)
                .unwrap(),
        );
    }

    /// Waits until the writer stands before the gate, with a first batch in hand.
    fn reached(&self) {
        let state = self.0.state.lock().unwrap();
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(state, LONG, |state| !state.at_the_gate)
            .unwrap();
        assert!(state.at_the_gate);
    }

    fn writes(&self) -> Vec<String> {
        self.0.state.lock().unwrap().writes.clone()
    }

    fn text(&self) -> String {
        self.writes().concat()
    }
}

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state.lock().unwrap();
        state.at_the_gate = true;
        self.0.changed.notify_all();
        let waits = |state: &mut State| state.shut && state.passes == 0;
        let mut state = self.0.changed.wait_while(state, waits).unwrap();
        state.passes = state.passes.saturating_sub(1);
        state.at_the_gate = !state.shut;
        self.0.changed.notify_all();
        state
            .writes
            .push(String::from_utf8(bytes.to_owned()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails, writes short, claims nothing or panics, as its script says; then it works.
#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<Vec<Step>>>,
    text: Arc<Mutex<String>>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    Claim(usize),
    Fail(io::ErrorKind),
    Panic,
}

impl Script {
    fn of(steps: &[Step]) -> Self {
        let steps = steps.iter().rev().copied().collect();
        Self {
            steps: Arc::new(Mutex::new(steps)),
            ..Self::default()
        }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

impl Write for Script {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let step = self
            .steps
            .lock()
            .unwrap()
            .pop()
            .unwrap_or(Step::Take(usize::MAX));
        let (taken, claimed) = match step {
            Step::Take(most) => (bytes.len().min(most), bytes.len().min(most)),
            Step::Claim(claimed) => (bytes.len(), claimed),
            Step::Fail(kind) => return Err(kind.into()),
            Step::Panic => panic!("the writer panics"),
        };
        self.text
            .lock()
            .unwrap()
            .push_str(std::str::from_utf8(&bytes[..taken]).unwrap());
        Ok(claimed)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says when the writer is dropped: then its thread has counted what it had to count.
struct Watched<W>(W, mpsc::Sender<()>);

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W> Drop for Watched<W> {
    fn drop(&mut self) {
        self.1.send(()).unwrap();
    }
}

/// Written only when something asks for it: the interval is never over in a test.
fn builder<W: Write + Send + 'static>(writer: W) -> NonBlockingBuilder<W> {
    NonBlocking::builder(writer)
        .flush_interval(LONG * 60)
        .on_error(|_| {})
}

fn line(n: usize) -> String {
    format!("line {n:05}\n")
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
}

#[test]
fn a_full_queue_refuses_the_newest_line_and_counts_it() {
    let gate = Gate::shut();
    let (log, guard) = builder(gate.clone())
        .max_bytes(100)
        .when_full(WhenFull::DropNew)
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    let taken = (1..20)
        .filter(|&n| log.offer(Some(Level::Info), line(n).as_bytes()))
        .count();
    // 11 bytes a line and 8 for its level: 19 with the writer, 63 waiting, and 19 more are too many.
    assert_eq!(taken, 5);
    let accounts = log.accounts();
    assert_eq!(accounts.offered().total(), 20);
    assert_eq!(accounts.refused.full.of(Level::Info), 14);
    assert_eq!(accounts.pending().total(), 6);
    gate.open();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.of(Level::Error), 1);
    assert_eq!(accounts.written.of(Level::Info), 5);
    assert_eq!(accounts.pending().total(), 0);
    assert_eq!(gate.text(), lines(0..6));
}

#[test]
fn a_full_queue_that_drops_the_oldest_keeps_the_newest_lines_without_a_hole() {
    let gate = Gate::shut();
    let (log, guard) = builder(gate.clone())
        .max_bytes(1000)
        .when_full(WhenFull::DropOldest)
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    assert!((1..500).all(|n| log.offer(Some(Level::Info), line(n).as_bytes())));
    let accounts = log.accounts();
    let dropped = accounts.lost.oldest.of(Level::Info);
    assert_eq!(accounts.dropped().total(), dropped);
    let kept = 499 - dropped as usize;
    assert!(
        (1000 * 7 / 8 / 11 - 5..=1000 / 11).contains(&kept),
        "{kept}"
    );
    gate.open();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.total(), 1 + kept as u64);
    assert_eq!(gate.text(), line(0) + &lines(500 - kept..500));
}

#[test]
fn a_queue_that_drops_by_level_keeps_its_last_quarter_for_what_matters() {
    let gate = Gate::shut();
    let when_full = WhenFull::DropBelow(Level::Warn);
    let (log, guard) = builder(gate.clone())
        .max_bytes(1000)
        .when_full(when_full)
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    let taken = |level, range: std::ops::Range<usize>| {
        range
            .filter(|&n| log.offer(level, line(n).as_bytes()))
            .count()
    };
    let infos = taken(Some(Level::Info), 1..200);
    assert!((750 / 11 - 5..=750 / 11).contains(&infos), "{infos}");
    assert_eq!(taken(Some(Level::Debug), 0..10), 0);
    assert_eq!(taken(Some(Level::Warn), 200..205), 5);
    assert_eq!(
        taken(None, 205..210),
        5,
        "unknown is never dropped by level"
    );
    gate.open();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.refused.full.of(Level::Info), 199 - infos as u64);
    assert_eq!(accounts.refused.full.of(Level::Debug), 10);
    assert_eq!(accounts.refused.full.of(Level::Warn), 0);
    assert_eq!(gate.text(), lines(0..1 + infos) + &lines(200..210));
}

#[test]
fn a_line_that_waits_is_taken_when_there_is_room() {
    let gate = Gate::shut();
    let (log, guard) = builder(gate.clone())
        .max_bytes(40)
        .when_full(WhenFull::Wait(LONG))
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    let caller = log.clone();
    let waiting = thread::spawn(move || (1..10).all(|n| caller.offer(None, line(n).as_bytes())));
    gate.open();
    assert!(waiting.join().unwrap());
    assert_eq!(guard.close(LONG).unwrap().refused.total().total(), 0);
    assert_eq!(gate.text(), lines(0..10));
}

#[test]
fn after_one_wait_in_vain_no_line_waits_until_there_is_room() {
    let wait = Duration::from_millis(200);
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone())
        .max_bytes(40)
        .when_full(WhenFull::Wait(wait))
        .spawn()
        .unwrap();
    let mut taken = 0;
    // The second time shows that room, once made, is waited for again.
    for _ in 0..2 {
        gate.close();
        assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
        gate.reached();
        let start = Instant::now();
        taken += (1..1000)
            .filter(|&n| log.offer(None, line(n).as_bytes()))
            .count();
        let time = start.elapsed();
        assert!(time >= wait, "one wait");
        assert!(time < wait * 100, "not a thousand waits, but {time:?}");
        gate.open();
        guard.flush(LONG).unwrap();
    }
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.total(), taken as u64 + 2);
    assert_eq!(accounts.refused.full.total(), 2 * 999 - taken as u64);
}

#[test]
fn a_large_line_that_finds_the_queue_half_full_wakes_the_writer_and_is_taken() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone())
        .max_bytes(100)
        .when_full(WhenFull::Wait(LONG))
        .spawn()
        .unwrap();
    let large = "x".repeat(69) + "\n";
    assert!(log.offer(None, lines(0..3).as_bytes()));
    assert!(log.offer(None, large.as_bytes()));
    guard.close(LONG).unwrap();
    assert_eq!(gate.text(), lines(0..3) + &large);
}

#[test]
fn room_is_made_while_a_large_batch_is_still_being_written() {
    const KIB: usize = 1024;
    let gate = Gate::shut();
    let (log, guard) = builder(gate.clone())
        .max_bytes(KIB * KIB)
        .when_full(WhenFull::DropNew)
        .spawn()
        .unwrap();
    let kib = "x".repeat(KIB - 1) + "\n";
    let fill = || {
        (0..)
            .take_while(|_| log.offer(None, kib.as_bytes()))
            .count()
    };
    assert!(log.offer(Some(Level::Error), b"first\n"));
    gate.reached();
    assert_eq!(fill(), 1023);
    gate.pass();
    gate.reached();
    assert_eq!(fill(), 0, "all of it is in the writer's hands");
    gate.pass();
    gate.reached();
    assert_eq!(
        fill(),
        256,
        "the writer's next write waits, and what it wrote makes room"
    );
    gate.open();
    assert_eq!(guard.close(LONG).unwrap().written.total(), 1 + 1023 + 256);
}

#[test]
fn a_line_larger_than_the_queue_is_refused_as_too_long_without_a_wait() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone())
        .max_bytes(100)
        .when_full(WhenFull::Wait(LONG))
        .spawn()
        .unwrap();
    assert!(!log.offer(Some(Level::Warn), ("x".repeat(100) + "\n").as_bytes()));
    assert!(log.offer(None, b"short\n"));
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.refused.too_long.of(Level::Warn), 1);
    assert_eq!(gate.text(), "short\n");
}

#[test]
fn a_refused_line_is_told_at_once_though_the_writer_sleeps() {
    let (told, telling) = mpsc::channel();
    let (log, _guard) = NonBlocking::builder(Gate::default())
        .max_bytes(10)
        .flush_interval(LONG * 60)
        .on_error(move |error| told.send((error.is_loss(), error.to_string())).unwrap())
        .spawn()
        .unwrap();
    assert!(!log.offer(None, b"too long a line\n"));
    let told = telling.recv_timeout(LONG).unwrap();
    assert_eq!(
        told,
        (true, "log lines dropped: 1, since the start: 1".to_owned())
    );
}

#[test]
fn a_refused_line_gets_its_gap_line_at_once_though_the_writer_sleeps() {
    let (told, telling) = mpsc::channel();
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone())
        .max_bytes(10)
        .gap(move |gap| {
            told.send(gap.lines().total()).unwrap();
            b"gap\n".to_vec()
        })
        .spawn()
        .unwrap();
    // Often, so that the writer is found asleep.
    for _ in 0..50 {
        assert!(!log.offer(None, b"too long a line\n"));
        assert_eq!(telling.recv_timeout(LONG).unwrap(), 1);
        guard.flush(LONG).unwrap();
    }
    assert_eq!(gate.text(), "gap\n".repeat(50));
}

#[test]
fn a_line_after_the_close_is_refused_and_never_a_panic() {
    let gate = Gate::default();
    let (mut log, guard) = builder(gate.clone()).spawn().unwrap();
    drop(guard);
    assert_eq!(log.write(b"late\n").unwrap(), 5);
    assert!(!log.offer(None, b"later\n"));
    assert_eq!(log.accounts().refused.closed.unknown(), 2);
    assert_eq!(log.accounts().offered().total(), 2);
    assert_eq!(gate.text(), "");
}

#[test]
fn the_writer_is_woken_by_64_kib_and_by_an_error_line_but_not_per_line() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone()).spawn().unwrap();
    let kib = "x".repeat(1023) + "\n";
    for _ in 0..64 {
        assert!(log.offer(Some(Level::Info), kib.as_bytes()));
    }
    gate.reached();
    guard.flush(LONG).unwrap();
    let before = gate.writes().len();
    assert!(log.offer(Some(Level::Info), b"info\n"));
    assert!(log.offer(Some(Level::Error), b"error\n"));
    assert!(log.offer(Some(Level::Info), b"info\n"));
    guard.close(LONG).unwrap();
    let writes = gate.writes();
    assert!(
        writes[before].starts_with("info\nerror\n"),
        "{:?}",
        &writes[before..]
    );
    assert_eq!(gate.text().lines().count(), 67);
}

#[test]
fn the_flush_interval_writes_what_nobody_asks_for() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone())
        .flush_interval(Duration::from_millis(1))
        .spawn()
        .unwrap();
    assert!(log.offer(None, b"alone\n"));
    gate.reached();
    drop(guard);
    assert_eq!(gate.text(), "alone\n");
}

#[test]
fn the_order_is_the_order_of_acceptance() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone()).max_bytes(4096).spawn().unwrap();
    let order = Mutex::new(String::new());
    thread::scope(|scope| {
        for thread in 0..4 {
            let (log, order) = (&log, &order);
            scope.spawn(move || {
                for n in 0..500 {
                    let line = format!("thread {thread} line {n}\n");
                    let mut order = order.lock().unwrap();
                    if log.offer(None, line.as_bytes()) {
                        order.push_str(&line);
                    }
                }
            });
        }
    });
    let accounts = guard.close(LONG).unwrap();
    let order = order.into_inner().unwrap();
    assert_eq!(accounts.written.total(), order.lines().count() as u64);
    assert_eq!(gate.text(), order);
}

#[test]
fn a_failure_after_progress_begins_its_pauses_anew() {
    let fail = || Step::Fail(io::ErrorKind::StorageFull);
    let steps: Vec<_> = (0..20).flat_map(|_| [Step::Take(7), fail()]).collect();
    let script = Script::of(&steps);
    let (mut log, guard) = builder(script.clone()).spawn().unwrap();
    log.write_all(lines(0..50).as_bytes()).unwrap();
    // Twenty pauses of 10 ms; if each were twice the last one, a minute.
    guard.close(Duration::from_secs(20)).unwrap();
    assert_eq!(script.text(), lines(0..50));
}

#[test]
fn whatever_a_writer_does_every_line_is_written_once_or_counted_as_lost() {
    use io::ErrorKind::{Interrupted, Other, StorageFull};
    let cases: &[(&[Step], usize, u64)] = &[
        (&[], 0, 0),
        (&[Step::Take(1), Step::Take(12), Step::Take(3)], 0, 0),
        (
            &[
                Step::Fail(Interrupted),
                Step::Take(5),
                Step::Fail(Interrupted),
            ],
            0,
            0,
        ),
        (
            &[
                Step::Fail(StorageFull),
                Step::Fail(Other),
                Step::Take(15),
                Step::Fail(Other),
            ],
            0,
            0,
        ),
        (&[Step::Take(0), Step::Take(7), Step::Take(0)], 0, 0),
        (&[Step::Claim(usize::MAX)], 0, 0),
        // The first line is lost.
        (&[Step::Panic], 1, 1),
        // The line that was half written is lost, its half is there.
        (&[Step::Take(5), Step::Panic, Step::Panic], 2, 2),
    ];
    for (case, (steps, lost, panics)) in cases.iter().enumerate() {
        let script = Script::of(steps);
        let (mut log, guard) = builder(script.clone()).spawn().unwrap();
        log.write_all(lines(0..10).as_bytes()).unwrap();
        let _ = guard.flush(LONG);
        log.write_all(lines(10..20).as_bytes()).unwrap();
        let accounts = guard.close(LONG).unwrap();
        assert_eq!(accounts.lost.panic.total(), *lost as u64, "case {case}");
        assert_eq!(accounts.written.total(), 20 - *lost as u64, "case {case}");
        assert_eq!(accounts.pending().total(), 0, "case {case}");
        assert_eq!(accounts.panics, *panics, "case {case}");
        assert!(
            script.text().ends_with(&lines(*lost..20)),
            "case {case}: {}",
            script.text()
        );
    }
}

#[test]
fn lines_for_a_reader_that_is_gone_are_lost_at_once_and_counted() {
    let script = Script::of(&[Step::Take(22), Step::Fail(io::ErrorKind::BrokenPipe)]);
    let (mut log, guard) = builder(script.clone()).spawn().unwrap();
    log.write_all(lines(0..10).as_bytes()).unwrap();
    assert_eq!(guard.flush(LONG).unwrap_err().lines(), 8);
    let accounts = guard.close(LONG).unwrap();
    assert_eq!((accounts.written.total(), accounts.lost.io.total()), (2, 8));
    assert_eq!(script.text(), lines(0..2));
}

#[test]
fn one_gap_line_stands_where_lines_are_missing() {
    let gate = Gate::shut();
    let (log, guard) = builder(gate.clone())
        .max_bytes(60)
        .when_full(WhenFull::DropNew)
        .gap(|gap| {
            assert!(gap.since() <= gap.until());
            format!(
                "gap {} info {}\n",
                gap.lines().total(),
                gap.lines().of(Level::Info)
            )
            .into()
        })
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    let taken = (1..10)
        .filter(|&n| log.offer(Some(Level::Info), line(n).as_bytes()))
        .count();
    gate.open();
    guard.flush(LONG).unwrap();
    assert!(log.offer(Some(Level::Info), b"healed\n"));
    let accounts = guard.close(LONG).unwrap();
    let missing = 9 - taken;
    assert!(missing > 0);
    let gap = format!("gap {missing} info {missing}\n");
    assert_eq!(gate.text(), lines(0..taken + 1) + &gap + "healed\n");
    assert_eq!(accounts.gap_lines, 1);
    assert_eq!(accounts.dropped().total(), missing as u64);
}

#[test]
fn a_gap_line_tells_how_many_lines_are_missing_for_which_reason() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (gaps, gate) = (Arc::clone(&told), Gate::shut());
    let (log, guard) = builder(gate.clone())
        .max_bytes(60)
        .when_full(WhenFull::DropNew)
        .gap(move |gap| {
            let reasons: Vec<_> = gap.reasons().collect();
            gaps.lock().unwrap().push((gap.lines().total(), reasons));
            b"gap\n".to_vec()
        })
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    assert_eq!(
        (1..10)
            .filter(|&n| log.offer(None, line(n).as_bytes()))
            .count(),
        2
    );
    assert!(!log.offer(None, ("x".repeat(99) + "\n").as_bytes()));
    gate.open();
    let accounts = guard.close(LONG).unwrap();
    let reasons = vec![("full", 7), ("too_long", 1)];
    assert_eq!(*told.lock().unwrap(), [(8, reasons.clone())]);
    let dropped = accounts.dropped_by_reason();
    let dropped = dropped.map(|(reason, lines)| (reason, lines.total()));
    assert_eq!(dropped.filter(|&(_, n)| n > 0).collect::<Vec<_>>(), reasons);
    assert_eq!(gate.text(), lines(0..3) + "gap\n");
}

#[test]
fn a_gap_line_tells_of_lines_that_were_lost_after_they_were_accepted() {
    let oldest = Gate::shut();
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = |told: &Arc<Mutex<Vec<_>>>| {
        let told = Arc::clone(told);
        move |gap: &Gap| {
            told.lock().unwrap().extend(gap.reasons());
            b"gap\n".to_vec()
        }
    };
    let (log, guard) = builder(oldest.clone())
        .max_bytes(1000)
        .when_full(WhenFull::DropOldest)
        .gap(keep(&told))
        .spawn()
        .unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    oldest.reached();
    assert!((1..500).all(|n| log.offer(None, line(n).as_bytes())));
    oldest.open();
    let dropped = guard.close(LONG).unwrap().lost.oldest.total();
    assert!(dropped > 0);
    assert_eq!(told.lock().unwrap().split_off(0), [("oldest", dropped)]);

    for (step, reason, lost) in [
        (Step::Panic, "panic", 1),
        (Step::Fail(io::ErrorKind::BrokenPipe), "io", 2),
    ] {
        let (mut log, guard) = builder(Script::of(&[step]))
            .gap(keep(&told))
            .spawn()
            .unwrap();
        log.write_all(lines(0..2).as_bytes()).unwrap();
        assert_eq!(guard.close(LONG).unwrap_err().lines(), lost);
        assert_eq!(told.lock().unwrap().split_off(0), [(reason, lost)]);
    }
}

#[test]
fn a_close_that_runs_out_of_time_counts_what_is_not_written_once_and_for_all() {
    let gate = Gate::shut();
    let (gone, ended) = mpsc::channel();
    let (log, guard) = builder(Watched(gate.clone(), gone)).spawn().unwrap();
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    gate.reached();
    assert!(log.offer(None, lines(1..4).as_bytes()));
    assert_eq!(guard.flush(Duration::ZERO).unwrap_err().lines(), 4);
    let unwritten = guard.close(Duration::ZERO).unwrap_err();
    assert_eq!(unwritten.lines(), 4);
    assert_eq!(unwritten.to_string(), "accepted log lines not written: 4");
    assert_eq!(unwritten.accounts().lost.unwritten.of(Level::Error), 1);
    assert_eq!(unwritten.accounts().lost.unwritten.unknown(), 3);
    assert_eq!(unwritten.accounts().pending().total(), 0);
    gate.open();
    ended.recv_timeout(LONG).unwrap();
    assert_eq!(log.accounts(), *unwritten.accounts());
    assert_eq!(gate.text(), line(0), "no more than what was in its hands");
}

#[test]
fn a_dropped_guard_writes_what_was_accepted() {
    let gate = Gate::default();
    let (mut log, guard) = builder(gate.clone()).spawn().unwrap();
    log.write_all(lines(0..5000).as_bytes()).unwrap();
    drop(guard);
    assert_eq!(gate.text(), lines(0..5000));
}

#[test]
fn a_line_written_in_pieces_by_writeln_is_handed_in_whole() {
    let gate = Gate::default();
    let (mut log, guard) = builder(gate.clone()).spawn().unwrap();
    writeln!(log, "{} and {}", 1, 2).unwrap();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.accepted.total(), 1);
    assert_eq!(gate.writes(), ["1 and 2\n"]);
}

#[test]
fn on_error_may_log_and_flush_on_the_writer_thread_without_a_deadlock() {
    let script = Script::of(&[Step::Fail(io::ErrorKind::StorageFull)]);
    let handle: Arc<Mutex<Option<(NonBlocking, Drain)>>> = Arc::default();
    let (told, telling) = mpsc::channel();
    let (inside, written) = (Arc::clone(&handle), script.clone());
    let (mut log, guard) = NonBlocking::builder(script.clone())
        .flush_interval(LONG)
        .on_error(move |_| {
            let (mut log, drain) = inside.lock().unwrap().take().expect("told once");
            log.write_all(b"from on_error\n").unwrap();
            let drained = drain.drain(LONG);
            told.send((drained.is_ok(), written.text())).unwrap();
        })
        .spawn()
        .unwrap();
    *handle.lock().unwrap() = Some((log.clone(), guard.drain()));
    log.write_all(b"one\n").unwrap();
    let flushed = guard.flush(LONG);
    // What `exit` inside `on_error` needs: the drain wrote it all, there and then.
    let (drained, text) = telling.recv_timeout(LONG).unwrap();
    assert!(drained);
    assert_eq!(text, "one\nfrom on_error\n");
    flushed.unwrap();
    assert_eq!(guard.close(LONG).unwrap().written.total(), 2);
    assert_eq!(script.text(), "one\nfrom on_error\n");
}

#[test]
fn a_line_that_on_error_logs_into_a_full_queue_waits_for_nobody() {
    let script = Script::of(&[Step::Fail(io::ErrorKind::StorageFull)]);
    let handle: Arc<Mutex<Option<NonBlocking>>> = Arc::default();
    let inside = Arc::clone(&handle);
    let (told, telling) = mpsc::channel();
    let (log, guard) = NonBlocking::builder(script.clone())
        .max_bytes(40)
        .when_full(WhenFull::Wait(LONG * 60))
        .on_error(move |error| {
            let log = inside.lock().unwrap();
            if error.is_io() {
                let long = "x".repeat(30) + "\n";
                told.send(log.as_ref().unwrap().offer(None, long.as_bytes()))
                    .unwrap();
            }
        })
        .spawn()
        .unwrap();
    *handle.lock().unwrap() = Some(log.clone());
    assert!(log.offer(Some(Level::Error), line(0).as_bytes()));
    assert!(!telling.recv_timeout(LONG).unwrap(), "refused at once");
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(
        (accounts.written.total(), accounts.refused.full.total()),
        (1, 1)
    );
    assert_eq!(script.text(), line(0));
}

#[test]
fn errors_reach_on_error_with_their_cause() {
    let script = Script::of(&[Step::Fail(io::ErrorKind::StorageFull), Step::Panic]);
    let errors = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&errors);
    let (mut log, guard) = NonBlocking::builder(script)
        .on_error(move |error| {
            let source = std::error::Error::source(error).map(ToString::to_string);
            told.lock()
                .unwrap()
                .push((error.to_string(), source, error.more()));
        })
        .spawn()
        .unwrap();
    log.write_all(lines(0..2).as_bytes()).unwrap();
    assert_eq!(guard.close(LONG).unwrap_err().lines(), 1);
    let full = io::Error::from(io::ErrorKind::StorageFull).to_string();
    let errors = errors.lock().unwrap();
    assert_eq!(
        errors[0],
        (
            "cannot write log lines, will retry".to_owned(),
            Some(full),
            0
        )
    );
    // The panic and the line it cost come as one summary.
    assert_eq!(
        errors[1].0,
        "log lines dropped: 1, since the start: 1 (and 1 more failures since the last report)"
    );
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_writer_that_would_block_is_tried_again_without_a_report() {
    let script = Script::of(&[Step::Fail(io::ErrorKind::WouldBlock), Step::Take(8)]);
    let (mut log, guard) = NonBlocking::builder(script.clone())
        .on_error(|error| panic!("{error}"))
        .spawn()
        .unwrap();
    log.write_all(lines(0..2).as_bytes()).unwrap();
    assert_eq!(guard.close(LONG).unwrap().panics, 0);
    assert_eq!(script.text(), lines(0..2));
}

#[test]
fn a_drain_works_from_any_thread() {
    let gate = Gate::default();
    let (log, guard) = builder(gate.clone()).spawn().unwrap();
    assert!(log.offer(None, b"one\n"));
    let drain = guard.drain();
    thread::spawn(move || drain.drain(LONG))
        .join()
        .unwrap()
        .unwrap();
    assert_eq!(gate.text(), "one\n");
}
