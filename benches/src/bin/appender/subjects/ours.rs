//! Our appender behind our queue, with three ways to be full.

use super::{Files, NAME, Open, QUEUE_BYTES, roll_bytes};
use dogwatch_appender::{Appender, Compress, Guard, NonBlocking, Roll, WhenFull};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

struct Ours {
    writer: NonBlocking,
    guard: Guard,
}

/// As lossless as tracing-appender's: no disk here stalls for a minute.
pub(super) fn lossless(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    ours(directory, files, WhenFull::Wait(MINUTE))
}

pub(super) fn default(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let default = WhenFull::Wait(Duration::from_millis(100));
    ours(directory, files, default)
}

pub(super) fn drop_new(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    ours(directory, files, WhenFull::DropNew)
}

fn ours(directory: &Path, files: Files, when_full: WhenFull) -> Option<Box<dyn Open>> {
    let appender = Appender::builder(directory.join(NAME));
    let appender = match files {
        Files::One => appender,
        Files::Rolled => appender.roll(Roll::size(roll_bytes())),
        Files::Compressed => appender
            .roll(Roll::size(roll_bytes()))
            .compress(Compress::Zstd),
    };
    // Told about drops by the counts; this program's output is for its tables.
    let (writer, guard) = NonBlocking::builder(appender.open().expect("a fresh directory"))
        .max_bytes(QUEUE_BYTES)
        .when_full(when_full)
        .on_error(|_| {})
        .spawn()
        .expect("a thread");
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
