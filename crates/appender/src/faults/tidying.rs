//! Compression, what a crash left of it, and callbacks of the housekeeping.

use super::*;

#[cfg(feature = "gzip")]
#[test]
fn a_closed_file_is_compressed_when_it_is_old_enough_also_by_a_later_process() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let (closed, closing) = mpsc::channel();
    let open = || {
        let closed = closed.clone();
        let builder = machine.builder().compress(Compress::Gzip);
        let builder = builder.on_close(move |path| closed.send(path.to_owned()).unwrap());
        builder
            .compress_after(Duration::from_secs(600))
            .open()
            .unwrap()
    };
    let first = "logs/app.2026-11-23T10-00-00.000001.log";
    let second = "logs/app.2026-11-23T10-05-00.000002.log";
    let mut appender = open();
    let log = |appender: &mut Appender, minutes: u64| {
        writeln!(appender, "line").unwrap();
        appender.roll().unwrap();
        assert!(appender.settle(LONG));
        machine.clock.advance(Duration::from_secs(minutes * 60));
    };
    log(&mut appender, 5);
    log(&mut appender, 5);
    assert_eq!(machine.files().len(), 2);
    assert_eq!(appender.stats().compressed, 0);
    // Ten minutes after the first: this roll's pass finds it old enough.
    log(&mut appender, 5);
    assert_eq!(
        closing.try_iter().collect::<Vec<_>>(),
        [format!("{first}.gz")].map(std::path::PathBuf::from)
    );
    drop(appender);
    let appender = open();
    assert!(appender.settle(LONG));
    assert_eq!(
        closing.try_iter().collect::<Vec<_>>(),
        [format!("{second}.gz")].map(std::path::PathBuf::from)
    );
}

#[cfg(feature = "gzip")]
#[test]
fn what_a_crash_left_half_done_is_finished_or_removed_at_the_start() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let closed = Arc::new(Mutex::new(Vec::new()));
    // Killed while compressing; after compressing, before the deletion; before compressing.
    for (name, text) in [
        ("app.2026-11-20T10-00-00.000001.log", "one\n"),
        ("app.2026-11-20T10-00-00.000001.log.tmp", "ha"),
        ("app.2026-11-21T10-00-00.000002.log", "two\n"),
        ("app.2026-11-22T10-00-00.000003.log", "three\nhalf a line"),
        (
            "app.2026-11-22T10-00-00.000004.log.tmp",
            "its source is gone",
        ),
        ("app.2026-11-22T10-00-00.000003.log.idx", "an index"),
        ("app.2026-11-21T10-00-00.000002.log.idx", "an index"),
    ] {
        machine.disk.put(&format!("logs/{name}"), text);
    }
    let done = "logs/app.2026-11-21T10-00-00.000002.log.gz";
    Compress::Gzip
        .run(
            &machine.disk,
            (
                "logs/app.2026-11-21T10-00-00.000002.log".as_ref(),
                done.as_ref(),
            ),
            &Default::default(),
        )
        .unwrap();
    let paths = Arc::clone(&closed);
    let appender = machine
        .builder()
        .compress(Compress::Gzip)
        .on_close(move |path| paths.lock().unwrap().push(path.to_owned()))
        .open()
        .unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-20T10-00-00.000001.log.gz", "one\n"),
            ("app.2026-11-21T10-00-00.000002.log.gz", "two\n"),
            (
                "app.2026-11-22T10-00-00.000003.log.gz",
                "three\nhalf a line"
            ),
            ("app.log", ""),
        ]
    );
    // The second, too: nothing says that the crash came after the call.
    let names = [
        "20T10-00-00.000001",
        "21T10-00-00.000002",
        "22T10-00-00.000003",
    ];
    let paths = names.map(|name| format!("logs/app.2026-11-{name}.log.gz").into());
    assert_eq!(*closed.lock().unwrap(), paths as [std::path::PathBuf; 3]);
    assert_eq!(appender.stats().compressed, 2);
}

