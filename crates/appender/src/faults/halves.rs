//! Lines that the disk took by half when their file is left: at a roll, a reopen, or moved away.

use super::*;

const LINES: &[u8] = b"line 1.\nline 2.\nline 3.\n";

/// How the file is left.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    Roll,
    Reopen,
    /// Noticed by the next write.
    Moved,
}

impl Leaves {
    const ALL: [Self; 3] = [Self::Roll, Self::Reopen, Self::Moved];

    fn act(self, machine: &Machine, appender: &Appender) {
        if !matches!(self, Self::Roll) {
            let (from, to) = ("logs/app.log".as_ref(), "logs/moved.log".as_ref());
            let _ = crate::disk::Disk::rename(&machine.disk, from, to);
        }
        // A sweep may have these calls fail, too.
        let _ = match self {
            Self::Roll => appender.roll(),
            Self::Reopen => appender.reopen(),
            Self::Moved => {
                machine.clock.advance(Duration::from_millis(250));
                Ok(())
            }
        };
    }
}

/// Each line is whole in one place, once; besides there are only beginnings of lines.
fn check(texts: &[String], case: &str) {
    let lines = || texts.iter().flat_map(|text| text.lines());
    let mut whole: Vec<_> = lines().filter(|line| line.ends_with('.')).collect();
    whole.sort_unstable();
    assert_eq!(
        whole,
        ["line 1.", "line 2.", "line 3."],
        "{case}: {texts:?}"
    );
    let begins = |line: &str| {
        ["line 1.", "line 2.", "line 3."]
            .iter()
            .any(|all| all.starts_with(line))
    };
    assert!(lines().all(begins), "{case}: {texts:?}");
}

/// The files in the order in which they were written, each ended by a newline.
fn in_order(machine: &Machine) -> String {
    let mut files = machine.files();
    files.sort_by_key(|(name, _)| (name == "app.log", name == "moved.log", name.clone()));
    let texts = files.into_iter().map(|(_, text)| text);
    texts
        .map(|text| text.trim_end_matches('\n').to_owned() + "\n")
        .collect()
}

fn texts_of(machine: &Machine) -> Vec<String> {
    machine.files().into_iter().map(|(_, text)| text).collect()
}

#[test]
fn wherever_a_full_disk_cut_a_line_whose_file_is_left_it_is_whole_in_one_file_once() {
    for takes in 0..LINES.len() {
        for more in 0..9 {
            for leaves in Leaves::ALL {
                let case = format!("{takes} and {more} bytes, {leaves:?}");
                let machine = Machine::at("2026-11-23T10:00:00Z");
                let mut appender = machine.builder().open().unwrap();
                let handle = appender.clone();
                machine.disk.capacity(Some(takes));
                let mut taken = 0;
                let mut write = |tries: usize| {
                    for _ in 0..tries {
                        taken += appender.write(&LINES[taken..]).unwrap_or(0);
                    }
                    taken
                };
                write(2);
                machine.disk.capacity(Some(takes + more));
                leaves.act(&machine, &handle);
                write(2);
                machine.disk.capacity(None);
                assert_eq!(write(3), LINES.len(), "{case}");
                check(&texts_of(&machine), &case);
            }
        }
    }
}

