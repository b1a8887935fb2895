//! tracing-appender, behind its queue and alone. It rolls by time only.

use super::plain::shared;
use super::{Files, NAME, Open, QUEUE_LINES};
use std::io::Write;
use std::path::Path;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling;

struct Queued {
    writer: NonBlocking,
    guard: WorkerGuard,
    dropped: ErrorCounter,
}

pub(super) fn queued(directory: &Path, files: Files, lossy: bool) -> Option<Box<dyn Open>> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_LINES)
        .lossy(lossy)
        .finish(rolling::never(directory, NAME));
    let dropped = writer.error_counter();
    (files == Files::One).then(|| {
        Box::new(Queued {
            writer,
            guard,
            dropped,
        }) as _
    })
}

pub(super) fn direct(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    (files == Files::One).then(|| shared(rolling::never(directory, NAME)))
}

impl Open for Queued {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(self.writer.clone())
    }

    fn close(self: Box<Self>) -> u64 {
        drop(self.guard);
        self.dropped.dropped_lines() as u64
    }
}
