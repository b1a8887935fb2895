//! The disk of this machine with failures on demand, for tests: a ring needs a real one.

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use crate::disk::{Disk, Facts, Lock, Open, RealDisk, Space, Syncs};

/// Which call fails, and how much a write takes.
pub(super) struct Failures {
    calls: AtomicUsize,
    at: AtomicUsize,
    for_good: AtomicBool,
    room: AtomicUsize,
    largest: AtomicUsize,
}

impl Failures {
    pub(super) fn none() -> Arc<Self> {
        let never = || AtomicUsize::new(usize::MAX);
        Arc::new(Self {
            calls: AtomicUsize::new(0),
            at: never(),
            for_good: AtomicBool::new(false),
            room: never(),
            largest: never(),
        })
    }

    /// The call with this number fails: once, or it and all after it.
    pub(super) fn fail_call(&self, at: usize, for_good: bool) {
        self.at.store(at, Relaxed);
        self.for_good.store(for_good, Relaxed);
    }

    /// So many bytes are taken from now on.
    pub(super) fn room(&self, bytes: usize) {
        self.room.store(bytes, Relaxed);
    }

    pub(super) fn largest_write(&self, bytes: usize) {
        self.largest.store(bytes, Relaxed);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }

    fn call<T>(&self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let (nth, at) = (self.calls.fetch_add(1, Relaxed), self.at.load(Relaxed));
        match nth == at || (self.for_good.load(Relaxed) && nth > at) {
            true => Err(io::Error::other(format!("call {nth} fails"))),
            false => call(),
        }
    }
}

pub(super) struct Failing(pub(super) Arc<Failures>);

struct File {
    file: Box<dyn Open>,
    failures: Arc<Failures>,
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { file, failures } = self;
        failures.call(|| {
            let room = failures.room.load(Relaxed);
            let length = bytes.len().min(failures.largest.load(Relaxed)).min(room);
            if length == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.write_all(&bytes[..length])?;
            if room != usize::MAX {
                failures.room(room - length);
            }
            Ok(length)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Open for File {
    fn syncs(&self) -> Arc<dyn Syncs> {
        self.file.syncs()
    }

    fn facts(&self) -> io::Result<Facts> {
        self.failures.call(|| self.file.facts())
    }
}

impl Disk for Failing {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| DISK.create_directory(path))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        let file = self.0.call(|| DISK.append(path))?;
        let failures = Arc::clone(&self.0);
        Ok(Box::new(File { file, failures }))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Open>> {
        self.0.call(|| DISK.create(path))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.0.call(|| DISK.read(path))
    }

    fn facts(&self, path: &Path) -> io::Result<Facts> {
        self.0.call(|| DISK.facts(path))
    }

    fn torn(&self, path: &Path) -> io::Result<bool> {
        self.0.call(|| DISK.torn(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.call(|| DISK.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.call(|| DISK.remove(path))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.0.call(|| DISK.list(directory))
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.0.call(|| DISK.sync_directory(directory))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.0.call(|| DISK.lock(path))
    }

    fn space(&self, directory: &Path) -> io::Result<Space> {
        self.0.call(|| DISK.space(directory))
    }

    fn link(&self, file: &Path, link: &Path) -> io::Result<bool> {
        self.0.call(|| DISK.link(file, link))
    }
}

const DISK: RealDisk = RealDisk { mode: None };
