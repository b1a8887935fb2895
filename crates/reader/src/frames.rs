//! Reads a log file as its lines were written, compressed or not, frame by frame.
//!
//! A compressed file is a row of frames (RFC 8878 section 3, RFC 1952 section 2.2). One that is broken
//! ends early; reading goes on at the next that begins like a frame.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use crate::codec::Codec;
use crate::identity::Stamp;
#[cfg(feature = "zstd")]
use crate::torn::Frame;
use crate::trouble::{Kind, Trouble};

/// A file being read. What is broken in it is told once, and read around.
pub(crate) struct Frames {
    state: State,
    codec: Codec,
    /// What the system said of the file when it was opened.
    stamp: Option<Stamp>,
    /// Bytes that were given, or passed over.
    given: u64,
    /// Where the frame that is being read begins; in a plain file, where it reads next.
    start: u64,
    /// What begins here or behind it is not read.
    end: u64,
    /// Whether what was given last ended a line.
    line_ended: bool,
}

enum State {
    /// Between two frames, or in a file that has none.
    Between(BufReader<File>),
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::read::Decoder<'static, Frame>),
    #[cfg(feature = "gzip")]
    Gzip(flate2::bufread::GzDecoder<BufReader<File>>),
    /// Something else went wrong; there is nothing more.
    Ended,
}

impl Frames {
    /// Looks at the first bytes, not at the name: a file that is being renamed is read as well.
    pub(crate) fn open(path: &Path) -> Result<Self, Trouble> {
        let unreadable = |error: io::Error| {
            let kind = if error.kind() == io::ErrorKind::NotFound {
                Kind::Vanished
            } else {
                Kind::Unreadable
            };
            Trouble::new(path, kind, Some(error))
        };
        let mut file = BufReader::with_capacity(CHUNK, File::open(path).map_err(unreadable)?);
        let stamp = file.get_ref().metadata().ok().as_ref().map(Stamp::of);
        let codec = Codec::of(file.fill_buf().map_err(unreadable)?);
        match codec {
            Codec::Zstd if !cfg!(feature = "zstd") => {
                return Err(Trouble::new(path, Kind::Unsupported("zstd"), None));
            }
            Codec::Gzip if !cfg!(feature = "gzip") => {
                return Err(Trouble::new(path, Kind::Unsupported("gzip"), None));
            }
            _ => {}
        }
        Ok(Self {
            state: State::Between(file),
            codec,
            stamp,
            given: 0,
            start: 0,
            end: u64::MAX,
            line_ended: true,
        })
    }