#[test]
fn whichever_call_fails_a_line_whose_file_is_left_then_is_whole_in_one_file_once_in_order() {
    let lines = sweep::lines();
    for leaves in Leaves::ALL {
        // The second leaves nothing of a line but its newline.
        for largest in [15, 16] {
            let run = |machine: &Machine| {
                machine.disk.largest_write(largest);
                let appender = machine.builder().roll(Roll::size(50)).open();
                let mut appender = appender.ok()?;
                let (mut taken, mut failed) = (0, 0);
                while taken < lines.len() {
                    match appender.write(&lines.as_bytes()[taken..]) {
                        Ok(more) => taken += more,
                        Err(_) if failed < 2 => {
                            failed += 1;
                            leaves.act(machine, &appender);
                        }
                        Err(_) => machine.disk.heal(),
                    }
                }
                assert!(appender.close(LONG));
                Some(in_order(machine))
            };
            let whole = Machine::at("2026-11-23T10:00:00Z");
            run(&whole).unwrap();
            for call in 0..whole.disk.calls() {
                for for_good in [false, true] {
                    let machine = Machine::at("2026-11-23T10:00:00Z");
                    machine.disk.fail_call(call, for_good);
                    let Some(text) = run(&machine) else {
                        continue;
                    };
                    let case = format!("{leaves:?}, call {call}, {for_good}: {text}");
                    let is_whole = |line: &&str| line.ends_with('.');
                    let found: Vec<_> = text.lines().filter(is_whole).collect();
                    assert_eq!(found, lines.lines().collect::<Vec<_>>(), "{case}");
                    let begins = |line: &str| lines.lines().any(|all| all.starts_with(line));
                    assert!(text.lines().all(begins), "{case}");
                }
            }
        }
    }
}

#[test]
fn behind_a_queue_such_a_line_is_whole_in_a_file_or_in_the_fallback_and_counted_as_written() {
    for takes in 0..LINES.len() {
        for more in [0, 3] {
            for leaves in Leaves::ALL {
                for has_fallback in [false, true] {
                    let case = format!("{takes} and {more} bytes, {leaves:?}, {has_fallback}");
                    let machine = Arc::new(Machine::at("2026-11-23T10:00:00Z"));
                    let place = Place::default();
                    let mut builder = machine.builder();
                    if has_fallback {
                        builder = builder.fallback(place.clone());
                    }
                    let appender = builder.open().unwrap();
                    machine.disk.capacity(Some(takes));
                    let (left, world) = (appender.clone(), Arc::clone(&machine));
                    let first = std::sync::Once::new();
                    let (mut log, guard) = NonBlocking::builder(appender)
                        .on_error(move |_| {
                            first.call_once(|| {
                                world.disk.capacity(Some(takes + more));
                                leaves.act(&world, &left);
                                // Without a fallback it heals, with one it stays full.
                                let capacity = has_fallback.then_some(0);
                                world.disk.capacity(capacity);
                            });
                        })
                        .spawn()
                        .unwrap();
                    log.write_all(LINES).unwrap();
                    while guard.flush(Duration::from_millis(20)).is_err() {
                        machine.clock.advance(Duration::from_secs(1));
                    }
                    let accounts = guard.close(LONG).unwrap();
                    assert_eq!(accounts.written.total(), 3, "{case}");
                    let mut texts = texts_of(&machine);
                    texts.push(place.text());
                    check(&texts, &case);
                }
            }
        }
    }
}

#[test]
fn a_gap_line_that_is_cut_when_its_file_is_left_is_told_again_in_the_next_one() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let builder = machine.builder().fallback(Place::default()).gap(gap_line);
    let mut appender = builder.open().unwrap();
    machine.disk.capacity(Some(0));
    assert!(writeln!(appender, "line 1").is_err());
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 1").unwrap();
    machine.disk.capacity(Some(10));
    machine.clock.advance(Duration::from_secs(1));
    writeln!(appender, "line 2").unwrap();
    assert_eq!(machine.disk.text("app.log"), "gap of 1 f");
    machine.disk.take("logs/app.log");
    machine.disk.put("logs/app.log", "");
    appender.reopen().unwrap();
    machine.disk.capacity(None);
    machine.clock.advance(Duration::from_secs(2));
    writeln!(appender, "line 3").unwrap();
    assert_eq!(
        machine.disk.text("app.log"),
        "gap of 2 from 10:00:01 to 10:00:02: [(\"fallback\", 2)]\nline 3\n"
    );
    assert_eq!(appender.stats().torn, 1);
}
