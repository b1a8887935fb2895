//! A disk that ends with its process, for tests.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::fuse;
use crate::disk::{Disk, Facts, Lock, Open, RealDisk, Space, Syncs};

/// A disk that ends with its process, even within a write; each second write is a short one.
pub(super) struct Mortal(pub(super) RealDisk, pub(super) Arc<AtomicUsize>);

struct MortalFile {
    file: Box<dyn Open>,
    writes: Arc<AtomicUsize>,
}

fn alive<T>(step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    fuse::burn(step).unwrap_or_else(|| Err(io::Error::other("killed")))
}

impl Write for MortalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let half = bytes.len().div_ceil(2);
        alive(|| self.file.write_all(&bytes[..half]))?;
        if self.writes.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
            return alive(|| Ok(half));
        }
        alive(|| self.file.write_all(&bytes[half..]))?;
        alive(|| Ok(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open for MortalFile {
    fn syncs(&self) -> Arc<dyn Syncs> {
        self.file.syncs()
    }

    fn facts(&self) -> io::Result<Facts> {
        self.file.facts()
    }
}

impl Disk for Mortal {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.create_directory(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        let file = alive(|| self.0.append(path))?;
        Ok(Box::new(MortalFile {
            file,
            writes: Arc::clone(&self.1),
        }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        alive(|| self.0.create(path))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.0.read(path)
    }

    fn facts(&self, path: &Path) -> io::Result<Facts> {
        self.0.facts(path)
    }

    fn torn(&self, path: &Path) -> io::Result<bool> {
        self.0.torn(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        alive(|| self.0.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        alive(|| self.0.remove(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.0.list(directory)
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.0.lock(path)
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        self.0.space(directory)
    }

    fn link(&self, file: &Path, link: &Path) -> io::Result<bool> {
        self.0.link(file, link)
    }
}
