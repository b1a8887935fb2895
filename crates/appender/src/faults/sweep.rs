//! Fails each call that reaches the disk in turn, once and for good, and counts what is left.

use super::*;
use crate::Fsync;

/// How a log is opened for a sweep.
type Options = fn(AppenderBuilder) -> AppenderBuilder;

pub(super) fn compressed(builder: AppenderBuilder) -> AppenderBuilder {
    builder.compress(COMPRESS)
}

/// With everything that makes calls of its own.
fn durable(builder: AppenderBuilder) -> AppenderBuilder {
    let keep = Keep::files(99).free_bytes(1);
    let builder = builder.fsync(Fsync::Every(LONG)).symlink("latest");
    builder
        .keep(keep)
        .held(|_| false)
        .when_locked(WhenLocked::Suffix)
}

/// With a file from an earlier life, and a disk that takes 15 bytes at a time.
fn machine() -> Machine {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    machine.disk.put("logs/app.log", "before\n");
    machine.disk.largest_write(15);
    machine
}

pub(super) fn lines() -> String {
    (0..20).map(|n| format!("this is line {n:02}.\n")).collect()
}

/// Opens, writes lines over several rolls, and closes; every failed write is tried again up to
/// `tries` times. Returns how many bytes were taken, if it could be opened.
pub(super) fn run(machine: &Machine, options: Options, lines: &str, tries: usize) -> Option<usize> {
    let builder = options(machine.builder().roll(Roll::size(50)));
    let mut appender = builder.header(Vec::new).open().ok()?;
    appender.settle(LONG);
    let (mut taken, mut failed) = (0, 0);
    for line in lines.split_inclusive('\n') {
        let until = taken + line.len();
        while taken < until && failed <= tries {
            match appender.write(&lines.as_bytes()[taken..until]) {
                Ok(more) => (taken, failed) = (taken + more, 0),
                Err(_) => failed += 1,
            }
            // One after the other, so that the calls have the same numbers in each run.
            appender.settle(LONG);
        }
        machine.clock.advance(Duration::from_millis(300));
    }
    appender.close(LONG);
    Some(taken)
}

#[test]
fn whichever_call_fails_once_or_for_good_every_line_taken_is_in_the_files_once_in_order() {
    let lines = lines();
    for (options, form) in [(compressed as Options, FORM), (durable, ".log")] {
        let whole = machine();
        assert_eq!(run(&whole, options, &lines, 0), Some(lines.len()));
        assert_eq!(whole.lines(), format!("before\n{lines}"));
        let calls = whole.disk.calls();
        assert!(calls > 50, "{calls} calls are too few to prove anything");
        for call in 0..calls {
            for for_good in [false, true] {
                let machine = machine();
                machine.disk.fail_call(call, for_good);
                let taken = run(&machine, options, &lines, if for_good { 1 } else { 3 });
                machine.disk.heal();
                // The next start mends what is left half done, and logs one more line.
                let more = run(&machine, options, "more\n", 0);
                assert_eq!(more, Some(5), "call {call}, for good: {for_good}");
                if !for_good && taken.is_some() {
                    assert_eq!(taken, Some(lines.len()), "call {call}");
                }
                let taken = &lines[..taken.unwrap_or(0)];
                let whole = taken.is_empty() || taken.ends_with('\n');
                let half = if whole { "" } else { "\n" };
                let expected = format!("before\n{taken}{half}more\n");
                let found = machine.lines();
                assert_eq!(found, expected, "call {call}, for good: {for_good}");
                let names = machine.disk.names();
                let ours = |name: &String| name == "app.log" || name.ends_with(form);
                assert!(names.iter().all(ours), "{names:?}");
            }
        }
    }
}

#[test]
fn the_sweep_reaches_every_call_of_the_disk() {
    let mut reached = std::collections::BTreeSet::new();
    for options in [compressed as Options, durable] {
        let machine = machine();
        run(&machine, options, &lines(), 0);
        reached.extend(machine.disk.called());
    }
    let all = [
        "append",
        "create_directory",
        "facts",
        "fstat",
        "link",
        "list",
        "lock",
        "lock_facts",
        "rename",
        "space",
        "sync",
        "sync_directory",
        "torn",
        "write",
    ];
    let missing: Vec<_> = all.iter().filter(|call| !reached.contains(*call)).collect();
    assert_eq!(missing, [&""; 0]);
    let compression = ["create", "read", "remove"];
    if COMPRESS != Compress::None {
        assert!(compression.iter().all(|call| reached.contains(call)));
    }
}

#[test]
fn whichever_call_fails_with_a_fallback_every_line_is_in_the_file_or_in_the_fallback_once() {
    let lines = lines();
    // The second leaves nothing of a line but its newline.
    for largest in [15, 16] {
        let run = |machine: &Machine, place: &Place| {
            let builder = machine.builder().roll(Roll::size(50)).degraded(true);
            let builder = builder.fallback(place.clone()).gap(gap_line);
            let mut appender = builder.open().unwrap();
            let mut taken = 0;
            while taken < lines.len() {
                match appender.write(&lines.as_bytes()[taken..]) {
                    Ok(more) => taken += more,
                    Err(_) => machine.clock.advance(Duration::from_secs(1)),
                }
                machine.clock.advance(Duration::from_millis(10));
            }
            let stats = appender.stats();
            assert!(appender.close(LONG));
            stats
        };
        let whole = Machine::at("2026-11-23T10:00:00Z");
        whole.disk.largest_write(largest);
        run(&whole, &Place::default());
        assert_eq!(whole.lines(), lines);
        for call in 0..whole.disk.calls() {
            for for_good in [false, true] {
                let machine = Machine::at("2026-11-23T10:00:00Z");
                machine.disk.largest_write(largest);
                machine.disk.fail_call(call, for_good);
                let place = Place::default();
                let stats = run(&machine, &place);
                machine.disk.heal();
                // Mends what is left half done.
                writeln!(machine.builder().open().unwrap(), "more").unwrap();
                let (file, fallback) = (machine.lines(), place.text());
                let is_ours = |line: &&str| line.ends_with('.') && line.starts_with("this");
                let mut found: Vec<_> = file.lines().filter(is_ours).collect();
                found.extend(fallback.lines());
                found.sort_unstable();
                let all: Vec<_> = lines.lines().collect();
                assert_eq!(
                    found, all,
                    "call {call}, for good: {for_good}: {file}---\n{fallback}"
                );
                assert_eq!(stats.fallback as usize, fallback.lines().count());
                let gaps = file.lines().filter(|line| line.starts_with("gap")).count();
                assert!(gaps <= 1, "{file}");
            }
        }
    }
}
