//! A writer that hangs in its `write`: what was refused meanwhile is told while it hangs.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use dogwatch_appender::{Guard, NonBlocking, WhenFull};

const LONG: Duration = Duration::from_secs(60);

/// Hangs from its first line on, until the other end of its channel goes.
struct Hangs(Receiver<()>);

impl Write for Hangs {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hanging() -> (NonBlocking, Guard, Receiver<String>, Sender<()>) {
    let (release, hang) = channel();
    let (told, hear) = channel();
    let (log, guard) = NonBlocking::builder(Hangs(hang))
        .max_bytes(1_000)
        .when_full(WhenFull::DropNew)
        .on_error(move |error| drop(told.send(error.to_string())))
        .spawn()
        .unwrap();
    (log, guard, hear, release)
}

/// Offers so many lines and returns how many were refused.
fn offer(log: &NonBlocking, lines: u64) -> u64 {
    (0..lines)
        .filter(|_| !log.offer(None, b"a line of twenty-one\n"))
        .count() as u64
}

#[test]
fn lines_refused_while_the_writer_hangs_are_told_while_it_hangs() {
    let (log, guard, hear, release) = hanging();
    let mut refused = offer(&log, 100);
    assert!(refused > 0);
    let mut told = hear.recv_timeout(LONG).unwrap();
    // The writer was still awake and told of the first ones itself; the watcher tells of the rest.
    while !told.contains(&format!("since the start: {refused}")) {
        refused += offer(&log, 1);
        told = hear.recv_timeout(LONG).unwrap();
    }
    assert_eq!(log.accounts().refused.full.total(), refused);
    drop(release);
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(
        accounts.written.total() + refused,
        accounts.offered().total()
    );
    assert_eq!(accounts.pending().total(), 0);
}

#[test]
fn lines_refused_while_the_writer_hangs_are_told_at_the_close() {
    let (log, guard, hear, release) = hanging();
    let refused = offer(&log, 100);
    assert!(refused > 0);
    let unwritten = guard.close(Duration::ZERO).unwrap_err();
    drop(release);
    assert_eq!(unwritten.accounts().refused.full.total(), refused);
    assert_eq!(unwritten.lines() + refused, 100);
    // "dropped" by the writer or the watcher before, the rest at the close.
    let told: Vec<String> = hear.try_iter().collect();
    let number_after = |text: &str, words: &str| -> u64 {
        let rest = text.split(words).nth(1).unwrap_or("0");
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    };
    let numbers: u64 = told
        .iter()
        .map(|text| {
            number_after(text, "log lines dropped: ")
                + number_after(text, "before the time was over: ")
                + number_after(text, "not told yet: ")
        })
        .sum();
    assert_eq!(numbers, 100, "each missing line is told of: {told:?}");
}
