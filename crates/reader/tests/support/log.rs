//! A log that things happen to, for the tests of what is made of it.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use dogwatch_line::{Now, Query};
use dogwatch_reader::{Follow, Search};
use proptest::prelude::*;

pub(crate) fn everything() -> Search {
    Search::new(&Query::parse("").unwrap(), Now::utc(UNIX_EPOCH))
}

/// All that is new at the moment.
pub(crate) fn new(follow: &mut Follow<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(next) = follow.next() {
        lines.push(next.unwrap().text().into_owned());
    }
    lines
}

pub(crate) fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    Gzip,
    Zstd,
}

/// Compresses a file as programs do: its name is new, and then the plain file goes.
pub(crate) fn compress(path: &Path, codec: Codec) {
    let text = fs::read(path).unwrap();
    let (bytes, end) = match codec {
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(&text).unwrap();
            (encoder.finish().unwrap(), ".gz")
        }
        Codec::Zstd => (zstd::bulk::compress(&text, 1).unwrap(), ".zst"),
    };
    let mut name = path.to_owned().into_os_string();
    name.push(end);
    fs::write(name, bytes).unwrap();
    fs::remove_file(path).unwrap();
}

/// What happens to a log between two looks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Lines(u8),
    HalfLine,
    Look,
    /// Rename, as our appender does.
    Roll,
    CompressOldest,
    /// As logrotate does with `copytruncate`.
    CopyTruncate,
}

pub(crate) struct Log {
    pub(crate) folder: tempfile::TempDir,
    sequence: u32,
    written: u32,
    pending: String,
    /// How each file begins.
    header: String,
    codec: Codec,
}

impl Log {
    pub(crate) fn new(header: &str, codec: Codec) -> Self {
        let log = Self {
            folder: tempfile::tempdir().unwrap(),
            sequence: 0,
            written: 0,
            pending: String::new(),
            header: header.to_owned(),
            codec,
        };
        append(&log.path(), header);
        log
    }

    /// All lines that were begun; the last one's end is missing perhaps.
    pub(crate) fn expected(&self) -> Vec<String> {
        (1..=self.written)
            .map(|index| format!("line {index} of some length"))
            .collect()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("shop.log")
    }

    fn rolled(&self) -> PathBuf {
        self.folder
            .path()
            .join(format!("shop.2026-11-24T10-00-00.{:06}.log", self.sequence))
    }

    fn line(&mut self) -> String {
        self.written += 1;
        format!("line {} of some length\n", self.written)
    }

    pub(crate) fn happen(&mut self, event: Event) {
        match event {
            Event::Look => {}
            Event::Lines(count) => {
                let mut text = std::mem::take(&mut self.pending);
                text.extend((0..count).map(|_| self.line()));
                append(&self.path(), &text);
            }
            Event::HalfLine if self.pending.is_empty() => {
                let line = self.line();
                let (half, rest) = line.split_at(line.len() / 2);
                append(&self.path(), half);
                self.pending = rest.to_owned();
            }
            Event::HalfLine => {}
            // A logger rolls at a line's end.
            Event::Roll | Event::CopyTruncate => {
                self.happen(Event::Lines(1));
                self.sequence += 1;
                if matches!(event, Event::Roll) {
                    fs::rename(self.path(), self.rolled()).unwrap();
                } else {
                    fs::copy(self.path(), self.rolled()).unwrap();
                }
                File::create(self.path()).unwrap();
                append(&self.path(), &self.header);
            }
            Event::CompressOldest => {
                let plain = |path: &PathBuf| {
                    path.extension().is_some_and(|end| end == "log") && *path != self.path()
                };
                let mut files: Vec<PathBuf> = fs::read_dir(self.folder.path())
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .filter(plain)
                    .collect();
                files.sort();
                if let Some(oldest) = files.first() {
                    compress(oldest, self.codec);
                }
            }
        }
    }
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..60_u8).prop_map(Event::Lines),
        1 => Just(Event::HalfLine),
        4 => Just(Event::Look),
        2 => Just(Event::Roll),
        1 => Just(Event::CompressOldest),
    ]
}
