//! The sweep behind a queue: whichever call fails, the accounts are those of the files.

use super::{
    sweep::{compressed, lines, run},
    *,
};

/// Says that it is dropped; as a last field, that all before it is.
struct Gone(mpsc::Sender<()>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

struct Watched {
    appender: Appender,
    _gone: Gone,
}

impl io::Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.appender.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.appender.flush()
    }
}

/// Logs through a queue until all is written or a write has failed for good, and closes.
fn run_queue(machine: &Machine, lines: &str, for_good: bool) -> Option<Accounts> {
    let appender = machine
        .builder()
        .roll(Roll::size(50))
        .compress(COMPRESS)
        .open()
        .ok()?;
    let (gone, ended) = mpsc::channel();
    let (over, is_over) = mpsc::channel();
    let failed = over.clone();
    let (mut log, guard) = NonBlocking::builder(Watched {
        appender,
        _gone: Gone(gone),
    })
    .on_error(move |_| {
        let _ = failed.send(());
    })
    .spawn()
    .unwrap();
    for line in lines.split_inclusive('\n') {
        log.write_all(line.as_bytes()).unwrap();
    }
    let drain = guard.drain();
    let flush = thread::spawn(move || {
        if drain.drain(LONG).is_ok() {
            let _ = over.send(());
        }
    });
    let timeout = if for_good {
        is_over.recv_timeout(LONG).unwrap();
        Duration::ZERO
    } else {
        flush.join().unwrap();
        LONG
    };
    let closed = guard.close(timeout);
    ended.recv_timeout(LONG).unwrap();
    Some(closed.unwrap_or_else(|unwritten| *unwritten.accounts()))
}

#[test]
fn whichever_call_fails_the_accounts_are_those_of_the_files() {
    let lines = lines();
    let whole = Machine::at("2026-11-23T10:00:00Z");
    whole.disk.largest_write(15);
    assert_eq!(
        run_queue(&whole, &lines, false).unwrap().written.total(),
        20
    );
    for call in 0..whole.disk.calls() {
        for for_good in [false, true] {
            let machine = Machine::at("2026-11-23T10:00:00Z");
            machine.disk.largest_write(15);
            machine.disk.fail_call(call, for_good);
            let Some(accounts) = run_queue(&machine, &lines, for_good) else {
                continue;
            };
            machine.disk.heal();
            assert_eq!(accounts.offered().total(), 20);
            assert_eq!(accounts.pending().total(), 0);
            let written = accounts.written.total() as usize;
            assert_eq!(accounts.lost.unwritten.total() as usize, 20 - written);
            assert!(for_good || written == 20, "call {call} lost lines for good");
            run(&machine, compressed, "more\n", 0);
            // What was counted as written, perhaps the half of a line that was not, and the last.
            let mut expected = lines.split_inclusive('\n');
            let counted: String = expected.by_ref().take(written).collect();
            let text = machine.lines();
            let rest = text
                .strip_prefix(&counted)
                .expect("all that was counted as written");
            let half = rest
                .strip_suffix("more\n")
                .expect("the line of the next start");
            let next = expected.next().unwrap_or_default();
            assert!(
                next.starts_with(half.trim_end_matches('\n')),
                "call {call}: {half:?}"
            );
        }
    }
}

#[test]
fn failures_that_come_while_on_error_hangs_are_counted_each() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (begun, begins) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let waits = Mutex::new(waits);
    let told = Arc::new(Mutex::new(0));
    let sum = Arc::clone(&told);
    let builder = machine.builder().roll(Roll::size(8));
    let builder = builder.on_error(move |error| {
        *sum.lock().unwrap() += 1 + error.more();
        if begun.send(()).is_ok() {
            let _ = waits.lock().unwrap().recv();
        }
    });
    let mut appender = builder.open().unwrap();
    machine
        .disk
        .fail_all("rename", io::ErrorKind::PermissionDenied);
    let mut fail = || {
        writeln!(appender, "a line").unwrap();
        machine.clock.advance(Duration::from_secs(1));
    };
    // The first one is alone in its file.
    fail();
    fail();
    begins.recv_timeout(LONG).unwrap();
    (0..200).for_each(|_| fail());
    drop((go_on, begins));
    assert!(appender.close(LONG));
    assert_eq!(*told.lock().unwrap(), 201);
}
