//! A ring file of a killed process, open to be replayed: its bytes, and its words for marks.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::{
    fs::{FlockOperation, OFlags, flock},
    process::geteuid,
};

use super::{live::Words, place::Place};

/// The file, locked, with the words of its header read and written through the file itself: nothing
/// is mapped, so that a damaged file cannot hurt.
pub(crate) struct RingFile {
    file: File,
    place: Place,
    failed: Mutex<Option<io::Error>>,
}

impl RingFile {
    /// `WouldBlock` while the process that fills it still runs.
    pub(crate) fn open(place: Place) -> io::Result<Self> {
        // A second link in a row is not ours, nor is what belongs to somebody else: in /dev/shm
        // anybody may make a file, and this one's lines would go into our log.
        let mut options = OpenOptions::new();
        options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
        let file = options.read(true).write(true).open(place.path())?;
        let owner = file.metadata()?.uid();
        if owner != geteuid().as_raw() {
            let what = format!("it belongs to the user with the id {owner}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
        flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self {
            file,
            place,
            failed: Mutex::default(),
        })
    }

    pub(crate) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&self.file).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.place.path()
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        #[cfg(test)]
        let Some(()) = super::fuse::burn(|| ()) else {
            return Ok(());
        };
        self.place.remove()
    }

    fn failed(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, result: io::Result<()>) {
        if let Err(error) = result {
            self.failed().get_or_insert(error);
        }
    }
}

impl Words for RingFile {
    fn load(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        self.note(self.file.read_exact_at(&mut word, at as u64 * 8));
        u64::from_ne_bytes(word)
    }

    fn store(&self, at: usize, value: u64) {
        #[cfg(test)]
        let Some(()) = super::fuse::burn(|| ()) else {
            return;
        };
        if self.failed().is_some() {
            return;
        }
        #[cfg(test)]
        if let Err(error) = super::fuse::stores() {
            return self.note(Err(error));
        }
        self.note(self.file.write_all_at(&value.to_ne_bytes(), at as u64 * 8));
    }

    fn sound(&self) -> io::Result<()> {
        match &*self.failed() {
            None => Ok(()),
            Some(error) => {
                let what = format!("cannot note in the crash ring what is written: {error}");
                Err(io::Error::new(error.kind(), what))
            }
        }
    }
}
