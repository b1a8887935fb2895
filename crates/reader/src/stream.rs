//! Reads a stream, such as standard input or a pipe, as its lines were written, compressed or not.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::Path;

use crate::codec::Codec;
use crate::trouble::{Kind, Trouble};

/// A stream being read. How it is compressed is found at the first read, not before: a writer may
/// have nothing to say yet.
pub(crate) enum Stream {
    New(Box<dyn Read>),
    Begun(Box<dyn Read>),
    /// It cannot be read further.
    Ended,
}

impl Stream {
    /// A pipe or a device, which is read from where it stands, once; `None` of any other path.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, Trouble> {
        let metadata = path.metadata();
        if !metadata.is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
            return Ok(None);
        }
        match File::open(path) {
            Ok(file) => Ok(Some(Self::New(Box::new(file)))),
            Err(error) => Err(Trouble::new(path, Kind::Unreadable, Some(error))),
        }
    }

    /// Gives the next bytes, 0 at the end or behind an error.
    pub(crate) fn read(&mut self, buffer: &mut [u8], path: &Path) -> Result<usize, Trouble> {
        loop {
            match self.read_once(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Trouble::new(path, Kind::Unreadable, Some(error))),
                Ok(read) => return Ok(read),
            }
        }
    }

    fn read_once(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Self::New(_) = self {
            if let Self::New(input) = std::mem::replace(self, Self::Ended) {
                *self = Self::Begun(Self::begin(input)?);
            }
        }
        match self {
            Self::Begun(input) => input.read(buffer),
            _ => Ok(0),
        }
    }

    fn begin(mut input: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
        let mut first = Vec::new();
        while Codec::may_be_compressed(&first) {
            let mut byte = [0];
            match input.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => first.push(byte[0]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let codec = Codec::of(&first);
        decoded(codec, Cursor::new(first).chain(input))
    }
}

/// Frame after frame, up to the end or to what is broken.
fn decoded(
    codec: Codec,
    input: Chain<Cursor<Vec<u8>>, Box<dyn Read>>,
) -> io::Result<Box<dyn Read>> {
    match codec {
        Codec::Plain => Ok(Box::new(input)),
        #[cfg(feature = "zstd")]
        Codec::Zstd => Ok(Box::new(zstd::stream::read::Decoder::new(input)?)),
        #[cfg(feature = "gzip")]
        Codec::Gzip => Ok(Box::new(flate2::read::MultiGzDecoder::new(input))),
        #[cfg(not(all(feature = "zstd", feature = "gzip")))]
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            match codec {
                Codec::Gzip => "it is compressed, and the feature `gzip` is not compiled in",
                _ => "it is compressed, and the feature `zstd` is not compiled in",
            },
        )),
    }
}
