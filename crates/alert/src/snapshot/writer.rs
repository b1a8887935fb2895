//! The thread that writes the file of states: of what waits only the latest.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Wake;
use crate::error::Error;
use crate::snapshot::file::StateFile;

pub(crate) struct Writer {
    file: Mutex<Option<StateFile>>,
    next: Mutex<Option<Vec<u8>>>,
    wake: Arc<Wake>,
    ending: AtomicBool,
    failed: AtomicBool,
}

impl Writer {
    pub(crate) fn new(file: StateFile) -> Self {
        Self {
            file: Mutex::new(Some(file)),
            next: Mutex::default(),
            wake: Arc::default(),
            ending: AtomicBool::default(),
            failed: AtomicBool::default(),
        }
    }

    /// Hands over what to write, and never waits for a disk.
    pub(crate) fn put(&self, bytes: Vec<u8>) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(bytes);
        self.wake.ring();
    }

    /// Whether the last that was handed over is not in the file.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Writes what was handed over, and ends the thread.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Release);
        self.wake.ring();
    }

    /// The thread's work. The file is free for the next process when it is done.
    pub(crate) fn run(&self, tell: impl Fn(Error)) {
        let file = self.file.lock();
        let Some(mut file) = file.unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        loop {
            let ending = self.ending.load(Ordering::Acquire);
            let next = self
                .next
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match next {
                Some(bytes) => {
                    let written = file.write(&bytes);
                    self.failed.store(written.is_err(), Ordering::Release);
                    written.unwrap_or_else(&tell);
                }
                None if ending => return,
                None => self.wake.wait(None),
            }
        }
    }
}
