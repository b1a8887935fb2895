//! The appender on a real disk.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use dogwatch_appender::{Appender, Compress, Keep, Roll};

const LONG: Duration = Duration::from_secs(60);

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// The text of all files in the order of their numbers, the current one last.
fn everything(directory: &Path) -> String {
    let mut names = names(directory);
    names.sort_by_key(|name| (name == "app.log", name.split('.').nth(2).map(str::to_owned)));
    names
        .iter()
        .map(|name| fs::read_to_string(directory.join(name)).unwrap())
        .collect()
}

#[test]
fn a_size_roll_cuts_a_batch_at_line_borders_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .roll(Roll::size(100))
        .open()
        .unwrap();
    let lines: String = (0..100).map(|n| format!("line {n}\n")).collect();
    appender.write_all(lines.as_bytes()).unwrap();
    assert_eq!(everything(directory.path()), lines);
    for name in names(directory.path()) {
        let text = fs::read_to_string(directory.path().join(&name)).unwrap();
        assert!(text.len() <= 100 && text.ends_with('\n'), "{name}: {text}");
    }
    assert_eq!(
        appender.stats().rolls,
        names(directory.path()).len() as u64 - 1
    );
}

#[test]
fn one_chain_builds_file_and_queue_and_both_tell_of_losses_alike() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let (mut log, guard) = Appender::builder(&path)
        .gap(|gap| format!("{} missing\n", gap.lines().total()).into_bytes())
        .on_error(move |error| tell.lock().unwrap().push(error.to_string()))
        .non_blocking()
        .unwrap()
        .max_bytes(16)
        .spawn()
        .unwrap();
    log.write_all(b"longer than sixteen bytes\n").unwrap();
    log.write_all(b"short\n").unwrap();
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(
        (accounts.refused.too_long.total(), accounts.written.total()),
        (1, 1)
    );
    assert_eq!(told.lock().unwrap().len(), 1, "{told:?}");
    let mut lines: Vec<_> = everything(directory.path())
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    assert_eq!(lines, ["1 missing", "short"]);
}

#[test]
fn a_line_larger_than_a_file_goes_whole_into_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .roll(Roll::size(10))
        .open()
        .unwrap();
    let long = "x".repeat(50) + "\n";
    appender
        .write_all(format!("a\n{long}b\n").as_bytes())
        .unwrap();
    let texts: Vec<_> = names(directory.path())
        .iter()
        .map(|name| fs::read_to_string(directory.path().join(name)).unwrap())
        .collect();
    assert_eq!(texts, ["a\n".to_owned(), long, "b\n".to_owned()]);
}

#[test]
fn retention_deletes_our_oldest_files_and_nobody_elses() {
    let directory = tempfile::tempdir().unwrap();
    let foreign = [
        "app.db",
        "app.conf",
        "app.backup.tar",
        "app-audit.2020-01-01",
        "app.1.bak",
    ];
    for name in foreign {
        fs::write(directory.path().join(name), "precious").unwrap();
    }
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .roll(Roll::size(10))
        .keep(Keep::files(2))
        .open()
        .unwrap();
    for n in 0..10 {
        writeln!(appender, "line {n:04}").unwrap();
    }
    assert!(appender.settle(LONG));
    let (ours, others): (Vec<_>, Vec<_>) = names(directory.path())
        .into_iter()
        .partition(|name| name.ends_with(".log"));
    assert_eq!(ours.len(), 3, "{ours:?}");
    assert_eq!(others.len(), foreign.len());
    assert!(
        ours[0].ends_with(".000008.log") && ours[1].ends_with(".000009.log"),
        "{ours:?}"
    );
    assert_eq!(appender.stats().deleted, 7);
}

#[test]
fn a_deleted_file_and_a_deleted_directory_are_made_anew_on_reopen() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let mut appender = Appender::builder(logs.join("app.log")).open().unwrap();
    writeln!(appender, "one").unwrap();
    fs::remove_dir_all(&logs).unwrap();
    appender.reopen().unwrap();
    writeln!(appender, "two").unwrap();
    assert_eq!(fs::read_to_string(logs.join("app.log")).unwrap(), "two\n");
    assert_eq!(appender.stats().reopened, 1);
}

#[test]
fn a_moved_directory_takes_its_lock_along_and_the_old_name_is_locked_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (logs, moved) = (
        directory.path().join("logs"),
        directory.path().join("moved"),
    );
    let mut appender = Appender::builder(logs.join("app.log")).open().unwrap();
    writeln!(appender, "one").unwrap();
    fs::rename(&logs, &moved).unwrap();
    // Looks at once, and finds nothing to roll.
    appender.roll().unwrap();
    writeln!(appender, "two").unwrap();
    assert_eq!(fs::read_to_string(logs.join("app.log")).unwrap(), "two\n");
    assert_eq!(fs::read_to_string(moved.join("app.log")).unwrap(), "one\n");
    let second = Appender::builder(logs.join("app.log")).open().unwrap_err();
    assert!(second.is_locked());
    Appender::builder(moved.join("app.log")).open().unwrap();
    assert_eq!((appender.stats().rolls, appender.stats().reopened), (0, 1));
}

