//! A bare appender as the writer of a tracing layer.

use std::{
    io::{self, Write},
    sync::atomic::Ordering,
};

use crate::{Appender, Error};

/// As a layer's writer it takes all lines: those that the disk refuses are counted as lost and told
/// to `on_error`, because a layer has nobody to return an error to.
impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Appender {
    type Writer = LayerWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LayerWriter { appender: self }
    }
}

/// What a layer writes a line to, straight into the file.
#[derive(Debug)]
pub struct LayerWriter<'a> {
    appender: &'a Appender,
}

impl Write for LayerWriter<'_> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let mut appender = self.appender;
        if let Err(error) = appender.write_all(lines) {
            let lost = memchr::memchr_iter(b'\n', lines).count().max(1) as u64;
            self.appender
                .inner
                .counts
                .lost
                .fetch_add(lost, Ordering::Relaxed);
            self.appender
                .inner
                .reporter
                .report(Error::io("a log line is lost", error));
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
