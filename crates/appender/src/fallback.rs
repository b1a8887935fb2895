//! The place that lines go to while the file takes none.

use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use crate::guarded::guarded;

pub(crate) struct Fallback(Mutex<Place>);

struct Place {
    writer: Box<dyn Write + Send>,
    /// The first part of a line whose rest comes with the next lines.
    owed: Vec<u8>,
}

impl Fallback {
    pub(crate) fn new(writer: Box<dyn Write + Send>) -> Self {
        let owed = Vec::new();
        Self(Mutex::new(Place { writer, owed }))
    }

    /// Writes `half`, the first part of a line whose rest `lines` begins with, and `lines`. Returns
    /// how much of `lines` was taken; after less than all the caller goes on where it stopped.
    pub(crate) fn write(&self, half: Vec<u8>, lines: &[u8]) -> io::Result<usize> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.owed.extend(half);
        while !place.owed.is_empty() {
            let Place { writer, owed } = &mut *place;
            let taken = put(&mut **writer, owed)?;
            owed.drain(..taken);
        }
        let mut taken = 0;
        while taken < lines.len() {
            match put(&mut *place.writer, &lines[taken..]) {
                Ok(more) => taken += more,
                Err(_) if taken > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(taken)
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