#[cfg(target_os = "linux")]
#[test]
fn housekeeping_gives_way_to_the_threads_that_serve() {
    let nice = || {
        let stat = fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_name = stat.rsplit_once(')').unwrap().1;
        // Field 19 of proc_pid_stat(5); the third comes first here.
        after_name.split_whitespace().nth(16).unwrap().to_owned()
    };
    let directory = tempfile::tempdir().unwrap();
    let (told, telling) = std::sync::mpsc::channel();
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .on_close(move |_| told.send(nice()).unwrap())
        .open()
        .unwrap();
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    let there: i32 = telling.recv_timeout(LONG).unwrap().parse().unwrap();
    let here: i32 = nice().parse().unwrap();
    assert_eq!(there, here.max(19));
}

#[test]
fn a_file_that_rolls_while_a_callback_runs_is_told_before_it_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let (told, telling) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (rolled, rolling) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(wait);
    let mut appender = Appender::builder(directory.path().join("app.log"))
        .keep(Keep::files(1))
        .compress(Compress::None)
        .on_roll(move |file| rolled.send(fs::read_to_string(file).unwrap()).unwrap())
        .on_close(move |file| {
            told.send(fs::read_to_string(file).unwrap()).unwrap();
            let _ = wait.lock().unwrap().recv();
        })
        .open()
        .unwrap();
    let mut roll = |line: &str| {
        writeln!(appender, "{line}").unwrap();
        appender.roll().unwrap();
    };
    roll("1");
    assert_eq!(telling.recv_timeout(LONG).unwrap(), "1\n");
    ["2", "3", "4", "5"].into_iter().for_each(&mut roll);
    drop(go);
    assert!(appender.close(LONG));
    let rest: String = telling.try_iter().collect();
    assert_eq!(rest, "2\n3\n4\n5\n");
    assert_eq!(rolling.try_iter().collect::<String>(), "1\n2\n3\n4\n5\n");
}

#[test]
fn a_second_appender_on_the_same_path_is_a_clear_error_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let first = Appender::builder(&path).open().unwrap();
    let second = Appender::builder(&path).open().unwrap_err();
    assert!(second.is_locked());
    assert_eq!(
        second.to_string(),
        format!(
            "cannot log to `{}`: another appender writes to it; give each process a path of its own",
            path.display()
        )
    );
    drop(first);
    Appender::builder(&path).open().unwrap();
}

#[test]
fn what_cannot_be_opened_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = Appender::builder(file.join("logs").join("app.log"))
        .open()
        .unwrap_err();
    assert!(below_a_file.is_io());
    assert_eq!(
        below_a_file.to_string(),
        format!(
            "cannot make log directory `{}`",
            file.join("logs").display()
        )
    );
    let zone = Appender::builder(directory.path().join("app.log"))
        .zone("Mars/Olympus")
        .open();
    let zone = zone.unwrap_err();
    assert!(zone.is_option());
    assert_eq!(zone.to_string(), "cannot use time zone `Mars/Olympus`");
    assert!(Appender::builder("/").open().unwrap_err().is_option());
}

#[test]
fn a_half_line_is_closed_at_the_start_and_counted_as_torn() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, "whole\nhal").unwrap();
    let mut appender = Appender::builder(&path).open().unwrap();
    writeln!(appender, "next").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
    assert_eq!(appender.stats().torn, 1);
}

#[test]
fn each_new_file_begins_with_the_header_and_one_with_nothing_else_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let mut appender = Appender::builder(&path)
        .header(|| b"# header\n".to_vec())
        .open()
        .unwrap();
    for line in ["one", "two"] {
        writeln!(appender, "{line}").unwrap();
        appender.roll().unwrap();
        appender.roll().unwrap();
    }
    assert_eq!(
        everything(directory.path()),
        "# header\none\n# header\ntwo\n"
    );
    assert_eq!(appender.stats().rolls, 2);
}

#[test]
fn threads_write_whole_lines_through_shared_handles() {
    let directory = tempfile::tempdir().unwrap();
    let appender = Appender::builder(directory.path().join("app.log"))
        .roll(Roll::size(1000))
        .open()
        .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut appender = &appender;
            scope.spawn(move || {
                for n in 0..250 {
                    writeln!(appender, "thread {thread} line {n}").unwrap();
                }
            });
        }
    });
    let text = everything(directory.path());
    for thread in 0..4 {
        let own = format!("thread {thread} ");
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with(&own)).collect();
        let expected: Vec<_> = (0..250)
            .map(|n| format!("thread {thread} line {n}"))
            .collect();
        assert_eq!(lines, expected);
    }
    assert_eq!(text.lines().count(), 1000);
}

#[test]
fn closing_ends_every_handle() {
    let directory = tempfile::tempdir().unwrap();
    let appender = Appender::builder(directory.path().join("app.log"))
        .open()
        .unwrap();
    let mut clone = appender.clone();
    assert!(appender.close(LONG));
    let error = writeln!(clone, "late").unwrap_err();
    assert_eq!(error.to_string(), "the log file is closed");
}

#[test]
fn a_bare_appender_works_behind_tracing_appender() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let (mut writer, guard) =
        tracing_appender::non_blocking(Appender::builder(&path).open().unwrap());
    writer.write_all(b"a line\n").unwrap();
    drop(guard);
    assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
}
