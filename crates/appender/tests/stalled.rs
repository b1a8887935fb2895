//! A writer that hangs in its `write`: what was refused meanwhile is told at the close.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dogwatch_appender::{NonBlocking, WhenFull};

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

#[test]
fn lines_refused_while_the_writer_hangs_are_told_at_the_close() {
    let (release, hang) = channel();
    let (told, hear) = channel();
    let (log, guard) = NonBlocking::builder(Hangs(hang))
        .max_bytes(1_000)
        .when_full(WhenFull::DropNew)
        .on_error(move |error| drop(told.send(error.to_string())))
        .spawn()
        .unwrap();
    for _ in 0..100 {
        log.offer(None, b"a line of twenty-one\n");
    }
    let unwritten = guard.close(Duration::ZERO).unwrap_err();
    drop(release);
    let accounts = unwritten.accounts();
    let refused = accounts.refused.full.total();
    assert!(refused > 0);
    assert_eq!(unwritten.lines() + refused, 100);
    let told: Vec<String> = hear.try_iter().collect();
    let numbers: u64 = told
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_digit()))
        .filter_map(|number| number.parse::<u64>().ok())
        .sum();
    assert_eq!(numbers, 100, "each missing line is told of: {told:?}");
}
