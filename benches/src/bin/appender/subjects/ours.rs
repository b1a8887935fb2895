//! Our appender behind our queue, with three ways to be full.

use super::{Files, NAME, Open, QUEUE_BYTES, roll_bytes};
use dogwatch_appender::{Appender, Compress, CrashRing, Guard, NonBlocking, Roll, WhenFull};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

struct Ours {
    writer: NonBlocking,
    guard: Guard,
}

/// As lossless as tracing-appender's: no disk here stalls for a minute.
pub(super) fn lossless(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    ours(directory, files, WhenFull::Wait(MINUTE), false)
}

/// The same, and a `kill -9` would lose nothing either.
pub(super) fn with_ring(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    ours(directory, files, WhenFull::Wait(MINUTE), true)
}

pub(super) fn default(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let default = WhenFull::Wait(Duration::from_millis(100));
    ours(directory, files, default, false)
}

pub(super) fn drop_new(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    ours(directory, files, WhenFull::DropNew, false)
}

fn ours(directory: &Path, files: Files, when_full: WhenFull, ring: bool) -> Option<Box<dyn Open>> {
    let appender = Appender::builder(directory.join(NAME));
    let appender = match files {
        Files::One => appender,
        Files::Rolled => appender.roll(Roll::size(roll_bytes())),
        Files::Compressed => appender
            .roll(Roll::size(roll_bytes()))
            .compress(Compress::Zstd),
    };
    let mut queue = NonBlocking::builder(appender.open().expect("a fresh directory"));
    if ring {
        queue = queue.crash_ring(CrashRing::new());
    }
    // Told about drops by the counts; this program's output is for its tables.
    let (writer, guard) = queue
        .max_bytes(QUEUE_BYTES)
        .when_full(when_full)
        .on_error(|_| {})
        .spawn()
        .expect("a thread, and room for a ring");
    Some(Box::new(Ours { writer, guard }))
}

impl Open for Ours {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(self.writer.clone())
    }

    fn close(self: Box<Self>) -> u64 {
        let accounts = self.guard.close(MINUTE).expect("a minute is enough");
        accounts.dropped().total()
    }
}

const MINUTE: Duration = Duration::from_secs(60);
