//! Callbacks with closed files: each file at least once, over failures, crashes and restarts.

use std::sync::OnceLock;

use super::*;

/// What the callbacks were called with: `close 000001.log`.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// A process that is dead calls nothing.
    fn on(&self, machine: &Machine, builder: AppenderBuilder) -> AppenderBuilder {
        let note = |what: &'static str| {
            let (disk, calls) = (machine.disk.clone(), self.clone());
            move |path: &std::path::Path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                let number = name.split('.').skip(2).collect::<Vec<_>>().join(".");
                if !disk.is_dead() {
                    calls.0.lock().unwrap().push(format!("{what} {number}"));
                }
            }
        };
        builder.on_roll(note("roll")).on_close(note("close"))
    }
}

fn rolled(appender: &mut Appender, line: &str) {
    writeln!(appender, "{line}").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
}

fn marks(machine: &Machine) -> Vec<String> {
    let mut names = machine.disk.all_names();
    names.retain(|name| name.ends_with(".closed") || name.ends_with(".rolled"));
    names
}

#[test]
fn each_file_is_told_once_and_a_mark_remembers_it_over_a_restart_though_all_are_deleted() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let calls = Calls::default();
    let open = || {
        let builder = machine.builder().keep(Keep::files(0));
        calls.on(&machine, builder).open().unwrap()
    };
    let mut appender = open();
    rolled(&mut appender, "one");
    rolled(&mut appender, "two");
    let both = |n| [format!("roll {n}.log"), format!("close {n}.log")];
    assert_eq!(calls.taken(), [both("000001"), both("000002")].concat());
    drop(appender);
    let marked = [".app.log.000002.closed", ".app.log.000002.rolled"];
    assert_eq!(marks(&machine), marked);
    let mut appender = open();
    assert!(appender.settle(LONG));
    assert_eq!(calls.taken(), [""; 0]);
    // Nothing else remembers the numbers: the next one goes on.
    rolled(&mut appender, "three");
    assert_eq!(calls.taken(), both("000003"));
    assert_eq!(*machine.errors.lock().unwrap(), [""; 0]);
}

#[test]
fn what_was_closed_before_there_was_a_callback_is_told_at_the_next_start() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().open().unwrap();
    rolled(&mut appender, "one");
    rolled(&mut appender, "two");
    drop(appender);
    assert_eq!(marks(&machine), [""; 0]);
    let calls = Calls::default();
    let appender = calls.on(&machine, machine.builder()).open().unwrap();
    assert!(appender.settle(LONG));
    let told = [
        "roll 000001.log",
        "roll 000002.log",
        "close 000001.log",
        "close 000002.log",
    ];
    assert_eq!(calls.taken(), told);
}

#[test]
fn of_several_marks_the_one_that_promises_least_counts() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    for name in [
        ".app.log.000001.closed",
        ".app.log.000003.closed",
        ".app.log.000003.rolled",
        "app.2026-11-20T10-00-00.000001.log",
        "app.2026-11-20T10-00-00.000002.log",
        "app.2026-11-20T10-00-00.000003.log",
    ] {
        machine.disk.put(&format!("logs/{name}"), "");
    }
    let calls = Calls::default();
    let appender = calls.on(&machine, machine.builder()).open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(calls.taken(), ["close 000002.log", "close 000003.log"]);
    let marked = [".app.log.000003.closed", ".app.log.000003.rolled"];
    assert_eq!(marks(&machine), marked);
}

#[cfg(feature = "gzip")]
#[test]
fn a_file_that_goes_before_it_is_compressed_is_told_as_it_is() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let calls = Calls::default();
    let builder = machine
        .builder()
        .compress(Compress::Gzip)
        .keep(Keep::files(1));
    let builder = builder.compress_after(Duration::from_secs(600));
    let mut appender = calls.on(&machine, builder).open().unwrap();
    rolled(&mut appender, "one");
    assert_eq!(calls.taken(), ["roll 000001.log"]);
    rolled(&mut appender, "two");
    assert_eq!(calls.taken(), ["roll 000002.log", "close 000001.log"]);
    machine.clock.advance(Duration::from_secs(600));
    rolled(&mut appender, "three");
    let told = ["roll 000003.log", "close 000002.log.gz"];
    assert_eq!(calls.taken(), told);
}

#[test]
fn a_call_that_panics_was_one() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().on_close(|_| panic!("on_close"));
    let mut appender = builder.open().unwrap();
    rolled(&mut appender, "one");
    drop(appender);
    assert_eq!(marks(&machine), [".app.log.000001.closed"]);
    let told = "the `on_close` callback panicked on `logs/app.2026-11-23T10-00-00.000001.log`";
    assert_eq!(*machine.errors.lock().unwrap(), [told]);
}

#[test]
fn a_directory_that_cannot_be_listed_defers_a_call_and_loses_none() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let calls = Calls::default();
    let mut appender = calls.on(&machine, machine.builder()).open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.fail_all("list", io::ErrorKind::Other);
    rolled(&mut appender, "one");
    assert_eq!(calls.taken(), [""; 0]);
    machine.disk.heal();
    rolled(&mut appender, "two");
    let told = [
        "roll 000001.log",
        "roll 000002.log",
        "close 000001.log",
        "close 000002.log",
    ];
    assert_eq!(calls.taken(), told);
}

