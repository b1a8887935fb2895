//! Where lines go: the file, stdout, or both.

use std::io;

use tracing_core::Metadata;
use tracing_subscriber::fmt::MakeWriter;

#[cfg(feature = "appender")]
pub(crate) use dogwatch_appender::NonBlocking as Sink;

#[cfg(not(feature = "appender"))]
pub(crate) use crate::plain::Sink;

/// All the places that take one layer's lines.
#[derive(Clone, Default)]
pub(crate) struct Sinks {
    pub(crate) file: Option<Sink>,
    pub(crate) stdout: Option<Sink>,
}

impl Sinks {
    /// The file and stdout, each on its own.
    pub(crate) fn split(self) -> (Option<Self>, Option<Self>) {
        let Self { file, stdout } = self;
        let file = file.map(|sink| Self {
            file: Some(sink),
            stdout: None,
        });
        let stdout = stdout.map(|sink| Self {
            file: None,
            stdout: Some(sink),
        });
        (file, stdout)
    }
}

impl<'a> MakeWriter<'a> for Sinks {
    type Writer = Tee<<Sink as MakeWriter<'a>>::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Tee {
            file: self.file.as_ref().map(MakeWriter::make_writer),
            stdout: self.stdout.as_ref().map(MakeWriter::make_writer),
        }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Tee {
            file: self
                .file
                .as_ref()
                .map(|sink| sink.make_writer_for(metadata)),
            stdout: self
                .stdout
                .as_ref()
                .map(|sink| sink.make_writer_for(metadata)),
        }
    }
}

/// Hands each line to both sinks. A sink takes all of it and counts what it drops, so one that
/// fails never keeps a line from the other.
pub(crate) struct Tee<W> {
    file: Option<W>,
    stdout: Option<W>,
}

impl<W: io::Write> io::Write for Tee<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_all(line)?;
        Ok(line.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let file = self
            .file
            .as_mut()
            .map_or(Ok(()), |sink| sink.write_all(line));
        let stdout = self
            .stdout
            .as_mut()
            .map_or(Ok(()), |sink| sink.write_all(line));
        file.and(stdout)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    struct Broken;

    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_sink_keeps_no_line_from_the_other() {
        let (mut broken, mut taken) = (Broken, Vec::new());
        let (file, stdout): (&mut dyn Write, &mut dyn Write) = (&mut broken, &mut taken);
        let mut tee = Tee {
            file: Some(file),
            stdout: Some(stdout),
        };
        assert!(tee.write(b"{}\n").is_err());
        assert_eq!(taken, b"{}\n");
    }
}