    /// Gives the next bytes, 0 at the end. An error tells of a broken part or of a file that cannot
    /// be read further; either way the next call goes on.
    pub(crate) fn read(&mut self, buffer: &mut [u8], path: &Path) -> Result<usize, Trouble> {
        loop {
            let read = match &mut self.state {
                State::Ended => return Ok(0),
                State::Between(file) if self.codec == Codec::Plain => {
                    let room =
                        usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX);
                    let room = room.min(buffer.len());
                    let read = file.read(&mut buffer[..room]);
                    self.start += *read.as_ref().unwrap_or(&0) as u64;
                    read
                }
                State::Between(_) => {
                    if !self.enter(path)? {
                        return Ok(0);
                    }
                    continue;
                }
                #[cfg(feature = "zstd")]
                State::Zstd(decoder) => decoder.read(buffer),
                #[cfg(feature = "gzip")]
                State::Gzip(decoder) => decoder.read(buffer),
            };
            match read {
                Ok(0) if self.codec == Codec::Plain => return Ok(0),
                Ok(0) => self.leave(),
                Ok(read) => {
                    self.line_ended = buffer[read - 1] == b'\n';
                    self.given += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(error, path)),
            }
        }
    }

    /// The file, if it is not compressed.
    pub(crate) fn file(&self) -> Option<&File> {
        match &self.state {
            State::Between(file) if self.codec == Codec::Plain => Some(file.get_ref()),
            _ => None,
        }
    }

    /// The file as it is stored, between two frames. Who reads it goes back by [`within`](Self::within).
    pub(crate) fn stored(&self) -> Option<&File> {
        match &self.state {
            State::Between(file) => Some(file.get_ref()),
            _ => None,
        }
    }

    /// How far the file was read as it is stored, at least.
    pub(crate) fn position(&self) -> u64 {
        let file = match &self.state {
            State::Between(file) => file,
            #[cfg(feature = "zstd")]
            State::Zstd(decoder) => decoder.get_ref().file(),
            #[cfg(feature = "gzip")]
            State::Gzip(decoder) => decoder.get_ref(),
            State::Ended => return 0,
        };
        let mut file = file.get_ref();
        file.stream_position().unwrap_or(0)
    }

    /// Fills a buffer from a place in a file that is not compressed, and stays where it is; whether
    /// there are as many bytes.
    pub(crate) fn peek(&self, at: u64, buffer: &mut [u8]) -> bool {
        let Some(mut file) = self.file() else {
            return false;
        };
        let Ok(here) = file.stream_position() else {
            return false;
        };
        let read = file
            .seek(SeekFrom::Start(at))
            .and_then(|_| file.read_exact(buffer));
        file.seek(SeekFrom::Start(here)).is_ok() && read.is_ok()
    }

    /// What the system said of the file when it was opened.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    /// Goes to so many bytes behind the beginning, decompressed; in a compressed file forward only.
    /// Whether there are as many.
    pub(crate) fn go_to(&mut self, at: u64, path: &Path) -> bool {
        if let State::Between(file) = &mut self.state {
            if self.codec == Codec::Plain {
                (self.start, self.given) = (at, at);
                return file.seek(SeekFrom::Start(at)).is_ok();
            }
        }
        let mut buffer = vec![0; CHUNK];
        while self.given < at {
            let room = CHUNK.min(usize::try_from(at - self.given).unwrap_or(CHUNK));
            match self.read(&mut buffer[..room], path) {
                Ok(1..) => {}
                Err(trouble) if trouble.is_broken_frame() => {}
                _ => return false,
            }
        }
        self.given == at
    }

    /// Where the frame that is being read begins; in a plain file, where it reads next.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Up to where it reads, as it is stored: what [`within`](Self::within) was given last.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Goes to a frame's beginning, or a line's in a plain file, and reads up to another. Wherever it
    /// stands.
    pub(crate) fn within(&mut self, range: Range<u64>, path: &Path) -> Result<(), Trouble> {
        self.leave();
        let State::Between(file) = &mut self.state else {
            return Ok(());
        };
        (self.start, self.end, self.line_ended) = (range.start, range.end, true);
        file.seek(SeekFrom::Start(range.start))
            .map(drop)
            .map_err(|error| Trouble::new(path, Kind::Unreadable, Some(error)))
    }

    /// Ends the line of a broken frame, so that the next frame's first line is its own.
    pub(crate) fn ends_line(&mut self) -> bool {
        std::mem::replace(&mut self.line_ended, true)
    }

    /// Begins the next frame; `false` at the end of the file.
    fn enter(&mut self, path: &Path) -> Result<bool, Trouble> {
        let State::Between(mut file) = std::mem::replace(&mut self.state, State::Ended) else {
            return Ok(false);
        };
        let begun = file.stream_position().and_then(|start| {
            self.start = start;
            Ok(start < self.end && !file.fill_buf()?.is_empty())
        });
        match begun {
            Ok(true) => {}
            Ok(false) => {
                self.state = State::Between(file);
                return Ok(false);
            }
            Err(error) => return Err(Trouble::new(path, Kind::Unreadable, Some(error))),
        }
        match self.codec {
            Codec::Plain => self.state = State::Between(file),
            #[cfg(feature = "zstd")]
            Codec::Zstd => match zstd::stream::read::Decoder::with_buffer(Frame::new(file)) {
                Ok(decoder) => self.state = State::Zstd(decoder.single_frame()),
                Err(error) => return Err(Trouble::new(path, Kind::Unreadable, Some(error))),
            },
            #[cfg(feature = "gzip")]
            Codec::Gzip => self.state = State::Gzip(flate2::bufread::GzDecoder::new(file)),
            #[cfg(not(all(feature = "zstd", feature = "gzip")))]
            _ => {}
        }
        Ok(true)
    }

    /// Takes the file back from a decoder that has come to the end of its frame.
    fn leave(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            #[cfg(feature = "zstd")]
            State::Zstd(decoder) => match decoder.finish().into_inner() {
                Ok(file) => State::Between(file),
                Err(_) => State::Ended,
            },
            #[cfg(feature = "gzip")]
            State::Gzip(decoder) => State::Between(decoder.into_inner()),
            other => other,
        };
    }

    /// Goes to the next place behind the broken frame's beginning where one may begin.
    fn broken(&mut self, error: io::Error, path: &Path) -> Trouble {
        let at = self.start;
        self.leave();
        let State::Between(mut file) = std::mem::replace(&mut self.state, State::Ended) else {
            return Trouble::new(path, Kind::Unreadable, Some(error));
        };
        if self.codec == Codec::Plain {
            return Trouble::new(path, Kind::Unreadable, Some(error));
        }
        match self.codec.next_frame(&mut file, at + 1) {
            Ok(_) => {
                // What cannot be read is told when it is read.
                let last = file.fill_buf().is_ok_and(<[u8]>::is_empty);
                self.state = State::Between(file);
                Trouble::new(path, Kind::BrokenFrame { at, last }, Some(error))
            }
            Err(error) => Trouble::new(path, Kind::Unreadable, Some(error)),
        }
    }
}

/// How much of a file is read at once.
const CHUNK: usize = 128 << 10;
