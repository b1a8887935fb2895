//! The writers: ours, the rivals, and the floor.

mod logs;
mod ours;
mod plain;
mod tracing;

use dogwatch_benches::quick;
use std::io::Write;
use std::path::Path;

/// One writer.
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    /// `None` if it cannot do that to its files.
    pub(crate) open: fn(&Path, Files) -> Option<Box<dyn Open>>,
}

/// What becomes of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// One, and it grows.
    One,
    /// A new one after each 16 MiB.
    Rolled,
    /// The same, and the closed ones are compressed off the write path where the writer can do so:
    /// ours with its default, the others with gzip.
    Compressed,
}

/// A writer at work.
pub(crate) trait Open {
    /// A handle for one thread.
    fn handle(&self) -> Box<dyn Write + Send>;
    /// Returns when all is in the files; says how many lines it knows to be missing.
    fn close(self: Box<Self>) -> u64;
}

/// Each queue may hold 8 MiB of lines, and each buffer before a file 64 KiB, where that can be chosen.
pub(crate) const SUBJECTS: &[Subject] = &[
    Subject {
        key: "ours",
        name: "dogwatch-appender, Wait(60 s): lossless",
        open: ours::lossless,
    },
    Subject {
        key: "ours_default",
        name: "dogwatch-appender, Wait(100 ms): its default",
        open: ours::default,
    },
    Subject {
        key: "ours_drop",
        name: "dogwatch-appender, DropNew",
        open: ours::drop_new,
    },
    Subject {
        key: "ours_ring",
        name: "dogwatch-appender, Wait(60 s), with its crash ring",
        open: ours::with_ring,
    },
    Subject {
        key: "ta_lossless",
        name: "tracing-appender, lossless",
        open: |directory, files| tracing::queued(directory, files, false),
    },
    Subject {
        key: "ta_lossy",
        name: "tracing-appender, lossy (its default)",
        open: |directory, files| tracing::queued(directory, files, true),
    },
    Subject {
        key: "ta_direct",
        name: "tracing-appender, direct, mutex",
        open: tracing::direct,
    },
    Subject {
        key: "logroller",
        name: "logroller, mutex",
        open: plain::logroller,
    },
    Subject {
        key: "file_rotate",
        name: "file-rotate, mutex",
        open: plain::file_rotate,
    },
    Subject {
        key: "rolling_file",
        name: "tracing-rolling-file, mutex",
        open: plain::rolling_file,
    },
    Subject {
        key: "flexi_async",
        name: "flexi_logger, async (its queue has no bound)",
        open: |directory, files| logs::flexi(directory, files, logs::flexi_async()),
    },
    Subject {
        key: "flexi_buffered",
        name: "flexi_logger, buffered",
        open: |directory, files| logs::flexi(directory, files, logs::flexi_buffered()),
    },
    Subject {
        key: "spdlog_async",
        name: "spdlog-rs, async, blocks when full",
        open: logs::spdlog_async,
    },
    Subject {
        key: "spdlog_sync",
        name: "spdlog-rs, sync",
        open: logs::spdlog_sync,
    },
    Subject {
        key: "floor",
        name: "floor: memcpy and writes of 64 KiB, mutex",
        open: plain::floor,
    },
];

const NAME: &str = "app.log";
const QUEUE_BYTES: usize = 8 << 20;
/// Where a queue counts lines: what 8 MiB hold.
const QUEUE_LINES: usize = QUEUE_BYTES / crate::lines::LENGTH;
const BUFFER_BYTES: usize = 64 << 10;

/// A test writes little, and shall see rolls all the same.
fn roll_bytes() -> u64 {
    if quick() { 256 << 10 } else { 16 << 20 }
}