#[test]
fn a_pass_that_is_cancelled_leaves_its_calls_to_the_next_start() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    for n in 1..=3 {
        let name = format!("logs/app.2026-11-20T10-00-00.00000{n}.log");
        machine.disk.put(&name, "line\n");
    }
    let household = Arc::new(OnceLock::<Arc<crate::household::Household>>::new());
    let (known, knows) = mpsc::channel();
    let knows = Mutex::new(knows);
    let (closed, closing) = mpsc::channel();
    let cancel = Arc::clone(&household);
    let appender = machine
        .builder()
        .on_close(move |_| {
            knows.lock().unwrap().recv().unwrap();
            let cancelled = &cancel.get().unwrap().cancelled;
            cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
            closed.send(()).unwrap();
        })
        .open()
        .unwrap();
    assert!(household.set(Arc::clone(&appender.inner.household)).is_ok());
    known.send(()).unwrap();
    assert!(appender.settle(LONG));
    drop(appender);
    assert_eq!(closing.try_iter().count(), 1);
    let calls = Calls::default();
    let appender = calls.on(&machine, machine.builder()).open().unwrap();
    assert!(appender.settle(LONG));
    let told = calls.taken();
    assert_eq!(told[3..], ["close 000002.log", "close 000003.log"]);
}

#[cfg(feature = "gzip")]
#[test]
fn a_plain_file_goes_only_when_the_name_of_its_compressed_form_is_synced() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let calls = Calls::default();
    let builder = machine.builder().compress(Compress::Gzip);
    let mut appender = calls.on(&machine, builder).open().unwrap();
    assert!(appender.settle(LONG));
    machine
        .disk
        .fail_all("sync_directory", io::ErrorKind::Other);
    let both = [
        "app.2026-11-23T10-00-00.000001.log",
        "app.2026-11-23T10-00-00.000001.log.gz",
    ];
    rolled(&mut appender, "one");
    assert_eq!(machine.disk.names(), both);
    appender.inner.housekeeper.ask(true, false);
    assert!(appender.settle(LONG));
    assert_eq!(machine.disk.names(), both, "still not synced");
    // The compressed form is whole, and may be called with; the next pass mends the rest.
    assert_eq!(calls.taken(), ["roll 000001.log", "close 000001.log.gz"]);
    machine.disk.heal();
    appender.inner.housekeeper.ask(true, false);
    assert!(appender.settle(LONG));
    assert_eq!(machine.disk.names(), both[1..]);
    assert_eq!(calls.taken(), [""; 0]);
}

#[cfg(feature = "gzip")]
#[test]
fn a_file_that_was_told_plain_is_told_compressed_whenever_the_process_dies() {
    // None of them dies first, to know how many calls there are.
    for dies_at in (0..).map(|call| (call > 0).then_some(call)) {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        let calls = Calls::default();
        let mut appender = calls.on(&machine, machine.builder()).open().unwrap();
        rolled(&mut appender, "one");
        rolled(&mut appender, "two");
        drop(appender);
        assert_eq!(calls.taken().len(), 4);
        let before = machine.disk.calls();
        let run = || {
            let builder = machine.builder().compress(Compress::Gzip);
            if let Ok(appender) = calls.on(&machine, builder).open() {
                appender.settle(LONG);
            }
        };
        if let Some(call) = dies_at {
            machine.disk.fail_call(call - 1, true);
        }
        run();
        let lived = !machine.disk.is_dead();
        machine.disk.heal();
        run();
        let told = calls.taken();
        for close in ["close 000001.log.gz", "close 000002.log.gz"] {
            assert!(
                told.iter().any(|told| told == close),
                "{dies_at:?}: {told:?}"
            );
        }
        if lived && dies_at.is_some() {
            assert!(
                machine.disk.calls() > before + 20,
                "too few to prove anything"
            );
            break;
        }
    }
}

/// Logs lines over several rolls; what fails is tried again at the next.
fn run(machine: &Machine, calls: &Calls, compress: Compress) {
    let builder = machine.builder().roll(Roll::size(20)).compress(compress);
    let Ok(mut appender) = calls.on(machine, builder).open() else {
        return;
    };
    appender.settle(LONG);
    for n in 0..5 {
        let _ = writeln!(appender, "this is line {n:02}.");
        appender.settle(LONG);
        machine.clock.advance(Duration::from_secs(2));
    }
    appender.close(LONG);
}

#[test]
fn whichever_call_fails_or_is_a_process_s_last_each_closed_file_is_told_in_the_end() {
    for compress in [Compress::None, COMPRESS] {
        let whole = Machine::at("2026-11-23T10:00:00Z");
        let once = Calls::default();
        run(&whole, &once, compress);
        let ways = if compress == Compress::None {
            ".log"
        } else {
            FORM
        };
        let expected = (1..=4).map(|n| format!("close 00000{n}{ways}"));
        let mut closes = once.taken();
        closes.retain(|call| call.starts_with("close"));
        assert_eq!(closes, expected.collect::<Vec<_>>(), "once each");
        for call in 0..whole.disk.calls() {
            for for_good in [false, true] {
                let machine = Machine::at("2026-11-23T10:00:00Z");
                let calls = Calls::default();
                machine.disk.fail_call(call, for_good);
                run(&machine, &calls, compress);
                machine.disk.heal();
                run(&machine, &calls, compress);
                let told = calls.taken();
                let mut names = machine.disk.names();
                names.retain(|name| name != "app.log");
                for name in names {
                    let number: Vec<_> = name.split('.').skip(2).collect();
                    let close = format!("close {}", number.join("."));
                    let roll = format!("roll {}.log", number[0]);
                    assert!(
                        told.contains(&close) && told.contains(&roll),
                        "call {call}, for good: {for_good}: {name} is missing in {told:?}"
                    );
                }
                // A failure may double a call; it never starts all over.
                assert!(told.len() <= 2 * 9 + 2, "call {call}: {told:?}");
            }
        }
    }
}
