//! A process with a crash ring that really forks: the child writes nothing into its parent's ring.
#![cfg(target_os = "linux")]

use std::{fs, time::Duration};

use dogwatch_appender::{Appender, CrashRing, NonBlocking};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_forked_child_is_refused_from_its_first_line_on_and_the_parents_lines_stay_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let file = Appender::builder(&path).open().unwrap();
    // The lines wait in the ring until the end.
    let log = NonBlocking::builder(file).flush_interval(LONG);
    let (log, guard) = log.crash_ring(CrashRing::new()).spawn().unwrap();
    assert!(log.offer(None, b"parent 1\n"));

    // SAFETY: the child calls `offer`, which waits for no lock that a thread of the parent may have
    // held at this moment, and then `_exit`, which runs nothing else.
    let accepted = unsafe {
        let child = libc::fork();
        assert!(child >= 0, "cannot fork");
        if child == 0 {
            let taken = (0..10).filter(|_| log.offer(None, b"child\n")).count();
            libc::_exit(taken as i32);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        assert!(libc::WIFEXITED(status), "the child died: {status}");
        libc::WEXITSTATUS(status)
    };
    assert_eq!(accepted, 0);

    assert!(log.offer(None, b"parent 2\n"));
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.total(), 2);
    assert_eq!(fs::read_to_string(path).unwrap(), "parent 1\nparent 2\n");
    let names = fs::read_dir(directory.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("ring")).count(), 0);
}
