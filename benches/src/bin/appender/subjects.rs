//! The writers: ours, the rivals, and the floor.

use dogwatch_appender::{Appender, Compress, Guard, NonBlocking, Roll, WhenFull};
use dogwatch_benches::quick;
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use logroller::{LogRoller, LogRollerBuilder, Rotation, RotationSize};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling;

/// One writer.
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) open: fn(&Path) -> Box<dyn Open>,
}

/// A writer at work.
pub(crate) trait Open {
    /// A handle for one thread.
    fn handle(&self) -> Box<dyn Write + Send>;
    /// Returns when all is in the file; says how many lines it knows to be missing.
    fn close(self: Box<Self>) -> u64;
}

pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        key: "ours",
        name: "dogwatch-appender, non-blocking, Wait(60 s): lossless",
        open: |directory| ours(directory, Roll::never(), Compress::None, LOSSLESS),
    },
    Subject {
        key: "ours_default",
        name: "dogwatch-appender, non-blocking, Wait(100 ms): its default",
        open: |directory| ours(directory, Roll::never(), Compress::None, DEFAULT),
    },
    Subject {
        key: "ours_drop",
        name: "dogwatch-appender, non-blocking, DropNew",
        open: |directory| ours(directory, Roll::never(), Compress::None, WhenFull::DropNew),
    },
    Subject {
        key: "ours_rolls",
        name: "dogwatch-appender, rolls at 16 MiB, zstd",
        open: |directory| {
            ours(
                directory,
                Roll::size(roll_bytes()),
                Compress::Zstd,
                LOSSLESS,
            )
        },
    },
    Subject {
        key: "ta_lossless",
        name: "tracing-appender, lossless",
        open: |d| queued(d, false),
    },
    Subject {
        key: "ta_lossy",
        name: "tracing-appender, lossy (its default)",
        open: |d| queued(d, true),
    },
    Subject {
        key: "ta_direct",
        name: "tracing-appender, direct, mutex",
        open: |directory| shared(rolling::never(directory, NAME)),
    },
    Subject {
        key: "logroller",
        name: "logroller, mutex",
        open: |directory| {
            let rotation = Rotation::SizeBased(RotationSize::GB(64));
            let builder = LogRollerBuilder::new(directory, Path::new(NAME)).rotation(rotation);
            let roller: LogRoller = builder.build().expect("a fresh directory");
            shared(roller)
        },
    },
    Subject {
        key: "file_rotate",
        name: "file-rotate, mutex",
        open: |directory| {
            let limit = ContentLimit::BytesSurpassed(64 << 30);
            let path = directory.join(NAME);
            shared(FileRotate::new(
                path,
                AppendCount::new(3),
                limit,
                Compression::None,
                None,
            ))
        },
    },
    Subject {
        key: "floor",
        name: "floor: memcpy and writes of 64 KiB, mutex",
        open: |directory| {
            let file = File::create(directory.join(NAME)).expect("a fresh directory");
            shared(io::BufWriter::with_capacity(64 * 1_024, file))
        },
    },
];

struct Ours {
    writer: NonBlocking,
    guard: Guard,
}

fn ours(directory: &Path, roll: Roll, compress: Compress, when_full: WhenFull) -> Box<dyn Open> {
    let appender = Appender::builder(directory.join(NAME))
        .roll(roll)
        .compress(compress);
    let appender = appender.open().expect("a fresh directory");
    // Told about drops by the counts; this program's output is for its tables.
    let writer = NonBlocking::builder(appender)
        .max_bytes(QUEUE_BYTES)
        .when_full(when_full);
    let (writer, guard) = writer.on_error(|_| {}).spawn().expect("a thread");
    Box::new(Ours { writer, guard })
}

impl Open for Ours {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(self.writer.clone())
    }

    fn close(self: Box<Self>) -> u64 {
        let accounts = self
            .guard
            .close(Duration::from_secs(60))
            .expect("a minute is enough");
        accounts.dropped().total()
    }
}

struct Queued {
    writer: tracing_appender::non_blocking::NonBlocking,
    guard: WorkerGuard,
    dropped: ErrorCounter,
}

fn queued(directory: &Path, lossy: bool) -> Box<dyn Open> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_BYTES / crate::lines::LENGTH)
        .lossy(lossy)
        .finish(rolling::never(directory, NAME));
    let dropped = writer.error_counter();
    Box::new(Queued {
        writer,
        guard,
        dropped,
    })
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

struct Shared<W>(Arc<Mutex<W>>);

fn shared<W: Write + Send + 'static>(writer: W) -> Box<dyn Open> {
    Box::new(Shared(Arc::new(Mutex::new(writer))))
}

impl<W: Write + Send + 'static> Open for Shared<W> {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn close(self: Box<Self>) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
            .expect("room on the disk");
        0
    }
}

impl<W: Write> Write for Shared<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const NAME: &str = "app.log";
const QUEUE_BYTES: usize = 8 << 20;
const DEFAULT: WhenFull = WhenFull::Wait(Duration::from_millis(100));
// As lossless as tracing-appender's: no disk here stalls for a minute.
const LOSSLESS: WhenFull = WhenFull::Wait(Duration::from_secs(60));

/// A test writes little, and shall see rolls all the same.
fn roll_bytes() -> u64 {
    if quick() { 256 << 10 } else { 16 << 20 }
}
