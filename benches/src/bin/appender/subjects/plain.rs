//! Plain writers behind a mutex, as tracing-subscriber puts them; and the floor.

use super::{BUFFER_BYTES, Files, NAME, Open, roll_bytes};
use file_rotate::compression::Compression as RotateCompression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use logroller::{Compression, LogRollerBuilder, Rotation, RotationSize};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tracing_rolling_file::RollingFileAppender;

struct Shared<W>(Arc<Mutex<W>>);

pub(super) fn shared<W: Write + Send + 'static>(writer: W) -> Box<dyn Open> {
    Box::new(Shared(Arc::new(Mutex::new(writer))))
}

pub(super) fn logroller(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let size = RotationSize::Bytes(limit(files));
    let builder = LogRollerBuilder::new(directory, Path::new(NAME))
        .rotation(Rotation::SizeBased(size))
        .graceful_shutdown(true);
    let builder = match files {
        Files::Compressed => builder.compression(Compression::Gzip),
        _ => builder,
    };
    Some(shared(builder.build().expect("a fresh directory")))
}

pub(super) fn file_rotate(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let compression = match files {
        Files::Compressed => RotateCompression::OnRotate(0),
        _ => RotateCompression::None,
    };
    Some(shared(FileRotate::new(
        directory.join(NAME),
        AppendCount::new(MANY),
        ContentLimit::BytesSurpassed(limit(files) as usize),
        compression,
        None,
    )))
}

/// It does not compress.
pub(super) fn rolling_file(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let condition = tracing_rolling_file::RollingConditionBase::new().max_size(limit(files));
    let writer = RollingFileAppender::new(directory.join(NAME), condition, MANY);
    (files != Files::Compressed).then(|| shared(writer.expect("a fresh directory")))
}

pub(super) fn floor(directory: &Path, files: Files) -> Option<Box<dyn Open>> {
    let file = File::create(directory.join(NAME)).expect("a fresh directory");
    let writer = io::BufWriter::with_capacity(BUFFER_BYTES, file);
    (files == Files::One).then(|| shared(writer))
}

impl<W: Write + Send + 'static> Open for Shared<W> {
    fn handle(&self) -> Box<dyn Write + Send> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    /// The last handle goes with it, and what that has to finish.
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

fn limit(files: Files) -> u64 {
    match files {
        Files::One => 64 << 30,
        _ => roll_bytes(),
    }
}

/// More files than any run makes: nobody deletes one.
const MANY: usize = 1_000;