#[cfg(feature = "gzip")]
#[test]
fn a_plain_file_stays_beside_a_compressed_one_that_is_not_the_whole_of_it() {
    let name = "logs/app.2026-11-20T10-00-00.000001.log";
    let whole = {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        machine.disk.put(name, "one\ntwo\n");
        let packed = (name.as_ref(), "packed".as_ref());
        let never = Default::default();
        Compress::Gzip.run(&machine.disk, packed, &never).unwrap();
        machine.disk.content("packed")
    };
    // gzip(1) at work, killed, or on another file; then what we leave when we are killed.
    for (plain, length, stays) in [
        ("one\ntwo\n", 0, true),
        ("one\ntwo\n", whole.len() - 1, true),
        ("one\n", whole.len(), true),
        ("one\ntwo\nthree\n", whole.len(), true),
        ("one\ntwo\n", whole.len(), false),
    ] {
        let machine = Machine::at("2026-11-23T10:00:00Z");
        machine.disk.put(name, plain);
        machine
            .disk
            .put_bytes(&format!("{name}.gz"), &whole[..length]);
        let closed = Arc::new(Mutex::new(Vec::new()));
        let paths = Arc::clone(&closed);
        let builder = machine.builder().compress(Compress::Gzip);
        let builder = builder.on_close(move |path| paths.lock().unwrap().push(path.to_owned()));
        let appender = builder.open().unwrap();
        assert!(appender.settle(LONG));
        let names = machine.disk.names();
        assert_eq!(
            names.len(),
            2 + usize::from(stays),
            "{plain:?} {length}: {names:?}"
        );
        let told = if stays {
            name.to_owned()
        } else {
            format!("{name}.gz")
        };
        assert_eq!(*closed.lock().unwrap(), [std::path::PathBuf::from(told)]);
        let errors = machine.errors.lock().unwrap().clone();
        let expected = stays.then(|| format!("cannot compress log file `{name}`"));
        assert_eq!(errors, Vec::from_iter(expected));
    }
}

#[cfg(feature = "gzip")]
#[test]
fn a_failed_compression_leaves_the_plain_file_alone_and_is_done_at_the_next_roll() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine.builder().compress(Compress::Gzip).open().unwrap();
    assert!(appender.settle(LONG));
    machine.disk.fail_all("sync", io::ErrorKind::StorageFull);
    writeln!(appender, "one").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [("app.2026-11-23T10-00-00.000001.log", "one\n")]
    );
    assert_eq!(
        *machine.errors.lock().unwrap(),
        ["cannot compress log file `logs/app.2026-11-23T10-00-00.000001.log`"]
    );
    machine.disk.heal();
    writeln!(appender, "two").unwrap();
    appender.roll().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [
            ("app.2026-11-23T10-00-00.000001.log.gz", "one\n"),
            ("app.2026-11-23T10-00-00.000002.log.gz", "two\n"),
        ]
    );
}

#[test]
fn a_deleted_file_takes_its_index_along() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    for name in [
        "000001.log.gz",
        "000001.log.gz.idx",
        "000002.log.gz",
        "000002.log.gz.idx",
    ] {
        machine
            .disk
            .put(&format!("logs/app.2026-11-20T10-00-00.{name}"), "");
    }
    let appender = machine.builder().keep(Keep::files(1)).open().unwrap();
    assert!(appender.settle(LONG));
    assert_eq!(
        machine.disk.names(),
        [
            "app.2026-11-20T10-00-00.000002.log.gz",
            "app.2026-11-20T10-00-00.000002.log.gz.idx",
            "app.log"
        ]
    );
}

#[test]
fn a_callback_that_panics_hinders_no_housekeeping() {
    let machine = Machine::at("2026-11-23T10:00:00Z");
    let mut appender = machine
        .builder()
        .keep(Keep::files(1))
        .on_close(|_| panic!("on_close"))
        .open()
        .unwrap();
    for line in ["one", "two"] {
        writeln!(appender, "{line}").unwrap();
        appender.roll().unwrap();
    }
    assert!(appender.settle(LONG));
    assert_eq!(
        texts(&machine.files()),
        [("app.2026-11-23T10-00-00.000002.log", "two\n")]
    );
    assert!(machine.errors.lock().unwrap()[0].starts_with("the `on_close` callback panicked"));
}
