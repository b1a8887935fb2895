//! The place that lines go to while the file takes none.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use crate::guarded::guarded;

pub(crate) struct Fallback(Mutex<Place>);

struct Place {
    writer: Box<dyn Write + Send>,
    /// What it took of a line before it failed. The line counts as not taken.
    begun: Vec<u8>,
    /// The last line that was taken lacks its end.
    owes_end: bool,
}

impl Fallback {
    pub(crate) fn new(writer: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(Place {
            writer,
            begun: Vec::new(),
            owes_end: false,
        }))
    }

    /// Writes `half`, the first part of a line whose rest `lines` begins with, and `lines`. Returns
    /// how much of `lines` was taken: whole lines, at least one.
    ///
    /// So the lines after them can go into the file or come here again. A line that was begun here is
    /// finished by the next one that begins so, or closed by a newline.
    pub(crate) fn write(&self, half: &[u8], lines: &[u8]) -> io::Result<usize> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = [half, lines].concat();
        if place.owes_end || !all.starts_with(&place.begun) {
            put(&mut *place.writer, b"\n")?;
            place.owes_end = false;
            place.begun.clear();
        }
        let mut at = std::mem::take(&mut place.begun).len();
        let failed = loop {
            if at == all.len() {
                return Ok(lines.len());
            }
            match put(&mut *place.writer, &all[at..]) {
                Ok(more) => at += more,
                Err(error) => break error,
            }
        };
        let mut whole = memchr::memrchr(b'\n', &all[..at]).map_or(0, |border| border + 1);
        if at > whole && all[at] == b'\n' {
            place.owes_end = true;
            whole = at + 1;
        } else {
            place.begun.extend_from_slice(&all[whole..at]);
        }
        match whole.checked_sub(half.len()) {
            Some(taken) if taken > 0 => Ok(taken),
            _ => Err(failed),
        }
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guarded(|| place.writer.flush()).unwrap_or_else(panicked)
    }
}

fn put(writer: &mut dyn Write, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match guarded(|| writer.write(bytes)).unwrap_or_else(panicked) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => return Ok(taken.min(bytes.len())),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn panicked<T>() -> io::Result<T> {
    Err(io::Error::other("the writer of the fallback panicked"))
}
