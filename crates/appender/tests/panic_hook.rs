//! A panic hook that drains: the lines before a panic are in the file when the thread ends.

use std::{fs, io::Write as _, thread, time::Duration};

use dogwatch_appender::{Appender, NonBlocking};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn lines_before_a_panic_are_written_before_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let file = Appender::builder(&path).open().unwrap();
    let (mut log, guard) = NonBlocking::builder(file)
        .flush_interval(LONG * 60)
        .spawn()
        .unwrap();
    guard.drain().at_panic(LONG);
    writeln!(log, "before").unwrap();
    let panicked = thread::spawn(|| panic!("an abort would come now")).join();
    assert!(panicked.is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "before\n");
    // Also on the writer's own threads, in its callbacks: it deadlocks nowhere.
    writeln!(log, "after").unwrap();
    assert_eq!(guard.close(LONG).unwrap().written.total(), 2);
}
