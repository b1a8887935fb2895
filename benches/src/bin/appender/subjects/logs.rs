//! Loggers with writers of their own: flexi_logger and spdlog-rs.

use super::{BUFFER_BYTES, Files, NAME, Open, QUEUE_LINES, roll_bytes};
use flexi_logger::writers::{ArcFileLogWriter, FileLogWriter, FileLogWriterHandle};
use flexi_logger::{Cleanup, Criterion, FileSpec, Naming, WriteMode};
use spdlog::formatter::{Formatter, FormatterContext};
use spdlog::sink::{
    AsyncPoolSink, FileSink, OverflowPolicy, RotatingFileSink, RotationPolicy, Sink,
};
use spdlog::{Logger, Record, StringBuf, ThreadPool};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

struct Flexi {
    writer: ArcFileLogWriter,
    handle: FileLogWriterHandle,
}

pub(super) fn flexi_async() -> WriteMode {
    WriteMode::AsyncWith {
        pool_capa: QUEUE_LINES,
        message_capa: crate::lines::LENGTH,
        flush_interval: INTERVAL,
    }
}

pub(super) fn flexi_buffered() -> WriteMode {
    WriteMode::BufferAndFlushWith(BUFFER_BYTES, INTERVAL)
}

pub(super) fn flexi(directory: &Path, files: Files, mode: WriteMode) -> Option<Box<dyn Open>> {
    let spec = FileSpec::default()
        .directory(directory)
        .basename("app")
        .suppress_timestamp();
    let builder = FileLogWriter::builder(spec).write_mode(mode);
    let size = Criterion::Size(roll_bytes());
    let builder = match files {
        Files::One => builder,
        Files::Rolled => builder.rotate(size, Naming::Numbers, Cleanup::Never),
        Files::Compressed => {
            let cleanup = Cleanup::KeepCompressedFiles(1_000);
            builder.rotate(size, Naming::Numbers, cleanup)
        }
    };
    let (writer, handle) = builder.try_build_with_handle().expect("a fresh directory");
    Some(Box::new(Flexi { writer, handle }))
}

impl Open for Flexi {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(self.writer.clone())
    }

    fn close(self: Box<Self>) -> u64 {
        drop(self.handle);
        0
    }
}

/// It takes records, not lines: the line is the payload of one, and its formatter adds nothing.
#[derive(Clone)]
struct Spdlog(Arc<Logger>);

#[derive(Clone)]
struct Payload;

impl Formatter for Payload {
    fn format(
        &self,
        record: &Record<'_>,
        into: &mut StringBuf,
        _: &mut FormatterContext<'_>,
    ) -> spdlog::Result<()> {
        into.write_str(record.payload())
            .map_err(spdlog::Error::FormatRecord)
    }
}

pub(super) fn spdlog_sync(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    spdlog(file_sink(directory, files)?)
}

pub(super) fn spdlog_async(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let lines = NonZeroUsize::new(QUEUE_LINES).expect("more than none");
    let pool = ThreadPool::builder().capacity(lines).build_arc();
    let sink = AsyncPoolSink::builder()
        .sink(file_sink(directory, files)?)
        .overflow_policy(OverflowPolicy::Block)
        .thread_pool(pool.expect("a thread"))
        .build_arc();
    spdlog(sink.expect("a sink"))
}

/// It does not compress.
fn file_sink(directory: &Path, files: Files) -> Option<Arc<dyn Sink>> {
    let path = directory.join(NAME);
    match files {
        Files::One => {
            let sink = FileSink::builder()
                .path(path)
                .capacity(BUFFER_BYTES)
                .formatter(Payload)
                .build_arc();
            Some(sink.expect("a fresh directory"))
        }
        Files::Rolled => {
            let sink = RotatingFileSink::builder()
                .base_path(path)
                .rotation_policy(RotationPolicy::FileSize(roll_bytes()))
                // With its default of 0, "no limit", it empties its one file at each roll.
                .max_files(1_000)
                .capacity(BUFFER_BYTES)
                .formatter(Payload)
                .build_arc();
            Some(sink.expect("a fresh directory"))
        }
        Files::Compressed => None,
    }
}

fn spdlog(sink: Arc<dyn Sink>) -> Option<Box<dyn Open>> {
    let logger = Logger::builder().sink(sink).build_arc().expect("a logger");
    Some(Box::new(Spdlog(logger)))
}

impl Open for Spdlog {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(self.clone())
    }

    /// The pool ends with its last sink, when its queue is empty; the file is flushed when its sink
    /// goes.
    fn close(self: Box<Self>) -> u64 {
        0
    }
}

impl Write for Spdlog {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let line = std::str::from_utf8(text).expect("our lines are ASCII");
        spdlog::info!(logger: self.0, "{line}");
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const INTERVAL: Duration = Duration::from_millis(100);
