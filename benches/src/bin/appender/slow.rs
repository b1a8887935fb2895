//! Holds our accounts against a disk that is too slow: every line is somewhere.

use crate::lines::{LENGTH, Line};
use dogwatch_appender::{Level, NonBlocking, WhenFull};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Lines that are neither written nor counted as refused or lost, over all ways to be full.
pub(crate) fn unaccounted(lines: u64) -> u64 {
    let short = Duration::from_millis(2);
    let ways = [
        WhenFull::Wait(short),
        WhenFull::DropNew,
        WhenFull::DropOldest,
        WhenFull::DropBelow(Level::Warn),
    ];
    ways.map(|when_full| account(when_full, lines)).iter().sum()
}

fn account(when_full: WhenFull, lines: u64) -> u64 {
    let taken = Arc::new(AtomicU64::new(0));
    let disk = SlowDisk(Arc::clone(&taken));
    let builder = NonBlocking::builder(disk)
        .max_bytes(64 * LENGTH)
        .when_full(when_full);
    let (writer, guard) = builder.on_error(|_| {}).spawn().expect("a thread");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let writer = writer.clone();
            scope.spawn(move || {
                let mut line = Line::of_thread(thread);
                for number in 0..lines / 4 {
                    let level = LEVELS[number as usize % LEVELS.len()];
                    writer.offer(level, line.number(number));
                }
            });
        }
    });
    let accounts = match guard.close(Duration::from_millis(50)) {
        Ok(accounts) => accounts,
        Err(unwritten) => *unwritten.accounts(),
    };
    let on_disk = taken.load(Ordering::Relaxed) / LENGTH as u64;
    assert_eq!(
        accounts.offered().total(),
        lines,
        "{when_full:?}: every line was offered"
    );
    assert_eq!(
        accounts.written.total(),
        on_disk,
        "{when_full:?}: written is what the disk took"
    );
    let refused = accounts.refused.total().total();
    let made_room = accounts.lost.oldest.total();
    assert!(
        refused + made_room > 0,
        "{when_full:?}: the disk was too slow"
    );
    let elsewhere = accounts.written.total() + accounts.lost.total().total() + refused;
    lines.abs_diff(elsewhere)
}

const LEVELS: [Option<Level>; 4] = [
    None,
    Some(Level::Debug),
    Some(Level::Info),
    Some(Level::Warn),
];

/// Takes its lines, each write half a millisecond long.
struct SlowDisk(Arc<AtomicU64>);

impl Write for SlowDisk {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_micros(500) {
            std::thread::yield_now();
        }
        self.0.fetch_add(text.len() as u64, Ordering::Relaxed);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
